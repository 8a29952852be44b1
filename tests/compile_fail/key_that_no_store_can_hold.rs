//! Names of config keys are checked when the firmware is built.

use microvisor::config::ConfigKey;
use microvisor::config_key;

pub static EMPTY: ConfigKey<'static> = config_key!(Device, Config, ""); //~ E0080
pub static NOT_ASCII: ConfigKey<'static> = config_key!(Device, Config, "Ger\u{e4}t"); //~ E0080
pub static NO_SCOPE: ConfigKey<'static> = config_key!(Fleet, Config, "name"); //~ E0599
