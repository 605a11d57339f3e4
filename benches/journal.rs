//! The session file against its budgets: opening 80 MB, and an acknowledged append next to a bare write and sync.
//!
//! Run with `cargo bench --bench journal`. Files are made in the target folder, on the disk that the build uses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use cutover::journal::line::{Previous, finish};
use cutover::journal::writer::{self, Access, Journal, Settings};
use cutover::journal::{
    Draft, EventId, SESSION_CREATED, SessionId, WRITER_JOINED, WriterId, reader,
};
use divan::{Bencher, counter::BytesCount};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn main() {
    // Before divan, and not when `cargo test` only looks whether the benches run.
    if std::env::args().any(|argument| argument == "--bench") {
        append_ratio(1000);
    }
    divan::main();
}

/// Appends and bare writes in turn, so that both meet the same disk: the budget is 1.2 times.
fn append_ratio(rounds: usize) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut journal = open_journal(folder.path());
    let mut bare = File::options()
        .append(true)
        .create(true)
        .open(folder.path().join("bare"))
        .unwrap();
    let text = data(7);
    let draft = draft("observed", "repo:rabcdefghij", &text);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let start = Instant::now();
        let written = journal.append(&[draft]).unwrap();
        ours.push(start.elapsed());
        let bytes = format!("{}\n", written[0].text).into_bytes();
        let start = Instant::now();
        bare.write_all(&bytes).unwrap();
        bare.sync_data().unwrap();
        theirs.push(start.elapsed());
    }
    ours.sort_unstable();
    theirs.sort_unstable();
    let (ours, theirs) = (ours[rounds / 2], theirs[rounds / 2]);
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!(
        "append {ours:?}, bare write and sync {theirs:?}, medians of {rounds}: ratio {ratio:.2} (budget 1.2)"
    );
}

const AT: &str = "2026-12-05T10:02:11Z";
const EVENTS: u64 = 200_000;
const BYTES: usize = 80_000_000;

fn draft<'a>(kind: &'a str, about: &'a str, data: &'a str) -> Draft<'a> {
    Draft {
        at: AT,
        kind,
        about,
        crit: false,
        over: &[],
        data,
    }
}

/// Data of the size and shape of an observation.
fn data(n: u64) -> String {
    format!(
        "{{\"source\":\"scan\",\"as_of\":\"{AT}\",\"commit\":\"{n:040x}\",\"file\":\".github/workflows/release.yml\",\
         \"job\":\"publish\",\"line\":{},\"tool\":\"npm\",\"runner\":\"hosted\",\"staged\":false}}",
        n % 400
    )
}

/// A session of five writers, 200,000 events and 80 MB.
fn big_session() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("big.cutover");
    if path
        .metadata()
        .is_ok_and(|meta| meta.len() > BYTES as u64 * 9 / 10)
    {
        return path;
    }
    let session = SessionId::from_random([5; 16]);
    let mut tips: [Option<(u64, Previous)>; 5] = [None; 5];
    let mut out = std::io::BufWriter::new(File::create(&path).unwrap());
    for n in 0..EVENTS {
        let by = if n < 2 { 0 } else { (n / 7 % 5) as usize };
        let (seq, previous) = tips[by].unwrap_or((0, Previous::Session(session)));
        let founding = format!("{{\"session\":\"{session}\"}}");
        let text = data(n);
        let about = format!("repo:r{:010}", n % 10_000);
        let draft = match (seq, by, n) {
            (0, 0, _) => draft(SESSION_CREATED, "session", &founding),
            (0, ..) | (1, 0, _) => draft(WRITER_JOINED, "session", "{}"),
            _ => draft("observed", &about, &text),
        };
        let id = EventId {
            writer: WriterId::from_random([by as u8 + 1; 8]),
            seq,
        };
        let (line, hash) = finish(draft.body(id, n).unwrap(), None, &previous).unwrap();
        tips[by] = Some((seq + 1, Previous::Line(hash)));
        writeln!(out, "{line}").unwrap();
    }
    out.flush().unwrap();
    path
}

/// The whole file read, hashed, parsed and handed on: the floor of opening a session.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn open_200k_events(bencher: Bencher) {
    let path = big_session();
    let file = File::open(&path).unwrap();
    let len = file.metadata().unwrap().len();
    bencher.counter(BytesCount::new(len)).bench_local(|| {
        let mut events = 0;
        let report = reader::read(
            &file,
            |line, place| (line.id, line.kind.len(), place.offset),
            |lines| events += lines.count() as u64,
        );
        assert!(report.unwrap().intact() && events == EVENTS);
    });
}

/// The same bytes through the page cache only: what no reader can beat.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn read_the_same_bytes(bencher: Bencher) {
    let path = big_session();
    let len = path.metadata().unwrap().len();
    let mut buf = vec![0; 4 << 20];
    bencher.counter(BytesCount::new(len)).bench_local(|| {
        use std::io::Read as _;
        let mut file = File::open(&path).unwrap();
        while file.read(&mut buf).unwrap() > 0 {}
    });
}

fn open_journal(folder: &Path) -> Journal {
    let path = folder.join("bench.cutover");
    let session = SessionId::from_random([6; 16]);
    let state = folder.join("state");
    let new_writer = WriterId::from_random([1; 8]);
    let settings = Settings {
        state: &state,
        holder: "bench",
        new_writer,
    };
    let founding = format!("{{\"session\":\"{session}\"}}");
    let (created, joined) = (
        draft(SESSION_CREATED, "session", &founding),
        draft(WRITER_JOINED, "session", "{}"),
    );
    writer::create(&path, settings, session, &created, &joined).unwrap();
    match writer::open(&path, settings, |_, _| (), |_| ())
        .unwrap()
        .access
    {
        Access::Append(journal) => *journal,
        Access::ReadOnly => panic!("read-only"),
    }
}

/// One acknowledged event.
#[divan::bench(sample_count = 300, sample_size = 1)]
fn append_one(bencher: Bencher) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut journal = open_journal(folder.path());
    let text = data(7);
    bencher.bench_local(|| {
        journal
            .append(&[draft("observed", "repo:rabcdefghij", &text)])
            .unwrap()
    });
}

/// A bare write and fdatasync of as many bytes: the budget is 1.2 times this.
#[divan::bench(sample_count = 300, sample_size = 1)]
fn append_bare(bencher: Bencher) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut journal = open_journal(folder.path());
    let written = journal
        .append(&[draft("observed", "repo:rabcdefghij", &data(7))])
        .unwrap();
    let bytes = format!("{}\n", written[0].text).into_bytes();
    let mut file = File::options()
        .append(true)
        .create(true)
        .open(folder.path().join("bare"))
        .unwrap();
    bencher.bench_local(|| {
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
    });
}

/// A hundred observations as one group.
#[divan::bench(sample_count = 100, sample_size = 1)]
fn append_group_of_100(bencher: Bencher) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut journal = open_journal(folder.path());
    let texts: Vec<String> = (0..100).map(data).collect();
    let drafts: Vec<Draft<'_>> = texts
        .iter()
        .map(|text| draft("observed", "repo:rabcdefghij", text))
        .collect();
    bencher.bench_local(|| journal.append(&drafts).unwrap());
}
