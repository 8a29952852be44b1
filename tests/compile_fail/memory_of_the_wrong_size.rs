//! Kernel memory is a multiple of 512 bytes.

use microvisor::{KernelMemory, kernel_memory};

pub static MEMORY: KernelMemory<1000> = kernel_memory!(1000); //~ E0080
pub static NOTHING: KernelMemory<0> = kernel_memory!(0); //~ E0080
