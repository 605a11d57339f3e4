//! Credentials written to npm's and yarn's configuration files, and the variables they come from.
//!
//! Holds names of variables and expressions only: a literal value is noted as such and never kept.

use super::super::Tool;
use super::super::script::Command;
use super::{Flags, Frame, Walk, What};

/// One credential setting of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// Registry host the credential is for; `None` for an unscoped `_auth` or a default.
    pub host: Option<String>,
    /// The expression or variable text, such as `${NPM_TOKEN}`; empty for a literal value, which is never kept.
    pub value: String,
    /// True where a value stands there literally.
    pub literal: bool,
}

impl Auth {
    fn new(host: Option<&str>, value: &str) -> Self {
        let value = value.trim().trim_matches(['"', '\'']);
        let literal = !value.is_empty()
            && !value.contains('$')
            && !value.contains('%')
            && !value.contains("{{");
        let kept = if literal {
            String::new()
        } else {
            value.to_owned()
        };
        Self {
            host: host.map(|h| h.to_ascii_lowercase()),
            value: kept,
            literal,
        }
    }
}

/// Names of shell variables in a text: `$NAME`, `${NAME}`, `${NAME:-x}`, `$env:NAME`, `%NAME%`.
pub fn variables(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = rest.get(at + 1..).unwrap_or_default();
        if rest.starts_with("{{") {
            rest = rest.split_once("}}").map_or("", |(_, r)| r);
            continue;
        }
        let name = rest
            .trim_start_matches('{')
            .trim_start_matches("env:")
            .trim_start_matches("process.env.");
        let end = name
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(name.len());
        if let Some(name) = name.get(..end).filter(|n| !n.is_empty()) {
            out.push(name.to_owned());
        }
    }
    if out.is_empty()
        && let Some(name) = text
            .trim()
            .strip_prefix('%')
            .and_then(|t| t.strip_suffix('%'))
    {
        out.push(name.to_owned());
    }
    out
}

/// Reads one key and value of npm's or yarn's settings; `None` if it is no credential.
pub fn setting(key: &str, value: &str) -> Option<Auth> {
    let key = key.trim().trim_matches(['"', '\'']);
    let last = key.rsplit([':', '.']).next().unwrap_or(key);
    if !matches!(
        last,
        "_authToken" | "_auth" | "_password" | "npmAuthToken" | "npmAuthIdent"
    ) {
        return None;
    }
    let host = key
        .find("//")
        .and_then(|at| key.get(at + 2..))
        .map(|h| h.split(['/', ':', '"', '\'', ']']).next().unwrap_or(h));
    Some(Auth::new(host.filter(|h| !h.is_empty()), value))
}

/// Reads the credential lines of an .npmrc text, with the line number from 0.
pub fn npmrc_auth(text: &str) -> Vec<(u32, Auth)> {
    let mut out = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') || line.starts_with(';') {
            continue;
        }
        if let Some((key, value)) = line.split_once('=')
            && let Some(auth) = setting(key, value)
        {
            out.push((u32::try_from(index).unwrap_or(u32::MAX), auth));
        }
    }
    out
}

/// Reads the credentials of a bunfig.toml text: the `token` of `install.registry` and of each of `install.scopes`, which
/// bun takes from a variable where it begins with `$` (<https://bun.com/docs/runtime/bunfig#install-registry>).
pub fn bunfig_auth(text: &str) -> Vec<(u32, Auth)> {
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let Some(install) = table.get("install").and_then(toml::Value::as_table) else {
        return Vec::new();
    };
    let scopes = install.get("scopes").and_then(toml::Value::as_table);
    let registries = install
        .get("registry")
        .into_iter()
        .chain(scopes.into_iter().flat_map(toml::Table::values));
    registries
        .filter_map(|registry| {
            let word = |key: &str| registry.get(key).and_then(toml::Value::as_str);
            let token = word("token")?;
            let host = word("url").and_then(|url| url.split("//").nth(1)?.split('/').next());
            let quoted = |line: &str| line.contains("token") && line.contains(token);
            let line = text.lines().position(quoted).unwrap_or_default();
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            Some((line, Auth::new(host, token)))
        })
        .collect()
}

