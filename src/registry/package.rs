//! Beside its document: who may write a package, how far it reaches, its trust configs, stages, attestations, tarball.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::address::{package_segment, segment};
use super::answer::{items, kept, text, time};
use super::challenge::Guarded;
use super::provenance::Attestation;
use super::{Registry, RegistryError};
use crate::http::{Accept, Call, Fault, Group, RequestError};
use crate::model::fact::{
    AccessFact, ReachFact, StageFact, StagesFact, TrustConfigFact, TrustFact,
};
use crate::model::name::PackageName;
use crate::model::time::Ts;
use crate::safe::secret::Secret;

/// Most entries that a search or a stage list is followed to.
const MOST: usize = 10_000;
/// Entries of one page of a search; the registry allows no more.
const SEARCH_PAGE: usize = 250;
/// Entries of one page of stages; the registry allows no more.
const STAGE_PAGE: usize = 100;
/// Largest tarball that is fetched to be hashed, in bytes.
const TARBALL: usize = 128 * 1024 * 1024;

/// What a search found: the reach of each package, and whether all of it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    pub packages: BTreeMap<Box<str>, ReachFact>,
    pub complete: bool,
}

/// The stages of every package that a login may see, by package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stages {
    pub complete: bool,
    pub by_package: BTreeMap<Box<str>, StagesFact>,
}

impl Registry {
    /// Reads who may write a package and whether it is public.
    ///
    /// # Errors
    /// When the collaborators cannot be read. Visibility that cannot be read is none in the fact.
    pub async fn access(&self, name: &PackageName) -> Result<AccessFact, RegistryError> {
        let package = package_segment(name.as_str());
        let people = self
            .map(&format!("/-/package/{package}/collaborators"))
            .await?;
        let right =
            |(person, right): (&String, &Value)| Some((kept(person), kept(right.as_str()?)));
        let people: Option<BTreeMap<_, _>> = people.iter().map(right).collect();
        let people = people.ok_or_else(|| RegistryError::shape("a right that is no text"))?;
        let visible = self.map(&format!("/-/package/{package}/visibility")).await;
        let public = visible.ok().and_then(|map| {
            // npm's own client reads `public`; the description of the interface shows the package's name.
            let word = |word: &Value| word.as_str().map(|word| word == "public");
            map.get("public")
                .and_then(Value::as_bool)
                .or_else(|| map.get(name.as_str()).and_then(word))
        });
        Ok(AccessFact { people, public })
    }

