//! Finds npm's configuration: the environment, the user's file, the global one, and files that the operator names.
//!
//! Never a project's: a checkout must not say where a credential goes. Owns the order in which they count.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Base;
use super::npmrc::{self, Login, Read};
use crate::http::Proxies;

/// A configuration file may not be larger, in bytes.
const CAP: u64 = 256 * 1024;

/// Where to look. Everything of the process's surroundings comes in here.
pub struct Sources<'a> {
    pub home: Option<PathBuf>,
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Names of all variables, to find credentials among them.
    pub variables: Vec<String>,
    /// Files that the operator named with `--npmrc`, one account each.
    pub files: Vec<PathBuf>,
}

/// Why npm's configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("could not read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is no regular file of at most {CAP} bytes; name another", path.display())]
    Unfit { path: PathBuf },
    #[error(
        "{} says strict-ssl=false; with that anybody on the way could read the credential: take it out, or set cafile",
        place
    )]
    NotStrict { place: String },
}

/// npm's settings as they count here.
#[derive(Debug, Default)]
pub struct NpmConfig {
    layers: Vec<Read>,
    named: Vec<Read>,
}

/// Reads npm's configuration.
///
/// # Errors
/// When a file that is there cannot be read, or one says `strict-ssl=false`.
pub fn load(sources: &Sources<'_>) -> Result<NpmConfig, ConfigError> {
    let mut layers = vec![environment(sources)];
    if layers.iter().any(|read| read.strict_ssl == Some(false)) {
        return Err(ConfigError::NotStrict {
            place: "the environment".to_owned(),
        });
    }
    for path in [user_file(sources), global_file(sources)]
        .into_iter()
        .flatten()
    {
        layers.extend(file(&path, false, sources)?);
    }
    let mut named = Vec::new();
    for path in &sources.files {
        named.extend(file(path, true, sources)?);
    }
    Ok(NpmConfig { layers, named })
}

impl NpmConfig {
    /// Gives the logins for a registry, one per account: the one npm itself would use, then those of the named files.
    pub fn logins(&self, base: &Base) -> Vec<&Login> {
        let own = self.layers.iter().find_map(|read| read.login_for(base));
        let named = self.named.iter().filter_map(|read| read.login_for(base));
        let mut all: Vec<&Login> = Vec::new();
        for login in own.into_iter().chain(named) {
            if all
                .iter()
                .all(|known| known.secret().expose() != login.secret().expose())
            {
                all.push(login);
            }
        }
        all
    }

    /// Gives the registry that npm would use; none for npm's default.
    pub fn registry(&self) -> Option<&str> {
        self.first(|read| read.registry.as_deref())
    }

    /// Gives the file of extra certificates.
    pub fn cafile(&self) -> Option<&Path> {
        self.first(|read| read.cafile.as_deref()).map(Path::new)
    }

    /// Puts npm's proxy settings over the environment's.
    #[must_use]
    pub fn proxies(&self, from_env: Proxies) -> Proxies {
        from_env.with(
            self.first(|read| read.https_proxy.as_deref()),
            self.first(|read| read.noproxy.as_deref()),
        )
    }

    /// Gives what was there and is not used, in words.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.layers
            .iter()
            .chain(&self.named)
            .flat_map(|read| &read.notes)
            .map(String::as_str)
    }

    fn first<'a, T>(&'a self, of: impl Fn(&'a Read) -> Option<T>) -> Option<T> {
        self.layers.iter().chain(&self.named).find_map(of)
    }
}

/// Reads `npm_config_…` variables: npm takes them in any case, and a registry's credential by its whole key.
fn environment(sources: &Sources<'_>) -> Read {
    let mut read = Read::default();
    for name in &sources.variables {
        let Some(start) = name
            .get(..11)
            .filter(|start| start.eq_ignore_ascii_case("npm_config_"))
        else {
            continue;
        };
        let (Some(value), Some(key)) = ((sources.variable)(name), name.strip_prefix(start)) else {
            continue;
        };
        let plain = key.to_ascii_lowercase().replace('_', "-");
        let key = if key.starts_with("//") {
            key.to_owned()
        } else {
            plain
        };
        // A credential that names no registry is npm's old form; npm itself ignores it.
        if !key.starts_with('-') {
            read.take(&key, value, &format!("variable {name}"));
        }
    }
    read
}

fn user_file(sources: &Sources<'_>) -> Option<PathBuf> {
    let named = setting(sources, "userconfig").map(PathBuf::from);
    named.or_else(|| Some(sources.home.as_ref()?.join(".npmrc")))
}

