//! AWS IoT policies: which client may connect, publish, subscribe and receive.

use std::fmt;

use serde_json::{Map, Value};

/// An AWS IoT policy document (version 2012-10-17).
///
/// Statements with `Effect`, `Action` and `Resource` are supported, with the wildcards `*` and `?`
/// and the variables `${iot:Connection.Thing.ThingName}` and `${iot:ClientId}`. `NotAction`,
/// `NotResource` and `Condition` are refused, so that no test passes on a policy half understood.
#[derive(Clone, Debug)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
struct Statement {
    allow: bool,
    actions: Vec<String>,
    resources: Vec<String>,
}

/// Why a text is not a policy that the model can evaluate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError(String);

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a policy that AWS IoT's model takes: {}", self.0)
    }
}

impl std::error::Error for PolicyError {}

/// Who a policy is evaluated for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    pub client_id: &'a str,
    /// Known where the certificate is attached to a Thing whose name is the client id.
    pub thing_name: Option<&'a str>,
}

const THING_NAME: &str = "${iot:Connection.Thing.ThingName}";
const CLIENT_ID: &str = "${iot:ClientId}";

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    ///
    /// [`PolicyError`], with what is wrong, for anything that is not JSON of the supported form.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let document: Value = serde_json::from_str(text).map_err(|error| PolicyError(error.to_string()))?;
        let document = document.as_object().ok_or_else(|| PolicyError("no JSON object".into()))?;
        if document.get("Version").and_then(Value::as_str) != Some("2012-10-17") {
            return Err(PolicyError("the Version is not 2012-10-17".into()));
        }
        let statements = match document.get("Statement") {
            Some(Value::Array(list)) => list.iter().map(Statement::from_json).collect::<Result<_, _>>()?,
            Some(single) => vec![Statement::from_json(single)?],
            None => return Err(PolicyError("there is no Statement".into())),
        };
        Ok(Self { statements })
    }

    /// A policy that allows everything.
    pub fn allow_all() -> Self {
        let everything = vec!["*".to_owned()];
        Self {
            statements: vec![Statement { allow: true, actions: everything.clone(), resources: everything }],
        }
    }

    /// The least-privilege policy for the topics of Microvisor's AWS guide: connect as the Thing,
    /// publish to `sensor/device/<thing>`, take commands from `command/device/<thing>` and
    /// `command/device/all`.
    pub fn least_privilege(region: &str, account_id: &str) -> Self {
        let statement = |action: &str, resources: &[&str]| Statement {
            allow: true,
            actions: vec![action.to_owned()],
            resources: resources
                .iter()
                .map(|resource| format!("arn:aws:iot:{region}:{account_id}:{resource}"))
                .collect(),
        };
        let thing = |prefix: &str| format!("{prefix}{THING_NAME}");
        Self {
            statements: vec![
                statement("iot:Connect", &[&thing("client/")]),
                statement("iot:Publish", &[&thing("topic/sensor/device/")]),
                statement(
                    "iot:Subscribe",
                    &[&thing("topicfilter/command/device/"), "topicfilter/command/device/all"],
                ),
                statement("iot:Receive", &[&thing("topic/command/device/"), "topic/command/device/all"]),
            ],
        }
    }
}

/// Whether the policies together allow `action` on `resource`: some statement allows it, and none denies it.
pub(super) fn allows(policies: &[Policy], action: &str, resource: &str, caller: Caller<'_>) -> bool {
    let mut allowed = false;
    for statement in policies.iter().flat_map(|policy| &policy.statements) {
        if statement.applies(action, resource, caller) {
            if !statement.allow {
                return false;
            }
            allowed = true;
        }
    }
    allowed
}

impl Statement {
    fn from_json(value: &Value) -> Result<Self, PolicyError> {
        let statement = value.as_object().ok_or_else(|| PolicyError("a Statement is no object".into()))?;
        for key in statement.keys() {
            if !matches!(key.as_str(), "Sid" | "Effect" | "Action" | "Resource") {
                return Err(PolicyError(format!("{key} is not supported in a Statement")));
            }
        }
        let allow = match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(PolicyError("an Effect is neither Allow nor Deny".into())),
        };
        let actions = strings(statement, "Action")?;
        let resources = strings(statement, "Resource")?;
        for resource in &resources {
            refuse_unknown_variables(resource)?;
        }
        Ok(Self { allow, actions, resources })
    }

    fn applies(&self, action: &str, resource: &str, caller: Caller<'_>) -> bool {
        let action = action.to_ascii_lowercase();
        self.actions
            .iter()
            .any(|pattern| Pattern::literal(&pattern.to_ascii_lowercase()).matches(action.as_bytes()))
            && self.resources.iter().any(|pattern| {
                Pattern::resolve(pattern, caller).is_some_and(|pattern| pattern.matches(resource.as_bytes()))
            })
    }
}

fn strings(statement: &Map<String, Value>, key: &str) -> Result<Vec<String>, PolicyError> {
    let text = |value: &Value| {
        value
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| PolicyError(format!("{key} holds something other than text")))
    };
    match statement.get(key) {
        Some(Value::Array(list)) if !list.is_empty() => list.iter().map(text).collect(),
        Some(single @ Value::String(_)) => Ok(vec![text(single)?]),
        _ => Err(PolicyError(format!("a Statement has no {key}"))),
    }
}

fn refuse_unknown_variables(resource: &str) -> Result<(), PolicyError> {
    let rest = resource.replace(THING_NAME, "").replace(CLIENT_ID, "");
    match rest.find("${") {
        Some(start) => Err(PolicyError(format!("the variable at {} is not supported", &rest[start..]))),
        None => Ok(()),
    }
}

