//! Wave 4, rehearsal: what a canary showed. The registry's answers first; without them the inventory's or people's word.
//!
//! These are events: once seen they stay, though the list moves on. That there is none yet holds a day at most.

use super::look::{age, settled};
use super::publish::{Asked, Lack, Proof, is_expired, is_prerelease, repo_name, window};
use super::verdict::Verdict;
use super::view::View;
use crate::model::fact::{CiFact, HowFact, InventoryFact, LiveSource, VersionFact};
use crate::model::facts::seen::Seen;
use crate::model::id::Subject;
use crate::model::lane::Lane;
use crate::model::semver::{core, exact};
use crate::safe::shown::first_few;

const UNLOOKED: &str = "the registry was not looked at";

/// Turns the lack of a version into a verdict. What was not there yesterday may be there now.
pub(super) fn lacking(view: &View<'_>, lack: Lack, never: Verdict) -> Verdict {
    match lack {
        Lack::NotLooked => never,
        Lack::Failed(why) | Lack::Unclear(why) => Verdict::could_not(why),
        Lack::Absent { looked, words } => {
            let until = view.fresh_until(looked);
            if view.now < until {
                Verdict::blocked(format!("{words}, as of {looked}")).until(until)
            } else {
                let old = age(view.now.0 - looked.0);
                Verdict::could_not(format!("last looked {old} ago: {words} then"))
            }
        }
    }
}

fn went_out(proof: &Proof<'_>, verb: &str) -> String {
    let note = if proof.by_inference {
        "; the trust list was not read"
    } else {
        ""
    };
    let VersionFact { version, at, .. } = proof.version;
    format!("{version} {verb} on {}{note}", at.day())
}

pub(in crate::model) fn canary_published(view: &View<'_>) -> Verdict {
    let said = canary_by_inventory(view);
    let Some((id, lane)) = view
        .path_id()
        .and_then(|id| Some((id, view.facts.lane(id)?)))
    else {
        return said;
    };
    let asked = Asked {
        facts: view.facts,
        path: id,
        lane,
    };
    if matches!(lane, Lane::Manual | Lane::Retire) {
        return said;
    }
    match asked.any(|_| true) {
        Ok((proof, without)) => {
            let mut words = went_out(&proof, asked.verb());
            if !without.is_empty() {
                let names: Vec<&str> = without
                    .iter()
                    .filter_map(|package| view.facts.packages.get(package))
                    .map(|row| row.name.as_ref())
                    .collect();
                words.push_str(&format!("; not yet: {}", first_few(&names)));
            }
            Verdict::passed(words)
        }
        Err(lack) => lacking(view, lack, said),
    }
}

fn canary_by_inventory(view: &View<'_>) -> Verdict {
    let row = view
        .path()
        .and_then(|path| path.repo)
        .and_then(|repo| view.facts.repos.get(&repo))
        .and_then(|repo| repo.inventory.as_ref());
    match row.and_then(|row| {
        row.value
            .canary_date
            .map(|on| (on, row.value.canary_tag.as_deref()))
    }) {
        Some((on, tag)) if on <= view.now.day() => Verdict::attested(format!(
            "the inventory names {on}{}",
            tag.map(|tag| format!(", tag {tag}")).unwrap_or_default()
        )),
        _ => Verdict::not_looked(UNLOOKED),
    }
}

/// A config must publish within 48 hours of its creation; its first publish ends that for good.
pub(super) fn armed(view: &View<'_>) -> Verdict {
    let Some(config) = view.facts.configs.get(&view.subject) else {
        return Verdict::unwatched(UNLOOKED);
    };
    let list = view.look(config.package, LiveSource::Trust, Seen::trust);
    let when = match list.ever("the registry's trust configs were not looked at") {
        Ok(sight) => sight.when(),
        Err(verdict) => return verdict,
    };
    let Some(window) = window(view.facts, config) else {
        return Verdict::not_looked(format!(
            "no config that fits is registered with a date, {when}: register it, then read the list again"
        ));
    };
    let (from, ends) = (window.from, window.ends());
    if let Some(version) = window.published {
        return Verdict::passed(format!(
            "it published {} on {}: validated for good",
            version.version,
            version.at.day()
        ));
    }
    if is_expired(window.config) {
        return Verdict::blocked(format!(
            "the registry says that it has expired, {when}: delete it and create it anew"
        ));
    }
    let begun = if window.exact {
        "created"
    } else {
        "first listed"
    };
    if view.now < ends {
        Verdict::passed(format!("{begun} {from}; it has to publish before {ends}")).until(ends)
    } else {
        Verdict::blocked(format!(
            "{begun} {from} and no publish by {ends}: delete it and create it anew"
        ))
    }
}

/// A publish by a config shows that the exchange for it works.
pub(in crate::model) fn exchange_probed(view: &View<'_>) -> Verdict {
    let unseen =
        || Verdict::unwatched("nothing here reads a probe's lines: a person may attest the run");
    match by_config(view) {
        Some(Ok((proof, verb))) => Verdict::passed(went_out(&proof, verb)),
        _ => unseen(),
    }
}

