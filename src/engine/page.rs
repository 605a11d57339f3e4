//! Pages: everything about one subject, in words. A repository's page is the one-page template, filled.
//!
//! Gates are judged here for this one subject, with their reasons; the board keeps only counts.

mod package;

use super::picture::live::last_runs;
use super::snapshot::{Page, PageLine, Section};
use crate::model::clock::{Clock, clocks};
use crate::model::decision::{Slot, Value};
use crate::model::fact::{CredentialFact, PathFact};
use crate::model::facts::Facts;
use crate::model::gate::{GateId, View, WAVES, judge};
use crate::model::id::{Kind, Subject};
use crate::model::outcome::{end_state, owes_list, paths_of, subjects_of};
use crate::model::proposal::propose;
use crate::model::revoke::{Strength, chain};
use crate::model::time::Ts;
use crate::safe::shown::{and_more, visible};
use crate::session::Session;
use crate::session::guide::how_to;
use crate::session::name::{label, short_path};
use serde_json::Value as Json;

/// Makes the page of a subject.
pub fn page(session: &Session, about: Subject, now: Ts) -> Page {
    let facts = session.facts();
    let title = match about.kind {
        // Every session is called session; its own name says which.
        Kind::Session if !facts.session.name.is_empty() => {
            visible(&facts.session.name).into_owned()
        }
        _ => label(facts, about),
    };
    let mut sections = match about.kind {
        Kind::Repo => repo(facts, about, now),
        Kind::Token => token(facts, about, now),
        Kind::Package => {
            let mut sections = package::package(facts, about);
            sections.extend(gates(facts, &[about], about, now));
            sections
        }
        Kind::Session => whole(session, now),
        _ => Vec::new(),
    };
    if about.kind != Kind::Session {
        sections.push(notes(session, about));
    }
    sections.retain(|section| !section.lines.is_empty());
    Page {
        about,
        powers: false,
        title,
        sections,
    }
}

fn section(title: impl Into<String>, lines: Vec<PageLine>) -> Section {
    Section {
        title: title.into(),
        lines,
    }
}

fn said(text: impl Into<String>, detail: impl Into<String>) -> PageLine {
    PageLine {
        text: text.into(),
        detail: visible(&detail.into()).into_owned(),
        ..PageLine::default()
    }
}

fn repo(facts: &Facts, repo: Subject, now: Ts) -> Vec<Section> {
    let Some(row) = facts.repos.get(&repo) else {
        return Vec::new();
    };
    let mut scope = vec![
        said("owner", facts.owner(repo).unwrap_or("nobody yet")),
        said("reviewer", facts.reviewer(repo).unwrap_or("nobody yet")),
    ];
    match &row.scan {
        Some(scan) => {
            let commit = scan
                .value
                .commit
                .as_deref()
                .map(|commit| format!(" at {}", commit.get(..12).unwrap_or(commit)))
                .unwrap_or_default();
            scope.push(said(
                "scanned",
                format!("{}{commit}; {}", scan.as_of.day(), scan.value.refs),
            ));
        }
        None => scope.push(said(
            "scanned",
            "not scanned yet: `cutover import --scan CHECKOUT`",
        )),
    }
    if let Some(inventory) = &row.inventory {
        scope.push(said("inventory", inventory.value.from.as_ref()));
    }
    let published = row.packages.iter().filter(|package| {
        !facts
            .packages
            .get(package)
            .is_some_and(|row| is_private(row))
    });
    let names: Vec<String> = published.map(|package| label(facts, *package)).collect();
    let packages = match names.len() {
        1 => "1 package".to_owned(),
        many => format!("{many} packages"),
    };
    scope.push(said(packages, list(&names, 6)));
    let mut sections = vec![
        section("Scope", scope),
        section("Publish paths", paths(facts, repo, now)),
        section(
            "Last runs",
            last_runs(facts, repo)
                .into_iter()
                .map(|(run, how)| said(visible(&run).as_ref(), how))
                .collect(),
        ),
        secrets(facts, repo),
    ];
    if let Some(scan) = &row.scan {
        let uses = scan.value.uses.iter().map(|one| {
            let place = format!("{}:{}", one.file, one.line);
            said(
                one.purpose.word(),
                format!("{place} {}", one.secret.as_deref().unwrap_or("")),
            )
        });
        sections.push(section("Other token uses", uses.collect()));
        let findings = scan.value.findings.iter().map(|one| {
            said(
                one.rule.as_ref(),
                format!("{} {}:{}", one.severity, one.file, one.line),
            )
        });
        sections.push(section("Findings", findings.collect()));
    }
    sections.extend(gates(facts, &subjects_of(facts, repo), repo, now));
    let running: Vec<PageLine> = subjects_of(facts, repo)
        .iter()
        .flat_map(|about| clocks(facts, *about))
        .map(|clock| clock_line(facts, clock))
        .collect();
    sections.push(section("Clocks", running));
    sections
}

