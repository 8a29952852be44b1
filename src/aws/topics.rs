//! The topics of the platform's AWS IoT guide.

use core::mem::{MaybeUninit, offset_of};
use core::{fmt, ptr, slice};

use crate::mqtt::{QoS, Subscription, TopicFilter, TopicName};
use crate::{DeviceId, DeviceIdError};

const TELEMETRY: &[u8; 14] = b"sensor/device/";
/// A device's id has none.
const TELEMETRY_SLASHES: u16 = 2;

/// The topic that commands for all devices are published to.
static BROADCAST: [u8; 18] = *b"command/device/all";
/// What it has in common with that of one device.
type Command = [u8; 15];

/// The guide's topics for one device: 48 and 49 bytes long, one behind the other.
#[derive(Clone)]
#[repr(C)]
pub struct Topics {
    telemetry: [u8; TELEMETRY.len()],
    telemetry_id: DeviceId,
    command: Command,
    command_id: DeviceId,
}

impl Topics {
    /// Where the second begins.
    const COMMAND: usize = offset_of!(Self, command);

    /// The topics of the device `id`.
    ///
    /// ```
    /// use microvisor::DeviceId;
    /// use microvisor::aws::Topics;
    ///
    /// let topics = Topics::new(&DeviceId::parse("UV0123456789abcdef0123456789abcdef")?);
    /// assert_eq!(topics.telemetry().as_str(), "sensor/device/UV0123456789abcdef0123456789abcdef");
    /// assert_eq!(topics.command().as_str(), "command/device/UV0123456789abcdef0123456789abcdef");
    /// assert_eq!(topics.broadcast().as_str(), "command/device/all");
    /// # Ok::<(), microvisor::DeviceIdError>(())
    /// ```
    pub fn new(id: &DeviceId) -> Self {
        Self { telemetry: *TELEMETRY, telemetry_id: *id, command: command(), command_id: *id }
    }

    /// The topics of this device, whose id the kernel is asked for, put into `place`: a board has no room to
    /// move them.
    ///
    /// # Errors
    ///
    /// As [`DeviceId::read`].
    pub fn read_into(place: &mut MaybeUninit<Self>) -> Result<&Self, DeviceIdError> {
        let parts = place.as_mut_ptr();
        // SAFETY: it is a part of the place, which is borrowed exclusively, and may be without a value.
        let command_id = unsafe { &mut *(&raw mut (*parts).command_id).cast() };
        let id = DeviceId::read_into(command_id)?;
        // SAFETY: these are the other parts of the place, after which all of it has a value.
        unsafe {
            (&raw mut (*parts).telemetry_id).write(*id);
            (&raw mut (*parts).telemetry).write(*TELEMETRY);
            (&raw mut (*parts).command).write(command());
            Ok(place.assume_init_ref())
        }
    }

    /// Which device they are of.
    pub fn id(&self) -> &DeviceId {
        &self.command_id
    }

    /// What the device publishes to: `sensor/device/<id>`.
    pub fn telemetry(&self) -> TopicName<'_> {
        TopicName::from_ordinary(text(self.bytes().get(..Self::COMMAND)), TELEMETRY_SLASHES)
    }

    /// Where commands for this device come: `command/device/<id>`.
    pub fn command(&self) -> TopicFilter<'_> {
        TopicFilter::from_valid(text(self.bytes().get(Self::COMMAND..)))
    }

    /// Where commands for all devices come: `command/device/all`.
    pub fn broadcast(&self) -> TopicFilter<'static> {
        TopicFilter::from_valid(text(Some(&BROADCAST)))
    }

    /// Those for commands, to be subscribed to with QoS 1; see
    /// [`SessionBuilder::commands`](crate::session::SessionBuilder::commands).
    pub fn commands(&self) -> Commands<'_> {
        Commands([self.command(), self.broadcast()].map(|filter| Subscription::new(filter, QoS::AtLeastOnce)))
    }

    fn bytes(&self) -> &[u8] {
        const { assert!(align_of::<Self>() == 1, "there is no room between bytes") };
        // SAFETY: all of it is bytes, between which `repr(C)` leaves no room.
        unsafe { slice::from_raw_parts(ptr::from_ref(self).cast(), size_of::<Self>()) }
    }
}

/// The subscriptions to the [guide's topics](Topics) for commands. They are known to be within AWS's limits.
#[derive(Clone, Copy, Debug)]
pub struct Commands<'a>([Subscription<'a>; 2]);

impl<'a> Commands<'a> {
    /// As a list for a request.
    pub fn subscriptions(&self) -> &[Subscription<'a>] {
        &self.0
    }
}

fn command() -> Command {
    BROADCAST.first_chunk().copied().unwrap_or_default()
}

/// A part of [`Topics`], or [`BROADCAST`].
fn text(part: Option<&[u8]>) -> &str {
    // SAFETY: all of it is ASCII: what comes before the ids, the ids, and the other.
    unsafe { str::from_utf8_unchecked(part.unwrap_or_default()) }
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics")
            .field("telemetry", &self.telemetry().as_str())
            .field("command", &self.command().as_str())
            .finish()
    }
}