/// Reads the credentials of a .yarnrc.yml text: `npmAuthToken` and `npmAuthIdent`, with the registry above them.
pub fn yarnrc_auth(text: &str) -> Vec<(u32, Auth)> {
    let mut out = Vec::new();
    let mut host: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with('#') {
            continue;
        }
        if !line.starts_with([' ', '\t']) {
            host = None;
        }
        if let Some((key, value)) = trimmed
            .split_once(": ")
            .or_else(|| trimmed.strip_suffix(':').map(|k| (k, "")))
        {
            if let Some(at) = key.find("//") {
                host = key.get(at + 2..).map(|h| {
                    h.split(['/', '"', '\'', ':'])
                        .next()
                        .unwrap_or(h)
                        .to_owned()
                });
            }
            if matches!(key, "npmRegistryServer" | "npmPublishRegistry") {
                host = value
                    .split("//")
                    .nth(1)
                    .map(|h| h.split(['/', '"', '\'']).next().unwrap_or(h).to_owned());
            }
            if let Some(mut auth) = setting(key, value).filter(|_| !value.is_empty()) {
                auth.host.clone_from(&host);
                out.push((u32::try_from(index).unwrap_or(u32::MAX), auth));
            }
        }
    }
    out
}

/// Tells whether a file name is one that npm, yarn or bun reads credentials from.
pub(super) fn is_config(target: &str) -> bool {
    let ends = |name: &str| {
        target
            .len()
            .checked_sub(name.len())
            .and_then(|at| target.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(name))
    };
    let names = ["npmrc", ".yarnrc.yml", ".yarnrc", "bunfig.toml"];
    names.into_iter().any(ends)
        || target
            .to_ascii_lowercase()
            .contains("npm_config_userconfig")
}

