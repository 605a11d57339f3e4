//! The fields of each form, and how days are read.

use chrono::NaiveDate;

use super::{Field, Kind, Start, Target};
use crate::model::decision::ValidationPlan;
use crate::model::gate::GateId;
use crate::model::id::Kind as Subjects;
use crate::model::lane::Lane;

/// Makes the fields of a form.
pub(super) fn fields(kind: Kind, targets: &[Target], start: &Start) -> Vec<Field> {
    let gate = || {
        let given = start.gate.map(GateId::word).unwrap_or_default();
        Field::new("Gate", "type to find it")
            .one_of(gate_names(targets))
            .value(given)
    };
    let person = |label, hint| Field::new(label, hint).suggest(start.people.clone());
    let words = |all: &[&str]| {
        all.iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let last_day = start
        .last_bridge_day
        .map(|day| day.to_string())
        .unwrap_or_default();
    match kind {
        Kind::Owner => vec![person("Owner", "a login such as rosa; - for nobody")],
        Kind::Reviewer => vec![person("Reviewer", "a login such as ken; - for nobody")],
        Kind::Commander => vec![person("Commander", "a login such as rosa; - for nobody")],
        Kind::SecondApprover => vec![person("Approver", "a login such as ken; - for nobody")],
        Kind::Lane => vec![
            Field::new("Lane", "how it publishes after the cutover")
                .one_of(Lane::ALL.map(|lane| lane.word().to_owned()).to_vec()),
            Field::new("End date", "for bridge and manual: 2026-12-31 or +14d").optional(),
            Field::new("Why", "the reason").optional(),
        ],
        Kind::EndDate => vec![Field::new("End date", "2026-12-31 or +14d").value(&last_day)],
        Kind::Plan => vec![
            Field::new("Plan", "how it publishes within 48 hours").one_of(
                ValidationPlan::ALL
                    .map(|plan| plan.word().to_owned())
                    .to_vec(),
            ),
            Field::new("Note", "which release, which day, which tag").optional(),
        ],
        Kind::CarryOver => vec![
            person("Owner", "who takes it on"),
            Field::new("Until", "2026-12-31 or +14d"),
            Field::new("Why", "the reason, for the report"),
        ],
        Kind::Attest => vec![
            gate(),
            Field::new("Note", "what you saw, where and when"),
            Field::new("Link", "https:// where it can be seen").optional(),
        ],
        Kind::Waive => {
            vec![
                gate(),
                Field::new("Why", "the reason, for the report"),
                Field::new("Until", "2026-12-31 or +14d"),
            ]
        }
        Kind::Edge => vec![
            Field::new("It", "holds, or does not hold").one_of(words(&["holds", "does not hold"])),
            Field::new("Note", "how you know"),
        ],
        Kind::FollowUp => vec![
            Field::new("Due", "2026-12-31 or +14d"),
            Field::new("What", "what is to be done"),
        ],
        Kind::Note => vec![Field::new("Note", "the text")],
        Kind::Evidence => vec![
            Field::new("Kind", "text, address or file")
                .one_of(words(&["text", "address", "file"]))
                .value("text"),
            Field::new(
                "Evidence",
                "the text, the https:// address, or the path of the file",
            ),
        ],
        Kind::RecordRevocation => vec![
            Field::new(
                "Token id",
                "the id that the registry lists, never the token itself",
            ),
            Field::new("Revoked on", "2026-12-05").value(&start.today.to_string()),
            person("By", "who revoked it").value(&start.me),
            Field::new("Proof", "a link, a ticket, or what was seen"),
        ],
    }
}

/// Gates that can stand in a form: those of the targets' kind, and for repos those of what a repo touches. One that the
/// program observes can be attested too, while its observer is not connected.
fn gate_names(targets: &[Target]) -> Vec<String> {
    let kinds: &[Subjects] = match targets.first().map(|target| target.subject.kind) {
        Some(Subjects::Repo) => &[
            Subjects::Repo,
            Subjects::Path,
            Subjects::PathRef,
            Subjects::Package,
            Subjects::Config,
            Subjects::Secret,
        ],
        Some(Subjects::Token) => &[Subjects::Token],
        Some(Subjects::Path) => &[Subjects::Path],
        Some(Subjects::PathRef) => &[Subjects::PathRef],
        Some(Subjects::Package) => &[Subjects::Package],
        Some(Subjects::Config) => &[Subjects::Config],
        Some(Subjects::Secret) => &[Subjects::Secret],
        Some(Subjects::Person) => &[Subjects::Person],
        Some(Subjects::Session) | None => &[Subjects::Session],
    };
    let all =
        GateId::all().filter(|gate| gate.spec().subjects.iter().any(|kind| kinds.contains(kind)));
    all.map(|gate| gate.word().to_owned()).collect()
}

/// Reads a day: as written, or from today (`+14d`, `+6w`, `today`).
#[must_use]
pub fn day(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("today") {
        return Some(today);
    }
    let Some(ahead) = text.strip_prefix('+') else {
        return text.parse().ok();
    };
    let (number, unit) = if let Some(number) = ahead.strip_suffix('w') {
        (number, 7)
    } else {
        (ahead.strip_suffix('d')?, 1)
    };
    today.checked_add_days(chrono::Days::new(
        number.parse::<u64>().ok()?.checked_mul(unit)?,
    ))
}
