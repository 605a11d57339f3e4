//! Finds the repositories of an organisation or a person, with their workflows' texts, fifty a call.
//!
//! Archived repositories and forks are told apart, not left out: whoever asks wants to know what they hold. A list is
//! complete only if as many came as GitHub counts. Names that do not fit GitHub's grammar are findings, not values.

use std::collections::BTreeSet;

use serde_json::json;

use super::cost::REPOS_A_CALL;
use super::files::{CheckoutFiles, Listed};
use super::graph::{self, Content, GraphError};
use super::pattern::Patterns;
use super::{GitHub, GithubError};
use crate::model::fact::{Answer, ForgeFact, RightsFact};
use crate::model::id::Subject;
use crate::model::name::{Login, RepoName};
use crate::model::time::Ts;
use crate::safe::shown::visible;

/// The folder of workflows.
const WORKFLOWS: &str = ".github/workflows";

/// Which repositories are scanned. Patterns match `name` or `owner/name`.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Empty takes all.
    pub include: Patterns,
    pub exclude: Patterns,
    pub archived: bool,
    pub forks: bool,
}

/// Why a repository is listed and not scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkippedRepo {
    Excluded,
    Archived,
    Fork,
}

impl SkippedRepo {
    pub fn word(self) -> &'static str {
        match self {
            Self::Excluded => "excluded",
            Self::Archived => "archived",
            Self::Fork => "fork",
        }
    }
}

/// What the one who asks may do in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mine {
    NotTold,
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

/// One repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub repo: Subject,
    pub name: RepoName,
    /// GitHub's own id, by which it is asked for again.
    pub node_id: Box<str>,
    pub fact: ForgeFact,
    pub mine: Mine,
    /// Workflow files and the root package.json.
    pub files: CheckoutFiles,
    /// Id of the workflow folder: equal ids are equal files.
    pub workflows: Option<Box<str>>,
    /// The CODEOWNERS file that counts, empty where there is none; none where it was not seen.
    pub owners: Option<Box<str>>,
    pub aside: Option<SkippedRepo>,
}

/// One page of a discovery.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub found: Vec<Found>,
    /// What could not be shown or has no fit name, in words.
    pub gaps: Vec<Box<str>>,
    /// Who asks.
    pub viewer: Option<Login>,
    pub total: Option<u64>,
    /// Where the next page starts; none after the last.
    pub next: Option<String>,
    /// As many were asked for: fewer than before where GitHub could not give so many at once.
    pub first: u32,
    pub at: Option<Ts>,
}

/// Everything a discovery found.
#[derive(Debug, Clone, Default)]
pub struct Discovery {
    pub found: Vec<Found>,
    pub gaps: Vec<Box<str>>,
    pub viewer: Option<Login>,
    pub complete: bool,
    pub at: Option<Ts>,
}

impl Discovery {
    /// Gives a fact for every repository that was found.
    pub fn answers(&self) -> Vec<(Subject, Answer)> {
        let forge = |found: &Found| (found.repo, Answer::Forge(found.fact.clone()));
        self.found.iter().map(forge).chain(self.rights()).collect()
    }

    /// Gives what the one who asks may do in these repositories.
    pub fn rights(&self) -> Option<(Subject, Answer)> {
        let viewer = self.viewer.as_ref()?;
        let told = self.found.iter().all(|found| found.mine != Mine::NotTold);
        let who = |wanted: fn(Mine) -> bool| {
            let all = self.found.iter().filter(|found| wanted(found.mine));
            all.map(|found| found.repo).collect::<Vec<_>>()
        };
        let fact = RightsFact {
            login: viewer.as_str().into(),
            complete: self.complete && told,
            admin: who(|mine| mine == Mine::Admin),
            write: who(|mine| matches!(mine, Mine::Write | Mine::Maintain)),
        };
        Some((Subject::person(viewer.as_str()), Answer::Rights(fact)))
    }
}

