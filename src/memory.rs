//! Memory that is lent to the kernel.
//!
//! A channel's buffers and the log buffer must lie on a 512-byte boundary, be a multiple of
//! 512 bytes long, and belong to the kernel alone until it gives them back (ABI 0.7.0). Memory that
//! can be taken back by ending a borrow is of no use for that: `mem::forget` of whatever holds the
//! borrow would leave the kernel writing into memory in use. So it is static and exclusive, and
//! [`KernelBuffer`] is the one owner of it.
//!
//! ```
//! use microvisor::{KernelMemory, kernel_memory};
//!
//! static MEMORY: KernelMemory<11264> = kernel_memory!(11264);
//!
//! let buffer = MEMORY.take().expect("nobody else has it");
//! assert_eq!(buffer.len(), 11264);
//! assert!(MEMORY.take().is_none());
//! drop(buffer);
//! assert!(MEMORY.take().is_some());
//! ```

use core::cell::UnsafeCell;
use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::claim::claim;
use crate::wipe::wipe;

/// The boundary and the unit of size of memory that the kernel takes, in bytes (ABI 0.7.0).
pub const KERNEL_MEMORY_UNIT: usize = 512;

/// `N` bytes on a 512-byte boundary, `N` a multiple of 512.
///
/// Only useful as a `static` behind [`kernel_memory!`](crate::kernel_memory), or leaked and handed
/// to [`KernelMemory::from_static`].
#[repr(C, align(512))]
pub struct AlignedBytes<const N: usize>(UnsafeCell<[u8; N]>);

// SAFETY: the bytes are reached only through a `KernelBuffer`, of which there is one at a time:
// `KernelMemory` counts by an atomic flag, and takes the bytes by exclusive reference where it is not
// their macro that pairs them with it.
unsafe impl<const N: usize> Sync for AlignedBytes<N> {}

impl<const N: usize> AlignedBytes<N> {
    const SIZE_IS_VALID: () = assert!(
        N > 0 && N.is_multiple_of(KERNEL_MEMORY_UNIT),
        "kernel memory is a non-zero multiple of 512 bytes"
    );

    /// `N` zero bytes. A size that the kernel would refuse does not compile.
    pub const fn new() -> Self {
        let () = Self::SIZE_IS_VALID;
        Self(UnsafeCell::new([0; N]))
    }
}

impl<const N: usize> Default for AlignedBytes<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Debug for AlignedBytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignedBytes<{N}>")
    }
}

/// A static piece of kernel memory that one owner at a time can take.
///
/// Made by [`kernel_memory!`](crate::kernel_memory). The flag lies beside the bytes, not among
/// them, where the alignment would make it cost 512; and it is static like them, so that two
/// values that one expression made share it.
#[derive(Debug)]
pub struct KernelMemory<const N: usize> {
    bytes: &'static AlignedBytes<N>,
    taken: &'static TakenFlag,
}

/// Whether a piece of kernel memory is taken. Only [`KernelMemory`] can read or change it.
#[derive(Debug, Default)]
pub struct TakenFlag {
    /// How many parts of it have an owner.
    owners: AtomicU32,
}

impl TakenFlag {
    /// Not taken.
    pub const fn new() -> Self {
        Self { owners: AtomicU32::new(0) }
    }

    /// Whether nobody had it.
    fn take(&self) -> bool {
        claim(&self.owners, 1)
    }
}

impl<const N: usize> KernelMemory<N> {
    /// Memory that something else made static and exclusive at run time, such as a `StaticCell` or
    /// `Box::leak`. Otherwise use [`kernel_memory!`](crate::kernel_memory).
    pub fn from_static(bytes: &'static mut AlignedBytes<N>, taken: &'static mut TakenFlag) -> Self {
        taken.owners.store(0, Ordering::Relaxed);
        Self { bytes, taken }
    }

    /// For [`kernel_memory!`](crate::kernel_memory).
    ///
    /// # Safety
    ///
    /// `bytes` is never given to a `KernelMemory` with another flag.
    #[doc(hidden)]
    pub const unsafe fn from_parts(bytes: &'static AlignedBytes<N>, taken: &'static TakenFlag) -> Self {
        Self { bytes, taken }
    }

