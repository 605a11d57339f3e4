//! The example organisation: repositories, an inventory and token lists of a fictional company, unpacked into a folder.
//! It holds no token and needs no network; dates are counted from the day that the caller gives.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};

mod files;

use files::FILES;

/// The organisation's name, at its forges and on npm.
pub const ORGANISATION: &str = "acme-dec";

/// Accounts whose token lists are there.
pub const ACCOUNTS: [&str; 2] = ["acme-bot", "rosa"];

/// Where the example organisation was unpacked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoPaths {
    /// The folder that was given.
    pub root: PathBuf,
    /// Holds one checkout per repository.
    pub repos: PathBuf,
    /// What people say of each repository, as CSV.
    pub inventory: PathBuf,
    /// One token list an account, as npm prints it.
    pub tokens: Vec<(String, PathBuf)>,
}

/// Unpacks the example organisation into a folder, which is made where it is missing.
///
/// # Errors
/// When a folder or file cannot be written, or a file of it is already there: nothing is overwritten.
pub fn unpack(into: &Path, today: NaiveDate) -> io::Result<DemoPaths> {
    for (path, text) in FILES {
        write(&into.join(path), &filled(text, today))?;
    }
    let repos = into.join("repos");
    for name in repositories() {
        write(
            &repos.join(name).join(".git/HEAD"),
            "ref: refs/heads/main\n",
        )?;
        write(&repos.join(name).join(".git/config"), &git_config(name))?;
    }
    Ok(DemoPaths {
        root: into.to_owned(),
        repos,
        inventory: into.join("inventory.csv"),
        tokens: ACCOUNTS
            .iter()
            .map(|account| {
                (
                    (*account).to_owned(),
                    into.join(format!("tokens-{account}.json")),
                )
            })
            .collect(),
    })
}

/// Gives the first file of the example that a folder has already: it would not be replaced.
pub fn first_there(into: &Path) -> Option<&'static str> {
    let mut names = FILES.iter().map(|(path, _)| *path);
    names.find(|path| into.join(path).exists())
}

/// Names of the checkouts' folders, each once, in order.
fn repositories() -> Vec<&'static str> {
    let mut names: Vec<&str> = FILES
        .iter()
        .filter_map(|(path, _)| path.strip_prefix("repos/")?.split('/').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn git_config(folder: &str) -> String {
    let name = folder.replacen("__", "/", 1);
    let gitlab = FILES
        .iter()
        .any(|(path, _)| *path == format!("repos/{folder}/.gitlab-ci.yml"));
    let forge = if gitlab { "gitlab.com" } else { "github.com" };
    format!(
        "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = https://{forge}/{name}.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
    )
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// Puts hosts and dates in: `{{today}}`, `{{today+30}}` and `{{today-3}}` count in days.
fn filled(text: &str, today: NaiveDate) -> String {
    const OPEN: &str = "{{today";
    let text = super::fill(text);
    let mut parts = text.split(OPEN);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part
            .split_once("}}")
            .and_then(|(offset, rest)| Some((day(today, offset)?, rest)))
        {
            Some((day, rest)) => {
                out.push_str(&day.to_string());
                out.push_str(rest);
            }
            None => {
                out.push_str(OPEN);
                out.push_str(part);
            }
        }
    }
    out
}

fn day(today: NaiveDate, offset: &str) -> Option<NaiveDate> {
    if offset.is_empty() {
        return Some(today);
    }
    let (sign, count) = offset.split_at_checked(1)?;
    let days = Days::new(count.parse().ok()?);
    match sign {
        "+" => today.checked_add_days(days),
        "-" => today.checked_sub_days(days),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
    }

    fn walk(folder: &Path, below: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, below, found);
            } else {
                found.push(
                    path.strip_prefix(below)
                        .unwrap()
                        .to_string_lossy()
                        .into_owned(),
                );
            }
        }
    }

    #[test]
    fn the_table_is_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo");
        let mut found = Vec::new();
        walk(&folder, &folder, &mut found);
        found.sort();
        assert_eq!(
            FILES.iter().map(|(path, _)| *path).collect::<Vec<_>>(),
            found
        );
    }

    #[test]
    fn dates_are_counted_from_today() {
        assert_eq!(
            filled("{{today}} {{today+10}} {{today-22}}", today()),
            "2026-11-22 2026-12-02 2026-10-31"
        );
        assert_eq!(
            filled("{{todays}} {{today*2}} {{today+}} {{today", today()),
            "{{todays}} {{today*2}} {{today+}} {{today"
        );
    }

    #[test]
    fn it_unpacks_filled_once_and_without_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let into = dir.path().join("new/demo");
        let paths = unpack(&into, today()).unwrap();
        assert_eq!(repositories().len(), 15);
        assert!(paths.inventory.is_file() && paths.tokens.iter().all(|(_, path)| path.is_file()));
        let mut found = Vec::new();
        walk(&into, &into, &mut found);
        assert_eq!(found.len(), FILES.len() + 2 * repositories().len());
        for path in found {
            let text = fs::read_to_string(into.join(&path)).unwrap();
            assert!(
                !text.contains("{{today") && !text.contains("{{registry"),
                "{path}"
            );
            assert_eq!(crate::safe::redact::find(&text), [], "{path}");
        }
        let config = fs::read_to_string(paths.repos.join("acme-dec__sdk/.git/config")).unwrap();
        assert!(config.contains("url = https://gitlab.com/acme-dec/sdk.git"));
        assert_eq!(
            unpack(&into, today()).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
    }

    #[test]
    fn the_inventory_names_every_repository() {
        let inventory = FILES
            .iter()
            .find(|(path, _)| *path == "inventory.csv")
            .unwrap()
            .1;
        let mut named: Vec<String> = inventory
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap().replace('/', "__"))
            .collect();
        named.sort();
        assert_eq!(named, repositories());
        let columns = inventory.lines().next().unwrap().split(',').count();
        assert!(
            inventory
                .lines()
                .all(|line| line.split(',').count() == columns)
        );
    }
}
