//! What a system call answered, when it was not success.

use core::fmt;
use core::num::NonZeroU32;

use crate::code::code;
use crate::sys;

code! {
    /// A status other than success, as a system call returned it (ABI 0.7.0).
    ///
    /// Every `u32` except 0 (success) is one, so a kernel newer than this crate can answer what it likes.
    pub struct Status(NonZeroU32): non_zero, NonZeroU32::get;

    /// The wall clock has not been synchronised yet.
    TIME_NOT_SET = sys::MV_STATUS_TIMENOTSET, "the wall clock is not set yet";
    /// An argument, or a pointer in it, is not acceptable.
    PARAMETER_FAULT = sys::MV_STATUS_PARAMETERFAULT, "the kernel refused an argument";
    /// A buffer has the wrong size for its use, or is too small for what it should take.
    INVALID_BUFFER_SIZE = sys::MV_STATUS_INVALIDBUFFERSIZE, "a buffer has the wrong size";
    /// The register is not one that the application may reach.
    PERIPHERAL_ACCESS_FAULT = sys::MV_STATUS_PERIPHERALACCESSFAULT, "the register is out of the application's reach";
    /// The kernel already holds (part of) the buffer.
    BUFFER_ALREADY_IN_USE = sys::MV_STATUS_BUFFERALREADYINUSE, "the kernel already uses that buffer";
    /// The interrupt does not exist, is not the application's, or is taken.
    INVALID_INTERRUPT = sys::MV_STATUS_INVALIDINTERRUPT, "that interrupt cannot be used";
    /// The handle does not name an open object of the right kind.
    INVALID_HANDLE = sys::MV_STATUS_INVALIDHANDLE, "the handle names no open object of that kind";
    /// No further notification centre can be made.
    TOO_MANY_NOTIFICATION_BUFFERS = sys::MV_STATUS_TOOMANYNOTIFICATIONBUFFERS, "too many notification centres are open";
    /// The vector table holds no usable handler for the interrupt.
    INVALID_VECTOR = sys::MV_STATUS_INVALIDVECTOR, "the interrupt vector is not usable";
    /// The call cannot be used here or now.
    UNAVAILABLE = sys::MV_STATUS_UNAVAILABLE, "the call is not available here";
    /// The kernel does not know that version of the structure.
    UNSUPPORTED_STRUCTURE_VERSION = sys::MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION, "the kernel does not know this structure version";
    /// All channels that the platform has are open.
    TOO_MANY_CHANNELS = sys::MV_STATUS_TOOMANYCHANNELS, "too many channels are open";
    /// The endpoint name is unknown.
    UNKNOWN_CHANNEL_ENDPOINT = sys::MV_STATUS_UNKNOWNCHANNELENDPOINT, "the channel endpoint is unknown";
    /// The channel type is unknown.
    UNKNOWN_CHANNEL_TYPE = sys::MV_STATUS_UNKNOWNCHANNELTYPE, "the channel type is unknown";
    /// The channel is closed; it still has to be given back.
    CHANNEL_CLOSED = sys::MV_STATUS_CHANNELCLOSED, "the channel is closed";
    /// The network is not connected.
    NETWORK_NOT_CONNECTED = sys::MV_STATUS_NETWORKNOTCONNECTED, "the network is not connected";
    /// Too many requests in too short a time, or one of this kind is still in flight.
    RATE_LIMITED = sys::MV_STATUS_RATELIMITED, "the rate limit is reached";
    /// A buffer does not lie on the boundary that it must lie on.
    INVALID_BUFFER_ALIGNMENT = sys::MV_STATUS_INVALIDBUFFERALIGNMENT, "a buffer is not aligned as it must be";
    /// A fault was found after part of the request had gone out; the channel is unusable.
    LATE_FAULT = sys::MV_STATUS_LATEFAULT, "the request failed half-way; the channel is unusable";
    /// There is no response yet.
    RESPONSE_NOT_PRESENT = sys::MV_STATUS_RESPONSENOTPRESENT, "there is no response yet";
    /// There is no item with that index.
    INDEX_INVALID = sys::MV_STATUS_INDEXINVALID, "there is no item with that index";
    /// The offset lies beyond the end.
    OFFSET_INVALID = sys::MV_STATUS_OFFSETINVALID, "the offset lies beyond the end";
    /// The channel takes one request, and has had it.
    REQUEST_ALREADY_SENT = sys::MV_STATUS_REQUESTALREADYSENT, "the channel's one request was already sent";
    /// The request as a whole failed, so it has no items.
    REQUEST_UNSUCCESSFUL = sys::MV_STATUS_REQUESTUNSUCCESSFUL, "the request failed as a whole";
    /// A log message is longer than the kernel takes.
    LOG_MESSAGE_TOO_LONG = sys::MV_STATUS_LOGMESSAGETOOLONG, "the log message is too long";
    /// The server has switched logging off for this device.
    LOGGING_DISABLED_BY_SERVER = sys::MV_STATUS_LOGGINGDISABLEDBYSERVER, "the server has switched logging off";
    /// Too many keys in one request.
    TOO_MANY_CONFIG_KEYS = sys::MV_STATUS_TOOMANYCONFIGKEYS, "too many config keys in one request";
    /// The store is unknown.
    UNKNOWN_CONFIG_STORE = sys::MV_STATUS_UNKNOWNCONFIGSTORE, "the config store is unknown";
    /// The scope is unknown.
    UNKNOWN_CONFIG_SCOPE = sys::MV_STATUS_UNKNOWNCONFIGSCOPE, "the config scope is unknown";
    /// A key is empty, too long or not printable ASCII.
    INVALID_CONFIG_KEY = sys::MV_STATUS_INVALIDCONFIGKEY, "a config key is not valid";
    /// The authentication method is unknown, or does not fit the credentials.
    INVALID_AUTHENTICATION = sys::MV_STATUS_INVALIDAUTHENTICATION, "the authentication is not valid";
    /// The next readable item is of another kind than the one asked for.
    WRONG_DATA_REQUESTED = sys::MV_STATUS_WRONGDATAREQUESTED, "the next readable item is of another kind";
    /// The kernel failed internally.
    INTERNAL_ERROR = sys::MV_STATUS_INTERNALERROR, "the kernel failed internally";
    /// A list in the request is longer than the platform takes.
    TOO_MANY_ELEMENTS = sys::MV_STATUS_TOOMANYELEMENTS, "a list in the request is too long";
    /// The request lacks a part that it must have.
    REQUIRED_ELEMENT_MISSING = sys::MV_STATUS_REQUIREDELEMENTMISSING, "the request lacks a required part";
    /// The kernel is busy and cannot do that now.
    MICROVISOR_BUSY = sys::MV_STATUS_MICROVISORBUSY, "the kernel is busy";
    /// The address lies outside the memory.
    ADDRESS_OUT_OF_RANGE = sys::MV_STATUS_ADDRESSOUTOFRANGE, "the address is out of range";
    /// The input is too long.
    INPUT_TOO_LONG = sys::MV_STATUS_INPUTTOOLONG, "the input is too long";
}

/// No constant is 0; one that were would be told apart from success by its number only.
const fn non_zero(raw: u32) -> NonZeroU32 {
    match NonZeroU32::new(raw) {
        Some(status) => status,
        None => NonZeroU32::MAX,
    }
}

impl Status {
    /// Splits a raw status into success and anything else.
    ///
    /// # Errors
    ///
    /// Every raw status but 0, as the `Status` it stands for.
    #[inline]
    pub const fn check(raw: sys::MvStatus) -> Result<(), Self> {
        match NonZeroU32::new(raw) {
            None => Ok(()),
            Some(failure) => Err(Self(failure)),
        }
    }

    /// The status with that number.
    pub const fn from_raw(raw: NonZeroU32) -> Self {
        Self(raw)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some((_, prose)) => f.write_str(prose),
            None => write!(f, "status {}, which ABI 0.7.0 does not list", self.raw()),
        }
    }
}

impl core::error::Error for Status {}

/// What an application can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Recovery {
    /// The same call can succeed later, on the same object: wait, then repeat it.
    Retry,
    /// The object is spent: close it, open a new one, then repeat.
    Reopen,
    /// Repeating cannot help until something outside the program is put right (or the program itself).
    GiveUp,
}
