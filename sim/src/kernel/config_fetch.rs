use std::collections::BTreeMap;

use microvisor::sys;

use super::channels::ChannelKind;
use super::{Event, Kernel, Outcome, length};
use crate::fault::FetchFault;
use crate::names;
use crate::quirks::{LongValue, MissingKey};
use crate::trace::{redacted, shown};

/// How long the cloud takes to answer, in microseconds.
const DELAY: u64 = 120_000;
/// The longest key, in characters.
const MAX_KEY: usize = 100;
/// The longest value, in characters.
const MAX_VALUE: usize = 4096;
/// What one key takes in a request besides its characters.
const KEY_OVERHEAD: usize = 12;
/// What a request takes besides its keys.
const REQUEST_OVERHEAD: usize = 16;
/// What one item takes of the receive buffer besides its value.
const ITEM_OVERHEAD: usize = 16;
/// What the item of a missing key holds under [`MissingKey::ErrorText`].
const ERROR_TEXT: &[u8] = b"key not found";

/// Where a value is stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) secret: bool,
    pub(crate) account: bool,
    pub(crate) name: String,
}

/// The stores of the cloud, both scopes of both.
#[derive(Debug, Default)]
pub(crate) struct ConfigStores(BTreeMap<Key, String>);

impl ConfigStores {
    /// Stores a value, if the cloud takes such a key and such a value.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub(crate) fn insert(&mut self, key: Key, value: &str) {
        let name = &key.name;
        assert!(
            is_key(name.as_bytes()),
            "the cloud stores nothing under {name:?}: a key has 1 to {MAX_KEY} printable ASCII characters"
        );
        let length = value.chars().count();
        assert!(
            is_value(value),
            "the cloud does not store the value of {name:?}: it has {length} characters, at most {MAX_VALUE} \
             are allowed"
        );
        self.0.insert(key, value.to_owned());
    }

    pub(crate) fn remove(&mut self, key: &Key) {
        self.0.remove(key);
    }
}

/// Whether the cloud takes such a value.
pub(crate) fn is_value(value: &str) -> bool {
    value.chars().count() <= MAX_VALUE
}

