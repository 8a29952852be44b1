use core::fmt;

use microvisor::DeviceId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::bundle::{Entry, Scope, Store};

/// Where an entry is: in which store, of the account or of one device, under which key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// None for the account's.
    device: Option<DeviceId>,
    store: Store,
    key: String,
}

/// What RFC 3986 §2.3 leaves as it is in a path, but for the dot: a key of dots alone would be taken for a
/// folder.
const RESERVED_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

impl Address {
    /// Where a bundle's entry goes, if it is for `device`. An entry of the account goes to the same place for
    /// every device.
    pub fn of(entry: &Entry, device: &DeviceId) -> Self {
        let device = match entry.scope() {
            Scope::Device => Some(*device),
            Scope::Account => None,
        };
        Self { device, store: entry.store(), key: entry.key().to_owned() }
    }

    /// The store.
    pub fn store(&self) -> Store {
        self.store
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The device, or `None` if the entry is the account's.
    pub fn device(&self) -> Option<&DeviceId> {
        self.device.as_ref()
    }

    /// The path to create it at.
    pub fn collection(&self) -> String {
        let store = match self.store {
            Store::Config => "Configs",
            Store::Secret => "Secrets",
        };
        match &self.device {
            Some(device) => format!("/v1/Devices/{}/{store}", device.as_str()),
            None => format!("/v1/{store}"),
        }
    }

    /// The path to read and delete it at.
    pub fn item(&self) -> String {
        format!("{}/{}", self.collection(), utf8_percent_encode(&self.key, RESERVED_IN_PATH))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = if self.device.is_some() { Scope::Device } else { Scope::Account };
        write!(formatter, "{} {} ({scope})", self.store, self.key)
    }
}

#[cfg(test)]
mod tests {
    use microvisor::DeviceId;

    use super::Address;
    use crate::bundle::{Encoding, Entry, Scope, Store};

    fn address(store: Store, scope: Scope, key: &str) -> Address {
        let device = DeviceId::parse("UV0123456789abcdef0123456789abcdef").unwrap();
        Address::of(&Entry::new(store, scope, key, Encoding::Text, "x".to_owned()).unwrap(), &device)
    }

    #[test]
    fn paths_are_those_of_the_api() {
        let of_device = address(Store::Config, Scope::Device, "root-CA");
        assert_eq!(of_device.collection(), "/v1/Devices/UV0123456789abcdef0123456789abcdef/Configs");
        assert_eq!(of_device.item(), "/v1/Devices/UV0123456789abcdef0123456789abcdef/Configs/root-CA");
        let of_account = address(Store::Secret, Scope::Account, "private_key");
        assert_eq!(of_account.collection(), "/v1/Secrets");
        assert_eq!(of_account.item(), "/v1/Secrets/private_key");
    }

    #[test]
    fn whatever_a_key_holds_it_stays_one_segment_of_the_path() {
        for (key, segment) in [("a/b?c#d", "a%2Fb%3Fc%23d"), ("..", "%2E%2E"), ("50% +1", "50%25%20%2B1")] {
            assert_eq!(address(Store::Config, Scope::Account, key).item(), format!("/v1/Configs/{segment}"));
        }
    }
}