impl GitHub {
    /// Finds all repositories of an organisation or person; `tell` hears how many of how many have come.
    /// Costs [`super::cost::of_discovery`], more where pages had to be halved.
    ///
    /// # Errors
    /// When GitHub cannot be asked, or shows no such account.
    pub async fn discover(
        &self,
        login: &Login,
        choice: &Choice,
        tell: &mut (dyn FnMut(u64, Option<u64>) + Send),
    ) -> Result<Discovery, GithubError> {
        let mut all = Discovery {
            complete: true,
            ..Discovery::default()
        };
        let (mut after, mut first) = (None, REPOS_A_CALL);
        let mut names = BTreeSet::new();
        loop {
            let page = self
                .discover_page(login, choice, after.as_deref(), first)
                .await?;
            all.at = all.at.or(page.at);
            all.viewer = all.viewer.or(page.viewer);
            all.complete &= page.gaps.is_empty();
            all.gaps.extend(page.gaps);
            // A repository that moved while pages were read comes twice.
            all.found.extend(
                page.found
                    .into_iter()
                    .filter(|found| names.insert(found.repo)),
            );
            tell(all.found.len() as u64, page.total);
            // A page that came as large as it was asked for may be followed by a larger one.
            first = if page.first == first {
                first.saturating_mul(2).min(REPOS_A_CALL)
            } else {
                page.first
            };
            match page.next {
                Some(next) if after.as_ref() != Some(&next) => after = Some(next),
                _ => {
                    let come = all.found.len() as u64 + all.gaps.len() as u64;
                    if page.total.is_none_or(|total| total != come) {
                        all.complete = false;
                        let total = page
                            .total
                            .map_or("an unknown number".to_owned(), |total| total.to_string());
                        all.gaps
                            .push(format!("{come} of {total} repositories came").into());
                    }
                    return Ok(all);
                }
            }
        }
    }

    /// Reads one page, of fewer repositories where GitHub cannot give as many at once.
    ///
    /// # Errors
    /// As [`GitHub::discover`].
    pub async fn discover_page(
        &self,
        login: &Login,
        choice: &Choice,
        after: Option<&str>,
        first: u32,
    ) -> Result<Page, GithubError> {
        let (mut first, mut texts) = (first.clamp(1, REPOS_A_CALL), true);
        let answer = loop {
            let variables =
                json!({"login": login.as_str(), "first": first, "after": after, "texts": texts});
            match self
                .graph::<graph::Discover>(&graph::DISCOVER, variables)
                .await
            {
                Err(error) if error.is_too_much() && first > 1 => first /= 2,
                Err(error) if error.is_too_much() && texts => texts = false,
                other => break other?,
            }
        };
        let hidden = || GithubError::Hidden {
            what: visible(login.as_str()).into(),
            needs: None,
        };
        let list = answer
            .data
            .repository_owner
            .and_then(|owner| owner.repositories)
            .ok_or_else(hidden)?;
        let mut page = Page {
            viewer: answer
                .data
                .viewer
                .and_then(|viewer| Login::parse(&viewer.login).ok()),
            total: list.total_count,
            next: list
                .page_info
                .end_cursor
                .filter(|_| list.page_info.has_next_page),
            first,
            at: answer.at,
            ..Page::default()
        };
        self.take(list.nodes, &answer.errors, choice, texts, &mut page)
            .await?;
        Ok(page)
    }

    /// Reads known repositories again by node id; gives those that are still to be seen. One point for fifty.
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn repositories(&self, ids: &[&str], choice: &Choice) -> Result<Page, GithubError> {
        let mut page = Page::default();
        let chunks = ids.chunks(REPOS_A_CALL as usize).rev();
        let mut work: Vec<(&[&str], bool)> = chunks.map(|some| (some, true)).collect();
        while let Some((some, texts)) = work.pop() {
            let variables = json!({"ids": some, "texts": texts});
            match self
                .graph::<graph::Repositories>(&graph::REPOSITORIES, variables)
                .await
            {
                Ok(answer) => {
                    page.at = page.at.or(answer.at);
                    let viewer = answer
                        .data
                        .viewer
                        .and_then(|viewer| Login::parse(&viewer.login).ok());
                    page.viewer = page.viewer.take().or(viewer);
                    self.take(answer.data.nodes, &answer.errors, choice, texts, &mut page)
                        .await?;
                }
                Err(error) if error.is_too_much() && some.len() > 1 => {
                    let (left, right) = some.split_at(some.len() / 2);
                    work.extend([(right, true), (left, true)]);
                }
                Err(error) if error.is_too_much() && texts => work.push((some, false)),
                Err(error) => return Err(error),
            }
        }
        Ok(page)
    }

