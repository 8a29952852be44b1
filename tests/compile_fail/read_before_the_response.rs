//! Values are read once the response is there, and a channel requests once.

use microvisor::config::{ConfigFetch, ConfigKey, ItemMemory, Opened, Received, Requested, Spent};

pub fn read_when_open(fetch: ConfigFetch<Opened>, memory: &mut ItemMemory<'_>) {
    let _ = fetch.text(0, memory); //~ E0599
}

pub fn read_when_requested(fetch: ConfigFetch<Requested<'_>>, memory: &mut ItemMemory<'_>) {
    let _ = fetch.text(0, memory); //~ E0599
}

pub fn read_when_it_failed(fetch: ConfigFetch<Spent>, memory: &mut ItemMemory<'_>) {
    let _ = fetch.text(0, memory); //~ E0599
}

pub fn request_again(fetch: ConfigFetch<Received<'_>>, keys: &[ConfigKey<'_>]) {
    let _ = fetch.request(keys); //~ E0599
}
