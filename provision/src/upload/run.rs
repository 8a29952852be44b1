use microvisor::DeviceId;

use super::entry_upload::{Ended, EntryUpload};
use super::{Before, History, Outcome, Rest};
use crate::api::{Address, Caller, Client};
use crate::bundle::{Bundle, Entry, Store};

/// Uploads bundles.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// Sends the requests.
    pub client: &'a Client,
    /// Sends them again.
    pub caller: Caller<'a>,
    /// Whether to delete and create anew what is there: secrets, and configs with another value.
    pub replace: bool,
}

/// What became of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryReport {
    /// Which entry.
    pub address: Address,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadReport {
    /// All its entries, in the order in which they were sent.
    pub entries: Vec<EntryReport>,
    /// Whether to carry on with other bundles.
    pub rest: Rest,
}

impl UploadReport {
    /// How many entries are as they should be.
    pub fn good(&self) -> usize {
        self.entries.iter().filter(|entry| entry.outcome.is_good()).count()
    }

    /// Whether all entries are.
    pub fn is_good(&self) -> bool {
        self.good() == self.entries.len()
    }
}

impl Upload<'_> {
    /// Uploads a bundle's entries one after the other, configs first, and tells of each as soon as it is
    /// known what became of it.
    ///
    /// It carries on behind an entry that the API refuses. If the API cannot be reached, does not know the
    /// device or does not let anybody in, the rest is left alone.
    pub fn bundle(
        &self,
        bundle: &Bundle,
        device: &DeviceId,
        history: &dyn History,
        mut tell: impl FnMut(&EntryReport),
    ) -> UploadReport {
        let mut rest = Rest::GoOn;
        let mut entries = Vec::with_capacity(bundle.entries().len());
        for entry in in_order(bundle) {
            let address = Address::of(entry, device);
            let outcome = match &rest {
                Rest::GoOn => {
                    let ended = self.entry(entry, &address, history);
                    rest = ended.rest;
                    ended.outcome
                }
                Rest::LeaveDevice { reason, .. } | Rest::LeaveAll(reason) => {
                    left_alone(&address, reason, history)
                }
            };
            let report = EntryReport { address, outcome };
            tell(&report);
            entries.push(report);
        }
        UploadReport { entries, rest }
    }

    fn entry(&self, entry: &Entry, address: &Address, history: &dyn History) -> Ended {
        if history.before(address) == Before::Stored {
            return Ended { outcome: Outcome::StoredEarlier, rest: Rest::GoOn };
        }
        EntryUpload {
            client: self.client,
            caller: self.caller,
            address,
            value: entry.value(),
            replace: self.replace,
            history,
        }
        .run()
    }
}

/// Configs first: after a failure among these, the secrets, which cannot be compared, are not there yet when
/// it is run again.
pub(super) fn in_order(bundle: &Bundle) -> impl Iterator<Item = &Entry> {
    let of = |store| bundle.entries().iter().filter(move |entry| entry.store() == store);
    of(Store::Config).chain(of(Store::Secret))
}

fn left_alone(address: &Address, reason: &str, history: &dyn History) -> Outcome {
    match history.before(address) {
        Before::Stored => Outcome::StoredEarlier,
        _ => Outcome::NotTried(reason.to_owned()),
    }
}
