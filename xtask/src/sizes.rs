//! What an image takes of the board.

use std::fmt::Write;
use std::path::PathBuf;

use object::read::elf::ElfFile32;
use object::{Endianness, Object, ObjectSection, SectionKind};

use crate::Result;

/// A linked image.
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) elf: PathBuf,
    pub(crate) sizes: Sizes,
}

/// In bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) text: u64,
    /// With the vector table.
    pub(crate) rodata: u64,
    /// Once in flash and once in RAM.
    pub(crate) data: u64,
    pub(crate) bss: u64,
}

impl Sizes {
    /// # Errors
    ///
    /// It is no ELF of a board.
    pub(crate) fn of(elf: &[u8]) -> Result<Self> {
        let mut sizes = Self::default();
        for section in ElfFile32::<Endianness>::parse(elf)?.sections() {
            let sum = match section.kind() {
                SectionKind::Text => &mut sizes.text,
                SectionKind::ReadOnlyData
                | SectionKind::ReadOnlyDataWithRel
                | SectionKind::ReadOnlyString => &mut sizes.rodata,
                SectionKind::Data => &mut sizes.data,
                SectionKind::UninitializedData => &mut sizes.bss,
                _ => continue,
            };
            *sum += section.size();
        }
        Ok(sizes)
    }

    pub(crate) const fn flash(&self) -> u64 {
        self.text + self.rodata + self.data
    }

    /// Static, without the stack.
    pub(crate) const fn ram(&self) -> u64 {
        self.data + self.bss
    }
}

pub(crate) fn table(images: &[Image]) -> String {
    let mut table = format!(
        "{:<20}{:>8}{:>8}{:>8}{:>8}{:>10}{:>8}\n",
        "image, in bytes", "text", "rodata", "data", "bss", "flash", "RAM"
    );
    for Image { name, sizes, .. } in images {
        let Sizes { text, rodata, data, bss } = sizes;
        let (flash, ram) = (sizes.flash(), sizes.ram());
        // Never fails.
        let _ = writeln!(table, "{name:<20}{text:>8}{rodata:>8}{data:>8}{bss:>8}{flash:>10}{ram:>8}");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initial_values_count_in_flash_and_in_ram() {
        let sizes = Sizes { text: 100, rodata: 20, data: 3, bss: 1_000 };
        assert_eq!((sizes.flash(), sizes.ram()), (123, 1_003));
    }

    #[test]
    fn the_table_has_a_line_an_image() {
        let image =
            |name: &str| Image { name: name.to_owned(), elf: PathBuf::new(), sizes: Sizes::default() };
        assert_eq!(table(&[image("one"), image("two")]).lines().count(), 3);
    }
}
