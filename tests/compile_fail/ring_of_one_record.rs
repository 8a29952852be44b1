//! A notification ring has two records at least.

use microvisor::NotificationCenter;

pub static CENTER: NotificationCenter<1> = NotificationCenter::new(51); //~ E0080