/// Finds the newest version that the config of this view published by its lane's way.
fn by_config<'a>(view: &View<'a>) -> Option<Result<(Proof<'a>, &'static str), Lack>> {
    let config = view.facts.configs.get(&view.subject)?;
    let asked = Asked {
        facts: view.facts,
        path: config.path,
        lane: view.facts.lane(config.path)?,
    };
    let found = asked.newest(config.package, |_| true);
    Some(found.map(|proof| (proof, asked.verb())))
}

pub(in crate::model) fn published_by_oidc(view: &View<'_>) -> Verdict {
    let never = Verdict::unwatched(UNLOOKED);
    match by_config(view) {
        None => never,
        Some(Ok((proof, verb))) => Verdict::passed(went_out(&proof, verb)),
        Some(Err(lack)) => lacking(view, lack, never),
    }
}

/// Stage id and actor stand in the stage list while it waits; the approver stands in the version.
pub(super) fn staged_by_this_run(view: &View<'_>) -> Verdict {
    settled((|| {
        let published = view
            .look(view.subject, LiveSource::Published, Seen::published)
            .ever(UNLOOKED)?;
        let seen = view.facts.seen.get(&view.subject);
        let versions = seen.map_or_else(Vec::new, Seen::versions);
        let staged = versions
            .iter()
            .find(|one| one.how == HowFact::Staged && one.approver.is_some());
        if let Some(one) = staged {
            let approver = one.approver.as_deref().unwrap_or_default();
            let stage = seen.and_then(|seen| seen.stage(&one.version));
            let by = match (one.run, stage) {
                (Some(run), _) => format!("staged by run {run}"),
                (None, Some(stage)) => format!("stage {} by {}", stage.id, stage.actor),
                (None, None) => {
                    return Err(Verdict::could_not(format!(
                        "{approver} approved {}, which is matched to no run: compare stage id and shasum, then attest it",
                        one.version
                    )));
                }
            };
            return Ok(Verdict::passed(format!(
                "{}: {by}, approved by {approver}",
                one.version
            )));
        }
        let waits = view.look(view.subject, LiveSource::Stages, Seen::stages);
        if let Ok(stages) = waits.state("")
            && let Some(one) = stages.fact.stages.first()
        {
            return Ok(stages.holds(Verdict::blocked(format!(
                "stage {} of {} waits for approval, {}",
                one.id,
                one.version,
                stages.when()
            ))));
        }
        let looked = published.looked;
        let words = "no version was staged and approved yet".to_owned();
        Ok(lacking(
            view,
            Lack::Absent { looked, words },
            Verdict::unwatched(UNLOOKED),
        ))
    })())
}

/// Gives the inventory's yes or no of the package's repositories: a yes only where it is said of each.
fn said(view: &View<'_>, ask: fn(&InventoryFact) -> Option<bool>) -> Option<bool> {
    let answer = |repo| ask(&view.facts.repos.get(&repo)?.inventory.as_ref()?.value);
    let answers: Vec<Option<bool>> = repos(view).map(answer).collect();
    match answers.as_slice() {
        [] => None,
        all if all.contains(&Some(false)) => Some(false),
        all => (!all.contains(&None)).then_some(true),
    }
}

fn repos<'a>(view: &View<'a>) -> impl Iterator<Item = Subject> {
    view.facts
        .packages
        .get(&view.subject)
        .into_iter()
        .flat_map(|package| package.repos.iter().copied())
}

fn by_inventory(answer: Option<bool>) -> Verdict {
    match answer {
        Some(true) => Verdict::attested("the inventory says so"),
        Some(false) => Verdict::not_looked("the inventory says not yet"),
        None => Verdict::not_looked(UNLOOKED),
    }
}

/// Gives the version that rehearsed a package: the newest prerelease that went out by a path's own way, else the newest
/// release that did.
fn rehearsal<'a>(view: &View<'a>) -> Option<&'a VersionFact> {
    let row = view.facts.packages.get(&view.subject)?;
    let asked = row.paths.iter().filter_map(|path| {
        Some(Asked {
            facts: view.facts,
            path: *path,
            lane: view.facts.lane(*path)?,
        })
    });
    let asked: Vec<Asked<'_>> = asked.collect();
    let newest = |wanted: fn(&VersionFact) -> bool| {
        let found = asked
            .iter()
            .filter_map(|one| one.newest(view.subject, wanted).ok());
        found.map(|proof| proof.version).max_by_key(|one| one.at)
    };
    newest(is_prerelease).or_else(|| newest(|one| !is_prerelease(one)))
}

