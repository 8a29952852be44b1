//! A private key of 1,218 bytes, read and decoded from hex: by the library, and by the raw calls with
//! a table-driven decoder such as an application would write.

#[path = "../tests/bed/mod.rs"]
mod bed;
mod raw_calls;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use microvisor::config::{ConfigKey, ItemMemory};
use microvisor::{config_key, sys};
use microvisor_sim::{Device, NetworkPlan};
use raw_calls::{RawDevice, check, sized_string};

static KEYS: [ConfigKey; 1] = [config_key!(Device, Secret, "private_key")];

/// The size of an RSA-2048 key in PKCS#8 DER.
const KEY_LEN: usize = 1218;

fn decoding(criterion: &mut Criterion) {
    let hex = "3082a5".repeat(KEY_LEN / 3);
    let builder = || Device::builder().network(NetworkPlan::connected_at_boot()).secret("private_key", &hex);
    let mut group = criterion.benchmark_group("decoding");
    group.throughput(Throughput::Bytes(KEY_LEN as u64));

    let bed = bed!(builder()).online();
    let requested = bed.open_fetch().request(&KEYS).expect("the request is taken");
    let fetch = bed.device.block_on(requested.received()).expect("the value arrives");
    let mut memory = [0; 4096];
    group.bench_function("library", |bencher| {
        bencher.iter(|| {
            let mut memory = ItemMemory::new(&mut memory);
            let key = fetch.secret_hex(0, &mut memory).expect("the value is hex");
            black_box(key.expose()[KEY_LEN - 1])
        });
    });
    drop(fetch);
    drop(bed);

    let raw = RawDevice::boot(builder());
    let channel = fetch_raw(&raw);
    let (mut text, mut key) = ([0; 4096], [0; KEY_LEN]);
    group.bench_function("raw calls", |bencher| {
        bencher.iter(|| {
            let len = read_raw(channel, &mut text);
            decode(&text[..len], &mut key);
            black_box(key[KEY_LEN - 1])
        });
    });
    group.finish();
}

fn fetch_raw(raw: &RawDevice) -> u32 {
    let channel = raw.open(sys::MV_CHANNELTYPE_CONFIGFETCH);
    let key = sys::MvConfigKeyToFetch {
        scope: sys::MV_CONFIGKEYFETCHSCOPE_DEVICE,
        store: sys::MV_CONFIGKEYFETCHSTORE_SECRET,
        key: sized_string(b"private_key"),
    };
    let request = sys::MvConfigKeyFetchParams { num_items: 1, keys_to_fetch: &raw const key };
    // SAFETY: all pointers are to locals, for the duration of the call.
    check(unsafe { sys::mvSendConfigFetchRequest(channel, &raw const request) });
    raw.wait();
    channel
}

fn read_raw(channel: u32, text: &mut [u8; 4096]) -> usize {
    let (mut result, mut length) = (0, 0);
    let params = sys::MvConfigResponseReadItemParams {
        item_index: 0,
        result: &raw mut result,
        buf: sys::MvSizedStringBuffer { data: text.as_mut_ptr(), size: 4096, length: &raw mut length },
    };
    // SAFETY: all pointers are to locals and to `text`, for the duration of the call.
    check(unsafe { sys::mvReadConfigResponseItem(channel, &raw const params) });
    assert_eq!(result, sys::MV_CONFIGKEYFETCHRESULT_OK);
    length as usize
}

/// By a table, which an observer of the cache can see: what the library avoids.
fn decode(text: &[u8], bytes: &mut [u8]) {
    const TABLE: [u8; 256] = {
        let mut table = [0xFF; 256];
        let mut digit = 0;
        while digit < 16 {
            table[b"0123456789abcdef"[digit as usize] as usize] = digit;
            digit += 1;
        }
        table
    };
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let (high, low) = (TABLE[usize::from(pair[0])], TABLE[usize::from(pair[1])]);
        assert!(high < 16 && low < 16);
        *byte = high << 4 | low;
    }
}

criterion_group!(benches, decoding);
criterion_main!(benches);
