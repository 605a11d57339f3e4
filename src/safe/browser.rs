//! Opens a web page in a person's own browser: found once outside the scanned folders, given no token and left alone.
//!
//! Not by a crate: those hand on the whole environment, and that holds tokens. Knows no service: which pages there are
//! is the caller's affair, but whatever is not a plain https address is refused here too.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::process::{ProcessError, Program, Surroundings};

/// What opens pages where `BROWSER` names nothing.
const OPENERS: &[&str] = if cfg!(target_os = "macos") {
    &["open"]
} else {
    &["xdg-open", "wslview"]
};

/// What a desktop's programs need to find their screen and settings; none of these holds a credential.
const DESKTOP: &[&str] = &[
    "BROWSER",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "DESKTOP_SESSION",
    "KDE_FULL_SESSION",
    "KDE_SESSION_VERSION",
    "XDG_CONFIG_DIRS",
    "XDG_CONFIG_HOME",
    "XDG_CURRENT_DESKTOP",
    "XDG_DATA_DIRS",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_TYPE",
    "WSL_DISTRO_NAME",
    "WSL_INTEROP",
];

/// How long a failure is waited for; whatever still runs then has a page to show.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why a page was not opened.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    #[error("no browser was found; set BROWSER to one")]
    NotFound,
    #[error("only plain https addresses are opened")]
    Address,
    #[error("{} could not open it", path.display())]
    Failed { path: PathBuf },
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// What opens pages, by its absolute path and with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Browser {
    program: Program,
    arguments: Vec<String>,
}

impl Browser {
    /// Finds it: the first program of `named` (`BROWSER`: several with `:` between, `%s` for the address), else the
    /// system's. Nothing in one of the folders `outside` counts.
    ///
    /// # Errors
    /// [`BrowserError::NotFound`].
    pub fn find(
        named: Option<&str>,
        search: Option<&OsStr>,
        outside: &[PathBuf],
    ) -> Result<Self, BrowserError> {
        let named = named.unwrap_or_default().split(':');
        named
            .chain(OPENERS.iter().copied())
            .find_map(|words| {
                let mut words = words.split_whitespace().map(str::to_owned);
                let path = words.next()?;
                let path = Path::new(&path);
                let name = path.file_name()?.to_str()?;
                // A path is looked for in its own folder alone.
                let folder = path.parent().filter(|folder| folder.is_absolute());
                let search = folder.map_or(search, |folder| Some(folder.as_os_str()));
                let program = Program::resolve(name, search, outside).ok()?;
                Some(Self {
                    program,
                    arguments: words.collect(),
                })
            })
            .ok_or(BrowserError::NotFound)
    }

    /// Opens a page; returns once the program has handed it on, or after a few seconds while it goes on by itself.
    ///
    /// # Errors
    /// The address is not plain https, or the program does not start or says that it failed.
    pub fn open(&self, address: &str) -> Result<(), BrowserError> {
        if !is_plain(address) {
            return Err(BrowserError::Address);
        }
        let mut arguments: Vec<String> = self
            .arguments
            .iter()
            .map(|one| one.replace("%s", address))
            .collect();
        if !self.arguments.iter().any(|one| one.contains("%s")) {
            arguments.push(address.to_owned());
        }
        let around = Surroundings {
            pass: DESKTOP,
            limit: PATIENCE,
            ..Surroundings::new(Path::new("/"))
        };
        match self.program.launch(&arguments, &around)? {
            Some(status) if !status.success() => Err(BrowserError::Failed {
                path: self.program.path().to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

/// True for an https address of letters, digits and the few signs that paths need: no user, no query, no escape.
fn is_plain(address: &str) -> bool {
    address.strip_prefix("https://").is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric())
            && rest
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.~/:".contains(c))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const PAGE: &str = "https://github.com/acme/ui-kit";

    /// A folder with a program that writes down what it was given, and one that fails.
    fn fakes() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        for (name, script) in [
            (
                "fake",
                format!(
                    "#!/bin/sh\n{{ env; for one; do echo \"argument $one\"; done; }} > {}\n",
                    seen.display()
                ),
            ),
            ("broken", "#!/bin/sh\nexit 4\n".to_owned()),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    #[test]
    fn the_page_arrives_and_no_foreign_variable_does() {
        let folder = fakes();
        let search = Some(folder.path().as_os_str());
        // cargo sets CARGO_MANIFEST_DIR for this test: it stands for what must not be handed on.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        for (named, arguments) in [
            (
                "nosuch:fake --new-window %s x",
                ["--new-window", PAGE, "x"].as_slice(),
            ),
            ("fake", &[PAGE]),
        ] {
            let browser = Browser::find(Some(named), search, &[]).unwrap();
            browser.open(PAGE).unwrap();
            let seen = fs::read_to_string(folder.path().join("seen")).unwrap();
            let given: Vec<&str> = seen
                .lines()
                .filter_map(|line| line.strip_prefix("argument "))
                .collect();
            assert_eq!(given, arguments);
            assert!(!seen.contains("CARGO"), "{seen}");
        }
    }

    #[test]
    fn a_path_is_taken_as_it_is_and_a_scanned_folder_never() {
        let folder = fakes();
        let path = folder.path().join("fake");
        let named = path.to_str();
        assert!(Browser::find(named, None, &[]).unwrap().open(PAGE).is_ok());
        let outside = [folder.path().to_owned()];
        let found = Browser::find(named, Some(folder.path().as_os_str()), &outside);
        assert!(matches!(found, Err(BrowserError::NotFound)), "{found:?}");
    }

    #[test]
    fn a_failure_is_told() {
        let folder = fakes();
        let search = Some(folder.path().as_os_str());
        let broken = Browser::find(Some("broken"), search, &[]).unwrap();
        assert!(matches!(
            broken.open(PAGE),
            Err(BrowserError::Failed { .. })
        ));
        assert!(matches!(
            Browser::find(None, search, &[]),
            Err(BrowserError::NotFound)
        ));
    }

    #[test]
    fn only_plain_https_is_opened() {
        let folder = fakes();
        let search = Some(folder.path().as_os_str());
        let browser = Browser::find(Some("fake"), search, &[]).unwrap();
        for address in [
            "http://github.com/a",
            "file:///etc/passwd",
            "https://",
            "https://-x",
            "https://rosa@github.com/a",
            "https://github.com/a b",
            "https://github.com/a\n--flag",
            "https://github.com/a?x=$(id)",
            "https://github.com/\u{202e}",
            "--help",
        ] {
            let opened = browser.open(address);
            assert!(matches!(opened, Err(BrowserError::Address)), "{address}");
        }
        assert!(!folder.path().join("seen").exists());
    }
}