fn is_private(package: &crate::model::facts::Package) -> bool {
    package.fact.as_ref().is_some_and(|fact| fact.value.private)
}

fn list(names: &[String], most: usize) -> String {
    let mut words = names
        .iter()
        .take(most)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    words.push_str(&and_more(names.len().saturating_sub(most)));
    words
}

fn paths(facts: &Facts, repo: Subject, now: Ts) -> Vec<PageLine> {
    let mut lines = Vec::new();
    for id in paths_of(facts, repo) {
        let Some(path) = facts.path(id) else { continue };
        let (end, _) = end_state(facts, id, now);
        let lane = facts
            .lane(id)
            .map_or("no lane", crate::model::lane::Lane::word);
        lines.push(PageLine {
            about: Some(id),
            text: short_path(path),
            detail: format!("{lane}, {}", end.words()),
            ..PageLine::default()
        });
        lines.push(said("  how", visible(&how(path)).into_owned()));
        if let Some(end) = facts.decision(id, Slot::EndDate)
            && let Value::Date(on) = end.value
        {
            lines.push(said("  ends", format!("{on} ({})", end.by)));
        }
        if facts.lane(id).is_none()
            && let Some(proposal) = propose(path, now.day(), &facts.policy)
        {
            let until = proposal
                .until
                .map(|day| format!(", until {day}"))
                .unwrap_or_default();
            lines.push(said(
                format!("  proposed: {}", proposal.lane),
                format!("{}{until}", proposal.reason),
            ));
        }
    }
    lines
}

/// Says in one line how a path publishes now.
fn how(path: &PathFact) -> String {
    let mut words = vec![format!("{} on {}", path.tool.word(), path.ci.word())];
    words.push(match path.credential {
        CredentialFact::Oidc => "OIDC".to_owned(),
        CredentialFact::Token => format!(
            "token {}",
            path.secret.as_deref().unwrap_or("of unknown name")
        ),
        CredentialFact::TokenAndOidc => format!(
            "OIDC with the token {} left in reach",
            path.secret.as_deref().unwrap_or("of unknown name")
        ),
        CredentialFact::NoneVisible => "no credential visible".to_owned(),
    });
    words.push(path.environment.as_deref().map_or_else(
        || "no environment".to_owned(),
        |name| format!("environment {name}"),
    ));
    words.push(format!("{} runner", path.runner.word()));
    if path.staged {
        words.push("staged".to_owned());
    }
    if let Some(side) = &path.reusable {
        words.push(format!("reusable {side}"));
    }
    format!("{} ({}:{})", words.join(", "), path.file, path.line)
}

fn secrets(facts: &Facts, repo: Subject) -> Section {
    let secrets = facts.repos.get(&repo).map_or(&[][..], |row| &row.secrets);
    let lines = secrets.iter().map(|secret| {
        let tokens: Vec<String> = facts
            .tokens_of(*secret)
            .map(|token| label(facts, token))
            .collect();
        let shared = facts.secrets.get(secret).map_or(0, |row| row.repos.len());
        let held = if tokens.is_empty() {
            "which token it holds is not known".to_owned()
        } else {
            format!("holds {}", tokens.join(", "))
        };
        let shared = if shared > 1 {
            format!("; shared by {shared} repositories")
        } else {
            String::new()
        };
        PageLine {
            about: Some(*secret),
            text: label(facts, *secret),
            detail: format!("{held}{shared}"),
            ..PageLine::default()
        }
    });
    section("Secrets", lines.collect())
}