    /// Searches packages by scope or maintainer and reads how far each reaches. The registry's search lags and misses
    /// private packages, so what it does not name is not absent.
    ///
    /// # Errors
    /// When a page cannot be read.
    pub async fn search(&self, by: &str) -> Result<Found, RegistryError> {
        let mut found = Found::default();
        let mut from = 0;
        while from < MOST {
            let query = format!(
                "/-/v1/search?text={}&size={SEARCH_PAGE}&from={from}",
                segment(by)
            );
            let page: Value = self
                .client
                .send(Call::get(Group::NpmSearch, self.base.path(&query)))
                .await?
                .json()?;
            let rows = items(&page, "objects");
            for row in rows {
                let name = row.get("package").and_then(|package| text(package, "name"));
                let Some(name) = name.filter(|name| PackageName::parse(name).is_ok()) else {
                    continue;
                };
                let weekly = row.pointer("/downloads/weekly").and_then(Value::as_u64);
                // Some answers carry the count as text.
                let dependents = row.get("dependents");
                let dependents =
                    dependents.and_then(|n| n.as_u64().or_else(|| n.as_str()?.parse().ok()));
                found
                    .packages
                    .insert(name, ReachFact { weekly, dependents });
            }
            from += rows.len();
            let total = page
                .get("total")
                .and_then(Value::as_u64)
                .ok_or_else(|| RegistryError::shape("a search without total"))?;
            if u64::try_from(from).unwrap_or(u64::MAX) >= total {
                found.complete = true;
                break;
            }
            if rows.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// Lists the trust configs of a package. Costs a second factor: without `otp` the registry may ask for one, unless a
    /// window is open. `before` is the listing that stands: what it had keeps the time at which it was first seen.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn trust(
        &self,
        name: &PackageName,
        otp: Option<&Secret>,
        before: Option<&TrustFact>,
    ) -> Result<Guarded<TrustFact>, RegistryError> {
        let path = self.base.path(&format!(
            "/-/package/{}/trust",
            package_segment(name.as_str())
        ));
        let mut call = Call::get(Group::NpmTrust, path)
            .header("npm-auth-type", "web")
            .header("npm-command", "trust")
            .reads(&[401]);
        if let Some(otp) = otp {
            call = call.secret("npm-otp", otp);
        }
        let reply = self.client.send(call).await?;
        if reply.status == 401 {
            return match self.challenge(Group::NpmTrust, &reply) {
                Err(RegistryError::NoChallenge) if !wants_otp(reply.header("www-authenticate")) => {
                    let fault = Fault::Unauthorised { says: "".into() };
                    Err(RequestError::answered(Group::NpmTrust, fault, reply.seen).into())
                }
                other => other.map(Guarded::Asked),
            };
        }
        let list: Vec<Value> = reply.json()?;
        let configs: Option<Vec<_>> = list
            .iter()
            .map(|one| trust_config(one, reply.seen.date))
            .collect();
        let mut configs =
            configs.ok_or_else(|| RegistryError::shape("a trust config without its id"))?;
        for config in &mut configs {
            let known = before.and_then(|fact| fact.configs.iter().find(|one| one.id == config.id));
            config.first_seen = known.map_or(config.first_seen, |known| known.first_seen);
            config.created = config.created.or(known.and_then(|known| known.created));
        }
        Ok(Guarded::Done(TrustFact { configs }))
    }

    /// Lists the staged versions that wait, of one package or of all that this login may see.
    ///
    /// # Errors
    /// When a page cannot be read, or the pages do not add up.
    pub async fn stages(&self, only: Option<&PackageName>) -> Result<Stages, RegistryError> {
        let of = only.map_or_else(String::new, |name| {
            format!("package={}&", segment(name.as_str()))
        });
        let mut all: BTreeMap<Box<str>, (Box<str>, StageFact)> = BTreeMap::new();
        for page in 0..MOST / STAGE_PAGE {
            let path = self
                .base
                .path(&format!("/-/stage?{of}page={page}&perPage={STAGE_PAGE}"));
            let call = Call::get(Group::NpmStage, path)
                .header("npm-auth-type", "web")
                .header("npm-command", "stage");
            let value: Value = self.client.send(call).await?.json()?;
            let rows = value
                .get("items")
                .and_then(Value::as_array)
                .ok_or_else(|| RegistryError::shape("a page without stages"))?;
            let total = value
                .get("total")
                .and_then(Value::as_u64)
                .ok_or_else(|| RegistryError::shape("stages without total"))?;
            for row in rows {
                let stage = stage(row).ok_or_else(|| {
                    RegistryError::shape("a stage without id, package or version")
                })?;
                if all.insert(stage.1.id.clone(), stage).is_some() {
                    return Err(RegistryError::Pages);
                }
            }
            if u64::try_from(all.len()) == Ok(total) {
                let mut stages = Stages {
                    complete: true,
                    ..Stages::default()
                };
                for (package, stage) in all.into_values() {
                    let of = stages.by_package.entry(package).or_default();
                    of.complete = true;
                    of.stages.push(stage);
                }
                return Ok(stages);
            }
            if rows.is_empty() {
                return Err(RegistryError::Incomplete {
                    got: all.len(),
                    total,
                });
            }
        }
        Err(RegistryError::Pages)
    }

    /// Reads the attestations of one version; none where the registry has none.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn attestations(
        &self,
        name: &PackageName,
        version: &str,
    ) -> Result<Vec<Attestation>, RegistryError> {
        #[derive(Deserialize)]
        struct All {
            attestations: Vec<Attestation>,
        }
        let package = package_segment(name.as_str());
        let path = self.base.path(&format!(
            "/-/npm/v1/attestations/{package}@{}",
            segment(version)
        ));
        let reply = self
            .client
            .send(Call::get(Group::NpmRead, path).reads(&[404]))
            .await?;
        if reply.status == 404 {
            return Ok(Vec::new());
        }
        Ok(reply.json::<All>()?.attestations)
    }