    async fn take(
        &self,
        nodes: Vec<Option<graph::Repository>>,
        errors: &[GraphError],
        choice: &Choice,
        texts: bool,
        page: &mut Page,
    ) -> Result<(), GithubError> {
        for (at, node) in nodes.into_iter().enumerate() {
            let own: Vec<&GraphError> = errors
                .iter()
                .filter(|error| error.node() == Some(at))
                .collect();
            let Some(node) = node.filter(|node| !node.name_with_owner.is_empty()) else {
                let says = own
                    .first()
                    .map_or("GitHub shows nothing of it", |error| &error.message);
                page.gaps
                    .push(format!("a repository: {}", visible(says)).into());
                continue;
            };
            let Ok(name) = RepoName::parse(&node.name_with_owner) else {
                page.gaps.push(
                    format!("`{}` is no repository name", visible(&node.name_with_owner)).into(),
                );
                continue;
            };
            let (mut found, rest) = self.found(name, node, &own, choice);
            if !texts {
                self.take_apart(&mut found).await?;
            } else if !rest.is_empty() {
                found.files.add(self.fetch_blobs(&found.name, &rest).await?);
            }
            found.files.files.sort_by(|a, b| a.0.cmp(&b.0));
            page.found.push(found);
        }
        Ok(())
    }

