//! The registry's page for a second factor: which address may be opened, and asking whether it was done.
//!
//! Owns the rules of the address. Whoever polls the second address gets a one-time password, so it is a secret, as the
//! password is; neither enters a file, a log or a wall display.

use std::fmt;

use serde::Deserialize;
use url::Url;

use super::{Base, Registry, RegistryError};
use crate::assets::registries;
use crate::http::{Call, Group, Reply};
use crate::safe::secret::Secret;
use crate::safe::shown::visible;

/// Seconds between two polls where the registry does not say.
const PAUSE: u32 = 2;

/// Something that may want a second factor first.
#[derive(Debug, Clone)]
pub enum Guarded<T> {
    Done(T),
    Asked(Challenge),
}

/// Whose host a challenge's page is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// The registry's own site.
    Own,
    /// Another host: the operator is asked once, and the answer recorded, before a browser is started.
    Ask,
}

/// A page to open, and where its result will be.
#[derive(Clone)]
pub struct Challenge {
    page: Url,
    pub site: Site,
    /// Path and query at the registry's origin.
    done: Secret,
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Challenge(on {}, {:?})", self.host(), self.site)
    }
}

impl Challenge {
    /// Gives the address for the browser and for the panel that shows it; nowhere else.
    pub fn page(&self) -> &str {
        self.page.as_str()
    }

    /// Gives the host of the page, which may be named anywhere.
    pub fn host(&self) -> &str {
        self.page.host_str().unwrap_or_default()
    }
}

/// Why a challenge's address is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    #[error("the registry names a page that is not https; it is not opened")]
    NotHttps,
    #[error("the registry names a page whose address carries a user name; it is not opened")]
    Userinfo,
    #[error(
        "the registry names a page whose host is not plain ASCII ({0}); it may look like another and is not opened"
    )]
    LookAlike(Box<str>),
    #[error("the registry names a page that is no address; it is not opened")]
    NoAddress,
    #[error("the registry wants its result fetched from another place ({0}); it is not")]
    DoneElsewhere(Box<str>),
}

/// What polling gave.
#[derive(Debug, Clone)]
pub enum Polled {
    /// Not done yet: ask again after so many seconds.
    Wait(u32),
    /// The one-time password for the operation's header.
    Done(Secret),
}

#[derive(Deserialize)]
struct Pair {
    #[serde(rename = "authUrl")]
    auth: Option<String>,
    #[serde(rename = "doneUrl")]
    done: Option<String>,
}

impl Registry {
    /// Reads the challenge of an answer with status 401.
    ///
    /// # Errors
    /// When there is none in it, or its addresses break the rules.
    pub(super) fn challenge(
        &self,
        group: Group,
        reply: &Reply,
    ) -> Result<Challenge, RegistryError> {
        let pair: Pair = reply
            .json()
            .map_err(|_no_pair| RegistryError::NoChallenge)?;
        let (Some(auth), Some(done)) = (pair.auth, pair.done) else {
            return Err(RegistryError::NoChallenge);
        };
        let (page, site) = page(&auth, &self.base)?;
        let path = self.client.follow(group, &done).map_err(|_elsewhere| {
            let host = Url::parse(&done)
                .ok()
                .and_then(|url| url.host_str().map(|host| visible(host).into()));
            ChallengeError::DoneElsewhere(host.unwrap_or_else(|| "no address".into()))
        })?;
        Ok(Challenge {
            page,
            site,
            done: Secret::new(path),
        })
    }

    /// Asks once whether a challenge was met.
    ///
    /// # Errors
    /// When the registry cannot be asked, or the challenge has ended: begin the operation anew.
    pub async fn poll(&self, challenge: &Challenge) -> Result<Polled, RegistryError> {
        let reply = self
            .client
            .send(Call::get(Group::NpmTrust, challenge.done.expose()))
            .await?;
        if reply.status == 202 {
            // A server that says nothing or "at once" is still not asked without a pause.
            return Ok(Polled::Wait(
                reply.seen.retry_after.unwrap_or(PAUSE).clamp(1, 60),
            ));
        }
        #[derive(Deserialize)]
        struct Done {
            token: String,
        }
        let done: Done = reply.json()?;
        Ok(Polled::Done(Secret::new(done.token)))
    }
}

/// Judges the address of a challenge's page.
fn page(text: &str, base: &Base) -> Result<(Url, Site), ChallengeError> {
    let url = Url::parse(text).map_err(|_no_address| ChallengeError::NoAddress)?;
    let own_scheme = url.scheme() == "http" && !base.origin().is_https();
    if url.scheme() != "https" && !own_scheme {
        return Err(ChallengeError::NotHttps);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ChallengeError::Userinfo);
    }
    let host = url.host_str().ok_or(ChallengeError::NoAddress)?;
    if !text.is_ascii() || host.split('.').any(|label| label.starts_with("xn--")) {
        return Err(ChallengeError::LookAlike(visible(host).into()));
    }
    let own = base.origin().host();
    let npm = registries();
    let npms = own == npm.npmjs.host && host == npm.npmjs.site && url.port().is_none();
    let same = host == own && url.port_or_known_default() == Some(base.origin().port());
    // Plain http is only for a registry on this machine, and then for that very server.
    if own_scheme && !same {
        return Err(ChallengeError::NotHttps);
    }
    let site = if npms || same { Site::Own } else { Site::Ask };
    Ok((url, site))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::assets::{fill, npm_url};
    use crate::http::World;

    #[test]
    fn only_the_registrys_own_page_is_opened_unasked() {
        let base = Base::parse(&npm_url(), World::Real).unwrap();
        let judge = |text: &str| page(&fill(text), &base).map(|(_, site)| site);
        assert_eq!(judge("https://{{registry-site}}/auth/cli/1"), Ok(Site::Own));
        assert_eq!(judge("https://{{registry}}/auth/1"), Ok(Site::Own));
        assert_eq!(
            judge("https://{{registry-site}}.evil.example/auth"),
            Ok(Site::Ask)
        );
        assert_eq!(judge("https://{{registry-site}}:8443/auth"), Ok(Site::Ask));
        assert_eq!(
            judge("http://{{registry-site}}/auth"),
            Err(ChallengeError::NotHttps)
        );
        assert_eq!(judge("javascript:alert(1)"), Err(ChallengeError::NotHttps));
        assert_eq!(judge("file:///etc/passwd"), Err(ChallengeError::NotHttps));
        assert_eq!(
            judge("https://{{registry-site}}@evil.example/"),
            Err(ChallengeError::Userinfo)
        );
        assert_eq!(judge("nothing"), Err(ChallengeError::NoAddress));
        let look_alikes = [
            "https://www.npmj\u{455}.example/",
            "https://www.xn--npmj-5cd.example/",
            "https://npm\u{200b}.example/",
        ];
        for text in look_alikes {
            assert!(
                matches!(
                    judge(text),
                    Err(ChallengeError::LookAlike(_) | ChallengeError::NoAddress)
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn on_this_machine_the_page_is_the_registrys_own_server() {
        let base = Base::parse("http://127.0.0.1:4000", World::Tabletop).unwrap();
        let judge = |text: &str| page(text, &base).map(|(_, site)| site);
        assert_eq!(judge("http://127.0.0.1:4000/auth"), Ok(Site::Own));
        assert_eq!(
            judge("http://127.0.0.1:4001/auth"),
            Err(ChallengeError::NotHttps)
        );
        assert_eq!(
            judge("http://evil.example/auth"),
            Err(ChallengeError::NotHttps)
        );
    }
}
