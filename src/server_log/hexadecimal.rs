//! Numbers for a log without `core::fmt`.

/// Room for a number in hexadecimal digits.
///
/// It is for programs that `core::fmt` is too large for: a message is put together from such texts by
/// [`ServerLog::log_pair`](super::ServerLog::log_pair). MQTT's reason codes and addresses are written so anyway.
///
/// ```
/// use microvisor::Hexadecimal;
///
/// let mut digits = Hexadecimal::new();
/// assert_eq!(digits.write(0x8e), "8e");
/// assert_eq!(digits.write(0), "0");
/// assert_eq!(digits.write(u32::MAX), "ffffffff");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Hexadecimal([u8; 8]);

impl Hexadecimal {
    /// Room for any number.
    pub const fn new() -> Self {
        Self([0; _])
    }

    /// The digits of `number`, the letters small and without zeros in front.
    #[inline(never)]
    pub fn write(&mut self, number: u32) -> &str {
        let length = 8 - (number | 1).leading_zeros() / 4;
        let digits = self.0.get_mut(..length as usize).unwrap_or_default();
        let mut rest = number;
        for place in digits.iter_mut().rev() {
            #[allow(clippy::cast_possible_truncation)] // Less than 16.
            let digit = (rest & 0xf) as u8;
            *place = if digit < 10 { b'0' + digit } else { b'a' - 10 + digit };
            rest >>= 4;
        }
        // SAFETY: all of them are ASCII.
        unsafe { str::from_utf8_unchecked(digits) }
    }
}
