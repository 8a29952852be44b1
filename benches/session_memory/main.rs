//! Prints what a session takes: `cargo bench --bench session_memory`.

mod sizes;

fn main() {
    println!("bytes of memory, with pointers of {} bits:", usize::BITS);
    for (bytes, what) in [
        (sizes::MEMORY, "static, for the kernel's channels and the credentials (RSA-2048, in hex)"),
        (sizes::VALUES, "of these, for the credentials while the session lasts: decoded in place, held once"),
        (sizes::CENTER, "static, the notification centre"),
        (sizes::SESSION, "Session<StoredProfile>, for 4 publishes at a time"),
        (sizes::SESSION_OF_ONE, "Session<StoredProfile, (), 1>, for 1 publish at a time"),
        (sizes::RUN, "the future of Session::run, beside the session"),
        (sizes::PUBLISH, "the future of Session::publish"),
        (sizes::RECEIVE, "the future of Session::receive, beside the inbox"),
        (sizes::APPLICATION, "the example's application, which has a session for 1 publish and an inbox"),
    ] {
        println!("{bytes:6}  {what}");
    }
    println!(
        "for the board: cargo build --release --bin sizes --target thumbv8m.main-none-eabihf in tests/minimal_image, \
         and arm-none-eabi-nm -S on it"
    );
}
