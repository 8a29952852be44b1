use std::collections::HashMap;
use std::num::NonZeroUsize;

use super::list::{Row, RowError};
use super::{ListError, fingerprint, workers};
use crate::api::Address;
use crate::bundle::Bundle;

/// What is to be stored for a device. The values themselves, with the secrets, are read anew when it is the
/// device's turn, so that there are never more secrets in memory than devices that are being uploaded.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where this comes from.
    pub row: Row,
    /// The places of all entries.
    pub addresses: Vec<Address>,
    /// Changes when the device's files do.
    pub fingerprint: String,
    /// Of the certificate.
    certificate: Option<String>,
}

impl Plan {
    fn of(row: &Row) -> Result<Self, RowError> {
        let bundle = row.bundle().map_err(|error| RowError {
            line: row.line,
            column: Some("folder"),
            message: format!("{}: {error}", row.folder),
        })?;
        let [_, _, certificate, _, _] = &microvisor::aws::KEYS;
        let certificate = bundle
            .entry(certificate.store().into(), certificate.scope().into(), certificate.name())
            .map(|entry| fingerprint::of_bytes(entry.value().as_bytes()));
        Ok(Self {
            row: row.clone(),
            addresses: bundle.entries().iter().map(|entry| Address::of(entry, &row.sid)).collect(),
            fingerprint: fingerprint::of_bundle(&bundle),
            certificate,
        })
    }

    /// The values, if the files are still the same.
    pub(super) fn bundle(&self) -> Result<Bundle, String> {
        let bundle = self.row.bundle().map_err(|error| error.to_string())?;
        if fingerprint::of_bundle(&bundle) == self.fingerprint {
            Ok(bundle)
        } else {
            Err("its files changed while this ran: run again".to_owned())
        }
    }
}

/// Checks the files of all rows, several at a time.
///
/// # Errors
///
/// [`ListError::Rows`], with all rows whose files are not good.
pub fn check_all(rows: &[Row], jobs: NonZeroUsize, tell: impl Fn() + Sync) -> Result<Vec<Plan>, ListError> {
    let (mut plans, mut errors) = (Vec::with_capacity(rows.len()), Vec::new());
    let checked = workers::map(jobs, rows, |row| {
        let plan = Plan::of(row);
        tell();
        plan
    });
    for plan in checked {
        match plan {
            Ok(plan) => plans.push(plan),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(plans) } else { Err(ListError::Rows(errors)) }
}

/// The lines whose devices have a certificate in common: more often a slip than meant.
pub fn shared_certificates(plans: &[Plan]) -> Vec<Vec<u64>> {
    let mut lines: HashMap<&str, Vec<u64>> = HashMap::new();
    for plan in plans {
        if let Some(certificate) = &plan.certificate {
            lines.entry(certificate).or_default().push(plan.row.line);
        }
    }
    let mut shared: Vec<Vec<u64>> = lines.into_values().filter(|lines| lines.len() > 1).collect();
    shared.sort();
    shared
}
