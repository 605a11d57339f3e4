//! Merging is a union: whatever the order of the files and of the lines in them, the same bytes come out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::journal::line::{Draft, LineHash, Previous, SessionId, finish};
use crate::journal::{SESSION_CREATED, WRITER_JOINED};
use proptest::prelude::*;

/// A session by several writers, from which files with parts of it are made.
pub(in crate::journal) struct Shuffle {
    session: SessionId,
    tips: BTreeMap<usize, (u64, LineHash)>,
    lines: Vec<(usize, String)>,
}

fn writer(n: usize) -> WriterId {
    WriterId::from_random([u8::try_from(n).unwrap() * 7 + 1; 8])
}

impl Shuffle {
    pub(in crate::journal) fn new(writers: usize, lines: usize) -> Self {
        let mut shuffle = Self {
            session: SessionId::from_random([3; 16]),
            tips: BTreeMap::new(),
            lines: Vec::new(),
        };
        let data = format!("{{\"session\":\"{}\"}}", shuffle.session);
        shuffle.add(0, SESSION_CREATED, &data);
        for n in 0..lines {
            let by = (n * n + n / 3) % writers;
            let joined = shuffle
                .tips
                .get(&by)
                .is_some_and(|(seq, _)| by > 0 || *seq > 0);
            shuffle.add(
                by,
                if joined { "note_added" } else { WRITER_JOINED },
                &format!("{{\"n\":{n}}}"),
            );
        }
        shuffle
    }

    pub(in crate::journal) fn add(&mut self, by: usize, kind: &str, data: &str) {
        let tip = self.tips.get(&by).copied();
        let id = EventId {
            writer: writer(by),
            seq: tip.map_or(0, |(seq, _)| seq + 1),
        };
        let previous = tip.map_or(Previous::Session(self.session), |(_, hash)| {
            Previous::Line(hash)
        });
        let draft = Draft {
            at: "2026-12-05T10:02:11Z",
            kind,
            about: "session",
            crit: false,
            over: &[],
            data,
        };
        // Equal ticks of two writers are the usual case offline: the order must not hang on them.
        let tick = (self.lines.len() as u64) * 2 / 3 + id.seq;
        let (line, hash) = finish(draft.body(id, tick).unwrap(), None, &previous).unwrap();
        self.tips.insert(by, (id.seq, hash));
        self.lines.push((by, line));
    }

    pub(in crate::journal) fn all(&self) -> Vec<u8> {
        self.prefix(self.lines.len())
    }

    pub(in crate::journal) fn prefix(&self, n: usize) -> Vec<u8> {
        self.lines
            .iter()
            .take(n)
            .flat_map(|(_, line)| format!("{line}\n").into_bytes())
            .collect()
    }

    /// A file that knows `known[w]` lines of writer w, arrived in an order of its own.
    fn file(&self, known: &[usize], turns: &[usize]) -> Vec<u8> {
        let mut queues: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (by, line) in &self.lines {
            queues.entry(*by).or_default().push(line);
        }
        for (by, queue) in &mut queues {
            queue.truncate(known[*by].max(if *by == 0 { 2 } else { 0 }));
            queue.reverse();
        }
        let mut out = Vec::new();
        let first = queues.get_mut(&0).unwrap().pop().unwrap();
        out.extend_from_slice(format!("{first}\n").as_bytes());
        for turn in turns.iter().copied().chain(0..).take(10_000) {
            let queue = queues.get_mut(&(turn % known.len()));
            if let Some(line) = queue.and_then(Vec::pop) {
                out.extend_from_slice(format!("{line}\n").as_bytes());
            }
        }
        assert!(queues.values().all(Vec::is_empty));
        out
    }
}

pub(in crate::journal) fn part(file: &[u8]) -> Part<'static> {
    let file: &'static Vec<u8> = Box::leak(Box::new(file.to_vec()));
    Part::read(Path::new("x.cutover"), file).unwrap()
}

