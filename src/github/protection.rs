//! Who has to agree before a publish workflow changes: rulesets, the branch's own protection, CODEOWNERS.
//!
//! Rulesets can be read by everyone who reads the repository, a branch's own protection only by its admins. Where both
//! hold, the stricter counts. A plan without them is "not available", which is not "not protected".

use super::ask::{repo_path, segment};
use super::{GitHub, GithubError, Look, wire};
use crate::http::{Fault, Group};
use crate::model::fact::{Answer, ProtectionFact};
use crate::model::name::RepoName;
use crate::model::time::Ts;
use regex::Regex;

/// The folder that publish workflows stand in.
const WORKFLOWS: &str = ".github/workflows/release.yml";

/// What one way of protecting says.
enum Shown {
    /// Looked at: what a pull request needs, none where none is asked for.
    Rule(Option<wire::ReviewRule>),
    /// The plan does not have it.
    NotAvailable,
    Unseen(GithubError),
}

impl GitHub {
    /// Reads what protects the default branch. One or two requests. `owners` is the CODEOWNERS file that counts, as
    /// [`super::discover`] brings it: none where it was not looked at, empty where there is none.
    ///
    /// # Errors
    /// When neither rulesets nor the branch could be seen.
    pub async fn protection(
        &self,
        repo: &RepoName,
        branch: &str,
        owners: Option<&str>,
    ) -> Result<Look, GithubError> {
        let base = repo_path(repo)?;
        let mut at = None;
        let rules = self.rules(&base, branch, &mut at).await?;
        let own = match &rules {
            // Nothing can be stricter than code owners; the count of approvals is worth no second request.
            Shown::Rule(Some(rule)) if rule.require_code_owner_review == Some(true) => {
                Shown::Rule(None)
            }
            _ => self.own_protection(&base, branch, &mut at).await?,
        };
        let fact = judge(rules, own, owners)?;
        Ok(Look {
            at,
            answers: vec![(self.subject(repo.as_str()), Answer::Protection(fact))],
        })
    }

    async fn rules(
        &self,
        base: &str,
        branch: &str,
        at: &mut Option<Ts>,
    ) -> Result<Shown, GithubError> {
        let path = format!("{base}/rules/branches/{}", segment(branch));
        match self.list::<wire::Rule>(&path, None, 100).await {
            Ok(listing) => {
                *at = (*at).or(listing.at);
                let reviews = listing
                    .items
                    .iter()
                    .filter(|rule| &*rule.kind == "pull_request");
                Ok(Shown::Rule(
                    reviews.map(|rule| rule.parameters).reduce(stricter),
                ))
            }
            Err(error) => unseen(error),
        }
    }

    async fn own_protection(
        &self,
        base: &str,
        branch: &str,
        at: &mut Option<Ts>,
    ) -> Result<Shown, GithubError> {
        let path = format!("{base}/branches/{}/protection", segment(branch));
        let reply = match self.send(Group::GithubRest, self.get(&path)).await {
            Ok(reply) => reply,
            Err(trouble) => return unseen(trouble.into()),
        };
        *at = (*at).or(reply.seen.date);
        if reply.status == 404 {
            // The one 404 that says more: this message comes only to those who may see the protection.
            let says: wire::Message = reply.json().unwrap_or_default();
            if &*says.message == "Branch not protected" {
                return Ok(Shown::Rule(None));
            }
            let needs = reply
                .header("x-accepted-github-permissions")
                .map(Into::into);
            return Ok(Shown::Unseen(GithubError::Hidden {
                what: "the branch's own protection".into(),
                needs,
            }));
        }
        let protection: wire::Protection = reply.json()?;
        Ok(Shown::Rule(protection.required_pull_request_reviews))
    }
}

fn unseen(error: GithubError) -> Result<Shown, GithubError> {
    if let GithubError::Request(trouble) = &error
        && let Fault::Forbidden { says, .. } = &trouble.fault
        && says.starts_with("Upgrade to ")
    {
        return Ok(Shown::NotAvailable);
    }
    if error.affects_one_resource() {
        Ok(Shown::Unseen(error))
    } else {
        Err(error)
    }
}

fn stricter(a: wire::ReviewRule, b: wire::ReviewRule) -> wire::ReviewRule {
    wire::ReviewRule {
        required_approving_review_count: a
            .required_approving_review_count
            .max(b.required_approving_review_count),
        require_code_owner_review: a.require_code_owner_review.max(b.require_code_owner_review),
    }
}

fn judge(rules: Shown, own: Shown, owners: Option<&str>) -> Result<ProtectionFact, GithubError> {
    let mut fact = ProtectionFact {
        workflows_owned: owners.map(owns_workflows),
        ..Default::default()
    };
    let seen = match (rules, own) {
        (Shown::NotAvailable, Shown::NotAvailable | Shown::Unseen(_))
        | (Shown::Unseen(_), Shown::NotAvailable) => {
            fact.not_available = true;
            return Ok(fact);
        }
        (Shown::Unseen(error), Shown::Unseen(_)) => return Err(error),
        (Shown::Rule(a), Shown::Rule(b)) => (a.into_iter().chain(b).reduce(stricter), true),
        (Shown::Rule(one), Shown::NotAvailable) | (Shown::NotAvailable, Shown::Rule(one)) => {
            (one, true)
        }
        // One of two was seen: what it asks for is known, what it does not ask for is not.
        (Shown::Rule(one), Shown::Unseen(_)) | (Shown::Unseen(_), Shown::Rule(one)) => (one, false),
    };
    let (rule, whole) = seen;
    fact.pull_request = match rule {
        Some(_) => Some(true),
        None => whole.then_some(false),
    };
    let rule = rule.unwrap_or_default();
    fact.approvals = rule.required_approving_review_count.unwrap_or_default();
    fact.code_owners = match rule.require_code_owner_review {
        Some(true) => Some(true),
        _ => whole.then_some(false),
    };
    Ok(fact)
}

