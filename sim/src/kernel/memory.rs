//! Memory that belongs to the kernel while something is open.

use microvisor::sys;
use oorandom::Rand64;

/// How the application may use the memory meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Not at all.
    Private,
    /// It may clear records.
    Ring,
}

#[derive(Debug)]
struct Region {
    start: *mut u8,
    len: usize,
    used: Use,
    what: String,
    owner: u32,
    /// What the memory should hold.
    expected: Vec<u8>,
}

impl Region {
    fn actual(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len];
        // SAFETY: the application vouched for the memory when it passed it to a system call, until it
        // closes what uses it or the device is gone; `bytes` is as long.
        unsafe { self.start.copy_to_nonoverlapping(bytes.as_mut_ptr(), self.len) };
        bytes
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.expected[offset..offset + bytes.len()].copy_from_slice(bytes);
        // SAFETY: as in `actual`; the range is inside, or indexing `expected` had failed.
        unsafe { self.start.add(offset).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }

    fn contains(&self, addr: usize, len: usize) -> bool {
        let start = self.start.addr();
        addr < start + self.len && start < addr.saturating_add(len)
    }
}

const RECORD: usize = size_of::<sys::MvNotification>();
const EVENT_TYPE: std::ops::Range<usize> = {
    let start = std::mem::offset_of!(sys::MvNotification, event_type);
    start..start + size_of::<sys::MvEventType>()
};

/// All memory that the kernel owns at present.
///
/// Private memory holds junk, and new junk after each look at it: an application that reads it gets
/// nonsense, and one that writes it is found out at the next system call.
#[derive(Debug)]
pub(crate) struct OwnedMemory {
    regions: Vec<Region>,
    junk: Vec<u8>,
    junk_at: usize,
}

impl OwnedMemory {
    pub(crate) fn new(rng: &mut Rand64) -> Self {
        let junk = std::iter::repeat_with(|| rng.rand_u64().to_le_bytes()).take(1024).flatten().collect();
        Self { regions: Vec::new(), junk, junk_at: 0 }
    }

    pub(crate) fn claim(&mut self, start: *mut u8, len: usize, used: Use, what: String, owner: u32) {
        let mut region = Region { start, len, used, what, owner, expected: vec![0; len] };
        match used {
            Use::Private => self.fill(&mut region),
            Use::Ring => region.expected = region.actual(),
        }
        self.regions.push(region);
    }

    pub(crate) fn release(&mut self, owner: u32) {
        self.regions.retain(|region| region.owner != owner);
    }

    /// What owns some of these bytes.
    pub(crate) fn overlap(&self, addr: usize, len: usize) -> Option<&str> {
        self.regions.iter().find(|region| region.contains(addr, len)).map(|region| region.what.as_str())
    }

    /// Whether memory is in use for this object.
    pub(crate) fn owns(&self, owner: u32) -> bool {
        self.regions.iter().any(|region| region.owner == owner)
    }

    /// Writes a record into a ring.
    pub(crate) fn write_record(&mut self, owner: u32, index: usize, record: &[u8; RECORD]) {
        if let Some(region) = self.regions.iter_mut().find(|region| region.owner == owner) {
            region.write(index * RECORD, record);
        }
    }

    /// Whether the application has not cleared this record yet.
    pub(crate) fn record_is_unread(&self, owner: u32, index: usize) -> bool {
        self.regions.iter().find(|region| region.owner == owner).is_some_and(|region| {
            region.actual()[index * RECORD..][..RECORD][EVENT_TYPE].iter().any(|&byte| byte != 0)
        })
    }

    /// Compares all memory with what it should hold, refills it, and tells what was wrong.
    pub(crate) fn scan(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        let mut regions = std::mem::take(&mut self.regions);
        for region in &mut regions {
            let actual = region.actual();
            // This runs at every system call, and nearly always there is nothing to find.
            let changed = if actual == region.expected {
                None
            } else {
                (0..region.len).find(|&at| {
                    actual[at] != region.expected[at] && !(region.used == Use::Ring && actual[at] == 0)
                })
            };
            if let Some(at) = changed {
                found.push(complaint(region, at));
            }
            match region.used {
                Use::Private => self.fill(region),
                Use::Ring => region.expected = actual,
            }
        }
        self.regions = regions;
        found
    }

    fn fill(&mut self, region: &mut Region) {
        let junk = self.junk(region.len);
        region.write(0, &junk);
    }

    /// Some bytes that mean nothing.
    pub(crate) fn junk(&mut self, len: usize) -> Vec<u8> {
        // Any odd step, so that the same place rarely sees the same junk twice.
        self.junk_at = (self.junk_at + 1237) % self.junk.len();
        let mut bytes = Vec::with_capacity(len);
        let mut from = self.junk_at;
        while bytes.len() < len {
            let take = (len - bytes.len()).min(self.junk.len() - from);
            bytes.extend_from_slice(&self.junk[from..from + take]);
            from = 0;
        }
        bytes
    }
}

fn complaint(region: &Region, at: usize) -> String {
    match region.used {
        Use::Private => format!(
            "the application wrote to the {} (byte {at} of {}), which belongs to the kernel",
            region.what, region.len
        ),
        Use::Ring => format!(
            "the application wrote to the {} (byte {} of record {}); while it is open, records may only be cleared",
            region.what,
            at % RECORD,
            at / RECORD
        ),
    }
}
