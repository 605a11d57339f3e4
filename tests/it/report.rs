//! What is printed of one session: facts at the right place, nothing that acts on its sink, the same twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use cutover::model::event::{Observation, SessionCreated};
use cutover::model::fact::{
    Answer, CredentialFact, InventoryFact, ListingFact, PackageFact, PathFact, RegistryFact,
    RepoFact, RunnerFact, TokenFact,
};
use cutover::model::gate::GateId;
use cutover::model::id::Subject;
use cutover::model::lane::Lane;
use cutover::model::policy::Policy;
use cutover::model::time::Ts;
use cutover::report::status::Outcome;
use cutover::report::template::Form;
use cutover::report::{json_v1, runbook, status, table, template};
use cutover::session::decide::{
    Action, Assign, GateAction, LaneAction, NoteAction, RevocationAction, Role,
};
use cutover::session::{Options, Session, create};
use serde_json::Value as Json;

const FORGE: &str = "forge.example";
const REGISTRY: &str = "registry.example";
const HOSTILE: &str = "closes #1 @acme/team `x` [l](javascript:y)\u{1b}]52;c;QQ\u{7}\u{202e}";

fn at(minutes: i64) -> Ts {
    Ts::parse("2026-12-05T09:00:00Z")
        .unwrap()
        .plus(minutes * 60)
}

fn day(text: &str) -> chrono::NaiveDate {
    text.parse().unwrap()
}

fn gate(id: &str) -> GateId {
    GateId::parse(id).unwrap()
}

fn seen(about: Subject, minutes: i64, answer: Answer) -> (Subject, Observation) {
    let as_of = at(minutes);
    (about, Observation { as_of, answer })
}

fn repo(name: &str) -> Subject {
    Subject::repo(FORGE, name)
}

fn path(name: &str) -> Subject {
    Subject::path(repo(name), "release.yml", "publish", 0)
}

fn scanned(
    name: &str,
    credential: CredentialFact,
    secret: Option<&str>,
) -> Vec<(Subject, Observation)> {
    let package = Subject::package(REGISTRY, &format!("@{name}"));
    let fact = PathFact {
        repo: Some(repo(name)),
        file: "release.yml".into(),
        job: Some("publish".into()),
        line: 7,
        registry: RegistryFact::Npmjs,
        credential,
        secret: secret.map(Into::into),
        environment: Some(HOSTILE.into()),
        runner: RunnerFact::Hosted,
        packages: vec![package],
        ..PathFact::default()
    };
    let whole = RepoFact {
        name: name.into(),
        commit: Some("0123456789abcdef".into()),
        refs: "this checkout only, other refs not checked".into(),
        paths: vec![path(name)],
        packages: vec![package],
        ..RepoFact::default()
    };
    let fact_of_package = PackageFact {
        name: format!("@{name}").into(),
        repo: Some(repo(name)),
        ..PackageFact::default()
    };
    vec![
        seen(path(name), 1, Answer::Path(fact)),
        seen(package, 1, Answer::Package(fact_of_package)),
        seen(repo(name), 1, Answer::Repo(whole)),
    ]
}

fn token(key: &str) -> Subject {
    Subject::token(REGISTRY, "acme-bot", key)
}

fn listed(minutes: i64, keys: &[&str]) -> Vec<(Subject, Observation)> {
    let listing = ListingFact {
        account: "acme-bot".into(),
        complete: Some(true),
        tokens: keys.iter().map(|key| token(key)).collect(),
    };
    let tokens = keys.iter().map(|key| {
        let fact = TokenFact {
            account: "acme-bot".into(),
            key: (*key).into(),
            name: Some((*key).into()),
            expires: Some(at(60 * 24 * 3)),
            ..TokenFact::default()
        };
        seen(token(key), minutes, Answer::Token(fact))
    });
    let mut all: Vec<_> = tokens.collect();
    all.push(seen(
        Subject::person("acme-bot"),
        minutes,
        Answer::Listing(listing),
    ));
    all
}

