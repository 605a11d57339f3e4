//! What is different between two pictures of a session, as lines of JSON. Pure.
//!
//! The order of kinds is fixed: links, runs, packages, tokens with their clocks, then gates and clocks by repository. Times at which
//! something was looked at again without news are no change.

use crate::engine::live::{Link, LinkState, PackageRow, RunRow};
use crate::engine::snapshot::{Row, Snapshot, TokenRow};
use crate::model::clock::Clock;
use crate::model::fact::HowFact;
use crate::model::id::Subject;
use crate::model::time::Ts;
use crate::session::judge::Counts;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub kind: &'static str,
    /// What it is about and how it is now.
    pub fields: Value,
}

impl Change {
    fn new(kind: &'static str, fields: Value) -> Self {
        Self { kind, fields }
    }

    /// Gives the line of it: version, time and kind first.
    pub fn line(&self, at: Ts) -> Value {
        let mut line = Map::new();
        line.insert("version".into(), 1.into());
        line.insert("at".into(), at.to_string().into());
        line.insert("kind".into(), self.kind.into());
        if let Value::Object(fields) = &self.fields {
            line.extend(fields.clone());
        }
        Value::Object(line)
    }
}

/// Gives what changed from one picture to the next.
pub fn between(old: &Snapshot, new: &Snapshot) -> Vec<Change> {
    let mut changes = links(&old.live.links, &new.live.links);
    if !Arc::ptr_eq(&old.live.runs, &new.live.runs) {
        changes.extend(runs(&old.live.runs, &new.live.runs));
    }
    // The first list is what there is, not a change.
    if let (Some(old), Some(new)) = (&old.live.packages, &new.live.packages)
        && !Arc::ptr_eq(old, new)
    {
        changes.extend(packages(old, new));
    }
    if !Arc::ptr_eq(&old.tokens, &new.tokens) {
        changes.extend(tokens(&old.tokens, &new.tokens));
        changes.extend(token_clocks(&old.tokens, &new.tokens));
    }
    if old.rows_revision != new.rows_revision {
        changes.extend(rows(old, new));
    }
    changes
}

/// Pairs each new row with the old one of the same key, and keeps those whose words differ.
fn differing<'a, T, K: std::hash::Hash + Eq>(
    kind: &'static str,
    old: impl IntoIterator<Item = &'a T>,
    new: impl IntoIterator<Item = &'a T>,
    key: impl Fn(&T) -> K,
    words: impl Fn(&T) -> Value,
) -> Vec<Change>
where
    T: 'a,
{
    let before: HashMap<K, &T> = old.into_iter().map(|row| (key(row), row)).collect();
    let news = |row: &&T| {
        before
            .get(&key(row))
            .is_none_or(|old| words(old) != words(row))
    };
    new.into_iter()
        .filter(news)
        .map(|row| Change::new(kind, words(row)))
        .collect()
}

fn links(old: &[Link], new: &[Link]) -> Vec<Change> {
    let words = |link: &Link| {
        let (state, why, until) = match &link.state {
            LinkState::Connecting => ("connecting", None, None),
            // When it was last heard is no change.
            LinkState::Live { .. } => ("live", None, None),
            LinkState::Limited { until, why } => ("limited", Some(why), Some(until)),
            LinkState::Unauthorised { why } => ("unauthorised", Some(why), None),
            LinkState::Offline { why, next } => ("offline", Some(why), Some(next)),
        };
        let mut fields = json!({"group": link.group, "state": state});
        add(&mut fields, "why", why.map(|why| why.to_string()));
        add(&mut fields, "until", until.map(ToString::to_string));
        fields
    };
    differing("link", old, new, |link| link.group, words)
}

fn runs(old: &[RunRow], new: &[RunRow]) -> Vec<Change> {
    let words = |run: &RunRow| {
        let mut fields = json!({
            "repo": run.name, "run": run.id, "number": run.number, "file": run.file, "event": run.event,
            "branch": run.branch, "sha": run.sha, "state": run.state.word(), "by": run.actor, "url": run.url,
        });
        add(
            &mut fields,
            "attempt",
            (run.attempt > 0).then_some(run.attempt),
        );
        add(&mut fields, "step", run.step.as_deref());
        let cause = run.cause.as_ref();
        add(&mut fields, "cause", cause.map(|cause| &*cause.id));
        add(&mut fields, "meaning", cause.map(|cause| &*cause.meaning));
        add(&mut fields, "do", cause.map(|cause| &*cause.action));
        fields
    };
    differing("run", old, new, |run| (run.repo, run.id), words)
}

