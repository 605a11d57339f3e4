//! Whether everything of a repository that publishes or uses tokens was read.

use super::table::GateId;
use super::verdict::Verdict;
use crate::model::decision::{Slot, Standing, Value};
use crate::model::fact::{LiveSource, RepoFact};
use crate::model::facts::Facts;
use crate::model::id::Subject;
use crate::model::unseen::not_seen;
use crate::safe::shown::first_few;

/// Gives what was read of a repository, and which other refs.
pub(super) fn read(facts: &Facts, repo: Subject) -> Result<(&RepoFact, Option<String>), Verdict> {
    let scan = facts.repos.get(&repo).and_then(|row| row.scan.as_ref());
    let scan = scan.ok_or_else(|| Verdict::not_looked("no checkout of it has been scanned"))?;
    if let Some(why) = not_seen(&scan.value) {
        return Err(Verdict::could_not(why));
    }
    Ok((&scan.value, other_refs(facts, repo)?))
}

/// Says why not everything of a repository was read; nothing where it was.
pub(super) fn not_read(facts: &Facts, repo: Subject) -> Option<Verdict> {
    read(facts, repo).err()
}

/// Tells whether everything of a repository that publishes or uses tokens was read, or somebody says what is there.
///
/// A waiver does not say what is there.
pub fn is_read(facts: &Facts, repo: Subject, gate: GateId) -> bool {
    let said = || matches!(facts.standing(repo, Slot::Attest(gate)), Standing::One(one) if one.value == Value::Attested);
    !facts.newer.contains(&repo) && (read(facts, repo).is_ok() || said())
}

/// Says which other refs were read; nothing where nobody tried.
fn other_refs(facts: &Facts, repo: Subject) -> Result<Option<String>, Verdict> {
    let Some(seen) = facts.seen.get(&repo) else {
        return Ok(None);
    };
    let failed = |why: &str, when| {
        Err(Verdict::could_not(format!(
            "refs other than the default branch: {why} ({when})"
        )))
    };
    if let Some((fact, when)) = seen.trouble(LiveSource::Refs) {
        return failed(&fact.why, when);
    }
    let Some((fact, as_of)) = seen.refs() else {
        return Ok(None);
    };
    if !fact.complete {
        let why = fact.why.as_deref().unwrap_or("their list is not complete");
        return failed(why, as_of);
    }
    Ok(Some(match fact.refs.as_slice() {
        [] => format!("default branch; no other ref can publish, as of {as_of}"),
        refs => format!("default branch and {}, as of {as_of}", first_few(refs)),
    }))
}
