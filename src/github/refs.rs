//! Other refs that can publish: branches and tags run the workflow files of their own commit.
//!
//! Which refs can is for the caller to say, by trigger patterns. Refs whose workflow folder has the same id share its
//! files, so a hundred maintenance branches cost a few calls. What lies beyond the cap is said, never forgotten.

use std::collections::BTreeMap;

use serde_json::json;

use super::cost::{OBJECTS_A_CALL, REFS_A_CALL};
use super::files::CheckoutFiles;
use super::graph::{self, GraphError};
use super::pattern::Patterns;
use super::{GitHub, GithubError};
use crate::model::name::RepoName;
use crate::model::time::Ts;
use crate::safe::shown::visible;

/// The folder of workflows.
const WORKFLOWS: &str = ".github/workflows";

/// Which refs are looked at.
#[derive(Debug, Clone, Default)]
pub struct RefChoice {
    /// Branches whose pushes start a publish.
    pub branches: Patterns,
    /// Tags whose pushes start a publish.
    pub tags: Patterns,
    /// Protected branches are looked at whatever their name.
    pub protected: bool,
    /// Most branches and most tags that are listed, each; newest tags first.
    pub cap: usize,
}

/// One ref that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefLook {
    /// `refs/heads/…` or `refs/tags/…`.
    pub git_ref: Box<str>,
    pub commit: Box<str>,
    pub protected: bool,
    /// Id of its workflow folder; none where it has none.
    pub folder: Option<Box<str>>,
}

/// A repository whose refs are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefsAsked {
    pub repo: RepoName,
    /// GitHub's own id, as a discovery told it.
    pub node_id: Box<str>,
    /// Its default branch, which is left out.
    pub default: Box<str>,
    /// Ids of workflow folders whose files the caller has.
    pub known: Vec<Box<str>>,
}

impl RefsAsked {
    fn hidden(&self) -> GithubError {
        GithubError::Hidden {
            what: self.repo.as_str().into(),
            needs: None,
        }
    }
}

/// A call for one page of the refs of some repositories.
#[derive(Debug, Clone)]
struct Pages {
    /// Places in the list of what is asked.
    places: Vec<usize>,
    after: Option<String>,
    first: u32,
}

/// The refs that were chosen, and the files of each workflow folder that they have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RefLooks {
    pub refs: Vec<RefLook>,
    /// By folder id; those that the caller has are not among them.
    pub folders: BTreeMap<Box<str>, CheckoutFiles>,
    /// Every ref was listed and every folder came.
    pub complete: bool,
    pub why_not: Option<Box<str>>,
    pub at: Option<Ts>,
}

impl RefLooks {
    fn lacks(&mut self, why: impl Into<Box<str>>) {
        self.complete = false;
        self.why_not.get_or_insert_with(|| why.into());
    }

    /// Takes one page in, after which `come` refs have come; gives where the next one starts.
    fn page(
        &mut self,
        prefix: &str,
        list: graph::Connection<graph::Ref>,
        come: usize,
        cap: usize,
        take: impl Fn(&str, bool) -> bool,
    ) -> Option<String> {
        for node in list.nodes.into_iter().flatten() {
            let protected = node.branch_protection_rule.is_some();
            if take(&node.name, protected) {
                match look(prefix, &node, protected) {
                    Some(look) => self.refs.push(look),
                    None => self.lacks(format!("{prefix}{} names no commit", visible(&node.name))),
                }
            }
        }
        let more = list.page_info.has_next_page;
        let next = list.page_info.end_cursor.filter(|_| more);
        let total = list.total_count.filter(|total| *total != come as u64);
        match (&next, total) {
            (Some(_), _) if come >= cap => {
                let total = total.unwrap_or_default();
                self.lacks(format!(
                    "{come} of {total} refs below {prefix} were looked at"
                ));
                None
            }
            (Some(_), _) => next,
            (None, Some(total)) => {
                self.lacks(format!("{come} of {total} refs below {prefix} came"));
                None
            }
            (None, None) => None,
        }
    }
}

