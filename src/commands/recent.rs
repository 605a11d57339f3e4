//! The sessions that this device opened last, newest first: paths in the state folder, for the start screen.
//!
//! A convenience: what cannot be read or written is left out, and losing it loses nothing.

use super::context::Context;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Sessions that are remembered.
const MOST: usize = 8;
/// Most bytes of the list.
const MAX_BYTES: u64 = 64 * 1024;

/// Gives the sessions that are still there.
pub fn list(context: &Context) -> Vec<PathBuf> {
    let mut paths = read(&place(context));
    paths.retain(|path| std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file()));
    paths
}

/// Puts a session first.
pub fn remember(context: &Context, path: &Path) {
    let place = place(context);
    let path = context.folder.join(path);
    let mut paths = read(&place);
    paths.retain(|known| *known != path);
    paths.insert(0, path);
    paths.truncate(MOST);
    // Nobody's work hangs on it: a state folder that cannot be written is told where it matters.
    let _ = write(&place, &paths);
}

fn place(context: &Context) -> PathBuf {
    context.state.join("recent.json")
}

fn read(place: &Path) -> Vec<PathBuf> {
    let mut text = Vec::new();
    let read = File::open(place).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut text));
    let paths: Vec<PathBuf> = read
        .ok()
        .and_then(|_| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let absolute = paths.into_iter().filter(|path| path.is_absolute());
    absolute.take(MOST).collect()
}

/// Writes the list in one piece: two programs that end at once leave one list or the other.
fn write(place: &Path, paths: &[PathBuf]) -> std::io::Result<()> {
    let folder = place.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut file, paths)?;
    file.persist(place)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_list_that_is_none_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("state/recent.json");
        assert!(read(&place).is_empty());
        write(&place, &[PathBuf::from("/a/b.cutover"), "c.cutover".into()]).unwrap();
        assert_eq!(read(&place), [PathBuf::from("/a/b.cutover")]);
        for text in ["", "{}", "[1]", "\u{0}"] {
            std::fs::write(&place, text).unwrap();
            assert!(read(&place).is_empty(), "{text}");
        }
    }
}
