//! Overwriting what held secrets.

/// Overwrites `bytes` with zeros, which the compiler cannot leave out.
#[cfg(not(all(target_arch = "arm", target_os = "none")))]
pub(crate) fn wipe(bytes: &mut [u8]) {
    zeroize::Zeroize::zeroize(bytes);
}

/// Overwrites `bytes` with zeros, which the compiler cannot leave out.
///
/// A device wipes some 8 KiB of buffers at a time, for which byte by byte would be most of the
/// instructions between the config fetch and the connect request.
#[cfg(all(target_arch = "arm", target_os = "none"))]
pub(crate) fn wipe(bytes: &mut [u8]) {
    use core::arch::asm;

    // A store of several words has to be aligned.
    let head = bytes.as_ptr().align_offset(size_of::<u32>()).min(bytes.len());
    let (head, bytes) = bytes.split_at_mut_checked(head).unwrap_or_default();
    let (blocks, rest) = bytes.as_chunks_mut::<128>();
    let range = blocks.as_mut_ptr_range();
    if !blocks.is_empty() {
        // SAFETY: this writes the blocks, of 128 bytes each and one at least, and nothing else.
        unsafe {
            asm!(
                "2:",
                "stmia {at}!, {{r0-r5, r8, r12}}",
                "stmia {at}!, {{r0-r5, r8, r12}}",
                "stmia {at}!, {{r0-r5, r8, r12}}",
                "stmia {at}!, {{r0-r5, r8, r12}}",
                "cmp {at}, {end}",
                "blo 2b",
                at = inout(reg) range.start => _,
                end = in(reg) range.end,
                in("r0") 0, in("r1") 0, in("r2") 0, in("r3") 0, in("r4") 0, in("r5") 0, in("r8") 0, in("r12") 0,
                options(nostack),
            );
        }
    }
    zeroize::Zeroize::zeroize(head);
    zeroize::Zeroize::zeroize(rest);
}