    /// Reads by REST the files of a repository that are too much for one answer.
    async fn take_apart(&self, found: &mut Found) -> Result<(), GithubError> {
        let Some(commit) = found.files.commit.clone() else {
            return Ok(());
        };
        // Not looked at.
        found.owners = None;
        let wants = |path: &str| {
            let workflow = path
                .strip_prefix(WORKFLOWS)
                .and_then(|rest| rest.strip_prefix('/'));
            path == "package.json" || workflow.is_some_and(|file| !file.contains('/'))
        };
        match self.fetch_tree(&found.name, &commit).await {
            Ok(tree) => {
                let folder = tree.entries.iter().find(|entry| &*entry.path == WORKFLOWS);
                found.workflows = folder.map(|entry| entry.sha.clone());
                found.files = self.gather(found.files.clone(), tree, &wants).await?;
                Ok(())
            }
            Err(error) if error.affects_one_resource() => {
                found.files.lacks(error.to_string());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Reads one node; gives beside it the files whose text has to be fetched by itself.
    fn found(
        &self,
        name: RepoName,
        node: graph::Repository,
        errors: &[&GraphError],
        choice: &Choice,
    ) -> (Found, Vec<Listed>) {
        let branch = node.default_branch_ref.unwrap_or_default();
        let commit = branch
            .target
            .map(|target| target.oid)
            .filter(|oid| !oid.is_empty());
        let git_ref = format!("refs/heads/{}", branch.name);
        let mut files = CheckoutFiles::new(name.clone(), commit, git_ref.into());
        let failed = |key: &str| {
            errors
                .iter()
                .find(|error| error.names(key))
                .map(|error| visible(&error.message))
        };
        for key in ["workflows", "package", "defaultBranchRef"] {
            if let Some(says) = failed(key) {
                files.lacks(says);
            }
        }
        let owners = owners(&[
            node.owners_in_github,
            node.owners_in_root,
            node.owners_in_docs,
        ]);
        let owners = owners.filter(|_| {
            ["ownersInGithub", "ownersInRoot", "ownersInDocs"]
                .iter()
                .all(|key| failed(key).is_none())
        });
        let workflows = node
            .workflows
            .as_ref()
            .map(|tree| tree.oid.clone())
            .filter(|oid| !oid.is_empty());
        let entries = node
            .workflows
            .and_then(|tree| tree.entries)
            .unwrap_or_default();
        let mut rest = files.take_folder(WORKFLOWS, entries);
        if let Some(package) = node.package.filter(|package| !package.oid.is_empty()) {
            let oid = package.oid.clone();
            rest.extend(files.take_text("package.json".into(), &oid, Some(package)));
        }
        let fact = ForgeFact {
            name: name.as_str().into(),
            id: node.database_id,
            owner_id: node.owner.database_id,
            visibility: node.visibility.to_ascii_lowercase().into(),
            archived: node.is_archived,
            fork: node.is_fork,
            default_branch: branch.name,
            // What workflows do is for a scanner to say.
            publishes: None,
            created: node.created_at,
            pushed: node.pushed_at,
        };
        let found = Found {
            repo: self.subject(name.as_str()),
            node_id: node.id,
            mine: mine(node.viewer_permission.as_deref()),
            aside: choice.aside(&name, &fact),
            name,
            fact,
            files,
            workflows,
            owners,
        };
        (found, rest)
    }
}

impl Choice {
    /// Tells why a repository is not scanned; none for one that is.
    pub fn aside(&self, name: &RepoName, fact: &ForgeFact) -> Option<SkippedRepo> {
        let full = name.as_str();
        let short = full.rsplit('/').next().unwrap_or(full);
        let taken = |patterns: &Patterns| patterns.take(full) || patterns.take(short);
        if taken(&self.exclude) || !self.include.is_empty() && !taken(&self.include) {
            return Some(SkippedRepo::Excluded);
        }
        if fact.archived && !self.archived {
            return Some(SkippedRepo::Archived);
        }
        (fact.fork && !self.forks).then_some(SkippedRepo::Fork)
    }
}

/// Gives the first CODEOWNERS file that is there, as GitHub does; none where its text did not come whole.
fn owners(places: &[Option<Content>]) -> Option<Box<str>> {
    match places
        .iter()
        .flatten()
        .find(|content| !content.oid.is_empty())
    {
        None => Some("".into()),
        Some(content) if content.is_truncated => None,
        Some(content) => content.text.as_deref().map(Into::into),
    }
}

fn mine(permission: Option<&str>) -> Mine {
    match permission {
        Some("ADMIN") => Mine::Admin,
        Some("MAINTAIN") => Mine::Maintain,
        Some("WRITE") => Mine::Write,
        Some("TRIAGE") => Mine::Triage,
        Some("READ") => Mine::Read,
        _ => Mine::NotTold,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn archived_repositories_and_forks_are_set_aside_and_patterns_decide_first() {
        let choice = Choice {
            include: Patterns::parse(["acme/*", "!acme/secret-*"]).unwrap(),
            exclude: Patterns::parse(["sandbox-*"]).unwrap(),
            ..Choice::default()
        };
        let fact = |archived, fork| ForgeFact {
            archived,
            fork,
            ..ForgeFact::default()
        };
        for (name, archived, fork, expected) in [
            ("acme/ui", false, false, None),
            ("acme/ui", true, true, Some(SkippedRepo::Archived)),
            ("acme/ui", false, true, Some(SkippedRepo::Fork)),
            ("acme/sandbox-1", true, false, Some(SkippedRepo::Excluded)),
            ("acme/secret-1", false, false, Some(SkippedRepo::Excluded)),
            ("other/ui", false, false, Some(SkippedRepo::Excluded)),
        ] {
            assert_eq!(
                choice.aside(&RepoName::parse(name).unwrap(), &fact(archived, fork)),
                expected,
                "{name}"
            );
        }
        let all = Choice {
            archived: true,
            forks: true,
            ..Choice::default()
        };
        assert_eq!(
            all.aside(&RepoName::parse("acme/ui").unwrap(), &fact(true, true)),
            None
        );
    }

    #[test]
    fn the_first_code_owners_file_counts() {
        let file = |text: &str| {
            Some(Content {
                oid: "a".into(),
                text: Some(text.to_owned()),
                ..Content::default()
            })
        };
        assert_eq!(owners(&[None, file("b"), file("c")]).as_deref(), Some("b"));
        assert_eq!(
            owners(&[None, Some(Content::default()), None]).as_deref(),
            Some("")
        );
        let cut = Some(Content {
            is_truncated: true,
            ..file("x").unwrap()
        });
        assert_eq!(owners(&[cut, file("b")]), None);
    }
}
