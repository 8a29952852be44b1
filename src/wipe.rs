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
#[inline(never)]
pub(crate) fn wipe(bytes: &mut [u8]) {
    use core::arch::asm;

    let range = bytes.as_mut_ptr_range();
    // SAFETY: this writes the bytes from `start` to `end`, and nothing else.
    unsafe {
        asm!(
            // Single bytes up to a word, since a store of several words has to be aligned.
            "2:",
            "cmp {at}, {end}",
            "beq 8f",
            "tst {at}, #3",
            "beq 3f",
            "strb r0, [{at}], #1",
            "b 2b",
            "3:",
            "subs {left}, {end}, {at}",
            "subs {left}, #128",
            "bcc 5f",
            "4:",
            "stmia {at}!, {{r0-r5, r8, r12}}",
            "stmia {at}!, {{r0-r5, r8, r12}}",
            "stmia {at}!, {{r0-r5, r8, r12}}",
            "stmia {at}!, {{r0-r5, r8, r12}}",
            "subs {left}, #128",
            "bcs 4b",
            "5:",
            "adds {left}, #128",
            "6:",
            "subs {left}, #4",
            "itt cs",
            "strcs r0, [{at}], #4",
            "bcs 6b",
            // Fewer than four are left.
            "7:",
            "cmp {at}, {end}",
            "itt ne",
            "strbne r0, [{at}], #1",
            "bne 7b",
            "8:",
            at = inout(reg) range.start => _,
            end = in(reg) range.end,
            left = out(reg) _,
            in("r0") 0, in("r1") 0, in("r2") 0, in("r3") 0, in("r4") 0, in("r5") 0, in("r8") 0, in("r12") 0,
            options(nostack),
        );
    }
}
