//! Pull requests that this program, or a person for it, opened: how they stand.

use super::ask::{repo_path, segment, split};
use super::{GitHub, GithubError, wire};
use crate::model::name::RepoName;
use crate::model::time::Ts;

/// How a pull request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PullState {
    Draft,
    Open,
    Merged,
    Closed,
}

impl PullState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Merged => "merged",
            Self::Closed => "closed",
        }
    }
}

/// One pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub number: u64,
    pub state: PullState,
    pub head: Box<str>,
    /// Commit that would be, or was, merged.
    pub sha: Box<str>,
    pub base: Box<str>,
    pub author: Box<str>,
    pub updated: Option<Ts>,
    pub url: Box<str>,
}

impl GitHub {
    /// Lists the pull requests from one branch of a repository, newest first, closed ones too. One request.
    ///
    /// # Errors
    /// When they could not be listed whole.
    pub async fn pulls(&self, repo: &RepoName, branch: &str) -> Result<Vec<Pull>, GithubError> {
        let (owner, _) = split(repo)?;
        let path = format!(
            "{}/pulls?state=all&head={owner}%3A{}",
            repo_path(repo)?,
            segment(branch)
        );
        let listing = self.list::<wire::Pull>(&path, None, 100).await?;
        match listing.whole {
            Ok(()) => Ok(listing.items.into_iter().filter_map(pull).collect()),
            Err(says) => Err(GithubError::Part {
                what: format!("pull requests of {repo}").into(),
                says: says.into(),
            }),
        }
    }
}

fn pull(one: wire::Pull) -> Option<Pull> {
    Some(Pull {
        number: one.number?,
        state: match (&*one.state, one.merged_at, one.draft) {
            (_, Some(_), _) => PullState::Merged,
            ("open", None, true) => PullState::Draft,
            ("open", None, false) => PullState::Open,
            _ => PullState::Closed,
        },
        head: one.head.name,
        sha: one.head.sha,
        base: one.base.name,
        author: one.user.login,
        updated: one.updated_at,
        url: one.html_url,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn merged_closed_and_draft_are_told_apart() {
        for (text, state) in [
            (
                r#"{"number":1,"state":"open","draft":true}"#,
                PullState::Draft,
            ),
            (r#"{"number":1,"state":"open"}"#, PullState::Open),
            (
                r#"{"number":1,"state":"closed","merged_at":"2026-11-22T05:00:00Z"}"#,
                PullState::Merged,
            ),
            (
                r#"{"number":1,"state":"closed","merged_at":null}"#,
                PullState::Closed,
            ),
        ] {
            assert_eq!(
                pull(serde_json::from_str(text).unwrap()).unwrap().state,
                state
            );
        }
    }
}
