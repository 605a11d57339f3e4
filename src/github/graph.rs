//! GraphQL: the documents, what their answers hold, and what their errors mean.
//!
//! GitHub answers 200 with `errors` beside partial data: what an error names was not seen, the rest was. The documents
//! are files in `assets/github`, so that they can be checked against GitHub's schema. No I/O here.

use super::wire::{lenient, when};
use crate::model::time::Ts;
use serde::Deserialize;

/// A document and the operation that it holds.
#[derive(Debug, Clone)]
pub struct Document {
    pub operation: &'static str,
    pub text: std::borrow::Cow<'static, str>,
}

macro_rules! document {
    ($name:ident, $operation:literal, $($file:literal),+) => {
        pub const $name: Document = Document {
            operation: $operation,
            text: std::borrow::Cow::Borrowed(concat!($(include_str!(concat!("../../assets/github/", $file, ".graphql"))),+)),
        };
    };
}

document!(DISCOVER, "Discover", "discover", "found");
document!(REPOSITORIES, "Repositories", "repositories", "found");
document!(REFS, "Refs", "refs");
document!(SWEEP, "Sweep", "sweep", "run");
document!(LIVE, "Live", "live", "run");

/// Writes the document that asks for objects of one repository by id. Only hexadecimal ids get into it.
pub fn objects<'a>(ids: impl IntoIterator<Item = &'a str>) -> Document {
    use std::fmt::Write as _;
    let mut asked = String::new();
    let hex = |id: &&str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    for (at, id) in ids.into_iter().filter(hex).enumerate() {
        let _ = writeln!(
            asked,
            "    o{at}: object(oid: \"{id}\") {{\n      ...Content\n    }}"
        );
    }
    let text = format!(
        "query Objects($owner: String!, $name: String!) {{\n  rateLimit {{\n    cost\n    remaining\n    resetAt\n  }}\n  repository(owner: $owner, name: $name) {{\n{asked}  }}\n}}\n{}",
        include_str!("../../assets/github/object.graphql")
    );
    Document {
        operation: "Objects",
        text: text.into(),
    }
}

/// A whole answer.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub struct Envelope<T> {
    #[serde(default = "none")]
    pub data: Option<T>,
    #[serde(default, deserialize_with = "lenient")]
    pub errors: Vec<GraphError>,
}

fn none<T>() -> Option<T> {
    None
}

/// One error of an answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct GraphError {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub message: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub path: Vec<Segment>,
}

/// A step of the place that an error names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Segment {
    Index(usize),
    Key(Box<str>),
}

impl GraphError {
    /// Tells whether asking for less may help: the query took GitHub too long.
    pub fn is_too_much(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        [
            "timedout",
            "timeout",
            "something went wrong while executing your query",
            "resource limits",
        ]
        .iter()
        .any(|sign| message.contains(sign))
    }

    /// Tells whether a limit was hit.
    pub fn is_limit(&self) -> bool {
        matches!(
            &*self.kind,
            "RATE_LIMITED" | "RATE_LIMIT" | "graphql_rate_limit"
        )
    }

    /// Gives the index into the list that the error names (`nodes`), if it names one.
    pub fn node(&self) -> Option<usize> {
        let at = self
            .path
            .iter()
            .position(|segment| matches!(segment, Segment::Key(key) if &**key == "nodes"))?;
        match self.path.get(at + 1) {
            Some(Segment::Index(index)) => Some(*index),
            _ => None,
        }
    }

    /// Tells whether the error names a place under this key.
    pub fn names(&self, key: &str) -> bool {
        self.path
            .iter()
            .any(|segment| matches!(segment, Segment::Key(own) if &**own == key))
    }
}

/// What a query cost and what is left.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RateLimit {
    #[serde(deserialize_with = "lenient")]
    pub cost: u32,
    pub remaining: Option<u32>,
    #[serde(deserialize_with = "when")]
    pub reset_at: Option<Ts>,
}

/// An answer that tells what it cost.
pub trait Priced {
    fn price(&self) -> Option<RateLimit>;
}

macro_rules! priced {
    ($($name:ident),+) => {
        $(impl Priced for $name {
            fn price(&self) -> Option<RateLimit> {
                self.rate_limit
            }
        })+
    };
}

