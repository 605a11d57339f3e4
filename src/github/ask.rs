//! The questions themselves: one REST request, a whole list, one GraphQL query; what their answers' heads mean.
//!
//! Must not know what is asked for. Every exchange is told to the listener, once.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::graph::{Document, Envelope, GraphError, Priced};
use super::{GitHub, GithubError};
use crate::http::{Call, Fault, Group, Reply, RequestError};
use crate::model::name::RepoName;
use crate::model::time::Ts;
use crate::safe::shown::visible;

/// The version of the REST API whose answers are read.
const VERSION: &str = "2022-11-28";
/// Most decoded bytes of a GraphQL answer: 50 repositories with their workflows' texts.
const GRAPHQL_CAP: usize = 16 * 1024 * 1024;
/// Most pages of one list; 10,000 entries are more than any list here has.
const PAGES: usize = 100;

/// All pages of a list, and whether they are all there is.
#[derive(Debug)]
pub(super) struct Listing<T> {
    pub items: Vec<T>,
    /// What is missing, in words, where something is.
    pub whole: Result<(), String>,
    pub at: Option<Ts>,
}

/// A GraphQL answer: data, and what is said about the gaps in it.
#[derive(Debug)]
pub(super) struct Graph<T> {
    pub data: T,
    pub errors: Vec<GraphError>,
    pub at: Option<Ts>,
}

impl<T> Graph<T> {
    /// Gives the first thing said about gaps, fit to be shown.
    pub(super) fn says(&self) -> Option<Box<str>> {
        self.errors
            .first()
            .map(|error| visible(&error.message).into())
    }
}

impl GitHub {
    /// Sends a call and tells the listener what came of it.
    pub(super) async fn send(&self, group: Group, call: Call) -> Result<Reply, RequestError> {
        let outcome = self.client.send(call).await;
        (self.listen)(group, &outcome);
        outcome
    }

    /// Prepares a GET below the API's root.
    pub(super) fn get(&self, path: &str) -> Call {
        Call::get(group_of(path), self.place.rest(path))
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", VERSION)
            .reads(&[404])
    }

    /// Asks once. A 404 is "could not look", with what its headers say would be needed.
    pub(super) async fn ask(&self, path: &str) -> Result<Reply, GithubError> {
        let reply = self.send(group_of(path), self.get(path)).await?;
        seen(reply, path)
    }

    /// Asks once for JSON of a known shape.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<(T, Option<Ts>), GithubError> {
        let reply = self.ask(path).await?;
        Ok((reply.json()?, reply.seen.date))
    }

    /// Reads a list to its end. `key` names the field that holds the entries, none for a bare list.
    ///
    /// It is whole only if every page arrived, the total stayed the same, and that many entries came.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        key: Option<&str>,
        per_page: u32,
    ) -> Result<Listing<T>, GithubError> {
        let joined = if path.contains('?') { '&' } else { '?' };
        let first = format!("{path}{joined}per_page={per_page}");
        let group = group_of(path);
        let mut call = self.get(&first);
        let mut all = Listing {
            items: Vec::new(),
            whole: Ok(()),
            at: None,
        };
        let mut totals: Option<(u64, bool)> = None;
        for page in 1.. {
            let reply = seen(self.send(group, call).await?, path)?;
            all.at = all.at.or(reply.seen.date);
            let (total, items) = entries::<T>(&reply, key)?;
            all.items.extend(items);
            if let Some(total) = total {
                let (before, steady) = totals.unwrap_or((total, true));
                totals = Some((total, steady && before == total));
            }
            let Some(next) = reply.header("link").and_then(next_of) else {
                break;
            };
            if page >= PAGES {
                all.whole = Err(format!(
                    "more than {} entries; the rest was not read",
                    all.items.len()
                ));
                return Ok(all);
            }
            let next = self.client.follow(group, next)?;
            call = Call::get(group, next)
                .header("accept", "application/vnd.github+json")
                .header("x-github-api-version", VERSION)
                .reads(&[404]);
        }
        all.whole = match totals {
            Some((_, false)) => {
                Err("the list changed while it was read; it is read again".to_owned())
            }
            Some((total, true)) if total != all.items.len() as u64 => {
                Err(format!("{} of {total} entries arrived", all.items.len()))
            }
            _ => Ok(()),
        };
        Ok(all)
    }

    /// Sends a GraphQL query. Partial data is an answer; none at all is a failure.
    pub(super) async fn graph<T: DeserializeOwned + Priced>(
        &self,
        document: &Document,
        variables: Value,
    ) -> Result<Graph<T>, GithubError> {
        let group = Group::GithubGraphql;
        let body = json!({
            "query": document.text,
            "operationName": document.operation,
            "variables": variables,
        });
        let call = Call::new(group, crate::http::Method::POST, self.place.graphql())
            .header("accept", "application/vnd.github+json")
            .cap(GRAPHQL_CAP)
            .json(&body);
        let outcome = self.client.send(call).await;
        let judged = outcome.and_then(|reply| {
            let answer: Envelope<T> = reply.json()?;
            match limited(&answer, &reply, self.client.now()) {
                Some(trouble) => Err(trouble),
                None => Ok((answer, reply)),
            }
        });
        let (answer, reply) = match judged {
            Ok(pair) => pair,
            Err(trouble) => {
                (self.listen)(group, &Err(trouble.clone()));
                return Err(trouble.into());
            }
        };
        let outcome = Ok(reply);
        (self.listen)(group, &outcome);
        let at = outcome.ok().and_then(|reply| reply.seen.date);
        let Envelope { data, errors } = answer;
        if let Some(price) = data.as_ref().and_then(Priced::price) {
            tracing::debug!(operation = document.operation, cost = price.cost, remaining = price.remaining, reset = ?price.reset_at, "graphql");
        }
        // A query that ran out of time leaves holes that look like absence: it is asked again, for less.
        if errors.iter().any(GraphError::is_too_much) {
            let fault = Fault::ServerError { status: 502 };
            return Err(RequestError::answered(group, fault, crate::http::Seen::default()).into());
        }
        match data {
            Some(data) => Ok(Graph { data, errors, at }),
            None => {
                let says = errors
                    .first()
                    .map_or("no reason given", |error| &error.message);
                Err(GithubError::Part {
                    what: document.operation.into(),
                    says: visible(says).into(),
                })
            }
        }
    }
}