/// Gives the gates of some subjects, a section a wave. Gates that do not apply are left out.
fn gates(facts: &Facts, subjects: &[Subject], whose: Subject, now: Ts) -> Vec<Section> {
    let mut waves: Vec<Section> = WAVES
        .iter()
        .enumerate()
        .map(|(wave, words)| section(format!("Wave {wave}: {words}"), Vec::new()))
        .collect();
    if let Some(after) = waves.last_mut() {
        after.title = "After-care".to_owned();
    }
    let mut lines: Vec<(GateId, PageLine)> = Vec::new();
    for about in subjects {
        let view = View::new(facts, *about, now);
        for gate in GateId::of_kind(about.kind) {
            let verdict = judge(&view, *gate);
            if verdict.state == crate::model::gate::State::NotApplicable {
                continue;
            }
            let place = if *about == whose {
                String::new()
            } else {
                format!("{}: ", place(facts, *about))
            };
            let text = gate.word().to_owned();
            let detail = visible(&format!("{place}{}", verdict.why)).into_owned();
            lines.push((
                *gate,
                PageLine {
                    about: Some(*about),
                    gate: Some(*gate),
                    state: Some(verdict.state),
                    text,
                    detail,
                    how: match verdict.state.is_met() {
                        true => Vec::new(),
                        false => way(facts, *about, *gate),
                    },
                },
            ));
        }
    }
    lines.sort_by_key(|(gate, _)| *gate);
    for (gate, line) in lines {
        if let Some(wave) = waves.get_mut(usize::from(gate.spec().wave)) {
            wave.lines.push(line);
        }
    }
    waves
}

/// Returns the commands that meet an open gate here, and where they are documented.
fn way(facts: &Facts, about: Subject, gate: GateId) -> Vec<String> {
    let how = how_to(facts, about, gate);
    let docs = how.docs.map(|docs| format!("Documentation: {docs}"));
    how.steps.into_iter().chain(docs).collect()
}

/// Names a subject on its own repository's page.
fn place(facts: &Facts, about: Subject) -> String {
    let path = match about.kind {
        Kind::Path => Some(about),
        Kind::PathRef => facts.path_refs.get(&about).copied(),
        _ => None,
    };
    match path.and_then(|path| facts.path(path)) {
        Some(fact) => short_path(fact),
        None => label(facts, about),
    }
}

fn clock_line(facts: &Facts, clock: Clock) -> PageLine {
    PageLine {
        about: Some(clock.about),
        text: clock.kind.word().to_owned(),
        detail: format!("{} ends {}", label(facts, clock.about), clock.ends),
        ..PageLine::default()
    }
}

fn token(facts: &Facts, token: Subject, now: Ts) -> Vec<Section> {
    let Some(dated) = facts.tokens.get(&token).and_then(|row| row.fact.as_ref()) else {
        return Vec::new();
    };
    let fact = &dated.value;
    let yes = |value: Option<bool>| {
        value.map_or(
            "the list does not show it",
            |yes| if yes { "yes" } else { "no" },
        )
    };
    let day = |at: Option<Ts>| {
        at.map_or_else(
            || "the list does not show it".to_owned(),
            |at| at.to_string(),
        )
    };
    let mut about = vec![
        said("account", fact.account.as_ref()),
        said("id", facts.token_key(token)),
        said(
            "shown as",
            fact.redacted
                .as_deref()
                .unwrap_or("the list does not show it"),
        ),
        said("created", day(fact.created)),
        said("ends", day(fact.expires)),
        said("last used", day(fact.last_used)),
        said("read-only", yes(fact.readonly)),
        said("bypasses 2FA", yes(fact.bypass_2fa)),
        said("as of", dated.as_of.to_string()),
    ];
    if let Some(absent) = facts.absent_words(token) {
        about.push(said("listed", absent));
    }
    if !fact.scopes.is_empty() {
        let scopes: Vec<String> = fact.scopes.iter().map(ToString::to_string).collect();
        about.push(said("packages and scopes", list(&scopes, 8)));
    }
    let chain = chain(facts, token, now);
    let mut edges: Vec<PageLine> = chain
        .edges
        .iter()
        .map(|edge| PageLine {
            about: Some(edge.secret),
            state: Some(match edge.strength {
                Strength::Proven => crate::model::gate::State::Passed,
                Strength::Excluded => crate::model::gate::State::NotApplicable,
                Strength::Attested => crate::model::gate::State::Attested,
                Strength::Missing => crate::model::gate::State::Blocked,
            }),
            text: format!("{}: {}", edge.strength.word(), label(facts, edge.secret)),
            detail: visible(&edge.words).into_owned(),
            ..PageLine::default()
        })
        .collect();
    if chain.more_missing > 0 {
        edges.push(said(
            format!("missing: {} more secrets", chain.more_missing),
            "nobody has said which token they hold",
        ));
    }
    let holds = chain.holds.iter().map(|hold| PageLine {
        about: hold.path.or(Some(hold.repo)),
        state: Some(if hold.released {
            crate::model::gate::State::Passed
        } else {
            crate::model::gate::State::Blocked
        }),
        text: visible(&hold.place(facts)).into_owned(),
        detail: hold.words.to_owned(),
        ..PageLine::default()
    });
    let mut sections = vec![
        section("Token", about),
        section("Token to secrets", edges),
        section(
            format!("Released {} of {}", chain.released(), chain.holds.len()),
            holds.collect(),
        ),
        section(
            "Not looked at",
            chain
                .not_looked
                .iter()
                .map(|place| said(place.as_str(), ""))
                .collect(),
        ),
    ];
    sections.extend(gates(facts, &[token], token, now));
    sections.push(section(
        "Clocks",
        clocks(facts, token)
            .into_iter()
            .map(|clock| clock_line(facts, clock))
            .collect(),
    ));
    sections
}

