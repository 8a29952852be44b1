//! All that was found.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Level, Problem, Role, Sizes};
use crate::files::LeftAside;

/// A certificate or key that is to go into a device's store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is for.
    pub role: Role,
    /// The file it is in.
    pub file: String,
    /// Its name and the kind of its key, such as "Amazon Root CA 1, RSA-2048".
    pub description: String,
    /// The first second in which it is valid, if it says so, as RFC 3339 has it.
    pub not_before: Option<String>,
    /// The last one.
    pub not_after: Option<String>,
    /// What it takes of a store.
    #[serde(flatten)]
    pub sizes: Sizes,
}

/// What was found in a device's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What goes into the device's stores.
    pub parts: Vec<Part>,
    /// What was checked and found good, one sentence each.
    pub passed: Vec<String>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The files that a device has no use for.
    pub left_aside: Vec<LeftAside>,
}

impl Report {
    /// Whether a device can be provisioned with this. There may be warnings.
    pub fn is_good(&self) -> bool {
        self.errors().next().is_none()
    }

    /// With what a device would not connect.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.level() == Level::Error)
    }

    /// What should be looked at.
    pub fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.level() == Level::Warning)
    }
}

/// `good`, `parts`, `passed`, `problems` (each with `level`, `code`, `message`, and what else there is to
/// say of it) and `left_aside`.
impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let problems: Vec<_> = self.problems.iter().map(ProblemWithMessage::of).collect();
        let mut report = serializer.serialize_struct("Report", 5)?;
        report.serialize_field("good", &self.is_good())?;
        report.serialize_field("parts", &self.parts)?;
        report.serialize_field("passed", &self.passed)?;
        report.serialize_field("problems", &problems)?;
        report.serialize_field("left_aside", &self.left_aside)?;
        report.end()
    }
}

#[derive(Serialize)]
struct ProblemWithMessage<'a> {
    level: Level,
    message: String,
    #[serde(flatten)]
    problem: &'a Problem,
}

impl<'a> ProblemWithMessage<'a> {
    fn of(problem: &'a Problem) -> Self {
        Self { level: problem.level(), message: problem.to_string(), problem }
    }
}
