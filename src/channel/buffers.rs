//! The receive and the send buffer of a channel.

use core::fmt;

use crate::memory::{KERNEL_MEMORY_UNIT, KernelBuffer, Region};

/// A receive and a send buffer, side by side in one piece of kernel memory.
///
/// The kernel writes what it received into the one and builds requests in the other, from opening a
/// channel until it is closed. The application never looks into them. One pair serves one channel
/// after another: [`close`](crate::config::ConfigFetch::close) hands it back.
///
/// Sizes: a config response must fit the receive buffer whole, and AWS credentials with an RSA-2048
/// key in hex need about 7 KiB; 7 KiB and 4 KiB serve both that fetch and the MQTT channel after
/// it. An MQTT message that is larger than the receive buffer is lost (and reported).
///
/// ```
/// use microvisor::{KernelMemory, kernel_memory};
///
/// static MEMORY: KernelMemory<11264> = kernel_memory!(11264);
///
/// let buffers = MEMORY.take().expect("taken once").split::<7168>();
/// assert_eq!((buffers.receive_len(), buffers.send_len()), (7168, 4096));
/// ```
#[derive(Debug)]
pub struct ChannelBuffers {
    region: Region,
    receive_len: usize,
}

impl<const N: usize> KernelBuffer<N> {
    const SPLIT: () = assert!(N >= 2 * KERNEL_MEMORY_UNIT, "two buffers of 512 bytes are the least");

    /// The first `RECEIVE` bytes for receiving, the rest for sending. Both a non-zero multiple of
    /// 512, or it does not compile.
    pub fn split<const RECEIVE: usize>(self) -> ChannelBuffers {
        let () = Self::SPLIT;
        const {
            assert!(
                RECEIVE > 0 && RECEIVE < N && RECEIVE.is_multiple_of(KERNEL_MEMORY_UNIT),
                "the receive buffer is a non-zero multiple of 512 bytes and leaves 512 for sending"
            );
        }
        ChannelBuffers { region: self.into_region(), receive_len: RECEIVE }
    }
}

impl ChannelBuffers {
    /// The size of the receive buffer in bytes.
    pub fn receive_len(&self) -> usize {
        self.receive_len
    }

    /// The size of the send buffer in bytes.
    pub fn send_len(&self) -> usize {
        self.region.len() - self.receive_len
    }

    /// The same memory, shared out anew: a config fetch wants a large receive buffer, an MQTT
    /// channel that only publishes a large send buffer.
    ///
    /// # Errors
    ///
    /// `SplitError`, where `receive_len` is not a multiple of 512 that leaves 512 bytes on both
    /// sides. The buffers stay as they were.
    pub fn split_again(&mut self, receive_len: usize) -> Result<(), SplitError> {
        if receive_len == 0
            || receive_len >= self.region.len()
            || !receive_len.is_multiple_of(KERNEL_MEMORY_UNIT)
        {
            return Err(SplitError { receive_len, total: self.region.len() });
        }
        self.receive_len = receive_len;
        Ok(())
    }

    pub(super) fn receive_ptr(&self) -> *mut u8 {
        self.region.as_ptr()
    }

    pub(super) fn send_ptr(&self) -> *mut u8 {
        // `receive_len` lies within the region.
        self.region.as_ptr().wrapping_add(self.receive_len)
    }

    /// Overwrites both buffers, which may hold what the kernel received.
    pub(super) fn wipe(&mut self) {
        self.region.wipe();
    }

    /// All of `region`, whose first `receive_len` bytes are for receiving, as the caller has checked.
    pub(crate) fn of(region: Region, receive_len: usize) -> Self {
        Self { region, receive_len }
    }

    /// Buffers of no size, which the kernel does not take.
    pub(super) fn nothing() -> Self {
        Self::of(Region::nothing(), 0)
    }

    /// The same memory, divided as the caller has checked.
    pub(super) fn divide(&mut self, receive_len: usize) {
        self.receive_len = receive_len.min(self.region.len());
    }
}

/// A receive buffer cannot have this size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SplitError {
    /// The size asked for, in bytes.
    pub receive_len: usize,
    /// The size of both buffers together, in bytes.
    pub total: usize,
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a receive buffer of {} bytes is not a multiple of 512 that leaves 512 of {} bytes for sending",
            self.receive_len, self.total
        )
    }
}

impl core::error::Error for SplitError {}
