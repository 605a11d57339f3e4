//! Names of secrets and variables in every store that a workflow of a repository can read from. Never values.
//!
//! Each store says for itself whether it was seen whole: a store that may not be looked at leaves the others standing.
//! What a workflow gets is decided environment before repository before organisation; that is not judged here.

use super::ask::{Listing, repo_path, segment};
use super::org::OrgStore;
use super::{GitHub, GithubError, Look, wire};
use crate::model::fact::{Answer, NamedFact, SecretsFact, StoreFact};
use crate::model::name::{EnvironmentName, RepoName, SecretName};
use crate::model::time::Ts;
use crate::safe::shown::visible;

/// GitHub gives secrets a hundred at a time, and variables thirty.
const SECRETS_A_PAGE: u32 = 100;
const VARIABLES_A_PAGE: u32 = 30;

/// The stores of a repository besides its environments: name, path below the repository, field of the list.
const STORES: [(&str, &str, &str); 7] = [
    ("repo", "/actions/secrets", "secrets"),
    ("org", "/actions/organization-secrets", "secrets"),
    ("dependabot", "/dependabot/secrets", "secrets"),
    ("codespaces", "/codespaces/secrets", "secrets"),
    ("agents", "/agents/secrets", "secrets"),
    ("vars", "/actions/variables", "variables"),
    ("org-vars", "/actions/organization-variables", "variables"),
];

impl GitHub {
    /// Lists secrets and variables of one repository, store by store. Costs [`super::cost::of_secret_sweep`].
    ///
    /// `environments` are those to look into, none where they could not be listed. `org` are the organisation's own
    /// stores where they were read: those for Dependabot, codespaces and agents are not listed by the repository.
    ///
    /// # Errors
    /// When GitHub cannot be asked at all (offline, limited, not accepted): nothing of it is kept, it is done again.
    pub async fn secrets(
        &self,
        repo: &RepoName,
        environments: Option<&[EnvironmentName]>,
        org: &[OrgStore],
    ) -> Result<Look, GithubError> {
        let base = repo_path(repo)?;
        let (mut stores, mut at) = (Vec::new(), None);
        let here =
            |store: &str| self.place.has_codespaces() || !matches!(store, "codespaces" | "agents");
        for (store, path, key) in STORES.into_iter().filter(|(store, ..)| here(store)) {
            stores.push(
                self.store(store.to_owned(), &format!("{base}{path}"), key, &mut at)
                    .await?,
            );
        }
        for environment in environments.unwrap_or_default() {
            let place = format!("{base}/environments/{}", segment(environment.as_str()));
            for (store, path, key) in [
                ("env", "/secrets", "secrets"),
                ("env-vars", "/variables", "variables"),
            ] {
                let name = format!("{store}:{environment}");
                stores.push(
                    self.store(name, &format!("{place}{path}"), key, &mut at)
                        .await?,
                );
            }
        }
        if environments.is_none() {
            stores.push(StoreFact {
                store: "env".into(),
                complete: false,
                why: Some("the environments of this repository could not be listed".into()),
                names: Vec::new(),
            });
        }
        stores.extend(org.iter().map(|store| store.seen_by(repo)));
        let fact = Answer::Secrets(SecretsFact { stores });
        Ok(Look {
            at,
            answers: vec![(self.subject(repo.as_str()), fact)],
        })
    }

    async fn store(
        &self,
        store: String,
        path: &str,
        key: &str,
        at: &mut Option<Ts>,
    ) -> Result<StoreFact, GithubError> {
        let per_page = if key == "secrets" {
            SECRETS_A_PAGE
        } else {
            VARIABLES_A_PAGE
        };
        match self.list::<wire::Named>(path, Some(key), per_page).await {
            Ok(listing) => {
                *at = (*at).or(listing.at);
                Ok(store_fact(store, listing))
            }
            Err(error) if error.affects_one_resource() => Ok(unseen(store, &error)),
            Err(error) => Err(error),
        }
    }
}

/// Says why a store was not seen.
pub(super) fn unseen(store: String, error: &GithubError) -> StoreFact {
    StoreFact {
        store: store.into(),
        complete: false,
        why: Some(error.to_string().into()),
        names: Vec::new(),
    }
}

fn store_fact(store: String, listing: Listing<wire::Named>) -> StoreFact {
    let mut why = listing.whole.err();
    let mut names = Vec::with_capacity(listing.items.len());
    for item in listing.items {
        if SecretName::parse(&item.name).is_ok() {
            names.push(NamedFact {
                name: item.name,
                updated: item.updated_at,
            });
        } else {
            why = Some(format!(
                "`{}` is no name of a secret; it is left out",
                visible(&item.name)
            ));
        }
    }
    names.sort_by(|a, b| a.name.cmp(&b.name));
    StoreFact {
        store: store.into(),
        complete: why.is_none(),
        why: why.map(Into::into),
        names,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn named(names: &[&str]) -> Vec<wire::Named> {
        names
            .iter()
            .map(|name| wire::Named {
                name: (*name).into(),
                ..Default::default()
            })
            .collect()
    }

    #[test]
    fn a_store_is_whole_only_if_its_list_is_and_every_name_fits() {
        let whole = store_fact(
            "repo".into(),
            Listing {
                items: named(&["B", "A"]),
                whole: Ok(()),
                at: None,
            },
        );
        assert!(whole.complete && whole.why.is_none());
        assert_eq!([&*whole.names[0].name, &*whole.names[1].name], ["A", "B"]);
        let short = store_fact(
            "repo".into(),
            Listing {
                items: named(&["A"]),
                whole: Err("1 of 2 entries arrived".into()),
                at: None,
            },
        );
        assert!(
            !short.complete
                && short.why.as_deref() == Some("1 of 2 entries arrived")
                && short.names.len() == 1
        );
        let odd = store_fact(
            "repo".into(),
            Listing {
                items: named(&["A", "\u{202e}X"]),
                whole: Ok(()),
                at: None,
            },
        );
        assert!(!odd.complete && odd.why.unwrap().contains("\\u{202e}X") && odd.names.len() == 1);
    }
}
