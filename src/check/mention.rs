//! Secrets that CI files name, wherever they stand: what a denylist is held against.
//!
//! Reads decoded YAML scalars, so that an escape in a quoted string hides nothing; comments are not read. Wider than
//! what the scan counts as a token use: a denied secret may not be named by any step, whatever the step does with it.

use std::sync::LazyLock;

use regex::Regex;

use super::unseen::{self, Unseen};
use crate::scan::tree::{Entry, FileKind, SIZE_CAP, Tree};
use crate::scan::yaml::{Node, Yaml};

/// Most levels of a CI file that are walked.
pub(super) const MAX_DEPTH: u32 = 64;

/// One secret named in a CI file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    pub file: String,
    pub line: u32,
    /// `None` where the file reads secrets in a way that hides which.
    pub name: Option<String>,
}

/// What the CI files of one tree name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mentions {
    pub found: Vec<Mention>,
    /// Files that could not be read, with the reason.
    pub unread: Vec<(String, String)>,
    /// Places where a credential goes to what cannot be seen.
    pub unseen: Vec<Unseen>,
}

/// `secrets.NAME` and `secrets['NAME']` of GitHub's expressions, in any case and spacing.
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)\bsecrets\s*(?:\.\s*([a-z_][a-z0-9_-]*)|\[\s*['"]([^'"]+)['"]\s*\])"#).ok()
});

/// `secrets[…]` with anything but a literal, and the whole context handed to a function or dumped.
static HIDDEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)\bsecrets\s*\[\s*[^'"\s]|\bsecrets\s*\.\s*\*|\bsecrets\s*[),]|\$\{\{\s*secrets\s*\}\}"#).ok()
});

/// Words that may be names of variables.
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z_][A-Za-z0-9_]*").ok());

/// Finds the secrets that the CI files of a tree name. Outside GitHub only names that `denied` takes are kept, since
/// there any word may be a variable.
pub fn find(tree: &dyn Tree, denied: &dyn Fn(&str) -> bool) -> Mentions {
    let mut mentions = Mentions::default();
    let is_ci = |e: &&Entry| e.kind.is_ci() || e.kind == FileKind::GithubAction;
    for entry in tree.entries().iter().filter(is_ci) {
        match tree.read(&entry.path, SIZE_CAP) {
            Ok(text) => read(tree, entry, &text, denied, &mut mentions),
            Err(error) => mentions
                .unread
                .push((entry.path.clone(), error.to_string())),
        }
    }
    mentions.found.sort();
    mentions.found.dedup();
    mentions.unseen.sort();
    mentions.unseen.dedup();
    mentions
}

fn read(
    tree: &dyn Tree,
    entry: &Entry,
    text: &str,
    denied: &dyn Fn(&str) -> bool,
    mentions: &mut Mentions,
) {
    let file = File {
        path: &entry.path,
        github: matches!(
            entry.kind,
            FileKind::GithubWorkflow | FileKind::GithubAction
        ),
        denied,
    };
    if entry.kind == FileKind::Jenkins {
        for (i, line) in text.lines().enumerate() {
            let at = u32::try_from(i + 1).unwrap_or(u32::MAX);
            file.scalar(line, &|_| at, &mut mentions.found);
        }
        mentions.unseen.extend(unseen::plain(&entry.path, text));
        return;
    }
    match Yaml::parse(text, false) {
        Ok(yaml) => {
            for document in yaml.documents() {
                file.walk(document, 0, &mut mentions.found);
                let unseen = unseen::read(tree, entry.kind, &entry.path, document);
                mentions.unseen.extend(unseen);
            }
            if yaml.exhausted() {
                let why = "aliases multiply beyond what is read".to_owned();
                mentions.unread.push((entry.path.clone(), why));
            }
        }
        Err(error) => mentions
            .unread
            .push((entry.path.clone(), error.to_string())),
    }
}

struct File<'a> {
    path: &'a str,
    github: bool,
    denied: &'a dyn Fn(&str) -> bool,
}

