//! What a system call answered, when it was not success.

use core::fmt;

use crate::sys;

macro_rules! statuses {
    ($($(#[$doc:meta])* $variant:ident = $constant:ident, $prose:literal;)*) => {
        /// A status other than success, as a system call returned it (ABI 0.7.0).
        ///
        /// Every `u32` except 0 (success) has a value here, so a kernel newer than this crate can
        /// answer what it likes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum Status {
            $($(#[$doc])* $variant,)*
            /// A status that ABI 0.7.0 does not list.
            Unknown(u32),
        }

        impl Status {
            /// Splits a raw status into success and anything else.
            ///
            /// # Errors
            ///
            /// Every raw status but 0, as the `Status` it stands for.
            #[inline]
            pub const fn check(raw: sys::MvStatus) -> Result<(), Self> {
                match raw {
                    sys::MV_STATUS_OKAY => Ok(()),
                    failure => Err(Self::of_failure(failure)),
                }
            }

            /// Apart, so that success costs a comparison.
            #[cold]
            const fn of_failure(raw: sys::MvStatus) -> Self {
                match raw {
                    $(sys::$constant => Self::$variant,)*
                    other => Self::Unknown(other),
                }
            }

            /// The number that the system call returned.
            pub const fn raw(self) -> u32 {
                match self {
                    $(Self::$variant => sys::$constant,)*
                    Self::Unknown(raw) => raw,
                }
            }
        }

        impl fmt::Display for Status {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($prose),)*
                    Self::Unknown(raw) => write!(f, "status {raw}, which ABI 0.7.0 does not list"),
                }
            }
        }
    };
}

statuses! {
    /// The wall clock has not been synchronised yet.
    TimeNotSet = MV_STATUS_TIMENOTSET, "the wall clock is not set yet";
    /// An argument, or a pointer in it, is not acceptable.
    ParameterFault = MV_STATUS_PARAMETERFAULT, "the kernel refused an argument";
    /// A buffer has the wrong size for its use, or is too small for what it should take.
    InvalidBufferSize = MV_STATUS_INVALIDBUFFERSIZE, "a buffer has the wrong size";
    /// The register is not one that the application may reach.
    PeripheralAccessFault = MV_STATUS_PERIPHERALACCESSFAULT, "the register is out of the application's reach";
    /// The kernel already holds (part of) the buffer.
    BufferAlreadyInUse = MV_STATUS_BUFFERALREADYINUSE, "the kernel already uses that buffer";
    /// The interrupt does not exist, is not the application's, or is taken.
    InvalidInterrupt = MV_STATUS_INVALIDINTERRUPT, "that interrupt cannot be used";
    /// The handle does not name an open object of the right kind.
    InvalidHandle = MV_STATUS_INVALIDHANDLE, "the handle names no open object of that kind";
    /// No further notification centre can be made.
    TooManyNotificationBuffers = MV_STATUS_TOOMANYNOTIFICATIONBUFFERS, "too many notification centres are open";
    /// The vector table holds no usable handler for the interrupt.
    InvalidVector = MV_STATUS_INVALIDVECTOR, "the interrupt vector is not usable";
    /// The call cannot be used here or now.
    Unavailable = MV_STATUS_UNAVAILABLE, "the call is not available here";
    /// The kernel does not know that version of the structure.
    UnsupportedStructureVersion = MV_STATUS_UNSUPPORTEDSTRUCTUREVERSION, "the kernel does not know this structure version";
    /// All channels that the platform has are open.
    TooManyChannels = MV_STATUS_TOOMANYCHANNELS, "too many channels are open";
    /// The endpoint name is unknown.
    UnknownChannelEndpoint = MV_STATUS_UNKNOWNCHANNELENDPOINT, "the channel endpoint is unknown";
    /// The channel type is unknown.
    UnknownChannelType = MV_STATUS_UNKNOWNCHANNELTYPE, "the channel type is unknown";
    /// The channel is closed; it still has to be given back.
    ChannelClosed = MV_STATUS_CHANNELCLOSED, "the channel is closed";
    /// The network is not connected.
    NetworkNotConnected = MV_STATUS_NETWORKNOTCONNECTED, "the network is not connected";
    /// Too many requests in too short a time, or one of this kind is still in flight.
    RateLimited = MV_STATUS_RATELIMITED, "the rate limit is reached";
    /// A buffer does not lie on the boundary that it must lie on.
    InvalidBufferAlignment = MV_STATUS_INVALIDBUFFERALIGNMENT, "a buffer is not aligned as it must be";
    /// A fault was found after part of the request had gone out; the channel is unusable.
    LateFault = MV_STATUS_LATEFAULT, "the request failed half-way; the channel is unusable";
    /// There is no response yet.
    ResponseNotPresent = MV_STATUS_RESPONSENOTPRESENT, "there is no response yet";
    /// There is no item with that index.
    IndexInvalid = MV_STATUS_INDEXINVALID, "there is no item with that index";
    /// The offset lies beyond the end.
    OffsetInvalid = MV_STATUS_OFFSETINVALID, "the offset lies beyond the end";
    /// The channel takes one request, and has had it.
    RequestAlreadySent = MV_STATUS_REQUESTALREADYSENT, "the channel's one request was already sent";
    /// The request as a whole failed, so it has no items.
    RequestUnsuccessful = MV_STATUS_REQUESTUNSUCCESSFUL, "the request failed as a whole";
    /// A log message is longer than the kernel takes.
    LogMessageTooLong = MV_STATUS_LOGMESSAGETOOLONG, "the log message is too long";
    /// The server has switched logging off for this device.
    LoggingDisabledByServer = MV_STATUS_LOGGINGDISABLEDBYSERVER, "the server has switched logging off";
    /// Too many keys in one request.
    TooManyConfigKeys = MV_STATUS_TOOMANYCONFIGKEYS, "too many config keys in one request";
    /// The store is unknown.
    UnknownConfigStore = MV_STATUS_UNKNOWNCONFIGSTORE, "the config store is unknown";
    /// The scope is unknown.
    UnknownConfigScope = MV_STATUS_UNKNOWNCONFIGSCOPE, "the config scope is unknown";
    /// A key is empty, too long or not printable ASCII.
    InvalidConfigKey = MV_STATUS_INVALIDCONFIGKEY, "a config key is not valid";
    /// The authentication method is unknown, or does not fit the credentials.
    InvalidAuthentication = MV_STATUS_INVALIDAUTHENTICATION, "the authentication is not valid";
    /// The next readable item is of another kind than the one asked for.
    WrongDataRequested = MV_STATUS_WRONGDATAREQUESTED, "the next readable item is of another kind";
    /// The kernel failed internally.
    InternalError = MV_STATUS_INTERNALERROR, "the kernel failed internally";
    /// A list in the request is longer than the platform takes.
    TooManyElements = MV_STATUS_TOOMANYELEMENTS, "a list in the request is too long";
    /// The request lacks a part that it must have.
    RequiredElementMissing = MV_STATUS_REQUIREDELEMENTMISSING, "the request lacks a required part";
    /// The kernel is busy and cannot do that now.
    MicrovisorBusy = MV_STATUS_MICROVISORBUSY, "the kernel is busy";
    /// The address lies outside the memory.
    AddressOutOfRange = MV_STATUS_ADDRESSOUTOFRANGE, "the address is out of range";
    /// The input is too long.
    InputTooLong = MV_STATUS_INPUTTOOLONG, "the input is too long";
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
