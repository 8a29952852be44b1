//! Who the device is, what time it is, and what it tells the server.

use std::fmt::Write as _;
use std::time::Duration;

use microvisor::clock::{self, ClockError, WallTime};
use microvisor::{
    DeviceId, DeviceIdError, HandedBack, KernelMemory, LogError, Recovery, ServerLog, StartLogError, Status,
    kernel_memory, sys,
};
use microvisor_sim::{Device, Fault, Quirks, WallClock};

const UNLISTED: u32 = 999;

/// A log with a buffer of its own.
macro_rules! log {
    ($size:expr) => {{
        static MEMORY: KernelMemory<{ $size }> = kernel_memory!($size);
        ServerLog::start(MEMORY.take().expect("the memory is free")).expect("logging starts")
    }};
}

#[test]
fn the_device_id_is_what_the_kernel_says() {
    let id = "UV0123456789ABCDEF0123456789abcdef";
    let _device = Device::builder().device_id(id).boot();
    assert_eq!(DeviceId::read().unwrap().as_str(), id);
}

#[test]
fn a_device_id_of_another_form_is_not_taken() {
    let _device = Device::builder().device_id("UV0123456789abcdef0123456789abcdeg").boot();
    assert_eq!(DeviceId::read(), Err(DeviceIdError::Malformed { at: 33 }));
}

#[test]
fn a_device_id_that_the_kernel_does_not_tell_is_an_error() {
    let device = Device::builder().boot();
    device.inject(Fault::call("mvGetDeviceId").status(UNLISTED));
    assert_eq!(DeviceId::read(), Err(DeviceIdError::Kernel(Status::Unknown(UNLISTED))));
    // A kernel that says it did, but wrote nothing, is found out.
    device.inject(Fault::call("mvGetDeviceId").status(sys::MV_STATUS_OKAY));
    assert_eq!(DeviceId::read(), Err(DeviceIdError::Malformed { at: 0 }));
}

#[test]
fn the_uptime_is_the_devices_to_the_microsecond() {
    let device = Device::builder().boot();
    device.advance(Duration::from_micros(86_400_000_017));
    let now = device.now();
    assert_eq!(clock::uptime(), Ok(now));
    let now = device.now();
    assert_eq!(clock::uptime_micros().map(Duration::from_micros), Ok(now));
}

#[test]
fn a_clock_that_is_not_set_is_an_answer() {
    let device =
        Device::builder().wall_clock(WallClock::set_after(1_767_225_600, Duration::from_secs(9))).boot();
    assert_eq!(clock::wall_time(), Ok(WallTime::NotSet));
    assert_eq!(clock::wall_time().unwrap().since_epoch(), None);
    device.advance(Duration::from_secs(10));
    let expected = Duration::new(1_767_225_600, 0) + device.now();
    assert_eq!(clock::wall_time(), Ok(WallTime::Set(expected)));
    device.advance(Duration::from_micros(7));
    let later = clock::wall_time().unwrap().since_epoch().expect("the clock is set");
    assert_eq!(later, expected + Duration::from_micros(10), "7 µs, and 3 for the call before");
}

#[test]
fn a_clock_that_the_kernel_does_not_read_is_an_error() {
    let device = Device::builder().wall_clock(WallClock::set_at_boot(1_767_225_600)).boot();
    let error = ClockError::Kernel(Status::Unknown(UNLISTED));
    device.inject(Fault::call("mvGetMicroseconds").times(2).status(UNLISTED));
    assert_eq!((clock::uptime(), clock::uptime_micros()), (Err(error), Err(error)));
    device.inject(Fault::call("mvGetWallTime").status(UNLISTED));
    assert_eq!(clock::wall_time(), Err(error));
    assert_eq!(error.recovery(), Recovery::GiveUp);
}

#[test]
fn a_message_is_logged_as_it_is() {
    let device = Device::builder().boot();
    let log = log!(1024);
    log.log(b"started").unwrap();
    log.log(b"").unwrap();
    log.log("grüß dich".as_bytes()).unwrap();
    assert_eq!(device.server_log(), ["started", "", "grüß dich"]);
}

#[test]
fn writing_makes_messages_and_a_line_makes_one() {
    let device = Device::builder().boot();
    let mut log = log!(1024);
    let degrees = 21;
    write!(log, "{degrees} degrees").unwrap();
    embedded_io::Write::write_all(&mut log, b"raw bytes").unwrap();
    embedded_io::Write::flush(&mut log).unwrap();
    writeln!(log.line::<64>(), "{} degrees", degrees + 1).unwrap();
    write!(log.line::<64>(), "no line end").unwrap();
    let mut line = log.line::<64>();
    embedded_io::Write::write_all(&mut line, b"two\nlines\n\nwithout the empty one").unwrap();
    embedded_io::Write::flush(&mut line).unwrap();
    drop(line);
    let expected =
        ["21", " degrees", "raw bytes", "22 degrees", "no line end", "two", "lines", "without the empty one"];
    assert_eq!(device.server_log(), expected);
}

#[test]
fn a_line_longer_than_its_room_goes_in_pieces_between_characters() {
    let device = Device::builder().boot();
    let log = log!(1024);
    write!(log.line::<8>(), "0123456789 äöü äöü").unwrap();
    let pieces = device.server_log();
    assert_eq!(pieces.concat(), "0123456789 äöü äöü");
    assert!(pieces.iter().all(|piece| piece.len() <= 8 && !piece.is_empty()), "{pieces:?}");
    // Also where one character is longer than the line, the bytes go on.
    write!(log.line::<1>(), "ab").unwrap();
    assert_eq!(device.server_log()[pieces.len()..], ["a", "b"]);
    let _ = write!(log.line::<2>(), "€");
    assert_eq!(device.server_log().len(), pieces.len() + 4);
}

