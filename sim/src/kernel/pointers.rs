//! The kernel's checks of what the application points to, and its access to it.
//!
//! Every access goes through here. A wrong address is refused with the status that the call has for it
//! (`fault`), and reported; memory that cannot be told from good memory is taken on the word of the
//! caller, as the contract of the system calls says.

use std::fmt::Display;

use microvisor::sys;

use super::{Kernel, Outcome};
use crate::address_space::{self, Access};
use crate::names;

impl Kernel {
    fn check(
        &mut self,
        addr: usize,
        len: usize,
        align: usize,
        what: &str,
        access: Access,
        fault: sys::MvStatus,
    ) -> Outcome {
        if addr == 0 {
            return self.misused(fault, format!("{what} is NULL"));
        }
        if !addr.is_multiple_of(align) {
            return self.misused(fault, format!("{what} ({addr:#x}) is not {align}-byte aligned"));
        }
        // An input is looked at when the call begins; that an output cannot be written shows when it is.
        let status = match access {
            Access::Write if self.call_writes_late() => sys::MV_STATUS_LATEFAULT,
            _ => fault,
        };
        if !address_space::allows(addr, len, access) {
            let why = match access {
                Access::Read => "is no memory of the application",
                Access::Write => "is no memory that the application can write",
            };
            return self.misused(status, format!("{what} ({addr:#x}, {len} bytes) {why}"));
        }
        let owner = self.memory.overlap(addr, len).map(str::to_owned);
        let Some(owner) = owner else { return Ok(()) };
        self.misused(status, format!("{what} lies in the {owner}, which belongs to the kernel"))
    }

    /// Whether the call in progress is one that writes outputs and for which the ABI lists `LATEFAULT`.
    fn call_writes_late(&self) -> bool {
        let name = self.call.name;
        name.starts_with("mvMqttRead") || name.starts_with("mvMqttReceive")
    }

    /// The status for a bad pointer inside a structure.
    pub(super) fn nested_fault(&self) -> sys::MvStatus {
        let name = self.call.name;
        if self.call_writes_late() || name.starts_with("mvMqttRequest") || name == "mvSendConfigFetchRequest"
        {
            sys::MV_STATUS_LATEFAULT
        } else {
            sys::MV_STATUS_PARAMETERFAULT
        }
    }

    /// Reads a structure that an argument points to.
    pub(super) fn input<T: Copy>(&mut self, ptr: *const T, what: &str) -> Outcome<T> {
        self.read(ptr, what, sys::MV_STATUS_PARAMETERFAULT)
    }

    /// Reads a structure that a structure points to.
    pub(super) fn nested_input<T: Copy>(&mut self, ptr: *const T, what: &str) -> Outcome<T> {
        self.read(ptr, what, self.nested_fault())
    }

    fn read<T: Copy>(&mut self, ptr: *const T, what: &str, fault: sys::MvStatus) -> Outcome<T> {
        self.check(ptr.addr(), size_of::<T>(), align_of::<T>(), what, Access::Read, fault)?;
        // SAFETY: the address was checked, and the caller of the system call vouches for what is there.
        Ok(unsafe { ptr.read() })
    }

    /// Reads an array that a structure points to.
    pub(super) fn nested_array<T: Copy>(&mut self, ptr: *const T, count: u32, what: &str) -> Outcome<Vec<T>> {
        let fault = self.nested_fault();
        let count = count as usize;
        self.check(ptr.addr(), size_of::<T>() * count, align_of::<T>(), what, Access::Read, fault)?;
        // SAFETY: as in `read`; the check covered `count` elements.
        Ok((0..count).map(|index| unsafe { ptr.add(index).read() }).collect())
    }

    /// Reads bytes that an argument points to. Empty data needs no pointer.
    pub(super) fn bytes(&mut self, ptr: *const u8, len: u32, what: &str) -> Outcome<Vec<u8>> {
        self.read_bytes(ptr, len, what, sys::MV_STATUS_PARAMETERFAULT)
    }

    /// Reads bytes that a structure points to. Empty data needs no pointer.
    pub(super) fn string(&mut self, string: sys::MvSizedString, what: &str) -> Outcome<Vec<u8>> {
        self.read_bytes(string.data, string.length, what, self.nested_fault())
    }

    fn read_bytes(&mut self, ptr: *const u8, len: u32, what: &str, fault: sys::MvStatus) -> Outcome<Vec<u8>> {
        let len = len as usize;
        if len == 0 {
            return Ok(Vec::new());
        }
        self.check(ptr.addr(), len, 1, what, Access::Read, fault)?;
        let mut bytes = vec![0; len];
        // SAFETY: as in `read`; the check covered `len` bytes, and `bytes` has as many.
        unsafe { ptr.copy_to_nonoverlapping(bytes.as_mut_ptr(), len) };
        Ok(bytes)
    }

    /// Checks an output that an argument points to.
    pub(super) fn output<T: Copy>(&mut self, ptr: *mut T, what: &str) -> Outcome {
        self.check_output(ptr, what, sys::MV_STATUS_PARAMETERFAULT)
    }