/// What `echo`, `printf` and the like write: the words after the program, `printf`'s in the places of its format.
fn said(words: &[String]) -> String {
    let (program, rest) = words
        .split_first()
        .map_or(("", words), |(p, r)| (p.as_str(), r));
    let mut rest = rest.iter();
    let mut text = String::new();
    if program == "printf"
        && let Some(format) = rest.next()
    {
        let mut parts = format.split("%s");
        text.push_str(parts.next().unwrap_or(""));
        for part in parts {
            text.push_str(rest.next().map_or("", String::as_str));
            text.push_str(part);
        }
    }
    for word in rest {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

impl Walk<'_, '_> {
    /// Notes what a command writes to configuration files and to the environment of later steps.
    pub(super) fn writes(&mut self, command: &Command, frame: &Frame) {
        let mut targets: Vec<&str> = command
            .redirects
            .iter()
            .map(|r| r.target.as_str())
            .collect();
        let name = command.program();
        let by_word = matches!(name, "tee" | "Out-File" | "Set-Content" | "Add-Content");
        if by_word {
            targets.extend(command.words.iter().skip(1).map(String::as_str));
        }
        let config = targets.iter().any(|t| is_config(t));
        let environment = targets
            .iter()
            .any(|t| t.contains("GITHUB_ENV") || t.contains("BASH_ENV"));
        if !config && !environment {
            return self.code_writes(command, frame);
        }
        let mut text = command.input.clone().unwrap_or_default();
        let speaks = |words: &[String]| {
            matches!(
                words.first().map(String::as_str),
                Some("echo" | "printf" | "Write-Output" | "cat" | "sed")
            )
        };
        for words in [Some(&command.words), command.piped_from.as_ref()]
            .into_iter()
            .flatten()
        {
            if speaks(words) || by_word {
                text.push('\n');
                text.push_str(&said(words).replace("\\n", "\n"));
            }
        }
        if environment {
            return self.environment_lines(&text, frame);
        }
        let before = self.out.len();
        for (_, auth) in npmrc_auth(&text).into_iter().chain(yarnrc_auth(&text)) {
            if let Some(act) = self.push(What::Auth, Tool::Other, Flags::default(), frame) {
                act.auth = Some(auth);
            }
        }
        for line in text.lines() {
            let (key, value) = line
                .split_once('=')
                .or_else(|| line.split_once(": "))
                .unwrap_or(("", ""));
            let key = key.trim();
            let scope = key.strip_suffix(":registry").filter(|k| k.starts_with('@'));
            if key == "registry"
                || key == "npmRegistryServer"
                || key == "npmPublishRegistry"
                || scope.is_some()
            {
                let url = value.trim().trim_matches('"').to_owned();
                let what = What::Registry {
                    url,
                    scope: scope.map(str::to_owned),
                };
                self.push(what, Tool::Other, Flags::default(), frame);
            }
        }
        // `echo "$NPMRC" > ~/.npmrc`: the whole file comes from a variable.
        let whole = text.trim();
        if self.out.len() == before
            && (whole.starts_with('$') && !whole.contains(char::is_whitespace)
                || whole.starts_with("${{") && whole.ends_with("}}"))
        {
            let auth = Auth::new(None, whole);
            if let Some(act) = self.push(What::Auth, Tool::Other, Flags::default(), frame) {
                act.auth = Some(auth);
            }
        }
    }

    /// `cp .github/npmrc ~/.npmrc`: what the copied file says counts from then on.
    fn copied(&mut self, command: &Command, frame: &Frame) {
        let [program, .., target] = command.words.as_slice() else {
            return;
        };
        if !matches!(program.as_str(), "cp" | "mv" | "ln") || !is_config(target) {
            return;
        }
        let source = command.words.iter().skip(1).find(|w| !w.starts_with('-'));
        let path =
            source.and_then(|s| super::super::tree::join(frame.dir.as_deref().unwrap_or(""), s));
        let Some(text) = path.and_then(|p| self.project.read(&p)) else {
            return;
        };
        for (_, auth) in npmrc_auth(&text).into_iter().chain(yarnrc_auth(&text)) {
            if let Some(act) = self.push(What::Auth, Tool::Other, Flags::default(), frame) {
                act.auth = Some(auth);
            }
        }
    }

    fn environment_lines(&mut self, text: &str, frame: &Frame) {
        for line in text.lines() {
            let line = line.trim().trim_start_matches("export ");
            if let Some((name, value)) = super::super::script::assignment(line) {
                self.push(
                    What::SetEnv(name.to_owned(), value.to_owned()),
                    Tool::Other,
                    Flags::default(),
                    frame,
                );
            }
        }
    }

    /// `sed -i "s/x/_authToken=$T/" .npmrc` and helpers that log in.
    fn code_writes(&mut self, command: &Command, frame: &Frame) {
        self.copied(command, frame);
        let sets = command.words.iter().find(|w| w.contains("_authToken="));
        if let Some((key, value)) = sets.and_then(|w| w.split_once("_authToken="))
            && command.words.iter().any(|w| is_config(w))
        {
            let key = format!("{}_authToken", key.rsplit(['/', '|']).next().unwrap_or(""));
            let auth = setting(&key, value.split(['/', '|']).next().unwrap_or(value));
            if let Some(act) = self.push(What::Auth, Tool::Other, Flags::default(), frame) {
                act.auth = auth;
            }
        }
        let logs_in = |w: &String| {
            matches!(
                w.as_str(),
                "npm-cli-login" | "npm-auth-to-token" | "npm-login-noninteractive" | "makeshift"
            )
        };
        if command.words.iter().take(3).any(logs_in)
            && !command.words.iter().any(|w| w == "install" || w == "add")
        {
            self.push(What::Login, Tool::Npm, Flags::default(), frame);
        }
    }
}
