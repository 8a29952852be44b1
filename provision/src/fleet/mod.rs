//! Many devices: a list, all of whose rows are checked before anything is sent, and a journal by which a run
//! that was interrupted is carried on.
//!
//! | file | what |
//! |---|---|
//! | [`DeviceList`] | the CSV file: `sid`, `folder`, and for each device its own endpoint, port or encoding |
//! | [`Plan`] | what is to be stored for one device, without the values: its files were good |
//! | [`Journal`] | what was done, line by line, each on the disk before the next request |
//! | [`Fleet`] | the devices, several at a time |
//! | [`FleetReport`] | what became of each, as CSV or JSON |

mod fingerprint;
mod journal;
mod list;
mod plan;
mod report;
mod run;
mod workers;

pub use journal::{Identity, Journal, JournalError};
pub use list::{Defaults, DeviceList, ListError, Row, RowError};
pub use plan::{Plan, check_all, shared_certificates};
pub use report::{DeviceReport, DeviceState, FleetReport, ReportError, ReportFormat};
pub use run::Fleet;
