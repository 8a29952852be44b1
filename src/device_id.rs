//! Which device this is.

use core::fmt;
use core::mem::MaybeUninit;

use crate::{Recovery, Status, sys};

/// "UV" and 32 hex digits (ABI 0.7.0).
const LENGTH: usize = 34;

/// The device's id: "UV" and 32 hex digits, such as `UV0123456789abcdef0123456789abcdef`.
///
/// The platform calls it the device SID. Where devices are registered as the AWS IoT guide does it,
/// it is the Thing name and the MQTT client id as well.
///
/// ```
/// use microvisor::DeviceId;
///
/// # let id = "UV0123456789abcdef0123456789abcdef";
/// # let _device = microvisor_sim::Device::builder().device_id(id).boot();
/// let id = DeviceId::read()?;
/// assert_eq!(id.as_str(), "UV0123456789abcdef0123456789abcdef");
/// # Ok::<(), microvisor::DeviceIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct DeviceId {
    /// ASCII, always.
    characters: [u8; LENGTH],
}

impl DeviceId {
    /// Asks the kernel.
    ///
    /// # Errors
    ///
    /// - [`Kernel`](DeviceIdError::Kernel): the kernel does not answer, which nothing can be done about.
    /// - [`Malformed`](DeviceIdError::Malformed): the kernel's answer is not such an id.
    pub fn read() -> Result<Self, DeviceIdError> {
        Self::read_into(&mut MaybeUninit::uninit()).copied()
    }

    /// Asks the kernel, which writes the id into `place`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read). What is in the place then is of no use.
    pub fn read_into(place: &mut MaybeUninit<Self>) -> Result<&Self, DeviceIdError> {
        // SAFETY: the kernel writes as many bytes as it is told the place has, and only in this call.
        let raw = unsafe { sys::mvGetDeviceId(place.as_mut_ptr().cast(), 34) };
        Status::check(raw).map_err(DeviceIdError::Kernel)?;
        // SAFETY: the kernel has written all of its bytes, as it says; any are such an array.
        match first_wrong(unsafe { &*place.as_ptr().cast() }) {
            Some(at) => Err(DeviceIdError::Malformed { at }),
            // SAFETY: as above, and it has been checked what they are.
            None => Ok(unsafe { place.assume_init_ref() }),
        }
    }

    /// The id that `text` is. The case of its digits is kept.
    ///
    /// # Errors
    ///
    /// - [`WrongLength`](DeviceIdError::WrongLength): it does not have 34 bytes.
    /// - [`Malformed`](DeviceIdError::Malformed): one of its characters does not belong there.
    pub fn parse(text: &str) -> Result<Self, DeviceIdError> {
        let Ok(characters) = <[u8; LENGTH]>::try_from(text.as_bytes()) else {
            return Err(DeviceIdError::WrongLength { length: text.len() });
        };
        match first_wrong(&characters) {
            Some(at) => Err(DeviceIdError::Malformed { at }),
            None => Ok(Self { characters }),
        }
    }

    /// The id as text.
    pub const fn as_str(&self) -> &str {
        // SAFETY: `first_wrong`, which all that makes a `DeviceId` asks, lets nothing but ASCII pass.
        unsafe { str::from_utf8_unchecked(&self.characters) }
    }
}

/// Where the first character is that does not belong there.
fn first_wrong(characters: &[u8; LENGTH]) -> Option<usize> {
    let [u, v, digits @ ..] = characters;
    match (*u, *v) {
        (b'U', b'V') => digits.iter().position(|digit| !digit.is_ascii_hexdigit()).map(|at| at + 2),
        (b'U', _) => Some(1),
        _ => Some(0),
    }
}

impl AsRef<str> for DeviceId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceId({self})")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for DeviceId {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}", self.as_str());
    }
}

/// Why there is no [`DeviceId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DeviceIdError {
    /// The kernel did not answer.
    Kernel(Status),
    /// A device id has 34 characters.
    WrongLength {
        /// The length in bytes of what was given.
        length: usize,
    },
    /// A device id is "UV" and 32 hex digits.
    Malformed {
        /// Where the first character is that does not belong there, in bytes from the start.
        at: usize,
    },
}

impl DeviceIdError {
    /// What can be done: nothing, within the program.
    pub const fn recovery(self) -> Recovery {
        Recovery::GiveUp
    }
}

impl fmt::Display for DeviceIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(status) => write!(f, "cannot read the device id: {status}"),
            Self::WrongLength { length } => {
                write!(f, "a device id is `UV` and 32 hex digits, not {length} bytes long")
            }
            Self::Malformed { at } => {
                write!(f, "a device id is `UV` and 32 hex digits, and the character at byte {at} is not")
            }
        }
    }
}

impl core::error::Error for DeviceIdError {}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;

    use super::*;

    #[test]
    fn an_id_comes_back_in_the_case_that_it_had() {
        for text in ["UV0123456789abcdef0123456789abcdef", "UV0123456789ABCDEFabcdef0123456789"] {
            let id = DeviceId::parse(text).expect("valid");
            assert_eq!(id.as_str(), text);
            assert_eq!(format!("{id} {id:?}"), format!("{text} DeviceId({text})"));
        }
    }

    #[test]
    fn every_wrong_id_has_its_own_error() {
        let cases = [
            ("", DeviceIdError::WrongLength { length: 0 }),
            ("UV0123456789abcdef0123456789abcde", DeviceIdError::WrongLength { length: 33 }),
            ("UV0123456789abcdef0123456789abcdef0", DeviceIdError::WrongLength { length: 35 }),
            ("uv0123456789abcdef0123456789abcdef", DeviceIdError::Malformed { at: 0 }),
            ("UX0123456789abcdef0123456789abcdef", DeviceIdError::Malformed { at: 1 }),
            ("UV0123456789abcdef0123456789abcdeg", DeviceIdError::Malformed { at: 33 }),
            ("UV0123456789abcdef0123456789abcdé", DeviceIdError::Malformed { at: 32 }),
        ];
        for (text, error) in cases {
            assert_eq!(DeviceId::parse(text), Err(error), "{text}");
        }
    }
}
