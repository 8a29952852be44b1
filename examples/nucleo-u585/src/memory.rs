//! Copying and filling memory, where the compiler makes calls of it.
//!
//! The compiler's own functions are faster for long runs, and take 400 bytes more. These take words as far
//! as they go, from the end to the start, by addresses that need not be aligned: the processor takes those
//! (Armv8-M, with `CCR.UNALIGN_TRP` as after a reset). Arguments and registers are those of the run-time ABI for
//! Arm: `to, from, length`, and `to, length, byte`.

core::arch::global_asm!(
    ".pushsection .text.__aeabi_memcpy, \"ax\"",
    ".global __aeabi_memcpy, __aeabi_memcpy4, __aeabi_memcpy8",
    ".thumb_func",
    "__aeabi_memcpy:",
    ".thumb_func",
    "__aeabi_memcpy4:",
    ".thumb_func",
    "__aeabi_memcpy8:",
    "b 1f",
    "0: ldr r3, [r1, r2]",
    "str r3, [r0, r2]",
    "1: subs r2, #4",
    "bhs 0b",
    "adds r2, #4",
    "b 1f",
    "0: ldrb r3, [r1, r2]",
    "strb r3, [r0, r2]",
    "1: subs r2, #1",
    "bhs 0b",
    "bx lr",
    ".popsection",
);

core::arch::global_asm!(
    ".pushsection .text.__aeabi_memset, \"ax\"",
    ".global __aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8",
    ".global __aeabi_memset, __aeabi_memset4, __aeabi_memset8",
    ".thumb_func",
    "__aeabi_memclr:",
    ".thumb_func",
    "__aeabi_memclr4:",
    ".thumb_func",
    "__aeabi_memclr8:",
    "movs r2, #0",
    ".thumb_func",
    "__aeabi_memset:",
    ".thumb_func",
    "__aeabi_memset4:",
    ".thumb_func",
    "__aeabi_memset8:",
    "uxtb r2, r2",
    "orr r2, r2, r2, lsl #8",
    "orr r2, r2, r2, lsl #16",
    "b 1f",
    "0: str r2, [r0, r1]",
    "1: subs r1, #4",
    "bhs 0b",
    "adds r1, #4",
    "b 1f",
    "0: strb r2, [r0, r1]",
    "1: subs r1, #1",
    "bhs 0b",
    "bx lr",
    ".popsection",
);
