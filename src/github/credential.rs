//! Which token is used for which GitHub. Bound to the API's origin the moment it is read.
//!
//! `GH_TOKEN` and `GITHUB_TOKEN` are for github.com only; another host has `GH_ENTERPRISE_TOKEN` or what `gh` keeps for
//! that very host. Values never reach a message. The tabletop never comes here: it brings its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::place::{DOTCOM, Place};
use crate::http::{Credential, NotThatOrigin};
use crate::safe::process::{ProcessError, Program, Surroundings};
use crate::safe::secret::Secret;
use crate::safe::shown::{visible, visible_bytes};

/// Most bytes of a token.
const LONGEST: usize = 1024;

/// What `gh` may see of the environment besides the usual: where it keeps its configuration and the key ring.
const GH_SEES: &[&str] = &[
    "GH_CONFIG_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
];

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("no token for {forge}: {hint}")]
    None { forge: Box<str>, hint: &'static str },
    #[error("{from} holds no token: it is empty, very long or has blanks in it; set it anew")]
    Unfit { from: Box<str> },
    #[error("`gh` could not be asked for a token of {forge}: {source}")]
    Gh {
        forge: Box<str>,
        source: ProcessError,
    },
    #[error(
        "`gh` gives no token for {forge} ({says}); log in with `gh auth login --hostname {forge}`"
    )]
    GhSays { forge: Box<str>, says: Box<str> },
    #[error(transparent)]
    Origin(#[from] NotThatOrigin),
}

/// Where tokens are looked for.
pub struct Sources<'a> {
    /// Reads one variable of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The search path for `gh`; none to leave it out.
    pub search: Option<&'a OsStr>,
    /// Folders that `gh` may not come from: what is scanned.
    pub outside: &'a [PathBuf],
    /// An empty folder to run it in.
    pub folder: &'a Path,
}

/// Names the variables that hold tokens for a place, first come first.
fn variables(place: &Place) -> &'static [&'static str] {
    if place.forge() == DOTCOM {
        &["GH_TOKEN", "GITHUB_TOKEN"]
    } else {
        &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"]
    }
}

/// Finds the token for a place and binds it to its origin. Blocks while `gh` runs.
///
/// # Errors
/// When there is none, it cannot be one, or `gh` fails; a variable that is set and unfit is not passed over in silence.
pub fn find(place: &Place, sources: &Sources) -> Result<Credential, CredentialError> {
    for name in variables(place) {
        if let Some(value) =
            (sources.variable)(name).map(|value| Secret::new(value.trim().to_owned()))
            && !value.is_empty()
        {
            return bind(place, &value, name);
        }
    }
    match Program::resolve("gh", sources.search, sources.outside) {
        Ok(gh) => from_gh(place, &gh, sources.folder),
        Err(_not_there) => Err(CredentialError::None {
            forge: place.forge().into(),
            hint: if place.forge() == DOTCOM {
                "set GH_TOKEN, or install `gh` and log in with `gh auth login`"
            } else {
                "set GH_ENTERPRISE_TOKEN (GH_TOKEN is for github.com only), or install `gh` and log in to this host"
            },
        }),
    }
}

fn from_gh(place: &Place, gh: &Program, folder: &Path) -> Result<Credential, CredentialError> {
    let forge = place.forge();
    let around = Surroundings {
        pass: GH_SEES,
        set: &[
            ("GH_PROMPT_DISABLED", OsStr::new("1")),
            ("GH_NO_UPDATE_NOTIFIER", OsStr::new("1")),
        ],
        cap: 16 * 1024,
        ..Surroundings::new(folder)
    };
    let output = gh
        .run(["auth", "token", "--hostname", forge], &around)
        .map_err(|source| CredentialError::Gh {
            forge: forge.into(),
            source,
        })?;
    if !output.status.success() {
        let first = output
            .err
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        return Err(CredentialError::GhSays {
            forge: forge.into(),
            says: visible_bytes(first).into(),
        });
    }
    let text = String::from_utf8(output.out).unwrap_or_default();
    bind(place, &Secret::new(text.trim().to_owned()), "gh")
}

fn bind(place: &Place, token: &Secret, from: &str) -> Result<Credential, CredentialError> {
    let value = token.expose();
    if value.is_empty()
        || value.len() > LONGEST
        || !value.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(CredentialError::Unfit {
            from: visible(from).into(),
        });
    }
    Ok(Credential::bearer(place.origin().clone(), token, from)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn look(
        forge: &str,
        set: &[(&str, &str)],
        search: Option<&OsStr>,
    ) -> Result<Credential, CredentialError> {
        let folder = tempfile::tempdir().unwrap();
        let variable = |name: &str| {
            set.iter()
                .find(|(own, _)| *own == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let sources = Sources {
            variable: &variable,
            search,
            outside: &[],
            folder: folder.path(),
        };
        find(&Place::parse(forge).unwrap(), &sources)
    }

    #[test]
    fn a_token_is_for_its_host_only() {
        let token = format!("ghp_{}", "x".repeat(36));
        let both = [("GITHUB_TOKEN", "second"), ("GH_TOKEN", token.as_str())];
        let found = look("github.com", &both, None).unwrap();
        assert_eq!(
            (found.who(), found.origin().to_string()),
            ("GH_TOKEN", "https://api.github.com".to_owned())
        );
        // The same variables say nothing about another host.
        for host in [
            "git.acme.example",
            "acme.ghe.com",
            "github.com.evil.example",
        ] {
            assert!(
                matches!(look(host, &both, None), Err(CredentialError::None { .. })),
                "{host}"
            );
        }
        let own = look("git.acme.example", &[("GH_ENTERPRISE_TOKEN", &token)], None).unwrap();
        assert_eq!(own.origin().to_string(), "https://git.acme.example");
        assert!(matches!(
            look("github.com", &[("GH_ENTERPRISE_TOKEN", &token)], None),
            Err(CredentialError::None { .. })
        ));
    }

    #[test]
    fn what_cannot_be_a_token_is_said_without_its_value() {
        let error = look("github.com", &[("GH_TOKEN", "hunter2 hunter2")], None).unwrap_err();
        assert!(
            error.to_string().starts_with("GH_TOKEN holds no token")
                && !error.to_string().contains("hunter")
        );
        // Empty is "deliberately none": the next is asked.
        assert_eq!(
            look(
                "github.com",
                &[("GH_TOKEN", " "), ("GITHUB_TOKEN", "abc")],
                None
            )
            .unwrap()
            .who(),
            "GITHUB_TOKEN"
        );
    }

    #[test]
    fn gh_is_asked_for_this_host_and_sees_no_token() {
        let bin = tempfile::tempdir().unwrap();
        let script = "#!/bin/sh\n[ -z \"$GH_TOKEN$GITHUB_TOKEN\" ] || exit 9\n[ \"$*\" = 'auth token --hostname git.acme.example' ] || { echo \"no oauth token found for $4\" >&2; exit 1; }\necho abc123\n";
        let path = bin.path().join("gh");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let search = Some(bin.path().as_os_str());
        assert_eq!(look("git.acme.example", &[], search).unwrap().who(), "gh");
        let error = look("github.com", &[], search).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("no oauth token found for github.com"),
            "{error}"
        );
    }
}