/// The session's own page: its gates, its people, the two samples, the lists still owed.
fn whole(session: &Session, now: Ts) -> Vec<Section> {
    let facts = session.facts();
    let created = &facts.session;
    let person = |slot| match facts
        .decision(Subject::SESSION, slot)
        .map(|decision| &decision.value)
    {
        Some(Value::Person(login)) => login.to_string(),
        _ => "nobody yet".to_owned(),
    };
    let organisations: Vec<String> = created
        .organisations
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut about = vec![
        said("session", created.session.as_ref()),
        said("started", facts.created_at.to_string()),
        said("forge", created.forge.as_ref()),
        said("registry", created.registry.as_ref()),
        said("organisations", list(&organisations, 8)),
        said("commander", person(Slot::Commander)),
    ];
    if created.profile == crate::model::policy::Profile::Team {
        about.push(said("second approver", person(Slot::SecondApprover)));
    }
    let mut people: Vec<Subject> = facts.persons.keys().copied().collect();
    people.sort_by_key(|person| label(facts, *person));
    let owed = people.iter().filter(|person| owes_list(facts, **person));
    let owed = owed.map(|person| PageLine {
        about: Some(*person),
        ..said(label(facts, *person), "its token list is still owed")
    });
    let cohorts = super::picture::cohorts(session);
    let picks = |cohort: super::snapshot::Cohort| -> Vec<PageLine> {
        let word = if cohort.chosen { "" } else { "proposed: " };
        cohort
            .picks
            .iter()
            .map(|(repo, name, reason)| PageLine {
                about: Some(*repo),
                ..said(format!("{word}{name}"), reason.as_ref())
            })
            .collect()
    };
    let mut sections = vec![
        section("Session", about),
        section("Token lists still owed", owed.collect()),
        section(
            "Representative subset (phase A)",
            picks(cohorts.representatives.clone()),
        ),
        section("Canaries (phase C)", picks(cohorts.canaries.clone())),
    ];
    let mut subjects = vec![Subject::SESSION];
    subjects.extend(people);
    sections.extend(gates(facts, &subjects, Subject::SESSION, now));
    sections.push(notes(session, Subject::SESSION));
    sections
}

/// Notes and evidence about a subject, read back from the file.
fn notes(session: &Session, about: Subject) -> Section {
    let entries = session.log().iter().filter(|entry| {
        entry.about == Some(about) && matches!(entry.kind_word(), "note_added" | "evidence_added")
    });
    let lines = entries.map(|entry| {
        let text = session.data(entry).map_or_else(
            |error| format!("cannot be read back: {error}"),
            |data| data_words(&data),
        );
        let by = session
            .writers()
            .get(usize::from(entry.id.writer))
            .map_or("", |writer| writer.person.as_ref());
        said(visible(by).into_owned(), format!("{}: {text}", entry.at))
    });
    section("Notes and evidence", lines.collect())
}

/// Puts an event's data into words: `gate owner-named, note seen at the stand-up`.
pub fn data_words(data: &Json) -> String {
    let Json::Object(fields) = data else {
        return data.to_string();
    };
    let words = fields.iter().filter_map(|(name, value)| match value {
        Json::Null => None,
        Json::String(text) => Some(format!("{name} {text}")),
        Json::Array(many) if many.len() > 6 => Some(format!("{name} ({})", many.len())),
        Json::Object(inner) => Some(format!(
            "{name} {{{}}}",
            inner
                .iter()
                .take(8)
                .map(|(key, value)| format!("{key}: {}", short(value)))
                .collect::<Vec<_>>()
                .join(", ")
        )),
        other => Some(format!("{name} {}", short(other))),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn short(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(many) => format!("({})", many.len()),
        Json::Object(fields) => format!("({})", fields.len()),
        other => other.to_string(),
    }
}