fn packages(old: &[PackageRow], new: &[PackageRow]) -> Vec<Change> {
    let words = |package: &PackageRow| {
        let how: Vec<&HowFact> = package.how.iter().take(1).collect();
        let mut fields = json!({
            "package": package.name, "repos": package.repos, "latest": package.latest, "tags": package.tags,
            "writers": package.writers,
        });
        add(
            &mut fields,
            "published",
            how.first().and_then(|how| serde_json::to_value(how).ok()),
        );
        add(
            &mut fields,
            "released",
            package.released.map(|at| at.to_string()),
        );
        add(
            &mut fields,
            "window",
            package.window.map(|at| at.to_string()),
        );
        let (verified, refused) = match &package.provenance {
            Some(Ok(by)) => (Some(&**by), None),
            Some(Err(why)) => (None, Some(&**why)),
            None => (None, None),
        };
        add(&mut fields, "provenance", verified);
        add(&mut fields, "provenance_refused", refused);
        add(&mut fields, "trouble", package.trouble.as_deref());
        fields
    };
    differing("package", old, new, |package| package.id, words)
}

fn tokens(old: &[TokenRow], new: &[TokenRow]) -> Vec<Change> {
    // Not even the masked form: an id is enough to find it.
    let words = |token: &TokenRow| {
        let mut fields = json!({
            "token": token.id.to_string(), "account": token.account, "name": token.name,
            "chain": token.chain.0.words(), "chain_why": token.chain.1,
            "revoked": token.gone.0.words(), "revoked_why": token.gone.1,
        });
        add(
            &mut fields,
            "expires",
            token.expires.map(|at| at.to_string()),
        );
        add(
            &mut fields,
            "last_used",
            token.last_used.map(|at| at.to_string()),
        );
        fields
    };
    differing("token", old, new, |token| token.id, words)
}

fn token_clocks(old: &[TokenRow], new: &[TokenRow]) -> Vec<Change> {
    let before: HashMap<Subject, Option<Clock>> =
        old.iter().map(|token| (token.id, token.clock)).collect();
    let news = |token: &&TokenRow| before.get(&token.id).copied().flatten() != token.clock;
    let change = |token: &TokenRow| {
        let subject = json!({"token": token.id.to_string(), "account": token.account});
        Change::new("clock", clock_words(subject, token.clock))
    };
    new.iter().filter(news).map(change).collect()
}

fn clock_words(mut subject: Value, clock: Option<Clock>) -> Value {
    add(
        &mut subject,
        "clock",
        Some(clock.map(|clock| clock.kind.word())),
    );
    add(
        &mut subject,
        "ends",
        clock.map(|clock| clock.ends.to_string()),
    );
    subject
}

fn rows(old: &Snapshot, new: &Snapshot) -> Vec<Change> {
    let before: HashMap<Subject, &Row> = old.rows.iter().map(|row| (row.id, row)).collect();
    let mut changes = Vec::new();
    for row in new.rows.iter() {
        let old = before.get(&row.id);
        let words = gates(row);
        if old.is_none_or(|old| gates(old) != words) {
            changes.push(Change::new("gate", words));
        }
        let ends = |row: &Row| row.clock.map(|clock| (clock.kind, clock.ends));
        if ends(row) != old.and_then(|old| ends(old)) {
            let fields = clock_words(json!({"repo": row.name}), row.clock);
            changes.push(Change::new("clock", fields));
        }
    }
    changes
}

/// How the gates of a repository stand: the first that is not met, and the counts of each wave.
fn gates(row: &Row) -> Value {
    let counts = |counts: &Counts| {
        json!({
            "passed": counts.passed, "attested": counts.attested, "waived": counts.waived,
            "blocked": counts.blocked, "could_not_look": counts.could_not, "not_looked_yet": counts.not_looked,
        })
    };
    let waves: Vec<Value> = row.waves.iter().map(counts).collect();
    let mut fields = json!({
        "repo": row.name, "lane": row.lane_word(), "wave": row.wave, "blocked": row.blocked,
    });
    if let Some((gate, state, todo)) = &row.next {
        add(&mut fields, "gate", Some(gate.word()));
        add(&mut fields, "state", Some(state.words()));
        add(&mut fields, "next", Some(&**todo));
    }
    add(&mut fields, "waves", Some(waves));
    fields
}

fn add(fields: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let (Value::Object(fields), Some(value)) = (fields, value) {
        fields.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn link(state: LinkState) -> Link {
        Link {
            group: "npm read",
            state,
        }
    }

    #[test]
    fn an_answer_like_the_last_is_no_change() {
        let heard = |at| vec![link(LinkState::Live { heard: Ts(at) })];
        assert_eq!(links(&heard(1), &heard(9)), []);
        let gone = vec![link(LinkState::Offline {
            why: "refused: nothing listens".into(),
            next: Ts(60),
        })];
        let told = links(&heard(1), &gone);
        assert_eq!(told.len(), 1);
        assert_eq!(
            told[0].line(Ts(0)).to_string(),
            "{\"version\":1,\"at\":\"1970-01-01T00:00:00Z\",\"kind\":\"link\",\"group\":\"npm read\",\"state\":\"offline\",\
             \"why\":\"refused: nothing listens\",\"until\":\"1970-01-01T00:01:00Z\"}"
        );
        assert_eq!(links(&[], &heard(1))[0].fields["state"], "live");
    }
}
