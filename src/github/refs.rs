//! Other refs that can publish: branches and tags run the workflow files of their own commit.
//!
//! Which refs can is for the caller to say, by trigger patterns. Refs whose workflow folder has the same id share its
//! files, so a hundred maintenance branches cost a few calls. What lies beyond the cap is said, never forgotten.

use std::collections::BTreeMap;

use serde_json::json;

use super::ask::split;
use super::cost::{OBJECTS_A_CALL, REFS_A_CALL};
use super::files::CheckoutFiles;
use super::graph;
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

/// The refs that were chosen, and the files of each workflow folder that they have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RefLooks {
    pub refs: Vec<RefLook>,
    /// By folder id; the folder that the caller knows is not among them.
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
}

impl GitHub {
    /// Looks at the refs of a repository that `choice` takes, but for `default`, its default branch. `known` is the id
    /// of a workflow folder whose files the caller has. Costs [`super::cost::of_refs`].
    ///
    /// # Errors
    /// When GitHub cannot be asked, or shows no such repository.
    pub async fn other_refs(
        &self,
        repo: &RepoName,
        default: &str,
        known: Option<&str>,
        choice: &RefChoice,
    ) -> Result<RefLooks, GithubError> {
        let mut looks = RefLooks {
            complete: true,
            ..RefLooks::default()
        };
        if choice.protected || !choice.branches.is_empty() {
            let take = |name: &str, protected: bool| {
                name != default && (choice.branches.take(name) || choice.protected && protected)
            };
            self.refs(repo, "refs/heads/", choice.cap, &take, &mut looks)
                .await?;
        }
        if !choice.tags.is_empty() {
            self.refs(
                repo,
                "refs/tags/",
                choice.cap,
                &|name, _| choice.tags.take(name),
                &mut looks,
            )
            .await?;
        }
        self.folders(repo, known, &mut looks).await?;
        Ok(looks)
    }

    async fn refs(
        &self,
        repo: &RepoName,
        prefix: &str,
        cap: usize,
        take: &(dyn Fn(&str, bool) -> bool + Sync),
        looks: &mut RefLooks,
    ) -> Result<(), GithubError> {
        let (owner, name) = split(repo)?;
        let (mut after, mut come, mut first) = (None::<String>, 0_usize, REFS_A_CALL);
        loop {
            let variables = json!({"owner": owner, "name": name, "prefix": prefix, "first": first, "after": after});
            let answer = match self.graph::<graph::Refs>(&graph::REFS, variables).await {
                Err(error) if error.is_too_much() && first > 1 => {
                    first /= 2;
                    continue;
                }
                other => other?,
            };
            looks.at = looks.at.or(answer.at);
            if let Some(says) = answer.says() {
                looks.lacks(says);
            }
            let hidden = || GithubError::Hidden {
                what: repo.as_str().into(),
                needs: None,
            };
            let list = answer
                .data
                .repository
                .ok_or_else(hidden)?
                .refs
                .ok_or_else(hidden)?;
            come += list.nodes.len();
            for node in list.nodes.into_iter().flatten() {
                let protected = node.branch_protection_rule.is_some();
                if take(&node.name, protected) {
                    match look(prefix, &node, protected) {
                        Some(look) => looks.refs.push(look),
                        None => {
                            looks.lacks(format!("{prefix}{} names no commit", visible(&node.name)))
                        }
                    }
                }
            }
            match list
                .page_info
                .end_cursor
                .filter(|_| list.page_info.has_next_page)
            {
                Some(_) if come >= cap => {
                    let total = list.total_count.unwrap_or_default();
                    looks.lacks(format!(
                        "{come} of {total} refs below {prefix} were looked at"
                    ));
                    return Ok(());
                }
                Some(next) if after.as_ref() != Some(&next) => after = Some(next),
                _ => {
                    if list.total_count.is_some_and(|total| total != come as u64) {
                        looks.lacks(format!(
                            "{come} of {} refs below {prefix} came",
                            list.total_count.unwrap_or_default()
                        ));
                    }
                    return Ok(());
                }
            }
        }
    }

    async fn folders(
        &self,
        repo: &RepoName,
        known: Option<&str>,
        looks: &mut RefLooks,
    ) -> Result<(), GithubError> {
        let mut wanted: Vec<RefLook> = Vec::new();
        for look in &looks.refs {
            let new = look.folder.is_some()
                && look.folder.as_deref() != known
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
                Err(error) if error.is_of_thing() => looks.lacks(error.to_string()),
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