impl File<'_> {
    fn walk(&self, node: Node<'_, '_>, depth: u32, found: &mut Vec<Mention>) {
        if depth > MAX_DEPTH {
            return;
        }
        if let Some(text) = node.as_str() {
            self.scalar(text, &|i| node.line_within(i, ""), found);
        }
        for item in node.items() {
            self.walk(item, depth + 1, found);
        }
        for (key, value) in node.entries() {
            self.walk(key, depth + 1, found);
            self.walk(value, depth + 1, found);
        }
    }

    fn scalar(&self, text: &str, line: &dyn Fn(u32) -> u32, found: &mut Vec<Mention>) {
        let mut push = |at: usize, name: Option<&str>| {
            let before = text.get(..at).unwrap_or_default();
            let index = memchr::memchr_iter(b'\n', before.as_bytes()).count();
            found.push(Mention {
                file: self.path.to_owned(),
                line: line(u32::try_from(index).unwrap_or(u32::MAX)),
                name: name.map(str::to_owned),
            });
        };
        if self.github {
            for hit in NAMED.iter().flat_map(|r| r.captures_iter(text)) {
                if let Some(name) = hit.get(1).or_else(|| hit.get(2)) {
                    push(name.start(), Some(name.as_str()));
                }
            }
            for hit in HIDDEN.iter().flat_map(|r| r.find_iter(text)) {
                push(hit.start(), None);
            }
        } else {
            for hit in WORD.iter().flat_map(|r| r.find_iter(text)) {
                if (self.denied)(hit.as_str()) {
                    push(hit.start(), Some(hit.as_str()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;
    use crate::scan::tree::Memory;

    fn names(path: &str, text: &str) -> Vec<(u32, Option<String>)> {
        let tree = Memory::new([(path, text)]);
        let mentions = find(&tree, &|name| name == "NPM_TOKEN");
        assert_eq!(mentions.unread, []);
        mentions
            .found
            .into_iter()
            .map(|m| (m.line, m.name))
            .collect()
    }

    const FLOW: &str = ".github/workflows/a.yml";

    #[test]
    fn names_in_every_spelling_github_takes() {
        for text in [
            "a: ${{ secrets.NPM_TOKEN }}",
            "a: ${{secrets . NPM_TOKEN}}",
            "a: ${{ SECRETS['NPM_TOKEN'] }}",
            "a: \"${{ secrets[ \\\"NPM_TOKEN\\\" ] }}\"",
            "a: \"${{ secrets.NPM\\x5fTOKEN }}\"",
            "a: \"\\u0024{{ \\u0073ecrets.NPM_TOKEN }}\"",
            "a: >-\n  ${{ secrets.\n  NPM_TOKEN }}",
            "if: secrets.NPM_TOKEN != ''",
            "x: &x ${{ secrets.NPM_TOKEN }}",
        ] {
            let found = names(FLOW, text);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].1.as_deref(), Some("NPM_TOKEN"), "{text}");
        }
        assert_eq!(
            names(
                FLOW,
                "# ${{ secrets.NPM_TOKEN }}\na: NPM_TOKEN\nb: my_secrets.X"
            ),
            []
        );
        assert_eq!(
            names(FLOW, "on: push\nrun: |\n  echo hi\n  x ${{ secrets.A }}\n"),
            [(4, Some("A".to_owned()))]
        );
    }

    #[test]
    fn hidden_reads_are_seen() {
        for text in [
            "a: ${{ secrets[format('NPM_{0}', 'TOKEN')] }}",
            "a: ${{ secrets[inputs.name] }}",
            "a: ${{ toJSON(secrets) }}",
            "a: ${{ toJSON( secrets ) }}",
            "a: ${{ contains(secrets, 'x') }}",
            "a: ${{ secrets }}",
            "a: ${{ join(secrets.*, ',') }}",
        ] {
            assert_eq!(
                names(FLOW, text)
                    .iter()
                    .filter(|(_, n)| n.is_none())
                    .count(),
                1,
                "{text}"
            );
        }
        assert_eq!(
            names(FLOW, "jobs: {a: {uses: ./b.yml, secrets: inherit}}"),
            []
        );
    }

    #[test]
    fn elsewhere_denied_words_are_seen() {
        let at = |path, text| names(path, text).first().map(|(line, _)| *line);
        assert_eq!(
            at(".gitlab-ci.yml", "a:\n  script: echo $NPM_TOKEN"),
            Some(2)
        );
        assert_eq!(
            at(".circleci/config.yml", "x: \"${NPM\\u005fTOKEN}\""),
            Some(1)
        );
        assert_eq!(
            at(
                "Jenkinsfile",
                "node {\n withCredentials([string(credentialsId: 'NPM_TOKEN')]) {}\n}"
            ),
            Some(2)
        );
        assert_eq!(at(".gitlab-ci.yml", "a:\n  script: echo $OTHER"), None);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let tree = Memory::new([(FLOW, "a: [")]);
        assert_eq!(find(&tree, &|_| true).unread.len(), 1);
    }
}