    /// Checks an output that a structure points to.
    pub(super) fn nested_output<T: Copy>(&mut self, ptr: *mut T, what: &str) -> Outcome {
        self.check_output(ptr, what, self.nested_fault())
    }

    pub(super) fn check_output<T: Copy>(&mut self, ptr: *mut T, what: &str, fault: sys::MvStatus) -> Outcome {
        self.check(ptr.addr(), size_of::<T>(), align_of::<T>(), what, Access::Write, fault)?;
        self.register_output(ptr.cast(), size_of::<T>(), what);
        Ok(())
    }

    /// Remembers an output of the call in progress. No two of them can lie in the same place.
    fn register_output(&mut self, start: *mut u8, len: usize, what: &str) {
        let (from, to) = (start.addr(), start.addr() + len);
        let overlaps =
            |&(other, len): &(*mut u8, usize)| len > 0 && other.addr() < to && from < other.addr() + len;
        if len > 0 && self.call.outputs.iter().any(overlaps) {
            self.report(format!("{what} overlaps another output of the same call"));
        }
        self.call.outputs.push((start, len));
    }

    /// Checks a buffer for bytes that an argument points to.
    pub(super) fn output_bytes(
        &mut self,
        ptr: *mut u8,
        len: u32,
        what: &str,
        fault: sys::MvStatus,
    ) -> Outcome {
        self.check(ptr.addr(), len as usize, 1, what, Access::Write, fault)?;
        self.register_output(ptr, len as usize, what);
        Ok(())
    }

    /// Checks an array of words that a structure points to.
    pub(super) fn nested_output_words(&mut self, ptr: *mut u32, bytes: u32, what: &str) -> Outcome {
        if bytes == 0 {
            self.register_output(ptr.cast(), 0, what);
            return Ok(());
        }
        let fault = self.nested_fault();
        self.check(ptr.addr(), bytes as usize, align_of::<u32>(), what, Access::Write, fault)?;
        self.register_output(ptr.cast(), bytes as usize, what);
        Ok(())
    }

    /// Checks a buffer with its length output inside a structure.
    pub(super) fn nested_buffer(&mut self, buffer: sys::MvSizedStringBuffer, what: &str) -> Outcome {
        self.nested_output(buffer.length, &format!("{what}.length"))?;
        if buffer.size == 0 {
            self.register_output(buffer.data, 0, what);
            return Ok(());
        }
        let fault = self.nested_fault();
        self.output_bytes(buffer.data, buffer.size, &format!("{what}.data"), fault)
    }

    /// Writes a checked output, exactly as wide as its type, and notes it in the log.
    pub(super) fn put<T: Copy>(&mut self, ptr: *mut T, value: T, name: &str, shown: impl Display) {
        write_output(ptr, value);
        self.note(name, shown);
    }

    /// Writes data into a checked buffer that it fits, and junk behind it.
    pub(super) fn put_bytes(&mut self, buffer: sys::MvSizedStringBuffer, data: &[u8]) {
        write_output(buffer.length, super::length(data));
        self.fill(buffer.data, buffer.size as usize, data);
    }

    /// Writes `data` at the start of `size` checked bytes, and junk into the rest where the quirk is on.
    pub(super) fn fill(&mut self, start: *mut u8, size: usize, data: &[u8]) {
        let mut bytes = data.to_vec();
        if self.quirks.junk_in_outputs {
            bytes.extend(self.memory.junk(size.saturating_sub(data.len())));
        }
        bytes.truncate(size);
        // SAFETY: `size` bytes at `start` were checked as an output, and the caller of the system call
        // vouches for them.
        unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }

    /// Writes junk over everything that the failed call could have written.
    pub(super) fn junk_outputs(&mut self) {
        for (start, len) in std::mem::take(&mut self.call.outputs) {
            if len == 0 {
                continue;
            }
            let junk = self.memory.junk(len);
            // SAFETY: as in `fill`.
            unsafe { start.copy_from_nonoverlapping(junk.as_ptr(), len) };
        }
    }

    /// Writes a word over an output of the call, for a fault.
    pub(super) fn replace_output(&mut self, index: usize, value: u32) {
        let Some(&(start, len)) = self.call.outputs.get(index) else { return };
        let bytes = value.to_ne_bytes();
        let len = len.min(bytes.len());
        // SAFETY: as in `fill`; no more than the output's own bytes are written.
        unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), len) };
        match index {
            0 => self.note("", format_args!("but {value} (injected)")),
            _ => self.note("", format_args!("but {value} at output {index} (injected)")),
        }
    }

    /// The handle that a closing call points to. It stays as it is if the call fails.
    pub(super) fn handle_to_close(&mut self, ptr: *mut u32, fault: sys::MvStatus) -> Outcome<u32> {
        self.check(ptr.addr(), size_of::<u32>(), align_of::<u32>(), "the handle", Access::Write, fault)?;
        // SAFETY: as in `read`.
        let handle = unsafe { ptr.read() };
        self.note("was", names::handle(handle));
        Ok(handle)
    }
}

/// Writes a checked output that the log does not show.
pub(super) fn write_output<T: Copy>(ptr: *mut T, value: T) {
    // SAFETY: a check of the output came first, and the caller of the system call vouches for what is
    // there.
    unsafe { ptr.write(value) };
}
