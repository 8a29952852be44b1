//! Files that only their owner may read, and that are whole or not there.

use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes `contents` to the file `path`, in whose place there is either what was there before or all
/// of `contents`, whatever happens meanwhile. Nobody but the owner may read it, at any time: mode 0600
/// on Unix.
///
/// # Errors
///
/// What the operating system says; then `path` is as it was before.
pub fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // Made with mode 0600, and gone again if it is not renamed.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