/// Three repositories: one with a token, one without a scan, one whose path is carried over; three tokens.
fn session(folder: &std::path::Path) -> Session {
    let file = folder.join("acme.cutover");
    let options = Options {
        state: folder.join("state"),
        actor: "rosa".into(),
        device: "laptop".into(),
        program: "test".into(),
        read_only: false,
        random: [7; 16],
        now: at(0),
    };
    let created = SessionCreated {
        forge: FORGE.into(),
        registry: REGISTRY.into(),
        organisations: vec!["acme".into()],
        name: "acme-dec".into(),
        ..SessionCreated::default()
    };
    create(&file, &created, &options).unwrap();
    let mut session = Session::open(&file, options).unwrap();
    session.adopt_policy(&Policy::default(), at(0)).unwrap();
    let mut facts = scanned("acme/ui", CredentialFact::Token, Some("NPM_TOKEN"));
    facts.extend(scanned(
        "acme/old",
        CredentialFact::Token,
        Some("NPM_TOKEN"),
    ));
    let row = InventoryFact {
        name: "acme/notes".into(),
        owner: Some("mia".into()),
        reviewer: Some("mia".into()),
        from: HOSTILE.into(),
        ..InventoryFact::default()
    };
    facts.push(seen(repo("acme/notes"), 1, Answer::Inventory(row)));
    session.observe(facts, at(1)).unwrap();
    for (minutes, keys) in [
        (2, &["ends-by-list", "ends-by-word", "stays"][..]),
        (4, &["ends-by-word", "stays"]),
        (6, &["ends-by-word", "stays"]),
    ] {
        session.observe(listed(minutes, keys), at(minutes)).unwrap();
    }
    let decisions = [
        Action::Role(Assign {
            about: vec![repo("acme/ui")],
            role: Role::Owner,
            person: Some("rosa".into()),
        }),
        Action::Gate(GateAction::Waive {
            about: vec![repo("acme/ui")],
            gate: gate("actions-pinned"),
            why: format!("the vendor says: {HOSTILE}"),
            until: day("2026-12-20"),
        }),
        Action::Gate(GateAction::Attest {
            about: vec![repo("acme/ui")],
            gate: gate("workflow-owned"),
            note: "seen".into(),
            link: None,
            before_rehearsal: true,
        }),
        Action::Lane(LaneAction::CarryOver {
            paths: vec![path("acme/old")],
            owner: "ken".into(),
            until: day("2026-12-24"),
            why: "frozen until the audit".into(),
        }),
        Action::Revocation(RevocationAction::Record {
            token: token("ends-by-word"),
            token_id: "ends-by-word".into(),
            on: day("2026-12-05"),
            who: "ken".into(),
            proof: "ticket 12".into(),
        }),
        Action::Note(NoteAction::DateFollowUp {
            about: repo("acme/notes"),
            on: day("2026-12-11"),
            what: "scan it".into(),
        }),
        Action::Revocation(RevocationAction::OweTokenList {
            account: "second-bot".into(),
            owed: true,
        }),
    ];
    for action in &decisions {
        session
            .decide(std::slice::from_ref(action), at(10))
            .unwrap();
    }
    session
}