priced!(Discover, Repositories, Refs, Sweep, Live, Objects);

/// One page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: Deserialize<'de>")]
pub struct Connection<T> {
    pub total_count: Option<u64>,
    #[serde(default)]
    pub page_info: PageInfo,
    /// A null stands where something could not be shown.
    #[serde(default = "Vec::new", deserialize_with = "lenient")]
    pub nodes: Vec<Option<T>>,
}

/// Where the next page starts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PageInfo {
    pub end_cursor: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub has_next_page: bool,
}

/// Answer of `Discover`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Discover {
    pub rate_limit: Option<RateLimit>,
    pub viewer: Option<Viewer>,
    pub repository_owner: Option<RepositoryOwner>,
}

/// Who asks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Viewer {
    #[serde(deserialize_with = "lenient")]
    pub login: Box<str>,
}

/// An organisation or a person.
#[derive(Debug, Deserialize)]
pub struct RepositoryOwner {
    pub repositories: Option<Connection<Repository>>,
}

/// Answer of `Repositories`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repositories {
    pub rate_limit: Option<RateLimit>,
    pub viewer: Option<Viewer>,
    #[serde(default, deserialize_with = "lenient")]
    pub nodes: Vec<Option<Repository>>,
}

/// A repository with the files that every look brings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Repository {
    #[serde(deserialize_with = "lenient")]
    pub id: Box<str>,
    pub database_id: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub name_with_owner: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub visibility: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub is_archived: bool,
    #[serde(deserialize_with = "lenient")]
    pub is_disabled: bool,
    #[serde(deserialize_with = "lenient")]
    pub is_fork: bool,
    #[serde(deserialize_with = "lenient")]
    pub is_empty: bool,
    #[serde(deserialize_with = "when")]
    pub created_at: Option<Ts>,
    #[serde(deserialize_with = "when")]
    pub pushed_at: Option<Ts>,
    pub viewer_permission: Option<Box<str>>,
    #[serde(deserialize_with = "lenient")]
    pub owner: Owner,
    pub default_branch_ref: Option<Ref>,
    pub workflows: Option<Content>,
    pub package: Option<Content>,
    pub owners_in_github: Option<Content>,
    pub owners_in_root: Option<Content>,
    pub owners_in_docs: Option<Content>,
}

/// Whose repository it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Owner {
    #[serde(deserialize_with = "lenient")]
    pub login: Box<str>,
    pub database_id: Option<u64>,
}

/// A branch or tag.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Ref {
    #[serde(deserialize_with = "lenient")]
    pub name: Box<str>,
    pub target: Option<Target>,
    pub branch_protection_rule: Option<serde::de::IgnoredAny>,
}

/// What a ref names: a commit, or an annotated tag that names one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Target {
    #[serde(deserialize_with = "lenient")]
    pub oid: Box<str>,
    pub file: Option<Id>,
    pub target: Option<Box<Target>>,
}

/// An object by its id alone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Id {
    #[serde(deserialize_with = "lenient")]
    pub oid: Box<str>,
}

/// A blob's text or a tree's entries.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Content {
    #[serde(deserialize_with = "lenient")]
    pub oid: Box<str>,
    pub byte_size: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub is_binary: bool,
    #[serde(deserialize_with = "lenient")]
    pub is_truncated: bool,
    pub text: Option<String>,
    pub entries: Option<Vec<Entry>>,
}

/// One entry of a tree.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Entry {
    #[serde(deserialize_with = "lenient")]
    pub name: Box<str>,
    /// As Git has it: 40960 is a link.
    #[serde(deserialize_with = "lenient")]
    pub mode: u32,
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub oid: Box<str>,
    pub object: Option<Content>,
}

/// Answer of `Refs`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refs {
    pub rate_limit: Option<RateLimit>,
    #[serde(default, deserialize_with = "lenient")]
    pub nodes: Vec<Option<RefsOf>>,
}

/// The refs of a repository.
#[derive(Debug, Deserialize)]
pub struct RefsOf {
    #[serde(default, deserialize_with = "lenient")]
    pub id: Box<str>,
    pub refs: Option<Connection<Ref>>,
}