fn merged(files: &[&[u8]]) -> Vec<u8> {
    let parts: Vec<Part<'_>> = files.iter().map(|file| part(file)).collect();
    let mut out = Vec::new();
    union(&parts).unwrap().write(&mut out).unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn merging_is_commutative_associative_and_idempotent(
        known in proptest::collection::vec(proptest::collection::vec(0usize..30, 4), 3),
        turns in proptest::collection::vec(proptest::collection::vec(0usize..4, 0..120), 3),
    ) {
        let session = Shuffle::new(4, 60);
        let files: Vec<Vec<u8>> = known.iter().zip(&turns).map(|(k, t)| session.file(k, t)).collect();
        let [a, b, c] = [&files[0], &files[1], &files[2]];
        let all = merged(&[a, b, c]);
        for order in [[a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
            prop_assert_eq!(&merged(&order.map(Vec::as_slice)), &all);
        }
        prop_assert_eq!(&merged(&[&merged(&[a, b]), c]), &all);
        prop_assert_eq!(&merged(&[a, &merged(&[b, c])]), &all);
        prop_assert_eq!(&merged(&[&all, &all, a]), &all);
        prop_assert_eq!(&merged(&[&all]), &all);
        // The result is a session, and what it lacks can be appended to any of the files.
        let whole = part(&all);
        prop_assert!(whole.report.intact());
        let live = part(a);
        let missing = whole.beyond(&live.report.chains).unwrap();
        prop_assert_eq!(live.report.lines as usize + missing.len(), whole.report.lines as usize);
        let appended = [a.as_slice(), missing.iter().flat_map(|l| format!("{l}\n").into_bytes()).collect::<Vec<u8>>().as_slice()].concat();
        prop_assert_eq!(&merged(&[&appended]), &all);
    }
}

#[test]
fn canonical_order_is_tick_writer_seq_after_the_founding() {
    let session = Shuffle::new(3, 30);
    let text = String::from_utf8(merged(&[&session.all()])).unwrap();
    let keys: Vec<Key> = text
        .lines()
        .map(|l| crate::journal::Line::parse(l.as_bytes()).unwrap())
        .map(|line| Key {
            tick: line.tick,
            id: line.id,
        })
        .collect();
    assert!(text.lines().next().unwrap().contains(SESSION_CREATED));
    assert!(keys[1..].windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn other_sessions_and_damaged_files_never_merge() {
    let one = Shuffle::new(2, 9);
    let mut other = Shuffle {
        session: SessionId::from_random([8; 16]),
        tips: BTreeMap::new(),
        lines: Vec::new(),
    };
    let data = format!("{{\"session\":\"{}\"}}", other.session);
    other.add(0, SESSION_CREATED, &data);
    let parts = [part(&one.all()), part(&other.all())];
    assert!(matches!(union(&parts), Err(Error::OtherSession(..))));
    let mut bad = one.all();
    let at = bad.len() / 2;
    bad[at] ^= 1;
    assert!(matches!(
        Part::read(Path::new("bad.cutover"), &bad),
        Err(Error::Damaged { .. })
    ));
    assert!(union(&[]).is_err());
}

#[test]
fn a_fork_between_files_shows_both_lines() {
    let mut one = Shuffle::new(2, 9);
    let mut two = Shuffle::new(2, 9);
    one.add(1, "note_added", "{\"here\":1}");
    two.add(1, "note_added", "{\"there\":1}");
    two.add(1, "note_added", "{\"more\":1}");
    let parts = [part(&one.all()), part(&two.all())];
    let Err(Error::Forked { id, first, second }) = union(&parts) else {
        panic!("merged")
    };
    assert_eq!(id.writer, writer(1));
    assert!(
        first.contains("\"here\"") && second.contains("\"there\""),
        "{first} {second}"
    );
    assert!(matches!(
        parts[0].beyond(&parts[1].report.chains),
        Err(Error::Forked { .. })
    ));
}

#[test]
fn two_foundings_of_one_session_are_a_fork() {
    let one = Shuffle::new(2, 4);
    let founding = |n: usize| {
        let mut shuffle = Shuffle {
            session: one.session,
            tips: BTreeMap::new(),
            lines: Vec::new(),
        };
        let data = format!("{{\"session\":\"{}\"}}", one.session);
        shuffle.add(n, SESSION_CREATED, &data);
        part(&shuffle.all())
    };
    assert!(matches!(
        union(&[founding(0), founding(5)]),
        Err(Error::Forked { .. })
    ));
}

#[test]
fn an_export_is_created_whole_and_never_over_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.cutover");
    let parts = [part(&Shuffle::new(2, 20).all())];
    union(&parts).unwrap().create(&path).unwrap();
    assert_eq!(
        std::fs::read(&path).unwrap(),
        merged(&[&Shuffle::new(2, 20).all()])
    );
    assert!(matches!(
        union(&parts).unwrap().create(&path),
        Err(Error::Exists { .. })
    ));
}