pub(super) fn dist_tags_correct(view: &View<'_>) -> Verdict {
    let unlooked = || by_inventory(said(view, |row| row.dist_tags_correct));
    let Some(seen) = view.facts.seen.get(&view.subject) else {
        return unlooked();
    };
    let look = view.look(view.subject, LiveSource::Published, Seen::published);
    let sight = match look.ever(UNLOOKED) {
        Ok(sight) => sight,
        Err(verdict) if verdict.unwatched => return unlooked(),
        Err(verdict) => return verdict,
    };
    let when = sight.when();
    let Some(latest) = sight.fact.tags.get("latest") else {
        return Verdict::blocked(format!("there is no latest tag, {when}"));
    };
    let Some(current) = exact(latest) else {
        return Verdict::blocked(format!(
            "latest points to {latest}, which is no version, {when}"
        ));
    };
    let Some(canary) = rehearsal(view) else {
        return match unlooked() {
            said if said.state.is_met() => said,
            _ => Verdict::not_looked(format!("no canary to compare with yet, {when}")),
        };
    };
    let before = |one: &&crate::model::facts::past::TagSeen| &*one.tag == "latest";
    let higher = seen.tags().iter().filter(before).find(|one| {
        exact(&one.version).is_some_and(|was| !was.is_prerelease() && core(&was) > core(&current))
    });
    if let Some(was) = higher {
        return Verdict::blocked(format!(
            "latest went back from {} to {latest}, {when}",
            was.version
        ));
    }
    if !is_prerelease(canary) {
        return Verdict::passed(format!(
            "{} was a release, no canary; latest is {latest}, {when}",
            canary.version
        ));
    }
    // A package that never had a release keeps its prerelease as latest.
    let since_before = seen
        .tags()
        .iter()
        .filter(before)
        .any(|one| one.version == *latest && one.first < canary.at);
    if *latest == canary.version || (current.is_prerelease() && !since_before) {
        return Verdict::blocked(format!("latest moved to the prerelease {latest}, {when}"));
    }
    match seen
        .tags()
        .iter()
        .find(|one| &*one.tag != "latest" && one.version == canary.version)
    {
        Some(tag) => Verdict::passed(format!(
            "{} pointed to {}; latest is {latest}, {when}",
            tag.tag, canary.version
        )),
        None => Verdict::blocked(format!(
            "no tag was seen on the canary {}, {when}",
            canary.version
        )),
    }
}

pub(super) fn canary_cleaned(view: &View<'_>) -> Verdict {
    settled((|| {
        let sight = view
            .look(view.subject, LiveSource::Published, Seen::published)
            .ever(UNLOOKED)?;
        let when = sight.when();
        let Some(canary) = rehearsal(view) else {
            return Err(Verdict::not_looked(format!("no canary yet, {when}")));
        };
        if !is_prerelease(canary) {
            return Ok(Verdict::not_applicable(
                "a release rehearsed it: there is no canary tag",
            ));
        }
        let version = &canary.version;
        let tag = sight
            .fact
            .tags
            .iter()
            .find(|(tag, to)| &***tag != "latest" && *to == version);
        let ever = view.facts.seen.get(&view.subject).is_some_and(|seen| {
            let mut tags = seen.tags().iter();
            tags.any(|one| &*one.tag != "latest" && one.version == *version)
        });
        Ok(match tag {
            Some((tag, _)) => Verdict::blocked(format!("{tag} still points to {version}, {when}")),
            None if ever => Verdict::passed(format!("no tag points to {version} any more, {when}")),
            None => Verdict::not_looked(format!("no tag was seen on {version} yet, {when}")),
        })
    })())
}

/// npm makes no provenance for private repositories or on CircleCI; the registry's signature stands there.
pub(super) fn provenance_verified(view: &View<'_>) -> Verdict {
    let package = view.facts.packages.get(&view.subject);
    let restricted = package
        .and_then(|row| row.fact.as_ref())
        .is_some_and(|fact| fact.value.restricted || fact.value.private);
    let circle = package.is_some_and(|row| {
        !row.paths.is_empty()
            && row
                .paths
                .iter()
                .map(|path| view.facts.path(*path))
                .all(|path| path.is_some_and(|path| path.ci == CiFact::Circleci))
    });
    let hidden = repos(view).any(|repo| {
        let forge = view.facts.seen.get(&repo).and_then(Seen::forge);
        forge.is_some_and(|(fact, _)| matches!(&*fact.visibility, "private" | "internal"))
    });
    if restricted || circle || hidden {
        return Verdict::not_applicable(
            "no provenance is made here: the registry's signature stands in its place",
        );
    }
    let look = view.look(view.subject, LiveSource::Provenance, Seen::provenance);
    let sight = match look.ever(UNLOOKED) {
        Ok(sight) => sight,
        Err(verdict) if verdict.unwatched => {
            return by_inventory(said(view, |row| row.provenance_verified));
        }
        Err(verdict) => return verdict,
    };
    let (fact, when) = (sight.fact, sight.when());
    if !fact.verified {
        let why = fact.why.as_deref().unwrap_or("it does not verify");
        return Verdict::blocked(format!("{}: {why}, {when}", fact.version));
    }
    let ours = repos(view).any(|repo| fact.repository.ends_with(repo_name(view.facts, repo)));
    if !ours {
        return Verdict::blocked(format!(
            "{} names another repository: {}, {when}",
            fact.version, fact.repository
        ));
    }
    Verdict::passed(format!(
        "{}: {} at {}, commit {}, {when}",
        fact.version, fact.workflow, fact.git_ref, fact.commit
    ))
}