impl GitHub {
    /// Looks at the refs of repositories that `choice` takes, but for their default branches. Gives one answer for each
    /// that is asked, in the same order. Costs one point for the listings of all, and [`super::cost::of_refs`] for each
    /// that has more to it.
    ///
    /// # Errors
    /// When GitHub cannot be asked; for one repository, when GitHub does not show it.
    pub async fn other_refs(
        &self,
        asked: &[RefsAsked],
        choice: &RefChoice,
    ) -> Result<Vec<Result<RefLooks, GithubError>>, GithubError> {
        let begin = |one: &RefsAsked| match one.node_id.is_empty() {
            true => Err(one.hidden()),
            false => Ok(RefLooks {
                complete: true,
                ..RefLooks::default()
            }),
        };
        let mut all: Vec<_> = asked.iter().map(begin).collect();
        if choice.protected || !choice.branches.is_empty() {
            let take = |one: &RefsAsked, name: &str, protected: bool| {
                name != &*one.default
                    && (choice.branches.take(name) || choice.protected && protected)
            };
            self.refs(asked, "refs/heads/", choice.cap, &take, &mut all)
                .await?;
        }
        if !choice.tags.is_empty() {
            let take = |_: &RefsAsked, name: &str, _| choice.tags.take(name);
            self.refs(asked, "refs/tags/", choice.cap, &take, &mut all)
                .await?;
        }
        for (one, looks) in asked.iter().zip(&mut all) {
            if let Ok(looks) = looks {
                self.folders(one, looks).await?;
            }
        }
        Ok(all)
    }

    /// Lists the refs below `prefix`: the first pages of all repositories together, further ones each by itself.
    async fn refs(
        &self,
        asked: &[RefsAsked],
        prefix: &str,
        cap: usize,
        take: &(dyn Fn(&RefsAsked, &str, bool) -> bool + Sync),
        all: &mut [Result<RefLooks, GithubError>],
    ) -> Result<(), GithubError> {
        let mut come = vec![0_usize; asked.len()];
        let shown = all.iter().enumerate().filter(|(_, looks)| looks.is_ok());
        let mut work = vec![Pages {
            places: shown.map(|(place, _)| place).collect(),
            after: None,
            first: REFS_A_CALL,
        }];
        while let Some(mut pages) = work.pop() {
            let ids: Vec<&str> = pages
                .places
                .iter()
                .filter_map(|place| Some(&*asked.get(*place)?.node_id))
                .collect();
            if ids.is_empty() {
                continue;
            }
            let variables =
                json!({"ids": ids, "prefix": prefix, "first": pages.first, "after": pages.after});
            let answer = match self.graph::<graph::Refs>(&graph::REFS, variables).await {
                Err(error) if error.is_too_much() && pages.places.len() > 1 => {
                    let right = pages.places.split_off(pages.places.len() / 2);
                    let right = Pages {
                        places: right,
                        ..pages.clone()
                    };
                    work.extend([right, pages]);
                    continue;
                }
                Err(error) if error.is_too_much() && pages.first > 1 => {
                    pages.first /= 2;
                    work.push(pages);
                    continue;
                }
                other => other?,
            };
            let mut nodes = answer.data.nodes.into_iter();
            for (at, place) in pages.places.iter().enumerate() {
                let node = nodes.next().flatten();
                let (Some(one), Some(slot), Some(come)) =
                    (asked.get(*place), all.get_mut(*place), come.get_mut(*place))
                else {
                    continue;
                };
                let Ok(looks) = slot else { continue };
                looks.at = looks.at.or(answer.at);
                let own = |error: &&GraphError| error.node().is_none_or(|node| node == at);
                if let Some(error) = answer.errors.iter().find(own) {
                    looks.lacks(visible(&error.message));
                }
                let list = node.filter(|node| node.id == one.node_id);
                let Some(list) = list.and_then(|node| node.refs) else {
                    *slot = Err(one.hidden());
                    continue;
                };
                *come += list.nodes.len();
                let next = looks.page(prefix, list, *come, cap, |name, protected| {
                    take(one, name, protected)
                });
                if next.is_some() && next != pages.after {
                    work.push(Pages {
                        places: vec![*place],
                        after: next,
                        first: pages.first,
                    });
                }
            }
        }
        Ok(())
    }