fn json(session: &Session, now: Ts) -> Json {
    let mut out = Vec::new();
    json_v1::report(session, &runbook(session, now), now, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn text(session: &Session, now: Ts, form: Form) -> String {
    let mut out = Vec::new();
    template::report(session, &runbook(session, now), now, form, None, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_json_report_tells_observed_from_recorded_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    let report = json(&session, at(20));
    assert_eq!(report["version"], 1);
    assert_eq!(report["scope"]["repos"], 3);
    assert_eq!(report["end_states"]["open"], 1);
    assert_eq!(report["end_states"]["carried_over"], 1);
    let gone = &report["tokens"]["observed_gone"];
    assert_eq!(gone[0]["id"], "ends-by-list");
    assert_eq!(gone[0]["last_listed"], at(2).to_string());
    assert_eq!(gone[0]["first_missing"], at(4).to_string());
    let word = &report["tokens"]["recorded_gone"];
    assert_eq!(
        (word[0]["id"].as_str(), word.as_array().unwrap().len()),
        (Some("ends-by-word"), 1)
    );
    assert_eq!(word[0]["record"]["proof"], "ticket 12");
    assert_eq!(word[0]["record"]["who"], "ken");
    assert_eq!(report["tokens"]["exposed"][0]["id"], "stays");
    assert!(
        report["waivers"][0]["why"]
            .as_str()
            .unwrap()
            .starts_with("the vendor says: closes")
    );
    assert_eq!(report["waivers"][0]["ended"], false);
    assert_eq!(report["carried_over"][0]["why"], "frozen until the audit");
    assert!(report["gates"]["attested"].as_u64().unwrap() >= 1);
    let due: Vec<&str> = report["follow_ups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["what"].as_str().unwrap())
        .collect();
    assert!(
        ["scan it", "waiver of actions-pinned ends", "token expires"]
            .iter()
            .all(|what| due.contains(what)),
        "{due:?}"
    );
    let unseen = report["not_looked_at"].to_string();
    assert!(
        unseen.contains("1 repository without a scanned checkout"),
        "{unseen}"
    );
    assert!(
        unseen.contains("1 account whose token list is still owed"),
        "{unseen}"
    );
    assert!(
        unseen.contains("backup-second-factor: not looked at, ")
            && unseen.contains(": whether this person has a second factor in reserve"),
        "{unseen}"
    );
    let names: Vec<&str> = report["pages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|page| page["repo"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["acme/notes", "acme/old", "acme/ui"]);
    let page = &report["pages"][2];
    assert_eq!(page["owner"], "rosa");
    assert_eq!(page["paths"][0]["credential"], "token");
    assert_eq!(
        page["secrets"][0]["secret"],
        "NPM_TOKEN (acme/ui, store not known)"
    );
    assert!(
        page["revocation"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["gate"] == "secrets-deleted" && one["state"] == "blocked")
    );
    assert!(
        page["post_checks"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["gate"] == "docs-updated")
    );
    assert_eq!(report["verify"]["intact"], true);
    let chain = session.report().chains.iter().next();
    assert!(chain.is_some() && report["verify"]["heads"][0]["hash"].as_str().unwrap().len() == 64);
    let later = json(&session, at(60 * 24 * 30));
    assert_eq!(
        later["waivers"][0]["ended"], true,
        "a waiver ends with its day"
    );
    assert_eq!(later["end_states"]["carried_over"], 0);
}

/// Gives what of a line of Markdown stands outside of code spans.
fn outside_code(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let run = rest[start..]
            .bytes()
            .take_while(|byte| *byte == b'`')
            .count();
        let fence = "`".repeat(run);
        let body = &rest[start + run..];
        let ends = |at: &usize| !body[..*at].ends_with('`') && !body[*at + run..].starts_with('`');
        let end = body.match_indices(&fence).map(|(at, _)| at).find(ends);
        rest = &body[end.expect("a span that ends") + run..];
    }
    out + rest
}

#[test]
fn the_same_session_prints_the_same_and_nothing_hostile() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    for form in [Form::Text, Form::Markdown] {
        let one = text(&session, at(20), form);
        assert_eq!(one, text(&session, at(20), form));
        assert!(!one.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{one}");
        assert!(
            one.contains("ticket 12") && one.contains("frozen until the audit"),
            "{one}"
        );
        assert!(one.contains("cutover log verify acme.cutover"), "{one}");
    }
    let markdown = text(&session, at(20), Form::Markdown);
    for line in markdown.lines() {
        // Outside of code spans nobody is mentioned, nothing closed, nothing linked.
        let outside = outside_code(line);
        assert!(
            !outside.contains("@acme") && !outside.contains("closes #1"),
            "{line}"
        );
        assert!(!outside.contains("](javascript"), "{line}");
    }
    let mut bytes = Vec::new();
    json_v1::report(&session, &runbook(&session, at(20)), at(20), &mut bytes).unwrap();
    assert!(
        bytes
            .iter()
            .all(|byte| *byte == b'\n' || (32..127).contains(byte))
    );
}

#[test]
fn a_users_template_stands_in_and_cannot_print_markup() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    let words = folder.path().join("words");
    std::fs::create_dir_all(words.join("report")).unwrap();
    let own = words.join("report/page.md.j2");
    std::fs::write(&own, "{{ page.repo }} {{ page.inventory }}\n\n").unwrap();
    let now = at(20);
    let book = runbook(&session, now);
    let write = |out: &mut Vec<u8>| {
        template::report(&session, &book, now, Form::Markdown, Some(&words), out)
    };
    let mut out = Vec::new();
    write(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    let line = out
        .lines()
        .find(|line| line.starts_with("acme/notes "))
        .unwrap();
    assert!(
        !line.contains("@acme") && line.contains("\\[l\\]"),
        "{line}"
    );
    std::fs::write(&own, "{{ page.inventory|safe }}").unwrap();
    assert!(write(&mut Vec::new()).is_err(), "no way around the encoder");
    std::fs::write(&own, "{{ page.misspelt }}").unwrap();
    assert!(
        write(&mut Vec::new()).is_err(),
        "a misspelt name is an error"
    );
}

#[test]
fn status_puts_trouble_first_and_says_what_remains() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    let status = status(&session, at(20));
    assert_eq!(status.outcome, Outcome::Blocked);
    let names: Vec<&str> = status.repos.iter().map(|row| row.repo.as_str()).collect();
    assert_eq!(
        names,
        ["acme/notes", "acme/ui", "acme/old"],
        "blocked, open, carried over"
    );
    assert!(status.repos[0].blocked, "owner and reviewer are one person");
    assert_eq!(status.header.exposed_tokens, 1);
    assert_eq!(status.header.owed_lists, ["second-bot"]);
    assert_eq!(status.tokens[0].key, "stays", "what is gone comes last");
    let mut out = Vec::new();
    cutover::report::csv::status(&status, &mut out).unwrap();
    let csv = String::from_utf8(out).unwrap();
    assert_eq!(csv.lines().count(), 4);
    let head: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    assert_eq!(
        csv.lines().nth(1).unwrap().split(',').next(),
        Some("acme/notes")
    );
    assert_eq!(head.len(), 19);
    let mut out = Vec::new();
    json_v1::status(&status, &mut out).unwrap();
    let json: Json = serde_json::from_slice(&out).unwrap();
    assert_eq!(
        (json["version"].as_u64(), json["outcome"].as_str()),
        (Some(1), Some("blocked"))
    );
    for (width, ascii) in [(60, true), (100, false), (200, false)] {
        let look = table::Look {
            width,
            ascii,
            most: None,
        };
        let mut out = Vec::new();
        table::status(&status, look, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        for line in out.lines() {
            assert!(
                unicode_width::UnicodeWidthStr::width(line) <= width,
                "{width}: {line}"
            );
        }
        assert!(
            !ascii || out.chars().all(|c| c.is_ascii() || c == '…'),
            "{out}"
        );
        assert!(out.contains("acme/ui"), "{out}");
    }
    let look = table::Look {
        width: 100,
        ascii: false,
        most: Some(1),
    };
    let mut out = Vec::new();
    table::status(&status, look, &mut out).unwrap();
    assert!(
        String::from_utf8(out)
            .unwrap()
            .contains("and 2 more repositories")
    );
}

#[test]
fn a_done_session_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path());
    let carry = Action::Lane(LaneAction::CarryOver {
        paths: vec![path("acme/ui")],
        owner: "ken".into(),
        until: day("2026-12-24"),
        why: "later".into(),
    });
    session.decide(&[carry], at(11)).unwrap();
    assert_ne!(
        status(&session, at(12)).outcome,
        Outcome::Done,
        "a token is exposed and a list is owed"
    );
    session
        .decide(
            &[Action::Lane(LaneAction::Choose {
                paths: vec![path("acme/ui"), path("acme/old")],
                lane: Lane::Bridge,
                reason: String::new(),
            })],
            at(12),
        )
        .unwrap();
    session
        .decide(
            &[Action::Revocation(RevocationAction::OweTokenList {
                account: "second-bot".into(),
                owed: false,
            })],
            at(12),
        )
        .unwrap();
    let secrets: Vec<Subject> = session.facts().secrets.keys().copied().collect();
    for secret in secrets {
        session
            .decide(
                &[Action::Revocation(RevocationAction::AttestEdge {
                    token: token("stays"),
                    secret,
                    holds: true,
                    note: "made for it".into(),
                })],
                at(13),
            )
            .unwrap();
    }
    let people: Vec<Subject> = session.facts().persons.keys().copied().collect();
    for (about, gates) in [
        (people, &["publishers-have-2fa", "backup-second-factor"][..]),
        // Nobody scanned it: what it publishes is somebody's word.
        (vec![repo("acme/notes")], &["paths-found"]),
        (
            vec![Subject::SESSION],
            &[
                "emergency-group-ready",
                "tabletop-run",
                "packages-accounted",
                "flip-back-rehearsed",
            ],
        ),
    ] {
        for id in gates {
            let attest = Action::Gate(GateAction::Attest {
                about: about.clone(),
                gate: gate(id),
                note: "seen".into(),
                link: None,
                before_rehearsal: true,
            });
            session.decide(&[attest], at(14)).unwrap();
        }
    }
    for (role, who) in [(Role::Commander, "rosa"), (Role::SecondApprover, "ken")] {
        session
            .decide(
                &[Action::Role(Assign {
                    about: vec![Subject::SESSION],
                    role,
                    person: Some(who.into()),
                })],
                at(15),
            )
            .unwrap();
    }
    let done = status(&session, at(16));
    assert_eq!(done.outcome, Outcome::Done, "{:#?}", done.header);
    assert_eq!(done.outcome.code(), 0);
}
