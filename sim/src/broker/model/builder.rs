//! How a model broker is set up.

use std::time::Duration;

use microvisor::sys;

use super::far_end::{FarEnd, Settings};
use super::identity::Identities;
use super::latency::Latency;
use super::{Limits, ModelBroker, Policy, Thing};

/// How the broker ends the connection of a client that does what its policy does not allow.
///
/// A violation of MQTT 5 or of a limit is always told in a DISCONNECT; MQTT 3.1.1 has none, so there
/// it is as with the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// The connection goes without a word, and the channel closes with this `MvClosureReason`.
    Drop(u32),
    /// A DISCONNECT with 0x87 says so. A client of MQTT 3.1.1 is closed with `CHANNELCLOSEDBYSERVER`.
    Disconnect,
}

/// Sets a [`ModelBroker`] up.
#[derive(Debug)]
pub struct ModelBrokerBuilder {
    settings: Settings,
    identities: Identities,
    one_way: Duration,
    jitter: Duration,
    seed: u64,
}

impl ModelBrokerBuilder {
    pub(super) fn aws_iot() -> Self {
        let identities = Identities { required: true, public: true, ..Identities::default() };
        Self::new(Limits::AWS_IOT, identities)
    }

    pub(super) fn open() -> Self {
        Self::new(Limits::MQTT, Identities { public: true, anything_goes: true, ..Identities::default() })
    }

    fn new(limits: Limits, identities: Identities) -> Self {
        let settings = Settings {
            host: None,
            port: None,
            limits,
            users: Vec::new(),
            region: "eu-west-1".into(),
            account_id: "123456789012".into(),
            denial: Denial::Drop(sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER),
            redelivery: Some(Duration::from_secs(10)),
            session_expiry: Duration::from_hours(1),
        };
        Self {
            settings,
            identities,
            one_way: Duration::from_millis(30),
            jitter: Duration::from_millis(5),
            seed: 0,
        }
    }

    /// The only name under which the broker is found; any other is unknown (`NXDOMAIN`). By default
    /// every name leads here. The region is taken from an AWS endpoint's name.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        let host = host.into();
        let mut labels = host.rsplit('.').skip_while(|label| *label != "amazonaws").skip(1);
        if let (Some(region), Some("iot")) = (labels.next(), labels.next()) {
            self.settings.region = region.into();
        }
        self.settings.host = Some(host);
        self
    }

    /// The only port that is open; connecting to another fails (`SOCKETERROR`). By default every
    /// port leads here.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.settings.port = Some(port);
        self
    }

    /// The region in the resource names that policies are evaluated with. `eu-west-1` by default.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.settings.region = region.into();
        self
    }

    /// The account in the resource names that policies are evaluated with. `123456789012` by default.
    #[must_use]
    pub fn account_id(mut self, account_id: impl Into<String>) -> Self {
        self.settings.account_id = account_id.into();
        self
    }

    /// The DER certificates that the server shows, its own first. Without them, the device's CA
    /// certificates are not looked at.
    #[must_use]
    pub fn server_chain(mut self, chain: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.identities.server_chain = chain.into_iter().collect();
        self
    }

    /// Whether devices that bring no CA certificate trust the server's, as one from a public CA.
    /// True by default.
    #[must_use]
    pub fn public_ca(mut self, public: bool) -> Self {
        self.identities.public = public;
        self
    }

    /// Registers a DER client certificate and attaches it to `thing`.
    #[must_use]
    pub fn register_certificate(mut self, der: impl Into<Vec<u8>>, thing: Thing) -> Self {
        self.identities.registered.push((der.into(), thing));
        self.identities.anything_goes = false;
        self
    }

    /// Takes every client certificate that this DER CA certificate leads to, with `policy`. They are
    /// attached to no Thing.
    #[must_use]
    pub fn trust_client_ca(mut self, der: impl Into<Vec<u8>>, policy: Policy) -> Self {
        self.identities.client_cas.push((der.into(), vec![policy]));
        self.identities.anything_goes = false;
        self
    }

    /// Looks at no client certificate beyond that there is one, and at no policy: for tests of
    /// other things.
    #[must_use]
    pub fn accept_any_certificate(mut self) -> Self {
        self.identities.anything_goes = true;
        self
    }

    /// Lets only these user names in, with these passwords. Can be repeated.
    #[must_use]
    pub fn user(mut self, name: impl Into<Vec<u8>>, password: impl Into<Vec<u8>>) -> Self {
        self.settings.users.push((name.into(), password.into()));
        self
    }

    /// Other limits than the profile's.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// What becomes of a client that does what it may not. [`Denial::Drop`] by default, with
    /// `CHANNELCLOSEDBYSERVER`.
    #[must_use]
    pub fn denial(mut self, denial: Denial) -> Self {
        self.settings.denial = denial;
        self
    }

    /// After how long a message is sent again that was not acknowledged; `None` for only after a
    /// reconnect. 10 seconds by default.
    #[must_use]
    pub fn redelivery(mut self, after: Option<Duration>) -> Self {
        self.settings.redelivery = after;
        self
    }

    /// How long the session of a client that is away is kept. An hour by default, as at AWS.
    #[must_use]
    pub fn session_expiry(mut self, expiry: Duration) -> Self {
        self.settings.session_expiry = expiry;
        self
    }

    /// How long a packet takes one way (30 ms by default), and by how much more it may take (5 ms).
    #[must_use]
    pub fn latency(mut self, one_way: Duration, jitter: Duration) -> Self {
        self.one_way = one_way;
        self.jitter = jitter;
        self
    }

    /// What the jitter derives from. 0 by default.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The broker.
    pub fn build(self) -> ModelBroker {
        let latency = Latency::new(self.one_way, self.jitter, self.seed);
        ModelBroker::of(FarEnd::new(self.settings, self.identities, latency))
    }
}