#[test]
fn a_message_longer_than_the_kernel_takes_goes_in_pieces_but_not_as_one_call() {
    // The kernel keeps a log's memory for ever.
    static MEMORIES: [KernelMemory<8192>; 4] =
        [kernel_memory!(8192), kernel_memory!(8192), kernel_memory!(8192), kernel_memory!(8192)];
    for (memory, max_log_message) in MEMORIES.iter().zip([16, 17, 100, 1024]) {
        let device = Device::builder().quirks(Quirks { max_log_message, ..Quirks::default() }).boot();
        let buffer = memory.take().expect("one a size");
        let mut log = ServerLog::start(buffer).unwrap();
        let text = "äbc".repeat(500);
        assert_eq!(log.log(text.as_bytes()), Err(LogError::TooLong));
        assert_eq!(device.server_log(), [""; 0]);
        write!(log, "{text}").unwrap();
        assert_eq!(device.server_log().concat(), text);
        assert!(device.server_log().iter().all(|piece| piece.len() <= max_log_message.into()));
    }
}

#[test]
fn a_message_longer_than_a_call_can_pass_is_not_passed() {
    let device = Device::builder().boot();
    let log = log!(1024);
    assert_eq!(log.log(&vec![b'x'; 65_536]), Err(LogError::TooLong));
    assert_eq!(device.call_count("mvServerLog"), 0);
}

#[test]
fn a_full_buffer_costs_messages_and_nothing_else() {
    let device = Device::builder().boot();
    let log = log!(512);
    let dropped = ServerLog::dropped();
    for number in 0..20 {
        writeln!(log.line::<128>(), "{number:0100}").unwrap();
    }
    let logged = device.server_log().len();
    assert!((1..20).contains(&logged));
    assert_eq!(log.log(&[b'x'; 200]), Err(LogError::BufferFull));
    assert_eq!(LogError::BufferFull.recovery(), Recovery::Retry);
    // Other tests log as well, on other devices.
    assert!(ServerLog::dropped().wrapping_sub(dropped) >= 20 - u32::try_from(logged).unwrap());
}

#[test]
fn a_server_that_switches_logging_off_does_not_disturb_the_application() {
    let device = Device::builder().boot();
    let mut log = log!(1024);
    device.set_server_logging(false);
    let dropped = ServerLog::dropped();
    write!(log, "unheard").unwrap();
    embedded_io::Write::write_all(&mut log, b"unheard").unwrap();
    writeln!(log.line::<64>(), "unheard").unwrap();
    assert!(ServerLog::dropped().wrapping_sub(dropped) >= 3);
    assert_eq!(log.log(b"unheard"), Err(LogError::DisabledByServer));
    assert_eq!(LogError::DisabledByServer.recovery(), Recovery::GiveUp);
    device.set_server_logging(true);
    write!(log, "heard").unwrap();
    assert_eq!(device.server_log(), ["heard"]);
}

#[test]
fn whatever_the_kernel_answers_writing_succeeds() {
    let device = Device::builder().boot();
    let mut log = log!(1024);
    for raw in (1..=64).chain([UNLISTED, u32::MAX]) {
        device.inject(Fault::call("mvServerLog").times(100).status(raw));
        let told = log.log(b"message").unwrap_err();
        assert_eq!(told.status(), Status::check(raw).unwrap_err());
        write!(log, "a message that is long enough to be tried in pieces").unwrap();
        writeln!(log.line::<32>(), "a line").unwrap();
        let left = device.call_count("mvServerLog") % 100;
        // The rest of the fault, so that the next one stands alone.
        for _ in left..100 {
            let _ = log.log(b"");
        }
    }
}

#[test]
fn logging_starts_once_and_the_second_buffer_is_gone() {
    static FIRST: KernelMemory<512> = kernel_memory!(512);
    static SECOND: KernelMemory<512> = kernel_memory!(512);
    let device = Device::builder().boot();
    ServerLog::start(FIRST.take().unwrap()).unwrap();
    let HandedBack { error, value } = ServerLog::start(SECOND.take().unwrap()).unwrap_err();
    assert_eq!(error, StartLogError::Kernel(Status::BufferAlreadyInUse));
    assert!(value.is_none(), "the kernel may have it");
    assert!(FIRST.take().is_none() && SECOND.take().is_none());
    assert_eq!(device.misuse(), []);
}

#[test]
fn a_buffer_that_the_kernel_certainly_left_alone_is_handed_back() {
    static MEMORY: KernelMemory<512> = kernel_memory!(512);
    let device = Device::builder().boot();
    for raw in [
        sys::MV_STATUS_PARAMETERFAULT,
        sys::MV_STATUS_INVALIDBUFFERALIGNMENT,
        sys::MV_STATUS_INVALIDBUFFERSIZE,
    ] {
        device.inject(Fault::call("mvServerLoggingInit").status(raw));
        let HandedBack { error, value } = ServerLog::start(MEMORY.take().unwrap()).unwrap_err();
        assert_eq!(error, StartLogError::Kernel(Status::check(raw).unwrap_err()));
        drop(value.expect("the buffer is handed back"));
    }
    device.inject(Fault::call("mvServerLoggingInit").status(UNLISTED));
    assert!(ServerLog::start(MEMORY.take().unwrap()).unwrap_err().value.is_none());
    assert!(MEMORY.take().is_none());
}
