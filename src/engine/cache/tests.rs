#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use crate::model::event::{Observation, SessionCreated};
use crate::model::fact::{Answer, PublishedFact, RepoFact};
use crate::session::{self, Options};
use std::path::Path;

const NOW: Ts = Ts(1_796_000_000);

fn options(folder: &Path, random: u8) -> Options {
    Options {
        state: folder.join("state"),
        actor: "rosa".to_owned(),
        device: "desk".to_owned(),
        program: "test".to_owned(),
        read_only: false,
        random: [random; 16],
        now: NOW,
    }
}

fn session(folder: &Path, name: &str, random: u8) -> Session {
    let path = folder.join(name);
    let options = options(folder, random);
    session::create(&path, &SessionCreated::default(), &options).unwrap();
    Session::open(&path, options).unwrap()
}

fn package() -> Subject {
    Subject::package("https://registry.example", "left-pad")
}

fn repo() -> Subject {
    Subject::repo("github.com", "acme/ui")
}

fn observe(session: &mut Session, about: Subject, as_of: Ts, answer: Answer) {
    let one = (about, Observation { as_of, answer });
    session.observe(vec![one], NOW).unwrap();
}

fn published(session: &mut Session, as_of: Ts, modified: i64) {
    let fact = PublishedFact {
        name: "left-pad".into(),
        modified: Ts(modified),
        ..PublishedFact::default()
    };
    observe(session, package(), as_of, Answer::Published(fact));
}

fn scanned(session: &mut Session, as_of: Ts, commit: &str) {
    let fact = RepoFact {
        name: "acme/ui".into(),
        commit: Some(commit.into()),
        ..RepoFact::default()
    };
    observe(session, repo(), as_of, Answer::Repo(fact));
}

/// A cache of all kinds of things, about one package and one repository.
fn full() -> Cache {
    let mut cache = Cache {
        github: Some(digest(&["https://api.github.com", "rosa"])),
        npm: Some(digest(&["https://registry.example", "rosa"])),
        ..Cache::default()
    };
    for (what, about) in [
        (Query::Packument, package()),
        (Query::Runs, repo()),
        (Query::Workflows, repo()),
        (Query::Discovery, Subject::SESSION),
    ] {
        cache.asked.entry(what).or_default().insert(about, NOW);
    }
    let tag = Tag {
        etag: "W/\"12-ab\"".into(),
        modified: Ts(7),
    };
    cache.learn(package(), &Learned::Tag(tag));
    let ids = Ids {
        wanted: digest(&["release.yml"]),
        ids: vec![(digest(&["release.yml"]), "W_kwDOA".into())],
    };
    cache.learn(repo(), &Learned::Ids(ids));
    let scanned = Scanned {
        folder: "ab12".into(),
        commit: "cd34".into(),
    };
    cache.learn(repo(), &Learned::Scanned(scanned));
    cache
}

/// A session that bears the full cache out, and its folder.
fn borne_out() -> (tempfile::TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path(), "a.cutover", 1);
    published(&mut session, NOW, 7);
    scanned(&mut session, NOW, "cd34");
    (folder, session)
}

#[test]
fn what_is_written_is_read_back_by_the_same_session() {
    let (folder, session) = borne_out();
    assert_eq!(Cache::read(&session, NOW), Cache::default(), "none yet");
    full().write(&session);
    assert_eq!(Cache::read(&session, NOW), full());
    // Every kind of thing in it is of one of the services.
    let (mut github, mut npm) = (full(), full());
    github.forget_npm();
    npm.forget_github();
    npm.forget_npm();
    github.forget_github();
    assert!(github.is_empty() && npm.is_empty() && !full().is_empty());

    let place = folder
        .path()
        .join("state")
        .join(session.report().session.as_str());
    let place = place.join(NAME);
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(&place).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // A link is neither followed nor written through.
    let aim = folder.path().join("aim");
    std::fs::rename(&place, &aim).unwrap();
    std::os::unix::fs::symlink(&aim, &place).unwrap();
    assert_eq!(Cache::read(&session, NOW), Cache::default());
    let before = std::fs::read(&aim).unwrap();
    Cache::default().write(&session);
    assert_eq!(std::fs::read(&aim).unwrap(), before);
    assert!(std::fs::symlink_metadata(&place).unwrap().is_file());
}

