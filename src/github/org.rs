//! The stores of an organisation: which secrets they hold and which repositories those are for.
//!
//! Listing them needs rights that few have; without, what a repository says it can see is all there is.

use std::collections::BTreeSet;

use super::ask::segment;
use super::{GitHub, GithubError, wire};
use crate::model::fact::{NamedFact, StoreFact};
use crate::model::name::{Login, RepoName, SecretName};
use crate::model::time::Ts;
use crate::safe::shown::visible;

/// The organisation's stores: what a repository's fact calls them, and their path.
const STORES: [(&str, &str); 4] = [
    ("org", "actions"),
    ("org-dependabot", "dependabot"),
    ("org-codespaces", "codespaces"),
    ("org-agents", "agents"),
];

/// Which repositories may read a secret of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    All,
    /// Private and internal ones.
    Private,
    /// Those named, lower-cased.
    Selected(BTreeSet<Box<str>>),
    /// GitHub did not tell, and why.
    Unknown(Box<str>),
}

/// One secret of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgSecret {
    pub name: Box<str>,
    pub updated: Option<Ts>,
    pub reach: Reach,
}

/// One store of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgStore {
    /// `org`, `org-dependabot`, `org-codespaces` or `org-agents`.
    pub store: &'static str,
    pub secrets: Vec<OrgSecret>,
    /// What was not seen, where something was not.
    pub why: Option<Box<str>>,
    pub at: Option<Ts>,
}

impl OrgStore {
    /// Tells what of it a repository can read. Secrets for private repositories only are taken to be readable: whether
    /// this one is private is another fact, and a copy too many is looked into while one too few is forgotten.
    pub fn seen_by(&self, repo: &RepoName) -> StoreFact {
        let own = repo.as_str().to_ascii_lowercase();
        let mut why = self.why.clone();
        let mut names = Vec::new();
        for secret in &self.secrets {
            let reads = match &secret.reach {
                Reach::All | Reach::Private => true,
                Reach::Selected(repos) => repos.contains(own.as_str()),
                Reach::Unknown(reason) => {
                    why = Some(reason.clone());
                    false
                }
            };
            if reads {
                names.push(NamedFact {
                    name: secret.name.clone(),
                    updated: secret.updated,
                });
            }
        }
        StoreFact {
            store: self.store.into(),
            complete: why.is_none(),
            why,
            names,
        }
    }
}

impl GitHub {
    /// Lists the secrets of an organisation's stores with their reach. Costs [`super::cost::of_org_secrets`].
    /// The store of Actions is left out: each repository lists itself what of it is visible there.
    ///
    /// # Errors
    /// When GitHub cannot be asked at all; a store that may not be seen says so itself.
    pub async fn org_stores(&self, org: &Login) -> Result<Vec<OrgStore>, GithubError> {
        let mut all = Vec::new();
        for (store, path) in STORES {
            let here = self.place.has_codespaces() || store == "org-dependabot";
            if store != "org" && here {
                all.push(self.org_store(org, store, path).await?);
            }
        }
        Ok(all)
    }

    /// Lists the organisation's secrets for Actions with their reach: which repositories a shared secret is for.
    ///
    /// # Errors
    /// As [`GitHub::org_stores`].
    pub async fn org_secrets(&self, org: &Login) -> Result<OrgStore, GithubError> {
        let [(store, path), ..] = STORES;
        self.org_store(org, store, path).await
    }

    async fn org_store(
        &self,
        org: &Login,
        store: &'static str,
        path: &str,
    ) -> Result<OrgStore, GithubError> {
        let base = format!("/orgs/{}/{path}/secrets", segment(org.as_str()));
        let listing = match self.list::<wire::Named>(&base, Some("secrets"), 100).await {
            Ok(listing) => listing,
            Err(error) if error.affects_one_resource() => {
                return Ok(OrgStore {
                    store,
                    secrets: Vec::new(),
                    why: Some(error.to_string().into()),
                    at: None,
                });
            }
            Err(error) => return Err(error),
        };
        let mut all = OrgStore {
            store,
            secrets: Vec::new(),
            why: listing.whole.err().map(Into::into),
            at: listing.at,
        };
        for item in listing.items {
            if SecretName::parse(&item.name).is_err() {
                all.why = Some(
                    format!(
                        "`{}` is no name of a secret; it is left out",
                        visible(&item.name)
                    )
                    .into(),
                );
                continue;
            }
            let reach = match item.visibility.as_deref() {
                Some("all") => Reach::All,
                Some("private") => Reach::Private,
                Some("selected") => {
                    self.selected(&format!("{base}/{}/repositories", segment(&item.name)))
                        .await?
                }
                _ => Reach::Unknown("GitHub does not say which repositories may read it".into()),
            };
            all.secrets.push(OrgSecret {
                name: item.name,
                updated: item.updated_at,
                reach,
            });
        }
        Ok(all)
    }

    async fn selected(&self, path: &str) -> Result<Reach, GithubError> {
        match self
            .list::<wire::Repository>(path, Some("repositories"), 100)
            .await
        {
            Ok(listing) => Ok(match listing.whole {
                Ok(()) => Reach::Selected(
                    listing
                        .items
                        .iter()
                        .map(|repo| repo.full_name.to_ascii_lowercase().into())
                        .collect(),
                ),
                Err(why) => Reach::Unknown(why.into()),
            }),
            Err(error) if error.affects_one_resource() => {
                Ok(Reach::Unknown(error.to_string().into()))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_repository_reads_what_is_for_it_and_knows_what_it_does_not_know() {
        let secret = |name: &str, reach| OrgSecret {
            name: name.into(),
            updated: None,
            reach,
        };
        let mut store = OrgStore {
            store: "org-dependabot",
            secrets: vec![
                secret("ALL", Reach::All),
                secret("MINE", Reach::Selected(["acme/ui".into()].into())),
                secret("OTHERS", Reach::Selected(["acme/cli".into()].into())),
            ],
            why: None,
            at: None,
        };
        let repo = RepoName::parse("Acme/UI").unwrap();
        let seen = store.seen_by(&repo);
        assert!(seen.complete);
        assert_eq!(
            seen.names.iter().map(|one| &*one.name).collect::<Vec<_>>(),
            ["ALL", "MINE"]
        );
        store
            .secrets
            .push(secret("X", Reach::Unknown("403".into())));
        let seen = store.seen_by(&repo);
        assert!(!seen.complete && seen.why.as_deref() == Some("403"));
    }
}
