use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use microvisor::DeviceId;
use serde::{Deserialize, Serialize};

use super::{Plan, fingerprint};
use crate::api::{Address, Client};
use crate::bundle::Store;
use crate::upload::{Before, History};

/// The version of the journal that is read and written.
const VERSION: u64 = 1;

/// What was done, as lines of JSON, each of which is on the disk before the next request of its device is
/// sent.
///
/// A run may end at any moment, with the machine: the next one takes up where it ended. A last line that was
/// written in part counts for nothing, since what it tells of was not relied on yet.
///
/// There are no secrets in it. Of configs, fingerprints (SHA-256) show whether a device's files are still the
/// same; of secrets, only keys are in it.
#[derive(Debug)]
pub struct Journal {
    lines: Mutex<Lines>,
    synced: Mutex<Synced>,
    devices: Mutex<HashMap<String, Device>>,
}

#[derive(Debug)]
struct Lines {
    file: File,
    written: u64,
    /// After a failure the last line may be there in part, and nothing may come behind it.
    broken: bool,
}

#[derive(Debug)]
struct Synced {
    file: File,
    /// How many lines are on the disk for sure.
    lines: u64,
}

/// What a journal belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    list: String,
    api: String,
    account: String,
}

impl Identity {
    /// A list, an API and an account.
    pub fn new(list_fingerprint: &str, client: &Client) -> Self {
        Self {
            list: list_fingerprint.to_owned(),
            api: client.base().as_str().to_owned(),
            account: fingerprint::of_bytes(client.account_sid().as_bytes()),
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "record", rename_all = "snake_case", deny_unknown_fields)]
enum Record {
    /// First, and again where the list was changed.
    Fleet { version: u64, list: String, api: String, account: String },
    /// A device is begun, or is begun anew with other files.
    Device { sid: String, plan: String },
    /// A secret is about to be sent.
    Sending { sid: String, key: String, absent: bool },
    /// It was not stored.
    NotStored { sid: String, key: String },
    /// An entry is stored.
    Stored { sid: String, store: Store, key: String },
}

#[derive(Debug, Default)]
struct Device {
    plan: String,
    entries: HashMap<(Store, String), Before>,
}

/// What a file holds.
#[derive(Default)]
struct Contents {
    identity: Option<Identity>,
    devices: HashMap<String, Device>,
    /// The length of its whole lines.
    length: u64,
}

impl Journal {
    /// Opens a journal, or begins one. `accept_changes` carries on with a list that was changed since, and
    /// begins devices anew whose files were.
    ///
    /// # Errors
    ///
    /// - [`JournalError::InUse`]: another run has it.
    /// - [`JournalError::OtherList`], [`JournalError::OtherApi`], [`JournalError::ChangedFiles`]: it is of something
    ///   else.
    /// - [`JournalError::Damaged`], [`JournalError::Version`]: it cannot be relied on.
    /// - [`JournalError::Io`]: of the operating system.
    pub fn open(
        path: &Path,
        identity: &Identity,
        plans: &[Plan],
        accept_changes: bool,
    ) -> Result<Self, JournalError> {
        let failed = |error| JournalError::Io { path: path.to_owned(), error };
        let mut file = open_locked(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let contents = Contents::of(&bytes, path)?;
        contents.check(identity, plans, accept_changes, path)?;
        file.set_len(contents.length).map_err(failed)?;
        file.seek(io::SeekFrom::End(0)).map_err(failed)?;
        let synced = Mutex::new(Synced { file: file.try_clone().map_err(failed)?, lines: 0 });
        let lines = Mutex::new(Lines { file, written: 0, broken: false });
        let journal = Self { lines, synced, devices: Mutex::new(contents.devices) };
        if contents.identity.as_ref() != Some(identity) {
            journal.append(&identity.record()).map_err(failed)?;
            sync_folder(path);
        }
        Ok(journal)
    }

    /// What is known of a device, to be carried on. Begins it if it is new, or its files are.
    ///
    /// # Errors
    ///
    /// It could not be written down.
    pub(super) fn device(&self, plan: &Plan) -> io::Result<DeviceHistory<'_>> {
        let sid = key_of(&plan.row.sid);
        let is_known = {
            let mut devices = self.devices();
            let device = devices.entry(sid.clone()).or_default();
            let is_known = device.plan == plan.fingerprint;
            if !is_known {
                *device = Device { plan: plan.fingerprint.clone(), entries: HashMap::new() };
            }
            is_known
        };
        if !is_known {
            // On the disk with the first line that comes after it, without which it says nothing.
            self.write(&Record::Device { sid: sid.clone(), plan: plan.fingerprint.clone() })?;
        }
        Ok(DeviceHistory { journal: self, sid })
    }