#[test]
fn a_damaged_foreign_or_other_file_is_not_used() {
    let (folder, session) = borne_out();
    full().write(&session);
    let text = String::from_utf8(session.recall(NAME, 1 << 20).unwrap()).unwrap();
    let version = format!("\"program\":\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{text}");
    for (what, other) in [
        ("torn", text[..text.len() / 2].to_owned()),
        ("empty", String::new()),
        ("no JSON", "\0".repeat(300)),
        ("an older form", text.replacen("\"v\":1", "\"v\":0", 1)),
        ("a newer form", text.replacen("\"v\":1", "\"v\":2", 1)),
        (
            "another program",
            text.replacen(&version, "\"program\":\"0.0.9\"", 1),
        ),
        (
            "a kind of a newer program",
            text.replacen("\"packument\"", "\"horoscope\"", 1),
        ),
        ("a field more", text.replacen("{", "{\"x\":1,", 1)),
        ("a text for a tag", text.replacen("12-ab", "12 ab", 1)),
        (
            "a credential for a tag",
            text.replacen("12-ab", &format!("ghp_{}", "k".repeat(36)), 1),
        ),
    ] {
        assert_ne!(other, text, "{what}");
        session.remember(NAME, other.as_bytes()).unwrap();
        assert_eq!(Cache::read(&session, NOW), Cache::default(), "{what}");
    }
    // Of another session, by its own words and by its place.
    let other = self::session(folder.path(), "b.cutover", 2);
    other.remember(NAME, text.as_bytes()).unwrap();
    assert_eq!(Cache::read(&other, NOW), Cache::default());
    // Too large to be one of ours.
    session.remember(NAME, &vec![b' '; MAX_BYTES + 1]).unwrap();
    assert_eq!(Cache::read(&session, NOW), Cache::default());
}

#[test]
fn a_session_that_lacks_what_it_rests_on_does_not_use_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.cutover");
    let mut session = self::session(folder.path(), "a.cutover", 1);
    published(&mut session, NOW, 7);
    let older = std::fs::read(&path).unwrap();
    scanned(&mut session, NOW, "cd34");
    full().write(&session);
    drop(session);
    std::fs::write(&path, older).unwrap();
    let session = Session::open(&path, options(folder.path(), 3)).unwrap();
    assert_eq!(Cache::read(&session, NOW), Cache::default());
}

#[test]
fn tags_and_scans_hold_for_the_very_fact_that_the_session_has() {
    let (_folder, mut session) = borne_out();
    full().write(&session);
    published(&mut session, NOW.plus(1), 9);
    scanned(&mut session, NOW.plus(1), "ef56");
    let cache = Cache::read(&session, NOW.plus(2));
    assert!(cache.tags.is_empty() && cache.scanned.is_empty());
    assert!(cache.asked((Query::Packument, package())).is_some());
}

#[test]
fn what_would_be_too_old_for_gates_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path(), "a.cutover", 1);
    // Seen long ago, and the same ever since: a look that no event tells of.
    published(&mut session, NOW.plus(-25 * 3_600), 7);
    full().write(&session);
    let cache = Cache::read(&session, NOW);
    assert_eq!(cache.asked((Query::Packument, package())), None);
    assert_eq!(cache.tags.len(), 1, "its tag still saves the document");
    assert!(cache.asked((Query::Runs, repo())).is_some());
    // What was asked in the future was asked by another clock.
    let early = Cache::read(&session, NOW.plus(-1));
    assert_eq!(early.asked((Query::Runs, repo())), None);
}

#[test]
fn ids_are_needed_where_the_question_for_them_counts_as_answered() {
    let (_folder, session) = borne_out();
    let mut cache = full();
    cache.ids.clear();
    cache.write(&session);
    let read = Cache::read(&session, NOW);
    assert_eq!(read.asked((Query::Workflows, repo())), None);
}

#[test]
fn a_tag_that_is_none_is_not_learned() {
    let mut cache = Cache::default();
    let long = "x".repeat(MAX_MARK + 1);
    let token = format!("npm_{}", "a".repeat(36));
    for bad in ["two words", "l\u{ed}ne", "esc\u{1b}[0m", &long, &token] {
        let tag = Tag {
            etag: bad.into(),
            modified: NOW,
        };
        cache.learn(package(), &Learned::Tag(tag));
        assert!(cache.is_empty(), "{bad}");
    }
}
