//! What is written is what was always written, and reads back as what it says.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::model::decision::Slot;

const REPO: &str = "the repository";
const SECRET: &str = "the secret";

fn named(text: &str) -> String {
    let repo = Subject::repo("forge.example", "acme/ui").to_string();
    let secret = Subject::secret("org:acme", "NPM_TOKEN").to_string();
    text.replace(REPO, &repo).replace(SECRET, &secret)
}

/// Every kind that decides, with its data as files of version 0.1.0 have it, and what an undo repeats of it.
fn decisions() -> Vec<(Event, &'static str, &'static str)> {
    let repos: Box<[Subject]> = [Subject::repo("forge.example", "acme/ui")].into();
    let secret = Subject::secret("org:acme", "NPM_TOKEN");
    let gate = GateId::CANARY_PUBLISHED;
    let on: NaiveDate = "2026-12-31".parse().unwrap();
    let until = on;
    let said = || Prose::from("so".to_owned());
    let person = Some("rosa".into());
    let nobody = r#"{"person":null}"#;
    let (lane, plan) = (Lane::StagedOidc, ValidationPlan::OnDemand);
    vec![
        (
            OwnerAssigned { person }.into(),
            r#"{"person":"rosa"}"#,
            nobody,
        ),
        (ReviewerAssigned { person: None }.into(), nobody, nobody),
        (CommanderNamed { person: None }.into(), nobody, nobody),
        (SecondApproverNamed { person: None }.into(), nobody, nobody),
        (
            LaneChosen {
                lane,
                reason: said(),
            }
            .into(),
            r#"{"lane":"staged-oidc","reason":"so"}"#,
            r#"{"lane":"staged-oidc"}"#,
        ),
        (
            EndDateSet { on }.into(),
            r#"{"on":"2026-12-31"}"#,
            r#"{"on":"2026-12-31"}"#,
        ),
        (
            ValidationPlanned { plan, note: said() }.into(),
            r#"{"plan":"on-demand","note":"so"}"#,
            r#"{"plan":"on-demand"}"#,
        ),
        (
            GateAttested {
                gate,
                note: said(),
                link: None::<String>.into(),
            }
            .into(),
            r#"{"gate":"canary-published","note":"so","link":null}"#,
            r#"{"gate":"canary-published"}"#,
        ),
        (
            GateWaived {
                gate,
                why: said(),
                until,
            }
            .into(),
            r#"{"gate":"canary-published","why":"so","until":"2026-12-31"}"#,
            r#"{"gate":"canary-published","until":"2026-12-31"}"#,
        ),
        (
            SecretEdgeAttested {
                secret,
                holds: true,
                note: said(),
            }
            .into(),
            r#"{"secret":"the secret","holds":true,"note":"so"}"#,
            r#"{"secret":"the secret","holds":true}"#,
        ),
        (
            PathCarriedOver {
                owner: "rosa".into(),
                until,
                why: said(),
            }
            .into(),
            r#"{"owner":"rosa","until":"2026-12-31","why":"so"}"#,
            r#"{"owner":"rosa","until":"2026-12-31"}"#,
        ),
        (
            RepresentativesChosen {
                repos: repos.clone(),
            }
            .into(),
            r#"{"repos":["the repository"]}"#,
            r#"{"repos":[]}"#,
        ),
        (
            CanariesChosen { repos }.into(),
            r#"{"repos":["the repository"]}"#,
            r#"{"repos":[]}"#,
        ),
        (
            TokenListOwed {
                owed: true,
                account: "rosa".into(),
            }
            .into(),
            r#"{"owed":true,"account":"rosa"}"#,
            r#"{"owed":true}"#,
        ),
        (
            FollowUpDated { on, what: said() }.into(),
            r#"{"on":"2026-12-31","what":"so"}"#,
            r#"{"on":"2026-12-31"}"#,
        ),
    ]
}

fn text(event: &Event) -> String {
    serde_json::to_string(event).unwrap()
}

#[test]
fn decisions_are_written_as_they_always_were_and_read_back() {
    for (event, data, _) in decisions() {
        assert_eq!(text(&event), named(data));
        let read = Event::parse(event.kind(), true, &named(data)).unwrap();
        assert_eq!(read.decides(), event.decides());
    }
}

#[test]
fn an_undo_repeats_what_the_slot_needs_and_no_text() {
    for (event, _, repeated) in decisions() {
        let (slot, value) = event.clone().decides().unwrap();
        let of = Box::new(Event::of_slot(slot, &value).unwrap());
        assert_eq!(text(&of), named(repeated), "{}", event.kind());
        let undone = Event::from(Undone {
            undoes: "7e:1".into(),
            of,
        });
        let written = text(&undone);
        let begin = format!(r#"{{"undoes":"7e:1","kind":"{}","of":{{"#, event.kind());
        assert!(written.starts_with(&begin), "{written}");
        let read = Event::parse("decision_undone", true, &written).unwrap();
        let Event::DecisionUndone(read) = read else {
            unreachable!("it was written as one")
        };
        assert_eq!(read.of.decides().map(|(slot, _)| slot), Some(slot));
    }
}

#[test]
fn a_revocation_is_never_repeated_and_tells_whether_it_was_proven() {
    let read = |data| {
        Event::parse("revocation_recorded", true, data)
            .unwrap()
            .decides()
    };
    let proven = r#"{"token_id":"ab","on":"2026-12-31","who":"rosa","proof":"seen"}"#;
    let (slot, value) = read(proven).unwrap();
    assert_eq!(slot, Slot::Revocation);
    assert_eq!(Event::of_slot(slot, &value), None);
    for unproven in [
        r#"{"token_id":"ab","on":"2026-12-31","who":"rosa","proof":""}"#,
        r#"{"token_id":"ab","on":"2026-12-31","proof":null}"#,
        r#"{"token_id":"ab","on":"2026-12-31"}"#,
    ] {
        assert_ne!(read(unproven), Some((slot, value.clone())), "{unproven}");
    }
}

#[test]
fn what_does_not_fit_its_kind_says_so_without_its_text() {
    let why = |kind: &str, data: &str| Event::parse(kind, true, data).unwrap_err().to_string();
    let repo = named(r#"{"secret":"the repository","holds":true}"#);
    assert!(why("secret_edge_attested", &repo).contains("no secret"));
    let gate = why("gate_attested", r#"{"gate":"told-by-nobody"}"#);
    assert!(
        gate.contains("a gate that this version does not know"),
        "{gate}"
    );
    let lane = why("lane_chosen", r#"{"lane":"told-by-nobody"}"#);
    assert!(
        lane.contains("column") && !lane.contains("told-by"),
        "{lane}"
    );
    let nested = r#"{"undoes":"7e:1","kind":"decision_undone","of":{"undoes":"7e:1","kind":"end_date_set","of":{"on":"2026-12-31"}}}"#;
    assert!(why("decision_undone", nested).contains("inside"));
}

#[test]
fn the_table_names_each_kind_once_and_its_fields_as_they_are_written() {
    for (event, ..) in decisions() {
        let spec = spec(event.kind()).unwrap();
        assert_eq!((spec.kind, spec.crit), (event.kind(), event.spec().crit));
        let fields: serde_json::Map<String, Json> = serde_json::from_str(&text(&event)).unwrap();
        let fields: Vec<&str> = fields.keys().map(String::as_str).collect();
        assert_eq!(spec.data, fields.join(", "), "{}", spec.kind);
    }
    let mut kinds: Vec<&str> = KINDS.iter().map(|spec| spec.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), KINDS.len());
}
