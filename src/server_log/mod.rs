//! Messages to the server's log.
//!
//! [`ServerLog`] starts the log and stands for it. [`LogLine`] gathers what is to be one message.
//! [`Hexadecimal`] makes text of a number without `core::fmt`. With the feature `log`, a `ServerLog` can be installed as the logger of the `log` crate.

mod hexadecimal;
mod log_error;
mod log_line;
#[cfg(feature = "log")]
mod logger;

use core::convert::Infallible;
use core::fmt;
use core::mem::{self, MaybeUninit};
use core::sync::atomic::{AtomicU32, Ordering};

pub use hexadecimal::Hexadecimal;
pub use log_error::{LogError, StartLogError};
pub use log_line::LogLine;

use crate::{HandedBack, KernelBuffer, Status, sys};

/// Messages that the kernel did not take. A static, because a `ServerLog` is copied about.
static DROPPED: AtomicU32 = AtomicU32::new(0);

/// Messages are not split smaller than this, in bytes: a kernel that refuses these takes none.
const SHORTEST_PIECE: usize = 16;

/// The log that the device sends to its server.
///
/// The kernel gathers messages in a buffer and sends them when the network is there. Logging must not
/// disturb the application, so writing with [`fmt::Write`], [`embedded_io::Write`], a [`LogLine`] or
/// the `log` crate always succeeds: a message that is too long goes in pieces, and one that the kernel
/// does not take (its buffer is full, or the server has switched logging off) is dropped and
/// [counted](Self::dropped). To be told instead, use [`log`](Self::log).
///
/// `write!` on a `ServerLog` makes a message of each piece of the format string; on a
/// [line](Self::line), it makes one of the whole.
///
/// ```
/// use core::fmt::Write;
///
/// use microvisor::{KernelMemory, ServerLog, kernel_memory};
///
/// static LOG_MEMORY: KernelMemory<1024> = kernel_memory!(1024);
///
/// # let device = microvisor_sim::Device::builder().boot();
/// # fn run() -> Option<()> {
/// let log = ServerLog::start(LOG_MEMORY.take()?).ok()?;
/// let degrees = 21;
/// let _ = write!(log.line::<64>(), "it is {degrees} °C");
/// # Some(())
/// # }
/// # run().expect("the log starts");
/// # assert_eq!(device.server_log(), ["it is 21 °C"]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ServerLog(());

impl ServerLog {
    /// Starts logging. The kernel keeps `buffer` for ever.
    ///
    /// What is logged while there is no network has to fit the buffer; 1,024 bytes are a usual size.
    ///
    /// # Errors
    ///
    /// [`Kernel`](StartLogError::Kernel), with the buffer if the kernel certainly left it alone.
    pub fn start<const N: usize>(
        buffer: KernelBuffer<N>,
    ) -> Result<Self, HandedBack<Option<KernelBuffer<N>>, StartLogError>> {
        #[allow(clippy::cast_possible_truncation)] // Statics of 4 GiB do not fit the platform.
        let length = N as u32;
        // SAFETY: the memory is static and exclusively the buffer's. It is forgotten below unless the
        // kernel certainly did not take it, so nobody can get at it again.
        let answer = Status::check(unsafe { sys::mvServerLoggingInit(buffer.as_ptr(), length) });
        let Err(status) = answer else {
            mem::forget(buffer);
            return Ok(Self(()));
        };
        let value = match status {
            Status::PARAMETER_FAULT | Status::INVALID_BUFFER_ALIGNMENT | Status::INVALID_BUFFER_SIZE => {
                Some(buffer)
            }
            _ => {
                mem::forget(buffer);
                None
            }
        };
        Err(HandedBack { error: StartLogError::Kernel(status), value })
    }

