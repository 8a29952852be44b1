//! What can be said of an address without touching it.

/// Below this, no host maps memory for programs.
const FIRST: usize = 0x1_0000;
/// From here on, addresses of 64-bit hosts are the operating system's.
#[cfg(target_pointer_width = "64")]
const LAST: usize = 0x0100_0000_0000_0000;
#[cfg(not(target_pointer_width = "64"))]
const LAST: usize = usize::MAX;

/// Which way the data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Whether the program can access `len` bytes at `addr`.
///
/// On Linux this is what the memory map says; elsewhere, only addresses that no program has are found.
pub(crate) fn allows(addr: usize, len: usize, access: Access) -> bool {
    let Some(end) = addr.checked_add(len).filter(|&end| addr >= FIRST && end <= LAST) else { return false };
    map::covers(addr, end.max(addr + 1), access).unwrap_or(true)
}

#[cfg(all(target_os = "linux", not(miri)))]
mod map {
    use std::cell::RefCell;
    use std::fs;

    use super::Access;

    #[derive(Debug)]
    struct Mapping {
        start: usize,
        end: usize,
        readable: bool,
        writable: bool,
    }

    thread_local!(static KNOWN: RefCell<Vec<Mapping>> = const { RefCell::new(Vec::new()) });

    /// Whether mappings cover all of it; `None` if the system does not say.
    ///
    /// The map is read again only when the last one does not allow the access, so that the usual case
    /// costs no system call.
    pub(super) fn covers(addr: usize, end: usize, access: Access) -> Option<bool> {
        let known = |map: &RefCell<Vec<Mapping>>| walk(&map.borrow(), addr, end, access);
        if KNOWN.try_with(known).ok()? {
            return Some(true);
        }
        let map = read()?;
        let allowed = walk(&map, addr, end, access);
        KNOWN.try_with(|known| *known.borrow_mut() = map).ok()?;
        Some(allowed)
    }

    fn walk(map: &[Mapping], mut addr: usize, end: usize, access: Access) -> bool {
        let from = map.partition_point(|mapping| mapping.end <= addr);
        for mapping in &map[from..] {
            let allowed = match access {
                Access::Read => mapping.readable,
                Access::Write => mapping.writable,
            };
            if mapping.start > addr || !allowed {
                return false;
            }
            addr = mapping.end;
            if addr >= end {
                return true;
            }
        }
        false
    }

    /// The lines of the map look like `7f00-7f80 rw-p …`, in order.
    fn read() -> Option<Vec<Mapping>> {
        let text = fs::read_to_string("/proc/self/maps").ok()?;
        text.lines().map(parse).collect()
    }

    fn parse(line: &str) -> Option<Mapping> {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        Some(Mapping {
            start: usize::from_str_radix(start, 16).ok()?,
            end: usize::from_str_radix(end, 16).ok()?,
            readable: rest.starts_with('r'),
            writable: rest[1..].starts_with('w'),
        })
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod map {
    use super::Access;

    pub(super) fn covers(_: usize, _: usize, _: Access) -> Option<bool> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, allows};

    #[test]
    fn memory_of_the_program_is_allowed() {
        let mut local = [0_u8; 64];
        let heap = vec![0_u8; 100_000];
        assert!(allows(local.as_mut_ptr().addr(), 64, Access::Write));
        assert!(allows(heap.as_ptr().addr(), heap.len(), Access::Read));
    }

    #[test]
    fn addresses_that_no_program_has_are_refused() {
        for addr in [0, 4, 0xffff, usize::MAX - 3] {
            assert!(!allows(addr, 4, Access::Read), "{addr:#x}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn constants_cannot_be_written() {
        static CONSTANT: [u8; 4096] = [1; 4096];
        assert!(allows(CONSTANT.as_ptr().addr(), 4096, Access::Read));
        assert!(!allows(CONSTANT.as_ptr().addr(), 4096, Access::Write));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_gap_in_the_map_is_found() {
        assert!(!allows(0x1_0000, usize::MAX >> 20, Access::Read));
    }
}