    async fn folders(&self, asked: &RefsAsked, looks: &mut RefLooks) -> Result<(), GithubError> {
        let repo = &asked.repo;
        let mut wanted: Vec<RefLook> = Vec::new();
        for look in &looks.refs {
            let new = look.folder.is_some()
                && !look
                    .folder
                    .iter()
                    .any(|folder| asked.known.contains(folder))
                && wanted.iter().all(|other| other.folder != look.folder);
            if new {
                wanted.push(look.clone());
            }
        }
        let mut work: Vec<&[RefLook]> = wanted.chunks(OBJECTS_A_CALL as usize).rev().collect();
        while let Some(some) = work.pop() {
            let ids = some.iter().filter_map(|look| look.folder.as_deref());
            match self.objects(repo, ids, &mut looks.at).await {
                Ok(mut objects) => {
                    for (at, look) in some.iter().enumerate() {
                        let entries = objects.remove(&at).and_then(|content| content.entries);
                        self.folder(repo, look, entries, looks).await?;
                    }
                }
                Err(error) if error.is_too_much() && some.len() > 1 => {
                    let (left, right) = some.split_at(some.len() / 2);
                    work.extend([right, left]);
                }
                Err(error) if error.affects_one_resource() => looks.lacks(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn folder(
        &self,
        repo: &RepoName,
        look: &RefLook,
        entries: Option<Vec<graph::Entry>>,
        looks: &mut RefLooks,
    ) -> Result<(), GithubError> {
        let (Some(id), Some(entries)) = (&look.folder, entries) else {
            looks.lacks(format!(
                "the workflow folder of {} did not come",
                visible(&look.git_ref)
            ));
            return Ok(());
        };
        let mut files = CheckoutFiles::new(
            repo.clone(),
            Some(look.commit.clone()),
            look.git_ref.clone(),
        );
        let rest = files.take_folder(WORKFLOWS, entries);
        if !rest.is_empty() {
            files.add(self.fetch_blobs(repo, &rest).await?);
        }
        if let (false, Some(why)) = (files.complete, &files.why_not) {
            looks.lacks(why.clone());
        }
        files.files.sort_by(|a, b| a.0.cmp(&b.0));
        looks.folders.insert(id.clone(), files);
        Ok(())
    }

    /// Lists the protected branches of a repository by name. One request for a hundred.
    ///
    /// # Errors
    /// When they could not be listed whole.
    pub async fn protected_branches(&self, repo: &RepoName) -> Result<Vec<Box<str>>, GithubError> {
        #[derive(serde::Deserialize)]
        struct Branch {
            name: Box<str>,
        }
        let path = format!("{}/branches?protected=true", super::ask::repo_path(repo)?);
        let listing = self.list::<Branch>(&path, None, 100).await?;
        match listing.whole {
            Ok(()) => Ok(listing
                .items
                .into_iter()
                .map(|branch| branch.name)
                .collect()),
            Err(says) => Err(GithubError::Part {
                what: "protected branches".into(),
                says: says.into(),
            }),
        }
    }
}

/// Reads where a ref points: an annotated tag points to a commit by one more step.
fn look(prefix: &str, node: &graph::Ref, protected: bool) -> Option<RefLook> {
    let target = node.target.as_ref()?;
    let commit = target.target.as_deref().unwrap_or(target);
    let fits = !node.name.is_empty()
        && !commit.oid.is_empty()
        && commit.oid.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| RefLook {
        git_ref: format!("{prefix}{}", node.name).into(),
        commit: commit.oid.clone(),
        protected,
        folder: commit
            .file
            .as_ref()
            .map(|folder| folder.oid.clone())
            .filter(|oid| !oid.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_annotated_tag_is_followed_to_its_commit() {
        let node: graph::Ref = serde_json::from_str(
            r#"{"name":"v1","branchProtectionRule":null,"target":{"oid":"aa","target":{"oid":"bb","file":{"oid":"cc"}}}}"#,
        )
        .unwrap();
        let look = look("refs/tags/", &node, false).unwrap();
        assert_eq!(
            (&*look.git_ref, &*look.commit, look.folder.as_deref()),
            ("refs/tags/v1", "bb", Some("cc"))
        );
    }

    #[test]
    fn a_ref_without_commit_or_folder_is_told_apart() {
        let node: graph::Ref =
            serde_json::from_str(r#"{"name":"x","target":{"oid":"aa","file":null}}"#).unwrap();
        assert_eq!(look("refs/heads/", &node, true).unwrap().folder, None);
        let node: graph::Ref = serde_json::from_str(r#"{"name":"x","target":null}"#).unwrap();
        assert!(look("refs/heads/", &node, false).is_none());
    }
}