    /// Logs one message.
    ///
    /// # Errors
    ///
    /// - [`BufferFull`](LogError::BufferFull): log it again when the kernel has sent what it has.
    /// - [`TooLong`](LogError::TooLong): shorten it, or use one of the ways that split messages.
    /// - [`DisabledByServer`](LogError::DisabledByServer) and [`Kernel`](LogError::Kernel): go on
    ///   without a log.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "most callers have no use for the answer, of which nothing is left then"
    )]
    pub fn log(self, message: &[u8]) -> Result<(), LogError> {
        let length = u16::try_from(message.len()).map_err(|_| LogError::TooLong)?;
        // SAFETY: the kernel reads as many bytes as the slice has, and only in this call.
        match Status::check(unsafe { sys::mvServerLog(message.as_ptr(), length) }) {
            Ok(()) => Ok(()),
            Err(Status::INVALID_BUFFER_SIZE) => Err(LogError::BufferFull),
            Err(Status::LOG_MESSAGE_TOO_LONG) => Err(LogError::TooLong),
            Err(Status::LOGGING_DISABLED_BY_SERVER) => Err(LogError::DisabledByServer),
            Err(status) => Err(LogError::Kernel(status)),
        }
    }

    /// The log, whether or not it was started: until it is, the kernel refuses messages. For code that
    /// cannot be handed a log, such as that which runs in the worst case.
    pub const fn if_started() -> Self {
        Self(())
    }

    /// Logs two texts in a row as one message of at most `N` bytes. Of all ways to log what is put together, this
    /// takes the least code and time.
    ///
    /// # Errors
    ///
    /// As [`log`](Self::log); also [`TooLong`](LogError::TooLong) for more than `N` bytes.
    ///
    /// ```
    /// use microvisor::{Hexadecimal, ServerLog};
    ///
    /// # let device = microvisor_sim::Device::builder().boot();
    /// # static LOG_MEMORY: microvisor::KernelMemory<512> = microvisor::kernel_memory!(512);
    /// # let log = ServerLog::start(LOG_MEMORY.take().expect("nobody else has it")).expect("it starts");
    /// log.log_pair::<64>(b"refused, reason 0x", Hexadecimal::new().write(135).as_bytes())?;
    /// # assert_eq!(device.server_log(), ["refused, reason 0x87"]);
    /// # Ok::<(), microvisor::LogError>(())
    /// ```
    pub fn log_pair<const N: usize>(self, first: &[u8], second: &[u8]) -> Result<(), LogError> {
        let mut line = [const { MaybeUninit::uninit() }; N];
        self.log(join(&mut line, first, second).ok_or(LogError::TooLong)?)
    }

    /// An empty line that holds up to `N` bytes, which are 4 at least, before they are logged.
    pub const fn line<const N: usize>(self) -> LogLine<N> {
        LogLine::new(self)
    }

    /// How many messages were dropped since the program started, modulo 2³².
    pub fn dropped() -> u32 {
        DROPPED.load(Ordering::Relaxed)
    }

    /// Logs `message`, in pieces if the kernel does not take it whole.
    ///
    /// The longest message that the kernel takes is found by halving; no kernel documents it.
    fn send(self, message: &[u8]) {
        let mut longest = usize::from(u16::MAX);
        let mut rest = message;
        while !rest.is_empty() {
            let (piece, after) = split_text(rest, longest);
            match self.log(piece) {
                Ok(()) => rest = after,
                Err(LogError::TooLong) if longest > SHORTEST_PIECE => {
                    longest = (piece.len() / 2).max(SHORTEST_PIECE);
                }
                Err(_) => {
                    DROPPED.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
        }
    }
}

/// Both in a row, if the line has room for them.
fn join<'l>(line: &'l mut [MaybeUninit<u8>], first: &[u8], second: &[u8]) -> Option<&'l [u8]> {
    let line = line.get_mut(..first.len().checked_add(second.len())?)?;
    let (start, end) = line.split_at_mut_checked(first.len())?;
    start.write_copy_of_slice(first);
    end.write_copy_of_slice(second);
    // SAFETY: all of it has just been written.
    Some(unsafe { line.assume_init_ref() })
}

/// Splits off at most `longest` bytes, between the characters of UTF-8 text. Nothing is split off if
/// already the first character is longer.
fn split_text(text: &[u8], longest: usize) -> (&[u8], &[u8]) {
    text.split_at_checked(boundary(text, longest)).unwrap_or((text, &[]))
}

/// Where to split; beyond its end if it need not be split.
fn boundary(text: &[u8], longest: usize) -> usize {
    let mut at = longest;
    // A character has at most four bytes; where there is no boundary among them, it is not text.
    for _ in 0..4 {
        let is_within_character = text.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
        if !is_within_character {
            return at;
        }
        let Some(before) = at.checked_sub(1) else { break };
        at = before;
    }
    longest
}

/// Logs each piece, as one message if it is not too long.
impl fmt::Write for ServerLog {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.send(text.as_bytes());
        Ok(())
    }
}

impl embedded_io::ErrorType for ServerLog {
    type Error = Infallible;
}

/// Logs what each call writes, as one message if it is not too long.
impl embedded_io::Write for ServerLog {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.send(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
