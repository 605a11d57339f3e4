//! Powers and gaps: who of us can do what, and what nobody here can. Friday's first list.
//!
//! Says what the gate `powers-complete` found, subject by subject, and what is known of each person. Judges nothing.

use super::snapshot::{Page, PageLine, Section};
use crate::model::facts::Facts;
use crate::model::gate::{GateId, State, View, judge};
use crate::model::id::{Kind, Subject};
use crate::model::time::Ts;
use crate::safe::shown::visible;
use crate::session::name::label;

/// Lines of one section; the rest is counted.
const LINES: usize = 300;

/// Makes the page.
pub fn page(facts: &Facts, now: Ts) -> Page {
    let mut gaps = Vec::new();
    let mut unknown = Vec::new();
    let mut held = 0;
    if let Some(gate) = GateId::parse("powers-complete") {
        for (kind, about) in subjects(facts) {
            let verdict = judge(&View::new(facts, about, now), gate);
            let line = PageLine {
                about: Some(about),
                gate: Some(gate),
                state: Some(verdict.state),
                text: format!("{} {}", kind.word(), label(facts, about)),
                detail: visible(&verdict.why).into_owned(),
                ..PageLine::default()
            };
            match verdict.state {
                State::Blocked => gaps.push(line),
                State::NotLooked | State::CouldNotLook => unknown.push(line),
                _ => held += 1,
            }
        }
    }
    let mut sections = vec![
        section("Nobody here can administer", gaps),
        section("Who can is not known", unknown),
        section("Listed and not scanned", aside(facts)),
        section("Who can do what", people(facts)),
    ];
    if held > 0 {
        sections.push(section(
            "Covered",
            vec![PageLine {
                text: format!("{held} packages, secrets and tokens have somebody here"),
                ..PageLine::default()
            }],
        ));
    }
    sections.retain(|section| !section.lines.is_empty());
    Page {
        about: Subject::SESSION,
        powers: true,
        title: "Powers and gaps".to_owned(),
        sections,
    }
}

/// Packages, secrets and tokens, each kind by name.
fn subjects(facts: &Facts) -> Vec<(Kind, Subject)> {
    let packages = facts.packages.iter();
    let packages = packages
        .filter(|(_, row)| !row.stand_in)
        .filter(|(_, row)| !row.fact.as_ref().is_some_and(|fact| fact.value.private))
        .map(|(id, _)| *id);
    let mut all: Vec<(Kind, String, Subject)> = packages
        .chain(facts.secrets.keys().copied())
        .chain(facts.tokens.keys().copied())
        .map(|id| (id.kind, label(facts, id), id))
        .collect();
    all.sort_unstable();
    all.into_iter().map(|(kind, _, id)| (kind, id)).collect()
}

/// Archived repositories and forks, and what could still be done from them.
fn aside(facts: &Facts) -> Vec<PageLine> {
    let all = facts.aside().into_iter();
    all.filter(|(_, aside)| !aside.names.is_empty())
        .map(|(what, aside)| PageLine {
            text: format!("{} {what}", aside.names.len()),
            detail: aside.words(),
            ..PageLine::default()
        })
        .collect()
}

fn people(facts: &Facts) -> Vec<PageLine> {
    let mut lines: Vec<PageLine> = facts
        .persons
        .iter()
        .filter(|(_, row)| !row.login.is_empty())
        .filter_map(|(id, row)| {
            let seen = facts.seen.get(id);
            let mut can = Vec::new();
            if let Some((rights, as_of)) = seen.and_then(|seen| seen.rights()) {
                can.push(format!(
                    "administers {} and writes {} repositories{} ({})",
                    rights.admin.len(),
                    rights.write.len(),
                    if rights.complete {
                        ""
                    } else {
                        ", as far as listed"
                    },
                    as_of.day()
                ));
            }
            let writes = writes(facts, &row.login);
            if writes > 0 {
                can.push(format!("writes {writes} packages"));
            }
            if let Some(listing) = row.listings.last() {
                can.push(match listing.tokens.len() {
                    1 => "owns 1 token".to_owned(),
                    many => format!("owns {many} tokens"),
                });
            }
            if let Some((profile, _)) = seen.and_then(|seen| seen.profile()) {
                can.push(format!("two-factor login: {}", profile.two_factor));
            }
            (!can.is_empty()).then(|| PageLine {
                about: Some(*id),
                text: visible(&row.login).into_owned(),
                detail: visible(&can.join("; ")).into_owned(),
                ..PageLine::default()
            })
        })
        .collect();
    lines.sort_unstable_by(|a, b| a.text.cmp(&b.text));
    lines
}

/// Packages that this login may write, as far as their access was read.
fn writes(facts: &Facts, login: &str) -> usize {
    let of = |id: &Subject| {
        let (access, _) = facts.seen.get(id)?.access()?;
        access
            .people
            .get(login)
            .map(|right| **right == *"read-write")
    };
    facts
        .packages
        .keys()
        .filter(|id| of(id) == Some(true))
        .count()
}

fn section(title: &str, mut lines: Vec<PageLine>) -> Section {
    let all = lines.len();
    if all > LINES {
        lines.truncate(LINES);
        lines.push(PageLine {
            text: format!("and {} more", all - LINES),
            ..PageLine::default()
        });
    }
    Section {
        title: if all > 1 {
            format!("{title} ({all})")
        } else {
            title.to_owned()
        },
        lines,
    }
}
