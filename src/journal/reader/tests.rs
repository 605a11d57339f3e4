//! What a file turns out to be, by table: intact, torn, damaged, forked, cut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::journal::line::{Draft, finish};

const AT: &str = "2026-12-05T10:02:11Z";

/// Writes chains by hand, several writers into one file.
struct Builder {
    session: SessionId,
    tips: BTreeMap<WriterId, (u64, LineHash)>,
    tick: u64,
    lines: Vec<String>,
}

fn writer(letter: char) -> WriterId {
    format!("w{}", letter.to_string().repeat(10))
        .parse()
        .unwrap()
}

impl Builder {
    fn new() -> Self {
        let session = SessionId::from_random([9; 16]);
        let mut builder = Self {
            session,
            tips: BTreeMap::new(),
            tick: 0,
            lines: Vec::new(),
        };
        builder.add(
            'a',
            SESSION_CREATED,
            &format!("{{\"session\":\"{session}\"}}"),
        );
        builder.add('a', WRITER_JOINED, "{}");
        builder
    }

    fn add(&mut self, letter: char, kind: &str, data: &str) {
        let writer = writer(letter);
        let tip = self.tips.get(&writer).copied();
        let seq = tip.map_or(0, |(seq, _)| seq + 1);
        let previous = tip.map_or(Previous::Session(self.session), |(_, hash)| {
            Previous::Line(hash)
        });
        let draft = Draft {
            at: AT,
            kind,
            about: "session",
            crit: false,
            over: &[],
            data,
        };
        let body = draft.body(EventId { writer, seq }, self.tick).unwrap();
        let (line, hash) = finish(body, None, &previous).unwrap();
        self.tips.insert(writer, (seq, hash));
        self.tick += 1;
        self.lines.push(line);
    }

    fn notes(mut self, letter: char, n: usize) -> Self {
        if !self.tips.contains_key(&writer(letter)) {
            self.add(letter, WRITER_JOINED, "{}");
        }
        for i in 0..n {
            self.add(letter, "note_added", &format!("{{\"n\":{i}}}"));
        }
        self
    }

    fn file(&self) -> Vec<u8> {
        join(&self.lines)
    }
}

fn join(lines: &[String]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| format!("{line}\n").into_bytes())
        .collect()
}

fn verify(file: &[u8]) -> Result<Report, Error> {
    read(&file.to_vec(), |_, _| (), |_| ())
}

#[test]
fn an_intact_file_is_handed_on_in_order() {
    let file = Builder::new().notes('b', 3).notes('a', 2).notes('c', 1);
    let mut seen = Vec::new();
    let report = read(
        &file.file(),
        |line, place| (line.id, place),
        |values| seen.extend(values),
    )
    .unwrap();
    assert!(report.intact());
    assert_eq!(
        (report.lines, report.chains.len(), report.founder),
        (10, 3, writer('a'))
    );
    let ids: Vec<String> = seen
        .iter()
        .map(|(id, _)| format!("{}{}", &id.writer.as_str()[1..2], id.seq))
        .collect();
    assert_eq!(
        ids,
        ["a0", "a1", "b0", "b1", "b2", "b3", "a2", "a3", "c0", "c1"]
    );
    for (i, (_, place)) in seen.iter().enumerate() {
        assert_eq!(place.line, i as u64 + 1);
        assert_eq!(line_at(&file.file(), *place).unwrap(), file.lines[i]);
    }
    assert_eq!(report.chains.tick, 9);
}

#[test]
fn what_is_no_session_says_so() {
    assert!(matches!(verify(b""), Err(Error::Empty)));
    assert!(matches!(
        verify(b"\x7fELF\x02\x01\x01\0\0\n\0\0"),
        Err(Error::NotASession(_))
    ));
    assert!(matches!(verify(b"hello"), Err(Error::NotASession(_))));
    assert!(matches!(
        verify(&vec![0; 9 << 20]),
        Err(Error::NotASession(Reason::TooLong))
    ));
    let newer = String::from_utf8(Builder::new().file())
        .unwrap()
        .replacen("\"v\":1", "\"v\":2", 1);
    let error = verify(newer.as_bytes()).unwrap_err();
    assert!(matches!(error, Error::Newer(2)));
    assert!(
        error.to_string().contains("newer version of cutover"),
        "{error}"
    );
    let second = Builder::new().lines[1].clone() + "\n";
    assert!(matches!(
        verify(second.as_bytes()),
        Err(Error::NotASession(Reason::FirstLines))
    ));
}

#[test]
fn a_torn_tail_is_named_and_the_rest_stands() {
    let mut file = Builder::new().file();
    let len = file.len() as u64;
    file.extend_from_slice(b"{\"v\":1,\"wri");
    let report = verify(&file).unwrap();
    assert_eq!(
        report.torn,
        Some(Torn {
            offset: len,
            len: 11,
            zeros: false
        })
    );
    assert!(report.appendable() && !report.intact());
    file.truncate(len as usize);
    file.extend_from_slice(&[0; 5000]);
    assert_eq!(
        verify(&file).unwrap().torn,
        Some(Torn {
            offset: len,
            len: 5000,
            zeros: true
        })
    );
    file.extend(vec![b'x'; 9 << 20]);
    let torn = verify(&file).unwrap().torn.unwrap();
    assert_eq!(
        (torn.offset, torn.len, torn.zeros),
        (len, 5000 + (9 << 20), false)
    );
}