    /// Whether all that is planned for a device was stored by earlier runs.
    pub(super) fn is_done(&self, plan: &Plan) -> bool {
        let devices = self.devices();
        let Some(device) = devices.get(&key_of(&plan.row.sid)) else { return false };
        device.plan == plan.fingerprint
            && plan.addresses.iter().all(|address| device.before(address) == Before::Stored)
    }

    /// Writes a line, and returns its number once it is with the operating system.
    fn write(&self, record: &Record) -> io::Result<u64> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.broken {
            return Err(io::Error::other("an earlier line could not be written"));
        }
        lines.broken = true;
        lines.file.write_all(&line)?;
        lines.broken = false;
        lines.written += 1;
        Ok(lines.written)
    }

    /// Writes a line and waits until it is on the disk, with those that others wrote meanwhile.
    fn append(&self, record: &Record) -> io::Result<()> {
        let line = self.write(record)?;
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if synced.lines >= line {
            return Ok(());
        }
        let written = {
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.written
        };
        if let Err(error) = synced.file.sync_data() {
            // What is on the disk is not known any more, and a second try would not tell.
            self.lines.lock().unwrap_or_else(PoisonError::into_inner).broken = true;
            return Err(error);
        }
        synced.lines = written;
        Ok(())
    }

    fn devices(&self) -> MutexGuard<'_, HashMap<String, Device>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, sid: &str, address: &Address, before: Before) {
        if let Some(device) = self.devices().get_mut(sid) {
            device.entries.insert((address.store(), address.key().to_owned()), before);
        }
    }
}

/// One device's part of a journal.
#[derive(Debug)]
pub(super) struct DeviceHistory<'a> {
    journal: &'a Journal,
    sid: String,
}

impl History for DeviceHistory<'_> {
    fn before(&self, address: &Address) -> Before {
        self.journal.devices().get(&self.sid).map_or(Before::Nothing, |device| device.before(address))
    }

    fn sending(&self, address: &Address, absent: bool) -> io::Result<()> {
        let (sid, key) = (self.sid.clone(), address.key().to_owned());
        self.journal.append(&Record::Sending { sid, key, absent })?;
        self.journal.set(&self.sid, address, Before::Sent { absent });
        Ok(())
    }

    fn not_stored(&self, address: &Address) -> io::Result<()> {
        let (sid, key) = (self.sid.clone(), address.key().to_owned());
        self.journal.append(&Record::NotStored { sid, key })?;
        self.journal.set(&self.sid, address, Before::Nothing);
        Ok(())
    }

    fn stored(&self, address: &Address) -> io::Result<()> {
        let (sid, store, key) = (self.sid.clone(), address.store(), address.key().to_owned());
        self.journal.append(&Record::Stored { sid, store, key })?;
        self.journal.set(&self.sid, address, Before::Stored);
        Ok(())
    }
}

impl Device {
    fn before(&self, address: &Address) -> Before {
        self.entries.get(&(address.store(), address.key().to_owned())).copied().unwrap_or_default()
    }
}

impl Identity {
    fn record(&self) -> Record {
        let Self { list, api, account } = self.clone();
        Record::Fleet { version: VERSION, list, api, account }
    }
}

impl Contents {
    fn of(bytes: &[u8], path: &Path) -> Result<Self, JournalError> {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut contents = Self { length: whole as u64, ..Self::default() };
        for (index, line) in bytes[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
            let damaged = || JournalError::Damaged { path: path.to_owned(), line: index + 1 };
            let record = serde_json::from_slice(line).map_err(|_| damaged())?;
            if let Record::Fleet { version, .. } = record
                && version != VERSION
            {
                return Err(JournalError::Version { path: path.to_owned(), version });
            }
            contents.take(record).ok_or_else(damaged)?;
        }
        Ok(contents)
    }