/// Answer of `Objects`: the aliases of [`objects`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Objects {
    pub rate_limit: Option<RateLimit>,
    pub repository: Option<std::collections::BTreeMap<Box<str>, Option<Content>>>,
}

/// Answer of `Sweep`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sweep {
    pub rate_limit: Option<RateLimit>,
    #[serde(default, deserialize_with = "lenient")]
    pub nodes: Vec<Option<Workflow>>,
}

/// A workflow with its last runs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Workflow {
    #[serde(deserialize_with = "lenient")]
    pub id: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub state: Box<str>,
    pub runs: Option<Connection<Run>>,
}

/// Answer of `Live`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    pub rate_limit: Option<RateLimit>,
    #[serde(default, deserialize_with = "lenient")]
    pub nodes: Vec<Option<Run>>,
}

/// One run as GraphQL shows it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Run {
    #[serde(deserialize_with = "lenient")]
    pub id: Box<str>,
    pub database_id: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub event: Box<str>,
    #[serde(deserialize_with = "lenient")]
    pub run_number: u64,
    #[serde(deserialize_with = "when")]
    pub created_at: Option<Ts>,
    #[serde(deserialize_with = "when")]
    pub updated_at: Option<Ts>,
    #[serde(deserialize_with = "lenient")]
    pub url: Box<str>,
    pub file: Option<RunFile>,
    #[serde(deserialize_with = "lenient")]
    pub check_suite: CheckSuite,
}

/// The workflow file that a run came from.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct RunFile {
    #[serde(deserialize_with = "lenient")]
    pub path: Box<str>,
}

/// What GraphQL keeps the state of a run in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CheckSuite {
    #[serde(deserialize_with = "lenient")]
    pub status: Box<str>,
    pub conclusion: Option<Box<str>>,
    /// Null for a tag and for a branch that is gone.
    pub branch: Option<Ref>,
    #[serde(deserialize_with = "lenient")]
    pub commit: Id,
    pub creator: Option<Viewer>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_object_ids_get_into_a_document() {
        let document = objects(["00ff", "\"){evil}", "", "AB12"]);
        assert!(document.text.contains("o0: object(oid: \"00ff\")"));
        assert!(document.text.contains("o1: object(oid: \"AB12\")"));
        assert!(!document.text.contains("evil") && !document.text.contains("o2:"));
    }

    #[test]
    fn every_document_holds_its_operation_and_its_fragments() {
        for one in [DISCOVER, REPOSITORIES, REFS, SWEEP, LIVE] {
            assert!(one.text.contains(&format!("query {}(", one.operation)));
            for (at, _) in one.text.match_indices("...") {
                let name: String = one
                    .text
                    .get(at + 3..)
                    .unwrap()
                    .chars()
                    .take_while(|c| c.is_alphanumeric())
                    .collect();
                if !name.is_empty() {
                    assert!(one.text.contains(&format!("fragment {name} on ")), "{name}");
                }
            }
        }
    }

    #[test]
    fn partial_data_comes_with_the_place_of_its_gap() {
        let answer: Envelope<Repositories> = serde_json::from_str(
            r#"{"data":{"nodes":[null,{"id":"R_1","nameWithOwner":"acme/ui","workflows":{}}]},
            "errors":[{"type":"FORBIDDEN","path":["nodes",0],"message":"Resource protected by organization SAML enforcement."}]}"#,
        )
        .unwrap();
        let nodes = answer.data.unwrap().nodes;
        assert!(nodes.first().unwrap().is_none());
        assert_eq!(
            &*nodes.last().unwrap().as_ref().unwrap().name_with_owner,
            "acme/ui"
        );
        let error = answer.errors.first().unwrap();
        assert_eq!(error.node(), Some(0));
        assert!(!error.is_limit() && !error.is_too_much());
    }

    #[test]
    fn too_much_and_limited_are_told_apart() {
        let answer: Envelope<Live> = serde_json::from_str(
            r#"{"errors":[{"message":"Something went wrong while executing your query. This may be the result of a timeout"},{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}"#,
        )
        .unwrap();
        assert!(answer.data.is_none());
        assert_eq!(
            answer
                .errors
                .iter()
                .map(|e| (e.is_too_much(), e.is_limit()))
                .collect::<Vec<_>>(),
            [(true, false), (false, true)]
        );
    }
}