/// Tells which part of GitHub answers a path: what fails there fails together.
pub(super) fn group_of(path: &str) -> Group {
    let bare = path.split('?').next().unwrap_or(path);
    let mut parts = bare.split('/').skip(1);
    match (parts.next(), parts.nth(2)) {
        (Some("repos"), Some("actions")) if bare.ends_with("/logs") => Group::GithubLogs,
        (Some("repos"), Some("actions")) => Group::GithubActions,
        _ => Group::GithubRest,
    }
}

/// Turns a 404 into "could not look".
fn seen(reply: Reply, path: &str) -> Result<Reply, GithubError> {
    if reply.status != 404 {
        return Ok(reply);
    }
    let needs = reply
        .header("x-accepted-github-permissions")
        .filter(|needs| !needs.trim().is_empty());
    let what = path.split('?').next().unwrap_or(path);
    Err(GithubError::Hidden {
        what: visible(what).into(),
        needs: needs.map(Into::into),
    })
}

/// Reads one page: its total, where it tells one, and its entries.
fn entries<T: DeserializeOwned>(
    reply: &Reply,
    key: Option<&str>,
) -> Result<(Option<u64>, Vec<T>), GithubError> {
    let Some(key) = key else {
        return Ok((None, reply.json()?));
    };
    let mut page: std::collections::BTreeMap<Box<str>, Value> = reply.json()?;
    let total = page.get("total_count").and_then(Value::as_u64);
    let odd = |why| GithubError::UnexpectedAnswer {
        what: key.into(),
        why,
    };
    let Some(Value::Array(items)) = page.remove(key) else {
        return Err(odd("the list itself"));
    };
    let read = items.into_iter().map(serde_json::from_value);
    match read.collect::<Result<Vec<T>, _>>() {
        Ok(items) => Ok((total, items)),
        Err(error) => {
            tracing::debug!(%error, key, "an entry of another shape");
            Err(odd("an entry has another shape"))
        }
    }
}

/// Tells whether a limit was hit though the status says 200.
fn limited<T: Priced>(answer: &Envelope<T>, reply: &Reply, now: Ts) -> Option<RequestError> {
    answer.errors.iter().find(|error| error.is_limit())?;
    let seen = &reply.seen;
    let reset = seen
        .rate
        .as_ref()
        .map(|rate| rate.reset.plus(-seen.skew.unwrap_or_default()));
    let asked = seen.retry_after.map(|wait| now.plus(i64::from(wait)));
    let until = asked.or(reset).unwrap_or(now.plus(60)).max(now.plus(1));
    let fault = Fault::Limited {
        until,
        secondary: reset.is_none(),
    };
    Some(RequestError::answered(
        Group::GithubGraphql,
        fault,
        seen.clone(),
    ))
}

