//! A device driven by the raw calls alone, as an application without the library would.

#![allow(dead_code)] // Each bench uses its part.

use std::cell::Cell;
use std::ptr;
use std::rc::Rc;

use microvisor::{AlignedBytes, sys};
use microvisor_sim::{Builder, Device};

const RECORDS: usize = 8;

/// The size of the ring in bytes.
const RING_LEN: u32 = 128;
const IRQ: u32 = 51;
const RECEIVE_LEN: u32 = 7168;
const SEND_LEN: u32 = 4096;

/// A booted device with a notification centre and a network.
pub struct RawDevice {
    pub device: Device,
    /// The handle of the notification centre.
    pub center: u32,
    /// The handle of the network.
    pub network: u32,
    /// How many notifications were taken.
    pub taken: Rc<Cell<u32>>,
}

/// Panics unless a call succeeded.
pub fn check(status: sys::MvStatus) {
    assert_eq!(status, sys::MV_STATUS_OKAY);
}

pub fn sized_string(bytes: &[u8]) -> sys::MvSizedString {
    sys::MvSizedString { data: bytes.as_ptr(), length: bytes.len().try_into().expect("it is short") }
}

impl RawDevice {
    pub fn boot(builder: Builder) -> Self {
        let device = builder.boot();
        let empty = || sys::MvNotification { microseconds: 0, event_type: 0, tag: 0 };
        let ring: &'static mut [sys::MvNotification; RECORDS] =
            Box::leak(Box::new(std::array::from_fn(|_| empty())));
        let ring = ring.as_mut_ptr();
        let setup = sys::MvNotificationSetup { irq: IRQ, buffer: ring, buffer_size: RING_LEN };
        let mut center = 0;
        // SAFETY: the ring is leaked, so it lives for ever, and only the handler below reads it.
        check(unsafe { sys::mvSetupNotifications(&raw const setup, &raw mut center) });
        let taken = Rc::new(Cell::new(0));
        device.bind_interrupt(IRQ, handler(ring, Rc::clone(&taken)));
        let params = sys::MvRequestNetworkParams {
            version: 1,
            __bindgen_anon_1: sys::MvRequestNetworkParams__bindgen_ty_1 {
                v1: sys::MvRequestNetworkParams__bindgen_ty_1__bindgen_ty_1 {
                    notification_handle: center,
                    notification_tag: 0,
                },
            },
        };
        let mut network = 0;
        // SAFETY: both pointers are to locals, for the duration of the call.
        check(unsafe { sys::mvRequestNetwork(&raw const params, &raw mut network) });
        Self { device, center, network, taken }
    }

    /// Opens a channel on leaked memory and returns its handle.
    pub fn open(&self, channel_type: sys::MvChannelType) -> u32 {
        let memory: &'static mut AlignedBytes<11264> = Box::leak(Box::new(AlignedBytes::new()));
        let receive_buffer = ptr::from_mut(memory).cast::<u8>();
        let params = sys::MvOpenChannelParams {
            version: 1,
            __bindgen_anon_1: sys::MvOpenChannelParams__bindgen_ty_1 {
                v1: sys::MvOpenChannelParams__bindgen_ty_1__bindgen_ty_1 {
                    notification_handle: self.center,
                    notification_tag: 1,
                    network_handle: self.network,
                    receive_buffer,
                    receive_buffer_len: RECEIVE_LEN,
                    send_buffer: receive_buffer.wrapping_add(RECEIVE_LEN as usize),
                    send_buffer_len: SEND_LEN,
                    channel_type,
                    endpoint: sized_string(b""),
                },
            },
        };
        let mut channel = 0;
        // SAFETY: the parameters are locals; the buffers are leaked and used for nothing else.
        check(unsafe { sys::mvOpenChannel(&raw const params, &raw mut channel) });
        channel
    }

    /// Sleeps until a notification has been taken.
    pub fn wait(&self) {
        let before = self.taken.get();
        while self.taken.get() == before {
            self.device.step();
        }
    }
}

/// An interrupt handler that empties the ring and counts what was in it.
fn handler(ring: *mut sys::MvNotification, taken: Rc<Cell<u32>>) -> impl FnMut() {
    let mut next = 0;
    move || loop {
        let record = ring.wrapping_add(next);
        // SAFETY: `next` stays within the ring, which nothing else refers to.
        let event = unsafe { ptr::read_volatile(&raw const (*record).event_type) };
        if event == sys::MV_EVENTTYPE_NOEVENT {
            break;
        }
        // SAFETY: as above.
        unsafe { ptr::write_volatile(&raw mut (*record).event_type, sys::MV_EVENTTYPE_NOEVENT) };
        next = (next + 1) % RECORDS;
        taken.set(taken.get() + 1);
    }
}
