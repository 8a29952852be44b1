//! What a session takes on the board, as the sizes of symbols: `arm-none-eabi-nm -S` on this image.
//! `cargo bench --bench session_memory` prints the same for the host, and what they mean.
#![no_std]
#![no_main]

#[path = "../../../../benches/session_memory/sizes.rs"]
mod sizes;

use core::hint::black_box;
use core::panic::PanicInfo;

use cortex_m_rt::entry;

macro_rules! symbols {
    ($($name:ident)*) => {
        $(#[unsafe(no_mangle)]
        static $name: [u8; sizes::$name] = [0; sizes::$name];)*

        fn keep() {
            $(black_box(&$name);)*
        }
    };
}

symbols! { MEMORY VALUES CENTER SESSION SESSION_OF_ONE RUN PUBLISH RECEIVE APPLICATION }

#[entry]
fn main() -> ! {
    keep();
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