/// Finds the address of the next page in a `Link` header (RFC 8288).
pub(super) fn next_of(link: &str) -> Option<&str> {
    let mut rest = link;
    loop {
        let (_, after) = rest.split_once('<')?;
        let (address, tail) = after.split_once('>')?;
        let parameters = tail.split('<').next().unwrap_or_default();
        let is_next = parameters.split([';', ',']).any(|one| {
            let (name, value) = one.split_once('=').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("rel")
                && value
                    .trim()
                    .trim_matches('"')
                    .split(' ')
                    .any(|rel| rel.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(address);
        }
        rest = tail;
    }
}

/// Gives `/repos/owner/name`, which its grammar keeps free of anything that would need escaping.
pub(super) fn repo_path(repo: &RepoName) -> Result<String, GithubError> {
    let (owner, name) = split(repo)?;
    Ok(format!("/repos/{owner}/{name}"))
}

/// Splits into owner and name: GitHub has no deeper groups.
pub(super) fn split(repo: &RepoName) -> Result<(&str, &str), GithubError> {
    let no = || GithubError::NoRepo(repo.as_str().into());
    let (owner, name) = repo.as_str().split_once('/').ok_or_else(no)?;
    if name.contains('/') {
        Err(no())
    } else {
        Ok((owner, name))
    }
}

/// Writes a name as one segment of a path: a slash, a blank or a dot alone would change the address.
pub(super) fn segment(name: &str) -> String {
    use std::fmt::Write as _;
    let dots = name.bytes().all(|byte| byte == b'.');
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'~')
            || byte == b'.' && !dots;
        if plain {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        let link = r#"<https://api.github.com/x?page=1>; rel="prev", <https://api.github.com/x?a=1,2&page=3>; rel="next", <https://api.github.com/x?page=9>; rel="last""#;
        assert_eq!(next_of(link), Some("https://api.github.com/x?a=1,2&page=3"));
        assert_eq!(next_of(r#"<a>; rel="last next""#), Some("a"));
        assert_eq!(next_of("<a>; title=x; rel=next"), Some("a"));
        for none in [
            "",
            "<a>",
            r#"<a>; rel="prev""#,
            r#"<a; rel="next""#,
            r#"x; rel="next""#,
            r#"<a>; title="next""#,
        ] {
            assert_eq!(next_of(none), None, "{none}");
        }
    }

    #[test]
    fn paths_are_of_the_part_that_answers_them() {
        for (path, group) in [
            (
                "/repos/a/b/actions/secrets?per_page=100",
                Group::GithubActions,
            ),
            ("/repos/a/b/actions/jobs/1/logs", Group::GithubLogs),
            ("/repos/a/actions", Group::GithubRest),
            ("/repos/a/b/environments/actions", Group::GithubRest),
            ("/orgs/a/actions/secrets", Group::GithubRest),
            ("/user", Group::GithubRest),
        ] {
            assert_eq!(group_of(path), group, "{path}");
        }
    }

    #[test]
    fn only_owner_and_name_are_a_repository() {
        assert_eq!(
            repo_path(&RepoName::parse("acme/ui.kit").unwrap()).unwrap(),
            "/repos/acme/ui.kit"
        );
        for bad in ["acme", "acme/a/b"] {
            assert!(repo_path(&RepoName::parse(bad).unwrap()).is_err());
        }
    }

    proptest! {
        #[test]
        fn a_segment_stays_one_segment(name in "[ -~éß\u{202e}]{1,30}") {
            prop_assume!(name != "." && name != "..");
            let address = url::Url::parse(&format!("https://h/a/{}/b", segment(&name))).unwrap();
            let parts: Vec<_> = address.path_segments().unwrap().collect();
            prop_assert_eq!(parts.len(), 3, "{}", address);
            prop_assert!(address.query().is_none() && address.fragment().is_none());
        }

        #[test]
        fn no_link_header_makes_it_panic(link in "[<>;=, a-z\"]{0,60}") {
            let _ = next_of(&link);
        }
    }
}
