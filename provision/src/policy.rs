//! The least-privilege policy of AWS IoT for a device.

use std::fmt;

use microvisor::DeviceId;
use microvisor::aws::{DOCUMENTED_TOPICS, LIMITS, Topics};
use microvisor::mqtt::{LimitError, Publish, TopicError, TopicFilter, TopicName};
use serde::Serialize;
use thiserror::Error;

/// The Thing to whose certificate the policy is attached, which is the device's SID.
const THING_NAME: &str = "${iot:Connection.Thing.ThingName}";

/// The policy language's version, which it is called by.
const VERSION: &str = "2012-10-17";

/// Stands for the device's SID in topics.
const SID: &str = "{sid}";

/// Not any device's: it is replaced in the library's topics.
const PLACEHOLDER: &str = "UV00000000000000000000000000000000";

/// The longest policy document, in characters that are no white space (AWS IoT quota).
const MAX_LEN: usize = 2048;

/// Whom a policy is for, and what it allows.
#[derive(Clone, Debug)]
pub struct PolicyOptions {
    region: String,
    account: String,
    publish: Vec<String>,
    subscribe: Vec<String>,
    fixed_thing: Option<DeviceId>,
}

impl PolicyOptions {
    /// The topics of [`microvisor::aws::Topics`], for every Thing of the account, in one region.
    ///
    /// # Errors
    ///
    /// - [`Region`](PolicyError::Region): this is no region's name, such as "eu-west-1".
    /// - [`Account`](PolicyError::Account): this is not an account's 12 digits.
    pub fn new(region: impl Into<String>, account: impl Into<String>) -> Result<Self, PolicyError> {
        let (region, account) = (region.into(), account.into());
        if !is_region(&region) {
            return Err(PolicyError::Region { region });
        }
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PolicyError::Account { account });
        }
        Ok(Self { region, account, publish: Vec::new(), subscribe: Vec::new(), fixed_thing: None })
    }

    /// One more topic that the device may publish to. `{sid}` in it is the device's SID.
    ///
    /// # Errors
    ///
    /// A [`PolicyError`] for what AWS IoT takes for no topic, or what a policy would take for more.
    pub fn publish(mut self, topic: impl Into<String>) -> Result<Self, PolicyError> {
        let topic = topic.into();
        check_policy_characters(&topic)?;
        let example = topic.replace(SID, PLACEHOLDER);
        let name = TopicName::new(&example).map_err(|error| of_topic(&topic, error))?;
        LIMITS
            .check_publish(&Publish::new(name, b""))
            .and_then(|()| check_documented(&example))
            .map_err(|error| of_limit(&topic, error))?;
        self.publish.push(topic);
        Ok(self)
    }

    /// One more topic filter that the device may subscribe to. `{sid}` in it is the device's SID. Where the
    /// filter has wildcards, messages of all topics may be received that those of a policy allow, and `*`
    /// reaches over slashes.
    ///
    /// # Errors
    ///
    /// A [`PolicyError`] for what AWS IoT takes for no topic filter, or what a policy would take for more.
    pub fn subscribe(mut self, filter: impl Into<String>) -> Result<Self, PolicyError> {
        let filter = filter.into();
        check_policy_characters(&filter)?;
        if filter.starts_with("$share/") {
            return Err(PolicyError::SharedSubscription { filter });
        }
        let example = filter.replace(SID, PLACEHOLDER);
        let checked = TopicFilter::new(&example).map_err(|error| of_topic(&filter, error))?;
        LIMITS
            .check_filters(&[checked])
            .and_then(|()| check_documented(&example))
            .map_err(|error| of_limit(&filter, error))?;
        self.subscribe.push(filter);
        Ok(self)
    }

    /// For this device alone, by its SID, instead of by the name of whichever Thing connects.
    #[must_use]
    pub fn fixed_thing(mut self, sid: DeviceId) -> Self {
        self.fixed_thing = Some(sid);
        self
    }
}

/// A policy document of AWS IoT. `Display` is its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: &'static str,
    action: &'static str,
    resource: Vec<String>,
}

