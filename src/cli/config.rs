//! The configuration file: a few wishes of the person at this device, none of which judges a gate.
//!
//! Unknown keys are refused. Precedence is flag, environment, file, default; flags and environment are clap's.

use crate::commands::error::CommandError;
use crate::safe::shown::visible;
use serde::Deserialize;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The file's name in the configuration folder.
pub const FILE: &str = "config.toml";
/// The documented sample.
pub const SAMPLE: &str = include_str!("../../assets/config.toml");
/// Most bytes of a configuration.
const MAX_BYTES: u64 = 64 * 1024;

/// What the file can say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub actor: Option<String>,
    pub theme: Option<String>,
    pub glyphs: Option<String>,
    pub columns: Vec<String>,
    pub sign_with: Option<PathBuf>,
    pub log_file: Option<PathBuf>,
}

impl Config {
    /// Reads the file of a folder; none is the default.
    ///
    /// # Errors
    /// It is there and cannot be read or understood.
    pub fn read(folder: &Path) -> Result<Self, CommandError> {
        let path = folder.join(FILE);
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(CommandError::io("read", &path, &error)),
        };
        let mut text = String::new();
        file.take(MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| CommandError::io("read", &path, &error))?;
        Self::parse(&text).map_err(|error| error.about(&visible(&path.to_string_lossy())))
    }

    fn parse(text: &str) -> Result<Self, CommandError> {
        toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map_or(1, |before| before.matches('\n').count() + 1);
            CommandError::config(format!("line {line}: {}", visible(error.message())))
                .hint("the keys are actor, theme, glyphs, columns, sign_with and log_file")
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_sample_is_the_default() {
        assert_eq!(Config::parse(SAMPLE).unwrap(), Config::default());
    }

    #[test]
    fn every_key_of_the_sample_is_taken() {
        let all: String = SAMPLE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(key) if key.contains(" = ") => format!("{key}\n"),
                _ => String::new(),
            })
            .collect();
        let config = Config::parse(&all).unwrap();
        assert_eq!(config.actor.as_deref(), Some("rosa"));
        assert!(
            config.theme.is_some()
                && config.glyphs.is_some()
                && config.sign_with.is_some()
                && config.log_file.is_some()
        );
        assert!(config.columns.len() > 3);
    }

    #[test]
    fn unknown_keys_are_refused_by_line() {
        let error = Config::parse("actor = \"rosa\"\ncolour = 3\n").unwrap_err();
        assert!(
            error.message.starts_with("line 2:") && error.message.contains("colour"),
            "{error}"
        );
    }
}
