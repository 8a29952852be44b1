//! What the server gets to read, and that logging never disturbs the application.

use std::fmt::Write as _;
use std::time::Duration;

use microvisor::{
    AlignedBytes, KernelBuffer, KernelMemory, LogError, Recovery, ServerLog, StartLogError, Status,
    kernel_memory, sys,
};
use microvisor_sim::{Device, Fault, NetworkPlan, Quirks};

/// A device that is connected, so that its log is sent, and whose kernel takes `max_log_message` bytes.
fn device(max_log_message: u16) -> Device {
    let quirks = Quirks { max_log_message, ..Quirks::default() };
    Device::builder().quirks(quirks).network(NetworkPlan::connected_at_boot()).boot()
}

fn started() -> ServerLog {
    ServerLog::start(memory()).expect("the log starts")
}

fn memory() -> KernelBuffer<4096> {
    let bytes = Box::leak(Box::new(AlignedBytes::new()));
    KernelMemory::from_static(bytes, Box::leak(Box::default())).take().expect("nobody else has it")
}

#[test]
fn a_message_is_logged_as_it_is() {
    let device = device(1024);
    let log = started();
    assert_eq!(log.log(b"first\nstill first"), Ok(()));
    assert_eq!(log.log("zweite Größe".as_bytes()), Ok(()));
    assert_eq!(device.server_log(), ["first\nstill first", "zweite Größe"]);
}

#[test]
fn the_log_buffer_can_never_be_taken_again() {
    static MEMORY: microvisor::KernelMemory<1024> = kernel_memory!(1024);

    let _device = device(1024);
    let log = ServerLog::start(MEMORY.take().expect("free")).expect("the log starts");
    assert!(MEMORY.take().is_none());
    let _ = log;
    assert!(MEMORY.take().is_none());
}

#[test]
fn a_buffer_that_the_kernel_did_not_take_is_handed_back() {
    for raw in [
        sys::MV_STATUS_PARAMETERFAULT,
        sys::MV_STATUS_INVALIDBUFFERALIGNMENT,
        sys::MV_STATUS_INVALIDBUFFERSIZE,
    ] {
        let device = device(1024);
        device.inject(Fault::call("mvServerLoggingInit").status(raw));
        let refused = ServerLog::start(memory()).expect_err("the kernel refuses");
        assert!(matches!(refused.error, StartLogError::Kernel(status) if status.raw() == raw));
        assert_eq!(refused.error.recovery(), Recovery::GiveUp);
        assert!(ServerLog::start(refused.value.expect("handed back")).is_ok());
    }
}

#[test]
fn a_buffer_that_the_kernel_may_have_is_not_handed_back() {
    static MEMORY: microvisor::KernelMemory<1024> = kernel_memory!(1024);

    let _device = device(1024);
    started();
    let refused = ServerLog::start(MEMORY.take().expect("free")).expect_err("there is a log already");
    assert_eq!(refused.error, StartLogError::Kernel(Status::BUFFER_ALREADY_IN_USE));
    assert!(refused.value.is_none());
    assert!(MEMORY.take().is_none());
}

#[test]
fn each_reason_for_not_logging_is_told() {
    let device = device(100);
    let log = started();
    assert_eq!(log.log(&[b'x'; 101]), Err(LogError::TooLong));
    let calls = device.calls();
    assert_eq!(log.log(&vec![b'x'; 65_536]), Err(LogError::TooLong));
    assert_eq!(device.calls(), calls, "what no call can pass is not passed");

    while log.log(&[b'x'; 100]).is_ok() {}
    assert_eq!(log.log(&[b'x'; 100]), Err(LogError::BufferFull));
    assert_eq!(LogError::BufferFull.recovery(), Recovery::Retry);
    device.advance(Duration::from_secs(1));
    assert_eq!(log.log(&[b'x'; 100]), Ok(()));

    device.set_server_logging(false);
    assert_eq!(log.log(b"x"), Err(LogError::DisabledByServer));
    device.set_server_logging(true);

    device.inject(Fault::call("mvServerLog").status(sys::MV_STATUS_UNAVAILABLE));
    assert_eq!(log.log(b"x"), Err(LogError::Kernel(Status::UNAVAILABLE)));
    for error in [LogError::TooLong, LogError::DisabledByServer, LogError::Kernel(Status::UNAVAILABLE)] {
        assert_eq!(error.recovery(), Recovery::GiveUp);
    }
}

