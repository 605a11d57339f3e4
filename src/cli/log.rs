//! The program's own log file: off unless asked for, without colours, secrets or foreign escapes.

use crate::commands::error::CommandError;
use crate::commands::output::harmless;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Mutex;
use tracing_subscriber::filter::LevelFilter;

/// Cleans every record on its way to the file.
struct Clean(File);

impl Write for Clean {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The formatter hands over one whole record at a time.
        self.0
            .write_all(harmless(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Starts to log into a file.
///
/// # Errors
/// The file cannot be opened for appending.
pub fn start(path: &Path) -> Result<(), CommandError> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| CommandError::io("log to", path, &error))?;
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(LevelFilter::DEBUG)
        .with_writer(Mutex::new(Clean(file)))
        .finish();
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|error| CommandError::internal(error.to_string()))
}