#[test]
fn damage_further_up_is_named_with_line_and_writer() {
    let builder = Builder::new().notes('b', 4).notes('a', 1);
    let damage = |edit: &dyn Fn(&mut Vec<String>)| {
        let mut lines = builder.lines.clone();
        edit(&mut lines);
        let report = verify(&join(&lines)).unwrap();
        assert!(!report.appendable());
        let first = report.damage[0].clone();
        (
            first.place.line,
            first.id.map(|id| id.to_string()),
            first.reason,
        )
    };
    let b = |seq: u64| {
        Some(
            EventId {
                writer: writer('b'),
                seq,
            }
            .to_string(),
        )
    };
    assert_eq!(
        damage(&|l| l[4] = l[4].replace("\"n\":1", "\"n\":7")),
        (5, b(2), Reason::Hash)
    );
    assert_eq!(
        damage(&|l| drop(l.remove(4))),
        (
            5,
            b(3),
            Reason::Gap {
                expected: 2,
                found: 3
            }
        )
    );
    assert_eq!(
        damage(&|l| l.swap(4, 5)),
        (
            5,
            b(3),
            Reason::Gap {
                expected: 2,
                found: 3
            }
        )
    );
    assert_eq!(
        damage(&|l| l.insert(5, l[3].clone())),
        (
            6,
            b(1),
            Reason::Again {
                expected: 3,
                found: 1
            }
        )
    );
    assert!(matches!(
        damage(&|l| l[4].truncate(30)),
        (5, None, Reason::Shape { .. })
    ));
    assert_eq!(
        damage(&|l| l[4].insert(0, '\0')).2,
        Reason::shape("`{\"v\":`", 0)
    );
    assert_eq!(
        damage(&|l| l[4] = l[4].replace("\"v\":1", "\"v\":3")).2,
        Reason::Newer(3)
    );
    assert_eq!(
        damage(&|l| l[4] = "x".repeat(3 << 20)).2,
        Reason::shape("`{\"v\":`", 0)
    );
    let (line, id, reason) = damage(&|l| l[4] = "x".repeat(9 << 20));
    assert_eq!((line, id, reason), (5, None, Reason::TooLong));
}

#[test]
fn a_good_line_after_a_damaged_one_is_still_read() {
    let builder = Builder::new().notes('b', 4).notes('a', 3);
    let mut lines = builder.lines.clone();
    lines[4] = lines[4].replace("\"n\":1", "\"n\":7");
    let mut seen = 0;
    let report = read(&join(&lines), |_, _| (), |values| seen += values.count()).unwrap();
    assert_eq!((report.damaged, seen), (1, lines.len() - 1));
}

#[test]
fn first_lines_are_what_they_must_be() {
    let mut builder = Builder::new();
    builder.add('b', "note_added", "{}");
    assert_eq!(
        verify(&builder.file()).unwrap().damage[0].reason,
        Reason::FirstLines
    );
    let mut builder = Builder::new().notes('b', 1);
    builder.add('b', WRITER_JOINED, "{}");
    assert_eq!(
        verify(&builder.file()).unwrap().damage[0].reason,
        Reason::FirstLines
    );
    let mut builder = Builder::new();
    builder.lines.truncate(1);
    builder.tips.insert(
        writer('a'),
        (0, Line::parse(builder.lines[0].as_bytes()).unwrap().hash),
    );
    builder.add('a', "note_added", "{}");
    assert_eq!(
        verify(&builder.file()).unwrap().damage[0].reason,
        Reason::FirstLines
    );
}

#[test]
fn a_fork_shows_both_lines() {
    let mut builder = Builder::new().notes('b', 2);
    let at = builder.tips.clone();
    builder = builder.notes('b', 1);
    builder.tips = at;
    builder.add('b', "note_added", "{\"other\":true}");
    let file = builder.file();
    let report = verify(&file).unwrap();
    let fork = &report.forks[0];
    assert_eq!(
        (fork.id, fork.places[0].line, fork.places[1].line),
        (
            EventId {
                writer: writer('b'),
                seq: 3
            },
            6,
            7
        )
    );
    let error = report
        .sound(std::path::Path::new("x.cutover"), &file)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("\"other\":true") && error.contains("\"n\":0") && error.contains("line 6"),
        "{error}"
    );
}

#[test]
fn what_was_seen_and_is_gone_is_a_cut() {
    let mut builder = Builder::new().notes('b', 5);
    let heads = verify(&builder.file()).unwrap().chains.heads_data();
    builder = builder.notes('c', 1);
    builder.add('c', HEADS_SEEN, &heads);
    assert!(verify(&builder.file()).unwrap().intact());
    let mut lines = builder.lines.clone();
    lines.drain(5..8);
    let report = verify(&join(&lines)).unwrap();
    let b = |seq| EventId {
        writer: writer('b'),
        seq,
    };
    let by = EventId {
        writer: writer('c'),
        seq: 2,
    };
    assert_eq!(
        report.cuts,
        [Cut {
            by,
            seen: b(5),
            last: Some(2),
            replaced: false
        }]
    );
    assert!(report.appendable() && !report.intact());
}