    /// Fetches the bytes of a version, from the address that the version's own document names.
    ///
    /// # Errors
    /// As [`Self::tarball`], or when the document cannot be read or names none.
    pub async fn archive(
        &self,
        name: &PackageName,
        version: &str,
    ) -> Result<Vec<u8>, RegistryError> {
        let package = package_segment(name.as_str());
        let path = self.base.path(&format!("/{package}/{}", segment(version)));
        let document: Value = self
            .client
            .send(Call::get(Group::NpmRead, path))
            .await?
            .json()?;
        let address = document.pointer("/dist/tarball").and_then(Value::as_str);
        self.tarball(address.ok_or_else(|| RegistryError::shape("a version without its tarball"))?)
            .await
    }

    /// Fetches the bytes of a version's tarball, from the address that its document names, which must be of this
    /// registry's own origin.
    ///
    /// # Errors
    /// When it is elsewhere or cannot be fetched.
    pub async fn tarball(&self, address: &str) -> Result<Vec<u8>, RegistryError> {
        let path = self.client.follow(Group::NpmRead, address)?;
        let call = Call::get(Group::NpmRead, path)
            .accept(Accept::Bytes)
            .cap(TARBALL);
        Ok(self.client.send(call).await?.body)
    }
}

/// Tells whether a 401 wants a one-time password rather than another login.
fn wants_otp(header: Option<&str>) -> bool {
    header.is_some_and(|value| value.to_ascii_lowercase().contains("otp"))
}

/// Reads one trust config of any provider. `date` is the server's, at which it was listed.
fn trust_config(value: &Value, date: Option<Ts>) -> Option<TrustConfigFact> {
    let null = Value::Null;
    let claims = value.get("claims").unwrap_or(&null);
    let file = |key: &str| {
        let of = claims.get(key)?;
        text(of, "file").or_else(|| text(claims, key))
    };
    let claim = |key: &str| text(claims, key);
    let vcs = || claim("oidc.circleci.com/vcs-origin").or_else(|| claim("vcs-origin"));
    let permission = |one: &Value| one.as_str().map(kept);
    Some(TrustConfigFact {
        id: text(value, "id")?,
        provider: text(value, "type").unwrap_or_default(),
        repository: claim("repository")
            .or_else(|| claim("project_path"))
            .or_else(vcs)
            .unwrap_or_default(),
        file: file("workflow_ref")
            .or_else(|| file("ci_config_ref_uri"))
            .unwrap_or_default(),
        environment: claim("environment"),
        permissions: items(value, "permissions")
            .iter()
            .filter_map(permission)
            .collect(),
        created: time(value, "created").or_else(|| time(value, "createdAt")),
        first_seen: date,
        status: text(value, "status"),
    })
}

fn stage(value: &Value) -> Option<(Box<str>, StageFact)> {
    let fact = StageFact {
        id: text(value, "id")?,
        version: text(value, "version")?,
        tag: text(value, "tag").unwrap_or_default(),
        created: time(value, "createdAt").unwrap_or_default(),
        actor: text(value, "actor").unwrap_or_default(),
        shasum: text(value, "shasum").unwrap_or_default(),
    };
    Some((text(value, "packageName")?, fact))
}
