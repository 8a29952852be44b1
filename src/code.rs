//! Numbers of the kernel or of MQTT that have names.

/// Declares a number some of whose values have names.
///
/// A constant for each name rather than an enum with a variant for the rest: it is as wide as what the
/// kernel writes, nothing is converted, and a newer kernel's number is a value like any other.
macro_rules! code {
    (
        $(#[$type_doc:meta])*
        pub struct $name:ident($raw:ty): $make:path, $read:path;
        $($(#[$doc:meta])* $constant:ident = $value:expr, $prose:literal;)*
    ) => {
        $(#[$type_doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[repr(transparent)]
        pub struct $name($raw);

        impl $name {
            $($(#[$doc])* pub const $constant: Self = Self($make($value));)*

            /// The number itself.
            #[inline]
            pub const fn raw(self) -> u32 {
                $read(self.0)
            }

            /// Its name and what it means, where it has one.
            fn known(self) -> Option<(&'static str, &'static str)> {
                $(if self == Self::$constant {
                    return Some((stringify!($constant), $prose));
                })*
                None
            }

            /// Whether it is one of the numbers that are listed here.
            pub fn is_listed(self) -> bool {
                self.known().is_some()
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.known() {
                    Some((name, _)) => f.write_str(name),
                    None => write!(f, concat!(stringify!($name), "({})"), self.raw()),
                }
            }
        }
    };
}

pub(crate) use code;