    /// The memory, unless somebody has it: a `KernelBuffer` that still exists, a channel that is
    /// open, or one that could not be closed.
    pub fn take(&self) -> Option<KernelBuffer<N>> {
        if !self.taken.take() {
            return None;
        }
        let start = NonNull::from(self.bytes).cast::<u8>();
        Some(KernelBuffer { region: Region { start, len: N, taken: self.taken } })
    }
}

/// Declares kernel memory: `static NAME: KernelMemory<1024> = kernel_memory!(1024);`
///
/// The size is in bytes, a multiple of 512; anything else does not compile. The memory lies in
/// `.bss` and costs no flash.
#[macro_export]
macro_rules! kernel_memory {
    ($size:expr) => {{
        // Outside the block of the statics, so that the expression cannot name them.
        const __MICROVISOR_SIZE: usize = $size;
        {
            static BYTES: $crate::AlignedBytes<__MICROVISOR_SIZE> = $crate::AlignedBytes::new();
            static TAKEN: $crate::TakenFlag = $crate::TakenFlag::new();
            // SAFETY: both statics can be named only in this block, which always pairs them.
            unsafe { $crate::KernelMemory::from_parts(&BYTES, &TAKEN) }
        }
    }};
}

/// Exclusive ownership of `N` bytes of kernel memory.
///
/// Dropping it puts the memory back where [`KernelMemory::take`] finds it.
#[derive(Debug)]
pub struct KernelBuffer<const N: usize> {
    region: Region,
}

impl<const N: usize> KernelBuffer<N> {
    /// The size in bytes: `N`.
    #[allow(clippy::unused_self)]
    pub const fn len(&self) -> usize {
        N
    }

    /// Never: a size of 0 does not compile.
    pub const fn is_empty(&self) -> bool {
        false
    }

    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.region.as_ptr()
    }

    pub(crate) fn into_region(self) -> Region {
        self.region
    }
}

/// A run of kernel memory whose size is no longer part of the type.
pub(crate) struct Region {
    start: NonNull<u8>,
    len: usize,
    taken: &'static TakenFlag,
}

// SAFETY: a `Region` is the exclusive owner of its static bytes; nothing of it is bound to a thread.
unsafe impl Send for Region {}
// SAFETY: a shared `Region` tells where its bytes are and how many, and reaches none of them. With
// this, an error that hands buffers back fits a `Box<dyn Error + Send + Sync>`.
unsafe impl Sync for Region {}

impl Region {
    /// A region of no size, which belongs to no memory.
    pub(crate) fn nothing() -> Self {
        static NOBODYS: TakenFlag = TakenFlag::new();
        Self { start: NonNull::dangling(), len: 0, taken: &NOBODYS }
    }

    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Cuts off the last `len` bytes, a multiple of 512 that leaves something; otherwise `None`, and all
    /// stays as it was.
    pub(crate) fn split_off(&mut self, len: usize) -> Option<Self> {
        let kept = self.len.checked_sub(len)?;
        if len == 0 || kept == 0 || !len.is_multiple_of(KERNEL_MEMORY_UNIT) {
            return None;
        }
        self.taken.owners.fetch_add(1, Ordering::Relaxed);
        self.len = kept;
        // SAFETY: `kept` bytes from the start still lie within the memory.
        let start = unsafe { self.start.add(kept) };
        Some(Self { start, len, taken: self.taken })
    }

    /// The bytes, which nobody but the owner can reach now.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: `Region` owns `len` bytes from `start`, which are always initialised. They are not lent
        // to the kernel: what is lent lies in a `Channel`, which does not let anybody borrow it.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// The same, to be written.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; the borrow is exclusive.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// Overwrites the memory with zeros that the compiler cannot leave out.
    pub(crate) fn wipe(&mut self) {
        wipe(self.bytes_mut());
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        self.taken.owners.fetch_sub(1, Ordering::Release);
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes at {:p}", self.len, self.start)
    }
}