#[test]
fn a_message_that_is_too_long_is_logged_in_pieces_without_a_loss() {
    for longest in [16, 17, 33, 100, 1000] {
        let device = device(longest);
        let mut log = started();
        let text: String = "aé€😀".chars().cycle().take(300).collect();
        assert_eq!(log.write_str(&text), Ok(()));
        let pieces = device.server_log();
        assert_eq!(pieces.concat(), text, "no character is split, none is lost");
        assert!(pieces.iter().all(|piece| piece.len() <= longest.into()));
        // Found by halving, so that a piece is half of the longest at least, but for a character.
        let fewest = text.len().div_ceil(longest.into());
        assert!(pieces.len() <= 3 * fewest, "{} pieces where {fewest} would do", pieces.len());
    }
}

#[test]
fn bytes_that_are_no_text_are_split_as_well() {
    let device = device(20);
    let mut log = started();
    assert_eq!(embedded_io::Write::write(&mut log, &[0x80; 50]), Ok(50));
    assert_eq!(embedded_io::Write::flush(&mut log), Ok(()));
    let characters: usize = device.server_log().iter().map(|piece| piece.chars().count()).sum();
    assert_eq!(characters, 50);
}

#[test]
fn a_line_is_one_message_however_it_is_written() {
    let device = device(1024);
    let log = started();
    let degrees = 21;
    write!(log.line::<64>(), "it is {degrees} °C, {degrees:?}").expect("never fails");
    let mut line = log.line::<64>();
    writeln!(line, "one\n\ntwo").expect("never fails");
    write!(line, "thr").expect("never fails");
    embedded_io::Write::write_all(&mut line, b"ee\nfo").expect("never fails");
    embedded_io::Write::flush(&mut line).expect("never fails");
    write!(line, "five").expect("never fails");
    assert_eq!(device.server_log(), ["it is 21 °C, 21", "one", "two", "three", "fo"]);
    drop(line);
    assert_eq!(device.server_log().last().map(String::as_str), Some("five"));
}

#[test]
fn a_line_longer_than_its_memory_is_logged_in_pieces_without_a_loss() {
    let device = device(1024);
    let log = started();
    let mut line = log.line::<8>();
    writeln!(line, "12345678").expect("never fails");
    writeln!(line, "123456789").expect("never fails");
    writeln!(line, "1234567é").expect("never fails");
    writeln!(line, "€€€").expect("never fails");
    assert_eq!(device.server_log(), ["12345678", "12345678", "9", "1234567", "é", "€€", "€"]);
}

#[test]
fn two_texts_become_one_message_where_they_fit() {
    let device = device(256);
    let log = started();
    log.log_pair::<4>(b"2", b"1.5").expect("it fits");
    log.log_pair::<2>(b"", b"22").expect("it fits");
    assert_eq!(log.log_pair::<3>(b"2", b"1.5"), Err(LogError::TooLong));
    assert_eq!(log.log_pair::<3>(b"21.5", b""), Err(LogError::TooLong));
    assert_eq!(device.server_log(), ["21.5", "22"]);
}

#[test]
fn a_log_that_was_not_started_takes_nothing() {
    let device = device(256);
    assert!(ServerLog::if_started().log(b"early").is_err());
    started();
    ServerLog::if_started().log(b"late").expect("it is started");
    assert_eq!(device.server_log(), ["late"]);
}

#[test]
fn whatever_the_kernel_answers_writing_succeeds() {
    for raw in (1..=64).chain([4_711, u32::MAX]) {
        let device = device(1024);
        let mut log = started();
        device.inject(Fault::call("mvServerLog").times(u64::MAX).status(raw));
        let told = log.log(b"message").expect_err("the kernel refuses");
        assert_eq!(Err(told.status()), Status::check(raw));
        assert_eq!(log.write_str("a message that is long enough to be tried in pieces"), Ok(()));
        assert_eq!(writeln!(log.line::<32>(), "a line"), Ok(()));
        assert_eq!(embedded_io::Write::write_all(&mut log, b"bytes"), Ok(()));
        assert_eq!(device.server_log(), [""; 0]);
    }
}