/// Tells whether CODEOWNERS names somebody for the workflow folder: the last line that matches decides, and a line
/// without owners takes them away (docs.github.com, "About code owners").
pub fn owns_workflows(text: &str) -> bool {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    let mut owned = false;
    for line in lines {
        let mut words = line.split_whitespace();
        if let Some(pattern) = words.next()
            && covers(pattern, WORKFLOWS)
        {
            owned = words.next().is_some();
        }
    }
    owned
}

/// Tells whether a CODEOWNERS pattern covers a file: as in gitignore, without `!`, `[ ]` and `\#`.
fn covers(pattern: &str, file: &str) -> bool {
    let only_folder = pattern.ends_with('/');
    let body = pattern.trim_end_matches('/');
    let anchored = body.contains('/') && !body.starts_with("**/") || pattern == "/";
    let body = body.trim_start_matches('/').trim_start_matches("**/");
    if body.is_empty() {
        return true;
    }
    let Ok(glob) = Regex::new(&glob(body)) else {
        return false;
    };
    // `dir/*` does not reach below the folder.
    let shallow = body.ends_with("/*");
    let whole = |path: &str| !only_folder && glob.is_match(path);
    let folder = |path: &str| !shallow && folders(path).any(|folder| glob.is_match(folder));
    let mut from = suffixes(file).take(if anchored { 1 } else { usize::MAX });
    from.any(|path| whole(path) || folder(path))
}

/// Gives the path and each path below one of its folders.
fn suffixes(file: &str) -> impl Iterator<Item = &str> {
    std::iter::once(file).chain(
        file.match_indices('/')
            .filter_map(|(at, _)| file.get(at + 1..)),
    )
}

/// Gives each folder that a path lies in.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

/// Writes a pattern as a regular expression: `*` and `?` stop at a slash, `**` does not.
fn glob(pattern: &str) -> String {
    let mut out = String::from("^");
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        let (sign, written) = match letter {
            '*' if rest.starts_with("**/") => ("**/", "(?:.*/)?".into()),
            '*' if rest.starts_with("**") => ("**", ".*".into()),
            '*' => ("*", "[^/]*".into()),
            '?' => ("?", "[^/]".into()),
            other => ("", regex::escape(other.encode_utf8(&mut [0; 4]))),
        };
        out.push_str(&written);
        rest = rest
            .get(sign.len().max(letter.len_utf8())..)
            .unwrap_or_default();
    }
    out.push('$');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rule(count: u32, owners: bool) -> Shown {
        Shown::Rule(Some(wire::ReviewRule {
            required_approving_review_count: Some(count),
            require_code_owner_review: Some(owners),
        }))
    }

    fn hidden() -> Shown {
        Shown::Unseen(GithubError::Hidden {
            what: "x".into(),
            needs: None,
        })
    }

    #[test]
    fn the_stricter_counts_and_the_unseen_stays_open() {
        for (rules, own, pull_request, approvals, code_owners) in [
            (
                Shown::Rule(None),
                Shown::Rule(None),
                Some(false),
                0,
                Some(false),
            ),
            (rule(1, false), rule(2, true), Some(true), 2, Some(true)),
            (rule(1, false), hidden(), Some(true), 1, None),
            (rule(1, true), hidden(), Some(true), 1, Some(true)),
            (Shown::Rule(None), hidden(), None, 0, None),
            (hidden(), rule(1, false), Some(true), 1, None),
            (
                Shown::NotAvailable,
                rule(1, false),
                Some(true),
                1,
                Some(false),
            ),
        ] {
            let fact = judge(rules, own, None).unwrap();
            assert_eq!(
                (fact.pull_request, fact.approvals, fact.code_owners),
                (pull_request, approvals, code_owners)
            );
            assert!(!fact.not_available);
        }
        assert!(judge(hidden(), hidden(), None).is_err());
        for own in [hidden(), Shown::NotAvailable] {
            let fact = judge(Shown::NotAvailable, own, Some("* @a")).unwrap();
            assert!(
                fact.not_available
                    && fact.pull_request.is_none()
                    && fact.workflows_owned == Some(true)
            );
        }
    }

    #[test]
    fn code_owners_of_the_workflow_folder() {
        for (text, owned) in [
            ("", false),
            ("* @acme/core", true),
            ("*.js @js", false),
            ("*.yml @ops", true),
            (".github/ @ops", true),
            ("/.github/ @ops", true),
            ("/.github @ops", true),
            (".github/workflows/ @ops", true),
            (".github/workflows/* @ops", true),
            ("/.github/* @ops", false),
            ("/.github/** @ops", true),
            ("**/workflows @ops", true),
            ("workflows/ @ops", true),
            ("/workflows/ @ops", false),
            ("/docs/ @docs", false),
            ("* @a\n/.github/workflows/", false),
            ("* # nobody", false),
            ("# * @a", false),
            ("/.github/workflows/release.yml @ops", true),
            (".github/workflows/release.y?l @ops", true),
        ] {
            assert_eq!(owns_workflows(text), owned, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_file_makes_it_panic(text in "[/*?a-z.@# \n]{0,60}") {
            owns_workflows(&text);
        }
    }
}
