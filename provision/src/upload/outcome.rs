use core::fmt;

/// What became of an entry. Texts in it are reasons, fit to be shown: none holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Created; a config was read back.
    Created,
    /// A config that was there already, with the same value.
    AlreadyStored,
    /// An earlier run stored it.
    StoredEarlier,
    /// What was there was deleted, and this created; a config was read back.
    Replaced,
    /// The config is there with another value, which was left alone.
    Differs,
    /// The secret is there, with a value that cannot be compared and was left alone.
    Exists,
    /// The config is there, but could not be read to compare it.
    NotCompared(String),
    /// Created, but reading it back failed.
    NotVerified(String),
    /// Created, but what was read back is something else.
    ReadBackDiffers,
    /// It could not be created, and was not there before.
    NotStored(String),
    /// Nobody knows whether it was created: the answer was lost.
    InDoubt(String),
    /// What was there could not be deleted, and is there still.
    NotReplaced(String),
    /// Nobody knows whether what was there was deleted: the answer was lost.
    DeletionInDoubt(String),
    /// What was there was deleted, but the new value could not be created: there is none now.
    Missing(String),
    /// What was there was deleted; nobody knows whether the new value was created.
    CreationInDoubt(String),
    /// Nothing was sent.
    NotTried(String),
}

/// Whether the wanted value is in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// Nobody knows.
    Unknown,
}

impl Stored {
    /// One or two words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Yes => "stored",
            Self::No => "not stored",
            Self::Unknown => "unknown",
        }
    }
}

impl Outcome {
    /// Whether all is as it should be.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Created | Self::AlreadyStored | Self::StoredEarlier | Self::Replaced)
    }

    /// Whether the wanted value is in the store.
    pub fn stored(&self) -> Stored {
        match self {
            Self::Created
            | Self::AlreadyStored
            | Self::StoredEarlier
            | Self::Replaced
            | Self::NotVerified(_) => Stored::Yes,
            Self::Exists | Self::NotCompared(_) | Self::InDoubt(_) | Self::CreationInDoubt(_) => {
                Stored::Unknown
            }
            Self::Differs
            | Self::ReadBackDiffers
            | Self::NotStored(_)
            | Self::NotReplaced(_)
            | Self::DeletionInDoubt(_)
            | Self::Missing(_)
            | Self::NotTried(_) => Stored::No,
        }
    }

    /// What to do about it, if there is something.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Created | Self::AlreadyStored | Self::StoredEarlier | Self::Replaced => None,
            Self::Differs => Some("if the new value is right, run again with --replace"),
            Self::Exists => Some("to be sure of its value, run again with --replace"),
            Self::ReadBackDiffers => Some(
                "somebody else may write to the same store: see to it that nobody does, and run again with --replace",
            ),
            Self::NotCompared(_) | Self::NotVerified(_) | Self::NotStored(_) | Self::NotTried(_) => {
                Some("mend the cause and run again")
            }
            Self::InDoubt(_) => {
                Some("run again; if a secret then turns out to be there, run again with --replace")
            }
            Self::NotReplaced(_) | Self::DeletionInDoubt(_) => Some("run again with --replace"),
            Self::Missing(_) => Some("run again soon: a device that asks for this key now finds none"),
            Self::CreationInDoubt(_) => Some("run again soon, with --replace: the key may be missing now"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created => formatter.write_str("created"),
            Self::AlreadyStored => formatter.write_str("was there already, with the same value"),
            Self::StoredEarlier => formatter.write_str("stored by an earlier run"),
            Self::Replaced => formatter.write_str("replaced"),
            Self::Differs => formatter.write_str("the key is there with another value, which was left alone"),
            Self::Exists => formatter.write_str(
                "the key is there, and was left alone: a secret's value cannot be read back and compared",
            ),
            Self::NotCompared(reason) => {
                write!(formatter, "the key is there, but could not be compared: {reason}")
            }
            Self::NotVerified(reason) => write!(formatter, "created, but could not be read back: {reason}"),
            Self::ReadBackDiffers => formatter.write_str("created, but what was read back is another value"),
            Self::NotStored(reason) => write!(formatter, "could not be created: {reason}"),
            Self::InDoubt(reason) => write!(formatter, "may have been created or not: {reason}"),
            Self::NotReplaced(reason) => {
                write!(formatter, "could not be deleted, so the old value is there still: {reason}")
            }
            Self::DeletionInDoubt(reason) => {
                write!(formatter, "the old value may have been deleted or not: {reason}")
            }
            Self::Missing(reason) => write!(
                formatter,
                "the old value was deleted, but the new one could not be created: the key is missing now: {reason}"
            ),
            Self::CreationInDoubt(reason) => write!(
                formatter,
                "the old value was deleted, and the new one may have been created or not: the key may be missing \
                 now: {reason}"
            ),
            Self::NotTried(reason) => write!(formatter, "not tried: {reason}"),
        }
    }
}

/// What to do with the entries that come after one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Carry on.
    GoOn,
    /// Leave those of the same bundle alone.
    LeaveDevice {
        /// Why.
        reason: String,
        /// Whether it is because the API cannot be reached.
        unreachable: bool,
    },
    /// Leave all alone, of other bundles as well.
    LeaveAll(String),
}
