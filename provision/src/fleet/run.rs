use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::report::{DeviceReport, DeviceState, FleetReport};
use super::{Journal, Plan, workers};
use crate::upload::{Rest, Upload, UploadReport};

/// After as many devices in a row for which the API could not be reached, the others are left alone: each
/// would take its time to find out the same.
const UNREACHABLE_LIMIT: usize = 3;

/// Uploads many devices' entries, several devices at a time.
#[derive(Clone, Copy, Debug)]
pub struct Fleet<'a> {
    /// Uploads one.
    pub upload: Upload<'a>,
    /// How many at a time.
    pub jobs: NonZeroUsize,
}

impl Fleet<'_> {
    /// Carries on where the journal ends, and tells of each device when it is done with it.
    pub fn run(&self, plans: &[Plan], journal: &Journal, tell: impl Fn(&DeviceReport) + Sync) -> FleetReport {
        let run =
            Run { upload: self.upload, journal, stopped: Mutex::new(None), unreachable: AtomicUsize::new(0) };
        let devices = workers::map(self.jobs, plans, |plan| {
            let report = run.device(plan);
            tell(&report);
            report
        });
        let stopped = run.stopped.into_inner().unwrap_or_else(PoisonError::into_inner);
        FleetReport { devices, stopped }
    }
}

struct Run<'a> {
    upload: Upload<'a>,
    journal: &'a Journal,
    stopped: Mutex<Option<String>>,
    /// Devices in a row.
    unreachable: AtomicUsize,
}

impl Run<'_> {
    fn device(&self, plan: &Plan) -> DeviceReport {
        let without =
            |state, problem| DeviceReport::without_upload(&plan.row, state, plan.addresses.len(), problem);
        if self.journal.is_done(plan) {
            return without(DeviceState::DoneEarlier, None);
        }
        if self.upload.caller.stop.is_requested() {
            return without(DeviceState::NotTried, Some(self.reason()));
        }
        let bundle = match plan.bundle() {
            Ok(bundle) => bundle,
            Err(problem) => return without(DeviceState::Failed, Some(problem)),
        };
        let history = match self.journal.device(plan) {
            Ok(history) => history,
            Err(error) => {
                let problem = format!("the journal cannot be written: {error}");
                self.stop(&problem);
                return without(DeviceState::NotTried, Some(problem));
            }
        };
        let report = self.upload.bundle(&bundle, &plan.row.sid, &history, |_| ());
        self.take_in(&report);
        DeviceReport::of_upload(&plan.row, &report)
    }

    fn take_in(&self, report: &UploadReport) {
        match &report.rest {
            Rest::LeaveAll(reason) => self.stop(reason),
            Rest::LeaveDevice { reason, unreachable: true } => {
                if self.unreachable.fetch_add(1, Ordering::Relaxed) + 1 >= UNREACHABLE_LIMIT {
                    self.stop(reason);
                }
            }
            Rest::GoOn | Rest::LeaveDevice { .. } => self.unreachable.store(0, Ordering::Relaxed),
        }
    }

    /// The first reason is the one that counts.
    fn stop(&self, reason: &str) {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| reason.to_owned());
        self.upload.caller.stop.request();
    }

    fn reason(&self) -> String {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.clone().unwrap_or_else(|| "it was stopped".to_owned())
    }
}
