//! `microvisor` with every feature, in a library that logs in both ways.
#![no_std]

use microvisor::{NetworkError, Status};

/// Tells an error through both loggers.
pub fn tell(error: NetworkError) {
    log::warn!("{error}");
    defmt::warn!("{}", error);
    if let NetworkError::Kernel(status) = error {
        defmt::debug!("{}", status);
        log::debug!("{}", Status::raw(status));
    }
}