impl Policy {
    /// The policy that allows what the options say, and nothing else: to connect as oneself, to publish,
    /// to subscribe, and to receive what was subscribed to.
    ///
    /// # Errors
    ///
    /// [`TooLong`](PolicyError::TooLong): AWS IoT takes no such long policy.
    pub fn new(options: &PolicyOptions) -> Result<Self, PolicyError> {
        let placeholder = DeviceId::parse(PLACEHOLDER).map_err(|_| PolicyError::Placeholder)?;
        let topics = Topics::new(&placeholder);
        let publish = with(&options.publish, &[topics.telemetry().as_str()]);
        let subscribe = with(&options.subscribe, &[topics.command().as_str(), topics.broadcast().as_str()]);
        let resources = Resources { options };
        let policy = Self {
            version: VERSION,
            statement: vec![
                allow("iot:Connect", vec![resources.named("client", SID)]),
                allow("iot:Publish", publish.iter().map(|topic| resources.named("topic", topic)).collect()),
                allow(
                    "iot:Subscribe",
                    subscribe.iter().map(|filter| resources.named("topicfilter", filter)).collect(),
                ),
                allow(
                    "iot:Receive",
                    subscribe.iter().flat_map(|filter| resources.received(filter)).collect(),
                ),
            ],
        };
        match policy.to_string().chars().filter(|character| !character.is_whitespace()).count() {
            ..=MAX_LEN => Ok(policy),
            characters => Err(PolicyError::TooLong { characters }),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}

/// The library's topics, with the SID left open, and then the others.
fn with(others: &[String], librarys: &[&str]) -> Vec<String> {
    let mut all: Vec<_> = librarys.iter().map(|topic| topic.replace(PLACEHOLDER, SID)).collect();
    for other in others {
        if !all.contains(other) {
            all.push(other.clone());
        }
    }
    all
}

fn allow(action: &'static str, resource: Vec<String>) -> Statement {
    Statement { effect: "Allow", action, resource }
}

/// What a policy calls things.
struct Resources<'a> {
    options: &'a PolicyOptions,
}

impl Resources<'_> {
    fn named(&self, kind: &str, name: &str) -> String {
        let PolicyOptions { region, account, fixed_thing, .. } = self.options;
        let thing = fixed_thing.as_ref().map_or(THING_NAME, DeviceId::as_str);
        let name = name.replace(SID, thing);
        format!("arn:{}:iot:{region}:{account}:{kind}/{name}", partition(region))
    }

    /// The topics whose messages a subscription brings, in the policy's wildcards.
    fn received(&self, filter: &str) -> Vec<String> {
        let topics = filter.replace(['+', '#'], "*");
        // `a/#` is for `a` as well (MQTT 5 §4.7.1.2).
        let parent = filter.strip_suffix("/#").map(|parent| parent.replace('+', "*"));
        parent.iter().chain([&topics]).map(|topic| self.named("topic", topic)).collect()
    }
}

/// The part of AWS that a region belongs to.
fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

fn is_region(region: &str) -> bool {
    let parts: Vec<_> = region.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match &parts[..] {
        [words @ .., number] if words.len() >= 2 => {
            words.iter().all(is_word)
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

/// Refuses what a policy would take for a wildcard or a variable.
fn check_policy_characters(topic: &str) -> Result<(), PolicyError> {
    let special = ["*", "?", "${"].into_iter().find(|special| topic.contains(special));
    special.map_or(Ok(()), |special| Err(PolicyError::Special { topic: topic.to_owned(), special }))
}

/// Refuses what AWS keeps for itself of the topics that begin with `$aws/`, which a device does not look at.
fn check_documented(topic: &str) -> Result<(), LimitError> {
    if topic.starts_with('$') && !DOCUMENTED_TOPICS.iter().any(|prefix| topic.starts_with(prefix)) {
        return Err(LimitError::ReservedTopic);
    }
    Ok(())
}

fn of_topic(topic: &str, error: TopicError) -> PolicyError {
    PolicyError::Topic { topic: topic.to_owned(), error }
}

fn of_limit(topic: &str, error: LimitError) -> PolicyError {
    PolicyError::Limit { topic: topic.to_owned(), error }
}

/// Why there is no policy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// This is no region's name.
    #[error("{region:?} is no region of AWS; take the one in the endpoint's name, such as eu-west-1")]
    Region {
        /// What was given.
        region: String,
    },
    /// This is no account's number.
    #[error(
        "{account:?} is no AWS account; it is 12 digits, which `aws sts get-caller-identity` prints, without hyphens"
    )]
    Account {
        /// What was given.
        account: String,
    },
    /// This is no topic, or no topic filter.
    #[error("{topic:?} cannot be: {error}")]
    Topic {
        /// What was given.
        topic: String,
        /// What is wrong with it.
        error: TopicError,
    },
    /// AWS IoT does not take such a topic.
    #[error("{topic:?} cannot be: {error}")]
    Limit {
        /// What was given.
        topic: String,
        /// The limit.
        error: LimitError,
    },
    /// A policy would take this for a wildcard or a variable.
    #[error("{topic:?} has {special:?}, which a policy does not take as it stands; use topics without it")]
    Special {
        /// What was given.
        topic: String,
        /// What a policy takes for something else.
        special: &'static str,
    },
    /// A shared subscription.
    #[error("{filter:?} is a shared subscription, of which one device has no need; subscribe to the topics")]
    SharedSubscription {
        /// What was given.
        filter: String,
    },
    /// The document is too long.
    #[error(
        "the policy has {characters} characters, and AWS IoT takes {MAX_LEN} at most; allow fewer topics"
    )]
    TooLong {
        /// Its length without white space.
        characters: usize,
    },
    /// The library takes no such SID any more.
    #[error("the library's topics are not known")]
    Placeholder,
}
