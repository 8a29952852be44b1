use core::fmt::Write;

use microvisor::DeviceId;

use super::run::in_order;
use crate::api::{Address, BaseUrl, Credentials};
use crate::bundle::{Bundle, Entry, Store};

/// What stands for a secret's value.
const MASK: &str = "********";

/// The commands that would do by hand what an upload does, for a POSIX shell, with secrets masked and the
/// credentials taken from the environment.
pub fn curl_commands(bundle: &Bundle, device: &DeviceId, base: &BaseUrl, replace: bool) -> String {
    let mut commands = String::new();
    for entry in in_order(bundle) {
        let address = Address::of(entry, device);
        if replace {
            let _ = writeln!(commands, "# {address}: only if it is there with another value");
            let _ = writeln!(
                commands,
                "{} --request DELETE {}",
                curl(),
                quoted(&format!("{base}{}", address.item()))
            );
        }
        let _ = writeln!(commands, "{}", create(entry, &address, base));
        if entry.store() == Store::Config {
            let _ = writeln!(commands, "{} {}", curl(), quoted(&format!("{base}{}", address.item())));
        }
    }
    commands
}

fn create(entry: &Entry, address: &Address, base: &BaseUrl) -> String {
    let value = match entry.store() {
        Store::Config => entry.value(),
        Store::Secret => MASK,
    };
    format!(
        "{} --data-urlencode {} --data-urlencode {} {}",
        curl(),
        quoted(&format!("Key={}", entry.key())),
        quoted(&format!("Value={value}")),
        quoted(&format!("{base}{}", address.collection())),
    )
}

fn curl() -> String {
    let (account_sid, auth_token) = (Credentials::ACCOUNT_SID, Credentials::AUTH_TOKEN);
    format!("curl --fail-with-body --user \"${account_sid}:${auth_token}\"")
}

/// In single quotes, within which a shell takes every character as it is, but the quote itself.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use microvisor::DeviceId;

    use super::curl_commands;
    use crate::api::BaseUrl;
    use crate::bundle::{Bundle, Encoding, Entry, Scope, Store};

    #[test]
    fn commands_show_configs_and_mask_secrets() {
        let config = Entry::new(Store::Config, Scope::Device, "it's", Encoding::Text, "$HOME `x`".to_owned());
        let secret = Entry::new(Store::Secret, Scope::Account, "key", Encoding::Text, "hush".to_owned());
        let bundle = Bundle::new(None, vec![config.unwrap(), secret.unwrap()]).unwrap();
        let device = DeviceId::parse("UV0123456789abcdef0123456789abcdef").unwrap();
        let base = BaseUrl::parse("https://api.example.com").unwrap();
        let curl = r#"curl --fail-with-body --user "$MICROVISOR_ACCOUNT_SID:$MICROVISOR_AUTH_TOKEN""#;
        let configs = "https://api.example.com/v1/Devices/UV0123456789abcdef0123456789abcdef/Configs";
        let expected = [
            format!(r"{curl} --data-urlencode 'Key=it'\''s' --data-urlencode 'Value=$HOME `x`' '{configs}'"),
            format!("{curl} '{configs}/it%27s'"),
            format!(
                "{curl} --data-urlencode 'Key=key' --data-urlencode 'Value=********' 'https://api.example.com/v1/Secrets'"
            ),
        ];
        assert_eq!(curl_commands(&bundle, &device, &base, false).lines().collect::<Vec<_>>(), expected);
    }
}