/// A text with wildcards, in which the values of variables are no wildcards.
struct Pattern(Vec<Token>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Byte(u8),
    One,
    Run,
}

impl Pattern {
    fn literal(text: &str) -> Self {
        Self(text.bytes().map(Token::of_pattern).collect())
    }

    /// The pattern for `caller`, if all its variables are known for it.
    fn resolve(text: &str, caller: Caller<'_>) -> Option<Self> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(THING_NAME) {
                tokens.extend(caller.thing_name?.bytes().map(Token::Byte));
                rest = after;
            } else if let Some(after) = rest.strip_prefix(CLIENT_ID) {
                tokens.extend(caller.client_id.bytes().map(Token::Byte));
                rest = after;
            } else {
                let end = rest[1..].find("${").map_or(rest.len(), |position| position + 1);
                tokens.extend(rest[..end].bytes().map(Token::of_pattern));
                rest = &rest[end..];
            }
        }
        Some(Self(tokens))
    }

    fn matches(&self, text: &[u8]) -> bool {
        let (mut token, mut at) = (0, 0);
        // Where to go on when the current run should have taken one byte more.
        let mut retry = None;
        while at < text.len() {
            match self.0.get(token) {
                Some(Token::Run) => {
                    retry = Some((token + 1, at));
                    token += 1;
                    continue;
                }
                Some(Token::One) => {}
                Some(Token::Byte(byte)) if *byte == text[at] => {}
                _ => {
                    let Some((after_run, from)) = retry else { return false };
                    retry = Some((after_run, from + 1));
                    (token, at) = (after_run, from + 1);
                    continue;
                }
            }
            token += 1;
            at += 1;
        }
        self.0[token..].iter().all(|token| *token == Token::Run)
    }
}

impl Token {
    fn of_pattern(byte: u8) -> Self {
        match byte {
            b'*' => Self::Run,
            b'?' => Self::One,
            byte => Self::Byte(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THING: Caller<'_> = Caller { client_id: "lamp", thing_name: Some("lamp") };

    fn policy(statements: &str) -> Policy {
        Policy::from_json(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
    }

    #[test]
    fn nothing_is_allowed_that_no_statement_allows() {
        let policy = policy(r#"{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:topic/a"}"#);
        assert!(allows(std::slice::from_ref(&policy), "iot:Publish", "arn:topic/a", THING));
        assert!(!allows(std::slice::from_ref(&policy), "iot:Publish", "arn:topic/b", THING));
        assert!(!allows(&[policy], "iot:Receive", "arn:topic/a", THING));
        assert!(!allows(&[], "iot:Connect", "arn:client/lamp", THING));
    }

    #[test]
    fn a_denial_outweighs_every_permission() {
        let policies = [
            Policy::allow_all(),
            policy(
                r#"{"Effect":"Deny","Action":["iot:Publish","iot:Receive"],"Resource":["arn:topic/secret/*"]}"#,
            ),
        ];
        assert!(allows(&policies, "iot:Publish", "arn:topic/open", THING));
        assert!(!allows(&policies, "iot:Publish", "arn:topic/secret/a/b", THING));
        assert!(allows(&policies, "iot:Subscribe", "arn:topic/secret/a", THING));
    }

    #[test]
    fn wildcards_reach_over_slashes_and_actions_ignore_case() {
        let policy = [policy(r#"{"Effect":"Allow","Action":"IOT:pub*","Resource":"arn:topic/a*z/?"}"#)];
        assert!(allows(&policy, "iot:Publish", "arn:topic/a/b/z/1", THING));
        assert!(allows(&policy, "iot:Publish", "arn:topic/azz/1", THING));
        assert!(!allows(&policy, "iot:Publish", "arn:topic/az/12", THING));
    }

    #[test]
    fn the_value_of_a_variable_is_no_wildcard() {
        let policy =
            [policy(r#"{"Effect":"Allow","Action":"iot:Connect","Resource":"client/${iot:ClientId}"}"#)];
        let star = Caller { client_id: "*", thing_name: None };
        assert!(allows(&policy, "iot:Connect", "client/*", star));
        assert!(!allows(&policy, "iot:Connect", "client/other", star));
    }

    #[test]
    fn a_statement_with_an_unknown_thing_name_does_not_apply() {
        let policies = [Policy::least_privilege("eu-west-1", "123456789012")];
        let resource = "arn:aws:iot:eu-west-1:123456789012:client/lamp";
        assert!(allows(&policies, "iot:Connect", resource, THING));
        assert!(!allows(&policies, "iot:Connect", resource, Caller { client_id: "lamp", thing_name: None }));
    }

    #[test]
    fn a_policy_that_is_not_understood_is_refused_with_the_reason() {
        let message = |text: &str| Policy::from_json(text).unwrap_err().to_string();
        assert!(message("{").contains("not a policy"));
        assert!(message(r#"{"Statement":[]}"#).contains("Version"));
        let statement =
            |body: &str| message(&format!(r#"{{"Version":"2012-10-17","Statement":{{{body}}}}}"#));
        assert!(statement(r#""Effect":"Maybe","Action":"a","Resource":"*""#).contains("Effect"));
        assert!(statement(r#""Effect":"Allow","Resource":"*""#).contains("Action"));
        assert!(statement(r#""Effect":"Allow","Action":"a","NotResource":"*""#).contains("NotResource"));
        assert!(statement(r#""Effect":"Allow","Action":"a","Resource":"${aws:x}""#).contains("${aws:x}"));
    }
}