    /// `None` if the record cannot come here.
    fn take(&mut self, record: Record) -> Option<()> {
        match record {
            Record::Fleet { list, api, account, .. } => self.identity = Some(Identity { list, api, account }),
            Record::Device { sid, plan } => {
                self.identity.as_ref()?;
                self.devices.insert(sid, Device { plan, entries: HashMap::new() });
            }
            Record::Sending { sid, key, absent } => {
                self.set(&sid, Store::Secret, key, Before::Sent { absent })?;
            }
            Record::NotStored { sid, key } => self.set(&sid, Store::Secret, key, Before::Nothing)?,
            Record::Stored { sid, store, key } => self.set(&sid, store, key, Before::Stored)?,
        }
        Some(())
    }

    fn set(&mut self, sid: &str, store: Store, key: String, before: Before) -> Option<()> {
        self.devices.get_mut(sid)?.entries.insert((store, key), before);
        Some(())
    }

    fn check(
        &self,
        identity: &Identity,
        plans: &[Plan],
        accept_changes: bool,
        path: &Path,
    ) -> Result<(), JournalError> {
        let Some(own) = &self.identity else { return Ok(()) };
        if (&own.api, &own.account) != (&identity.api, &identity.account) {
            return Err(JournalError::OtherApi { path: path.to_owned(), api: own.api.clone() });
        }
        if accept_changes {
            return Ok(());
        }
        let changed: Vec<String> = plans
            .iter()
            .filter(|plan| {
                let device = self.devices.get(&key_of(&plan.row.sid));
                device.is_some_and(|device| device.plan != plan.fingerprint)
            })
            .map(|plan| plan.row.sid.to_string())
            .collect();
        if !changed.is_empty() {
            return Err(JournalError::ChangedFiles { path: path.to_owned(), devices: changed });
        }
        if own.list != identity.list {
            return Err(JournalError::OtherList { path: path.to_owned() });
        }
        Ok(())
    }
}

/// The case of its digits makes no other device.
fn key_of(sid: &DeviceId) -> String {
    sid.as_str().to_ascii_lowercase()
}

fn open_locked(path: &Path) -> Result<File, JournalError> {
    let failed = |error| JournalError::Io { path: path.to_owned(), error };
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// So that a file that is new is found again; not all systems can do it, or need it.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another run has it.
    #[error("{} is in use: another run works with it; wait until that has ended", path.display())]
    InUse {
        /// The journal.
        path: PathBuf,
    },
    /// The list is not the one that it was begun with.
    #[error(
        "{} is the journal of another list, or the list was changed: carry on with --accept-changes if it was, or give \
         this list a journal of its own with --journal",
        path.display()
    )]
    OtherList {
        /// The journal.
        path: PathBuf,
    },
    /// The files of devices are not those that it was begun with.
    #[error(
        "{}: the files of {} were changed since the journal was begun: put them back, or begin these devices anew with \
         --accept-changes (and --replace, for what is stored already)",
        path.display(),
        some(devices)
    )]
    ChangedFiles {
        /// The journal.
        path: PathBuf,
        /// The devices' SIDs.
        devices: Vec<String>,
    },
    /// It is of another API or account.
    #[error(
        "{} is the journal of another account or API ({api}): give this one a journal of its own with --journal",
        path.display()
    )]
    OtherApi {
        /// The journal.
        path: PathBuf,
        /// Its API.
        api: String,
    },
    /// A line is not one of a journal.
    #[error(
        "{}, line {line}: this is no line of a journal. Was the file edited? With a new journal (--journal), configs \
         that are stored already are found again, and secrets need --replace",
        path.display()
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// It is of another version.
    #[error("{} has version {version}, and this tool knows version {VERSION}: use the tool it was begun with", path.display())]
    Version {
        /// The journal.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// The operating system says no.
    #[error("cannot use the journal {}: {error}; check its folder's permissions and room", path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
}

fn some(devices: &[String]) -> String {
    match devices {
        [one] => one.clone(),
        [one, ..] => format!("{one} and {} more", devices.len() - 1),
        [] => String::new(),
    }
}
