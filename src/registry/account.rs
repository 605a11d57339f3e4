//! Accounts and organisations: who the login is, its second factor, and which packages and people belong together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::address::segment;
use super::answer::{kept, text};
use super::{Registry, RegistryError};
use crate::http::{Call, Group};
use crate::model::fact::{Answer, OwnedFact, ProfileFact};
use crate::model::id::Subject;
use crate::model::name::{Login, PackageName};

impl Registry {
    /// Names the account of this login.
    ///
    /// # Errors
    /// When the registry cannot be asked, does not accept the login, or names nobody.
    pub async fn whoami(&self) -> Result<Login, RegistryError> {
        self.whoami_in(Group::NpmRead).await
    }

    pub(super) async fn whoami_in(&self, group: Group) -> Result<Login, RegistryError> {
        let reply = self
            .client
            .send(Call::get(group, self.base.path("/-/whoami")))
            .await?;
        let value: Value = reply.json()?;
        let name = text(&value, "username").ok_or(RegistryError::Nobody)?;
        Login::parse(&name).map_err(|error| RegistryError::shape(&error.to_string()))
    }

    /// Reads the profile of this login, which is that of `account`.
    ///
    /// # Errors
    /// When it cannot be read, or the login is another account's.
    pub async fn profile(&self, account: &Login) -> Result<(Subject, Answer), RegistryError> {
        let path = self.base.path("/-/npm/v1/user");
        let value: Value = self
            .client
            .send(Call::get(Group::NpmRead, path))
            .await?
            .json()?;
        if let Some(name) = text(&value, "name").filter(|name| **name != *account.as_str()) {
            return Err(RegistryError::OtherAccount {
                is: name,
                wanted: account.as_str().into(),
            });
        }
        let two_factor = match value.get("tfa") {
            None => {
                return Err(RegistryError::shape(
                    "a profile that does not tell of two-factor login",
                ));
            }
            Some(Value::Null | Value::Bool(false)) => "off".into(),
            // Pending means begun and not confirmed: nothing protects the account yet.
            Some(tfa) if tfa.get("pending").and_then(Value::as_bool) == Some(true) => "off".into(),
            Some(tfa) => text(tfa, "mode").unwrap_or_else(|| "unknown".into()),
        };
        let fact = ProfileFact {
            account: account.as_str().into(),
            two_factor,
        };
        Ok((Subject::person(account.as_str()), Answer::Profile(fact)))
    }

    /// Lists the packages of an organisation.
    ///
    /// The list counts as complete where this login is one of the organisation's members: others see public ones only.
    ///
    /// # Errors
    /// When it cannot be read or is of another shape.
    pub async fn org_packages(&self, org: &Login) -> Result<(Subject, Answer), RegistryError> {
        let packages = self
            .map(&format!("/-/org/{}/package", segment(org.as_str())))
            .await?;
        let member = match self.whoami().await {
            Ok(account) => self
                .org_users(org)
                .await
                .is_ok_and(|users| users.contains_key(account.as_str())),
            Err(_) => false,
        };
        Ok(owned(org, &packages, member))
    }

    /// Lists the packages of a person. Complete only for the login's own account.
    ///
    /// # Errors
    /// When it cannot be read or is of another shape.
    pub async fn user_packages(&self, account: &Login) -> Result<(Subject, Answer), RegistryError> {
        let packages = self
            .map(&format!("/-/user/{}/package", segment(account.as_str())))
            .await?;
        let own = self.whoami().await.is_ok_and(|login| login == *account);
        Ok(owned(account, &packages, own))
    }

    /// Lists the people of an organisation with their roles: `owner`, `admin`, `developer`.
    ///
    /// # Errors
    /// When it cannot be read or is of another shape.
    pub async fn org_users(
        &self,
        org: &Login,
    ) -> Result<BTreeMap<Box<str>, Box<str>>, RegistryError> {
        let people = self
            .map(&format!("/-/org/{}/user", segment(org.as_str())))
            .await?;
        let role = |role: &Value| role.as_str().map(kept);
        let all = people
            .iter()
            .map(|(name, value)| Some((kept(name), role(value)?)));
        all.collect::<Option<_>>()
            .ok_or_else(|| RegistryError::shape("a role that is no text"))
    }

    pub(super) async fn map(&self, path: &str) -> Result<Map<String, Value>, RegistryError> {
        let reply = self
            .client
            .send(Call::get(Group::NpmRead, self.base.path(path)))
            .await?;
        Ok(reply.json()?)
    }
}

fn owned(account: &Login, packages: &Map<String, Value>, complete: bool) -> (Subject, Answer) {
    let (good, odd): (Vec<&String>, Vec<&String>) = packages
        .keys()
        .partition(|name| PackageName::parse(name).is_ok());
    let names: BTreeSet<&String> = good.into_iter().collect();
    let fact = OwnedFact {
        account: account.as_str().into(),
        // A name that no package can have says that something else answered, or that some cannot be followed.
        complete: complete && odd.is_empty(),
        packages: names.into_iter().map(|name| name.as_str().into()).collect(),
    };
    (Subject::person(account.as_str()), Answer::Owned(fact))
}
