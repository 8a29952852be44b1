//! Whether certificates are valid now.

use time::{Date, Duration, Month, OffsetDateTime, Time};

use super::{Problem, Report, Role};
use crate::files::Certificate;

/// A clock that says less was not set: this was written later.
const WRITTEN: OffsetDateTime = OffsetDateTime::new_utc(
    match Date::from_calendar_date(2026, Month::January, 1) {
        Ok(date) => date,
        Err(_) => Date::MIN,
    },
    Time::MIDNIGHT,
);

/// A device is to last longer than this.
const SOON: Duration = Duration::days(30);

/// Checks the dates of all certificates against `now`.
pub(crate) fn check_dates(certificates: &[(Role, &Certificate)], now: OffsetDateTime, report: &mut Report) {
    if now < WRITTEN {
        return report.problems.push(Problem::ClockNotSet { now: in_words(now) });
    }
    let before = report.problems.len();
    for (role, certificate) in certificates {
        report.problems.extend(date_problem(*role, certificate, now));
    }
    if report.problems.len() == before && !certificates.is_empty() {
        report.passed.push(format!("the certificates are valid now, which is {}", in_words(now)));
    }
}

fn date_problem(role: Role, certificate: &Certificate, now: OffsetDateTime) -> Option<Problem> {
    let (not_before, not_after) = certificate.validity();
    let file = certificate.file().to_owned();
    if now < not_before {
        Some(Problem::NotYetValid { role, file, on: in_words(not_before) })
    } else if now > not_after {
        Some(Problem::Expired { role, file, on: in_words(not_after) })
    } else if not_after - now < SOON {
        let days = (not_after - now).whole_days();
        Some(Problem::ExpiresSoon { role, file, on: in_words(not_after), days })
    } else {
        None
    }
}

/// Such as "2026-01-31 23:59:59 UTC".
fn in_words(time: OffsetDateTime) -> String {
    let (date, clock) = (time.date(), time.time());
    format!("{date} {:02}:{:02}:{:02} UTC", clock.hour(), clock.minute(), clock.second())
}