fn global_file(sources: &Sources<'_>) -> Option<PathBuf> {
    if let Some(path) = setting(sources, "globalconfig") {
        return Some(path.into());
    }
    let prefix = setting(sources, "prefix").or_else(|| (sources.variable)("PREFIX"));
    let usual = ["/usr/local", "/usr", "/opt/homebrew"].map(PathBuf::from);
    let all = prefix.map(PathBuf::from).into_iter().chain(usual);
    all.map(|prefix| prefix.join("etc/npmrc"))
        .find(|path| path.is_file())
}

fn setting(sources: &Sources<'_>, key: &str) -> Option<String> {
    let either = [
        format!("npm_config_{key}"),
        format!("NPM_CONFIG_{}", key.to_ascii_uppercase()),
    ];
    let value = either.iter().find_map(|name| (sources.variable)(name));
    value.filter(|value| !value.is_empty())
}

/// Reads one file; a missing one is none, unless the operator named it.
fn file(path: &Path, named: bool, sources: &Sources<'_>) -> Result<Option<Read>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let meta = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !named => return Ok(None),
        other => other.map_err(unreadable)?,
    };
    if !meta.is_file() || meta.len() > CAP {
        return Err(ConfigError::Unfit {
            path: path.to_owned(),
        });
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let place = path.display().to_string();
    let read = npmrc::read(&text, &place, sources.variable);
    if read.strict_ssl == Some(false) {
        return Err(ConfigError::NotStrict { place });
    }
    Ok(Some(read))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::http::World;
    use std::collections::BTreeMap;

    fn loaded(
        home: &Path,
        files: &[&Path],
        variables: &[(&str, &str)],
    ) -> Result<NpmConfig, ConfigError> {
        let map: BTreeMap<String, String> = variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        load(&Sources {
            home: Some(home.to_owned()),
            variable: &|name| map.get(name).cloned(),
            variables: map.keys().cloned().collect(),
            files: files.iter().map(|path| path.to_path_buf()).collect(),
        })
    }

    #[test]
    fn environment_goes_before_user_before_global_and_named_files_are_more_accounts() {
        let home = tempfile::tempdir().unwrap();
        let write = |name: &str, token: &str| {
            let path = home.path().join(name);
            fs::write(&path, format!("//host.example/:_authToken={token}\n")).unwrap();
            path
        };
        write(".npmrc", "user-token");
        let global = write("global", "global-token");
        let named = write("ken", "ken-token");
        let again = write("again", "user-token");
        let global = [("NPM_CONFIG_GLOBALCONFIG", global.to_str().unwrap())];
        let base = Base::parse("https://host.example", World::Real).unwrap();
        let tokens = |config: &NpmConfig| -> Vec<String> {
            config
                .logins(&base)
                .iter()
                .map(|login| login.secret().expose().to_owned())
                .collect()
        };
        let config = loaded(home.path(), &[&named, &again], &global).unwrap();
        assert_eq!(tokens(&config), ["user-token", "ken-token"]);
        assert!(config.logins(&base)[1].place().ends_with("ken:1"));
        let mut variables = global.to_vec();
        variables.push(("npm_config_//host.example/:_authToken", "env-token"));
        assert_eq!(
            tokens(&loaded(home.path(), &[], &variables).unwrap()),
            ["env-token"]
        );
        fs::remove_file(home.path().join(".npmrc")).unwrap();
        assert_eq!(
            tokens(&loaded(home.path(), &[], &global).unwrap()),
            ["global-token"]
        );
    }

    #[test]
    fn a_client_that_would_not_check_certificates_is_refused() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(".npmrc"), "strict-ssl = false\n").unwrap();
        let error = loaded(home.path(), &[], &[]).unwrap_err().to_string();
        assert!(
            error.contains("strict-ssl=false") && error.contains(".npmrc"),
            "{error}"
        );
        let empty = tempfile::tempdir().unwrap();
        let variables = [("NPM_CONFIG_STRICT_SSL", "false")];
        assert!(matches!(
            loaded(empty.path(), &[], &variables),
            Err(ConfigError::NotStrict { .. })
        ));
        assert!(matches!(
            loaded(empty.path(), &[Path::new("/nowhere")], &[]),
            Err(ConfigError::Unreadable { .. })
        ));
        assert!(matches!(
            loaded(empty.path(), &[empty.path()], &[]),
            Err(ConfigError::Unfit { .. })
        ));
    }
}
