//! After-care: whether a real release went out by the new way once the old token was gone.

use super::publish::{Asked, is_prerelease};
use super::read::is_read;
use super::table::GateId;
use super::verdict::Verdict;
use super::view::View;
use super::wave4::lacking;
use super::wave5::gone;
use crate::model::decision::{Decision, Slot, Standing, Value};
use crate::model::facts::Facts;
use crate::model::id::Subject;
use crate::model::lane::Lane;
use crate::model::time::Ts;

const UNLOOKED: &str = "the registry was not looked at";

pub(super) fn first_real_release(view: &View<'_>) -> Verdict {
    let asked = view.path_id().and_then(|path| {
        let lane = view.facts.lane(path)?;
        let repo = view.facts.path(path)?.repo?;
        Some((
            Asked {
                facts: view.facts,
                path,
                lane,
            },
            repo,
        ))
    });
    let Some((asked, repo)) = asked else {
        return Verdict::unwatched(UNLOOKED);
    };
    if matches!(asked.lane, Lane::Bridge | Lane::Manual | Lane::Retire) {
        return Verdict::unwatched("not told by the registry in this lane: a person may attest it");
    }
    let since = match revoked(view.facts, repo) {
        Ok(since) => since,
        Err(words) if asked.lane != Lane::StagedToken => return Verdict::unwatched(words),
        Err(_) => None,
    };
    let found = asked.any(|one| !is_prerelease(one) && since.is_none_or(|since| one.at > since));
    match found {
        Ok((proof, _)) => {
            let after = since.map_or_else(
                || "; no token was there to revoke".to_owned(),
                |since| format!(", after the revocation of {}", since.day()),
            );
            let (version, day) = (&proof.version.version, proof.version.at.day());
            Verdict::passed(format!("{version} {} on {day}{after}", asked.verb()))
        }
        Err(lack) => lacking(view, lack, Verdict::unwatched(UNLOOKED)),
    }
}

/// Gives when the last of a repository's tokens was gone; nothing where it never had one.
///
/// # Errors
/// A token still lives, or which token a secret held is not known.
fn revoked(facts: &Facts, repo: Subject) -> Result<Option<Ts>, &'static str> {
    let secrets = facts.repos.get(&repo).map_or(&[][..], |row| &row.secrets);
    if secrets
        .iter()
        .any(|secret| facts.tokens_of(*secret).next().is_none())
    {
        return Err("which token its secrets held is not known");
    }
    if !is_read(facts, repo, GateId::TOKEN_USES_LISTED) {
        return Err("not every file was read that may use a token");
    }
    let tokens = facts.tokens_of_repo(repo);
    let mut last = None;
    for token in tokens {
        let listed = gone(&facts.sightings(token)).map(|(_, without)| without.as_of);
        let recorded = match facts.standing(token, Slot::Revocation) {
            Standing::One(Decision {
                value: Value::Revoked { on, .. },
                ..
            }) => Some(Ts::from_day(*on)),
            _ => None,
        };
        let at = listed.or(recorded).ok_or("no revocation is recorded yet")?;
        last = last.max(Some(at));
    }
    Ok(last)
}
