//! The count of dropped messages, which the whole program has one of: so there is one test here.

use std::fmt::Write as _;

use microvisor::{KernelMemory, ServerLog, kernel_memory, sys};
use microvisor_sim::{Device, Fault, Quirks};

#[test]
fn what_the_kernel_does_not_take_is_dropped_and_counted() {
    static MEMORY: KernelMemory<512> = kernel_memory!(512);

    // Never connected, so the buffer fills.
    let quirks = Quirks { max_log_message: 10, ..Quirks::default() };
    let device = Device::builder().quirks(quirks).boot();
    let mut log = ServerLog::start(MEMORY.take().expect("free")).expect("the log starts");

    assert_eq!(log.write_str("short"), Ok(()));
    assert_eq!(ServerLog::dropped(), 0);

    let calls = device.calls();
    assert_eq!(log.write_str(&"longer than any piece".repeat(100)), Ok(()));
    assert_eq!(ServerLog::dropped(), 1, "a kernel that takes less than 16 bytes is not asked for ever");
    assert!(device.calls() - calls < 16);

    device.set_server_logging(false);
    assert_eq!(log.write_str("unwanted"), Ok(()));
    assert_eq!(ServerLog::dropped(), 2);
    device.set_server_logging(true);

    device.inject(Fault::call("mvServerLog").status(sys::MV_STATUS_UNAVAILABLE));
    assert_eq!(writeln!(log.line::<8>(), "nobody"), Ok(()));
    assert_eq!(ServerLog::dropped(), 3);

    for _ in 0..512 {
        assert_eq!(log.write_str("fill"), Ok(()));
    }
    let taken = device.server_log().len() - 1;
    assert_eq!(ServerLog::dropped() as usize, 3 + 512 - taken);

    let dropped = ServerLog::dropped();
    assert!(log.log(b"told").is_err());
    assert!(log.log_pair::<8>(b"to", b"ld").is_err());
    assert_eq!(ServerLog::dropped(), dropped, "what is told is not counted");
}
