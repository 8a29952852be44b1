//! The raw contents of the flash, as a programmer takes them.

use object::elf::{FileHeader32, PT_LOAD};
use object::read::elf::{ElfFile32, FileHeader as _, ProgramHeader as _};
use object::{Endianness, Object};

use crate::Result;

/// Where the application's flash begins.
const FLASH: u32 = 0x0800_0000;
const FLASH_LEN: u32 = 1024 * 1024;
/// As erased flash reads.
const ERASED: u8 = 0xff;

/// The flash's contents from its first byte on.
///
/// # Errors
///
/// Something is to be loaded elsewhere.
pub(crate) fn flash_image(elf: &[u8]) -> Result<Vec<u8>> {
    let file = ElfFile32::<Endianness>::parse(elf)?;
    let endian = file.endianness();
    let header: &FileHeader32<Endianness> = file.elf_header();
    let mut segments = Vec::new();
    for segment in header.program_headers(endian, elf)? {
        if segment.p_type(endian) == PT_LOAD && segment.p_filesz(endian) > 0 {
            let data = segment.data(endian, elf).map_err(|()| "a segment lies outside the file")?;
            segments.push((segment.p_paddr(endian), data));
        }
    }
    compose(&segments)
}

fn compose(segments: &[(u32, &[u8])]) -> Result<Vec<u8>> {
    let mut image = Vec::new();
    for (address, data) in segments {
        let start = address.checked_sub(FLASH).filter(|start| *start < FLASH_LEN);
        let start = start.ok_or_else(|| format!("a segment is to be loaded at {address:#x}"))? as usize;
        let end = start + data.len();
        if end > FLASH_LEN as usize {
            return Err("the image is larger than the flash".into());
        }
        if image.len() < end {
            image.resize(end, ERASED);
        }
        image[start..end].copy_from_slice(data);
    }
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_lie_where_they_are_loaded() {
        let image = compose(&[(FLASH + 4, &[3, 4]), (FLASH, &[1, 2])]).unwrap();
        assert_eq!(image, [1, 2, ERASED, ERASED, 3, 4]);
    }

    #[test]
    fn what_is_not_for_the_flash_is_refused() {
        assert!(compose(&[(0x2000_0000, &[1])]).is_err());
        assert!(compose(&[(FLASH + FLASH_LEN - 1, &[1, 2])]).is_err());
    }
}