/// Whether the cloud takes such a key.
pub(crate) fn is_key(name: &[u8]) -> bool {
    (1..=MAX_KEY).contains(&name.len()) && name.iter().all(|byte| (0x20..0x7f).contains(byte))
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct Fetch {
    keys: Vec<Key>,
    /// Whether faults were asked already, and had it delayed.
    delayed: bool,
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Response {
    result: sys::MvConfigFetchResult,
    items: Vec<ResponseItem>,
}

#[derive(Debug)]
struct ResponseItem {
    secret: bool,
    result: sys::MvConfigKeyFetchResult,
    value: Vec<u8>,
}

impl Kernel {
    pub(crate) fn send_config_fetch_request(
        &mut self,
        handle: u32,
        request: *const sys::MvConfigKeyFetchParams,
    ) -> Outcome {
        let request_sent = self.channel(handle, ChannelKind::ConfigFetch)?.request_sent;
        let request = self.input(request, "request")?;
        if request_sent {
            return self.misused(
                sys::MV_STATUS_REQUESTALREADYSENT,
                "a config fetch channel takes one request in its life",
            );
        }
        if request.num_items == 0 {
            return self.misused(sys::MV_STATUS_PARAMETERFAULT, "num_items is 0");
        }
        if request.num_items > self.quirks.max_config_keys {
            return Err(sys::MV_STATUS_TOOMANYCONFIGKEYS);
        }
        let keys = self.requested_keys(&request)?;
        let size = keys.iter().map(|key| key.name.len() + KEY_OVERHEAD).sum::<usize>() + REQUEST_OVERHEAD;
        let channel = self.channel(handle, ChannelKind::ConfigFetch)?;
        if size > channel.send_len {
            return Err(sys::MV_STATUS_INVALIDBUFFERSIZE);
        }
        channel.request_sent = true;
        channel.fetch = Some(Fetch { keys, delayed: false });
        self.schedule(DELAY, Event::ConfigResponse(handle));
        Ok(())
    }

    fn requested_keys(&mut self, request: &sys::MvConfigKeyFetchParams) -> Outcome<Vec<Key>> {
        let wanted = self.nested_array(request.keys_to_fetch, request.num_items, "keys_to_fetch")?;
        let mut keys = Vec::new();
        for (index, item) in wanted.into_iter().enumerate() {
            let account = match item.scope {
                sys::MV_CONFIGKEYFETCHSCOPE_ACCOUNT => true,
                sys::MV_CONFIGKEYFETCHSCOPE_DEVICE => false,
                other => {
                    let what = format!("keys_to_fetch[{index}].scope is {other}, which is no scope");
                    return self.misused(sys::MV_STATUS_UNKNOWNCONFIGSCOPE, what);
                }
            };
            let secret = match item.store {
                sys::MV_CONFIGKEYFETCHSTORE_SECRET => true,
                sys::MV_CONFIGKEYFETCHSTORE_CONFIG => false,
                other => {
                    let what = format!("keys_to_fetch[{index}].store is {other}, which is no store");
                    return self.misused(sys::MV_STATUS_UNKNOWNCONFIGSTORE, what);
                }
            };
            let name = self.string(item.key, &format!("keys_to_fetch[{index}].key"))?;
            if !is_key(&name) {
                let what = format!(
                    "keys_to_fetch[{index}].key is {}; it needs 1 to {MAX_KEY} printable ASCII characters",
                    shown(&name)
                );
                return self.misused(sys::MV_STATUS_INVALIDCONFIGKEY, what);
            }
            keys.push(Key { secret, account, name: name.into_iter().map(char::from).collect() });
        }
        Ok(keys)
    }

    /// The cloud answers.
    pub(super) fn config_response(&mut self, handle: u32) {
        let now = self.uptime();
        let Some(channel) = self.handles.channel(handle).filter(|channel| channel.is_open()) else { return };
        let Some(fetch) = channel.fetch.as_mut() else { return };
        let faults = if fetch.delayed { Vec::new() } else { self.faults.at_config_response(now) };
        let mut response = answer(&fetch.keys, &self.stores, channel.receive_len);
        for fault in faults {
            match fault {
                FetchFault::ResponseTooLarge => response.fail(sys::MV_CONFIGFETCHRESULT_RESPONSETOOLARGE),
                FetchFault::Result(result) => response.fail(result),
                FetchFault::ServerError(key) => {
                    response.fail_item(&fetch.keys, &key, sys::MV_CONFIGKEYFETCHRESULT_SERVERERROR);
                }
                FetchFault::ItemResult(key, result) => response.fail_item(&fetch.keys, &key, result),
                FetchFault::ItemValue(key, value) => response.replace_value(&fetch.keys, &key, &value),
                FetchFault::FewerItems(missing) => {
                    response.items.truncate(response.items.len().saturating_sub(missing));
                }
                FetchFault::Silent => {
                    self.trace.event(self.now, "config response withheld (injected)");
                    return;
                }
                FetchFault::Delay(delay) => {
                    fetch.delayed = true;
                    let delay = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
                    self.schedule(delay, Event::ConfigResponse(handle));
                    return;
                }
                FetchFault::Closed(reason) => {
                    self.terminate_channel(handle, reason);
                    return;
                }
            }
        }
        channel.response = Some(response);
        let (center, tag) = (channel.center, channel.tag);
        self.notify(center, sys::MV_EVENTTYPE_CHANNELDATAREADABLE, tag);
    }

    /// How a read ends that comes before the response.
    fn no_response(&self) -> Outcome {
        if self.quirks.early_config_reads_succeed { Ok(()) } else { Err(sys::MV_STATUS_RESPONSENOTPRESENT) }
    }

    pub(crate) fn read_config_fetch_response_data(
        &mut self,
        handle: u32,
        out: *mut sys::MvConfigResponseData,
    ) -> Outcome {
        self.channel(handle, ChannelKind::ConfigFetch)?;
        self.output(out, "response_data")?;
        let no_response = self.no_response();
        let channel = self.channel(handle, ChannelKind::ConfigFetch)?;
        let Some(response) = &channel.response else { return no_response };
        let data = sys::MvConfigResponseData { result: response.result, num_items: length(&response.items) };
        self.put(out, data, "result", names::fetch_result(data.result));
        self.note("num_items", data.num_items);
        Ok(())
    }

    pub(crate) fn read_config_response_item(
        &mut self,
        handle: u32,
        params: *const sys::MvConfigResponseReadItemParams,
    ) -> Outcome {
        self.channel(handle, ChannelKind::ConfigFetch)?;
        let params = self.input(params, "params")?;
        self.nested_output(params.result, "result")?;
        self.nested_buffer(params.buf, "buf")?;
        let no_response = self.no_response();
        let channel = self.channel(handle, ChannelKind::ConfigFetch)?;
        let Some(response) = &channel.response else { return no_response };
        if response.result != sys::MV_CONFIGFETCHRESULT_OK {
            return Err(sys::MV_STATUS_REQUESTUNSUCCESSFUL);
        }
        let Some(item) = response.items.get(params.item_index as usize) else {
            return Err(sys::MV_STATUS_INDEXINVALID);
        };
        let (secret, result) = (item.secret, item.result);
        let mut value = item.value.clone();
        if result == sys::MV_CONFIGKEYFETCHRESULT_OK {
            if value.len() > params.buf.size as usize {
                match self.quirks.long_value {
                    LongValue::Refused => return Err(sys::MV_STATUS_INVALIDBUFFERSIZE),
                    LongValue::CutOff => value.truncate(params.buf.size as usize),
                    // `put_bytes` writes what fits.
                    LongValue::CutOffWithItsLength => {}
                }
            }
        } else if self.quirks.missing_key == MissingKey::ErrorText {
            value = ERROR_TEXT[..ERROR_TEXT.len().min(params.buf.size as usize)].to_vec();
        }
        self.put(params.result, result, "result", names::key_result(result));
        self.put_bytes(params.buf, &value);
        let hidden = secret && result == sys::MV_CONFIGKEYFETCHRESULT_OK;
        self.note("value", if hidden { redacted(value.len()) } else { shown(&value) });
        Ok(())
    }
}

/// What the cloud has to say to a request, if all goes well.
fn answer(keys: &[Key], stores: &ConfigStores, room: usize) -> Response {
    let items: Vec<_> = keys
        .iter()
        .map(|key| match stores.0.get(key) {
            Some(value) => ResponseItem {
                secret: key.secret,
                result: sys::MV_CONFIGKEYFETCHRESULT_OK,
                value: value.clone().into_bytes(),
            },
            None => ResponseItem {
                secret: key.secret,
                result: sys::MV_CONFIGKEYFETCHRESULT_KEYNOTFOUND,
                value: Vec::new(),
            },
        })
        .collect();
    let size = items.iter().map(|item| item.value.len() + ITEM_OVERHEAD).sum::<usize>();
    let mut response = Response { result: sys::MV_CONFIGFETCHRESULT_OK, items };
    if size > room {
        response.fail(sys::MV_CONFIGFETCHRESULT_RESPONSETOOLARGE);
    }
    response
}

impl Response {
    fn fail(&mut self, result: sys::MvConfigFetchResult) {
        self.result = result;
        self.items.clear();
    }

    fn fail_item(&mut self, keys: &[Key], name: &str, result: sys::MvConfigKeyFetchResult) {
        for item in self.items_of(keys, name) {
            item.result = result;
            item.value.clear();
        }
    }

    fn replace_value(&mut self, keys: &[Key], name: &str, value: &[u8]) {
        for item in self.items_of(keys, name) {
            item.result = sys::MV_CONFIGKEYFETCHRESULT_OK;
            item.value = value.to_vec();
        }
    }

    fn items_of(&mut self, keys: &[Key], name: &str) -> impl Iterator<Item = &mut ResponseItem> {
        self.items.iter_mut().zip(keys).filter(move |(_, key)| key.name == name).map(|(item, _)| item)
    }
}
