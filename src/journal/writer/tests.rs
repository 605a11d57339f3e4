//! Appending: what is acknowledged stays, what fails poisons, and no other file is ever harmed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;

const AT: &str = "2026-12-05T10:02:11Z";

fn draft<'a>(kind: &'a str, data: &'a str) -> Draft<'a> {
    Draft {
        at: AT,
        kind,
        about: "session",
        crit: false,
        over: &[],
        data,
    }
}

fn note(data: &str) -> Draft<'_> {
    draft("note_added", data)
}

/// A folder with a session of two lines and a state folder.
struct Room {
    folder: tempfile::TempDir,
    next: std::cell::Cell<u8>,
}

impl Room {
    fn new() -> Self {
        let room = Self {
            folder: tempfile::tempdir().unwrap(),
            next: std::cell::Cell::new(0),
        };
        room.create(&room.path()).unwrap();
        room
    }

    fn create(&self, path: &Path) -> Result<(), Error> {
        let session = SessionId::from_random([4; 16]);
        let data = format!("{{\"session\":\"{session}\"}}");
        let (state, new_writer) = (self.state("here"), self.fresh());
        let settings = Settings {
            state: &state,
            holder: "rosa",
            new_writer,
        };
        create(
            path,
            settings,
            session,
            &draft(SESSION_CREATED, &data),
            &draft(WRITER_JOINED, "{}"),
        )
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("acme.cutover")
    }

    fn state(&self, device: &str) -> PathBuf {
        self.folder.path().join(device)
    }

    fn fresh(&self) -> WriterId {
        self.next.set(self.next.get() + 1);
        WriterId::from_random([self.next.get(); 8])
    }

    fn open_at(&self, path: &Path, device: &str) -> Result<Opened, Error> {
        let state = self.state(device);
        let settings = Settings {
            state: &state,
            holder: "rosa",
            new_writer: self.fresh(),
        };
        open(path, settings, |_, _| (), |_| ())
    }

    fn open(&self) -> Opened {
        self.open_at(&self.path(), "here").unwrap()
    }

    fn verify(&self) -> Report {
        open_read_only(&self.path(), |_, _| (), |_| ())
            .unwrap()
            .report
    }
}

fn writing(opened: Opened) -> Journal {
    match opened.access {
        Access::Append(journal) => *journal,
        Access::ReadOnly => panic!("read-only: {:?}", opened.report),
    }
}

#[test]
fn events_are_appended_and_read_again() {
    let room = Room::new();
    let mut journal = writing(room.open());
    let written = journal
        .append(&[note("{\"n\":1}"), note("{\"n\":2}")])
        .unwrap();
    assert_eq!(
        written
            .iter()
            .map(|w| (w.id.seq, w.tick))
            .collect::<Vec<_>>(),
        [(2, 2), (3, 3)]
    );
    let report = room.verify();
    assert!(report.intact());
    assert_eq!((report.lines, report.chains.tick), (4, 3));
    let file = fs::File::open(room.path()).unwrap();
    assert_eq!(
        reader::line_at(&file, written[1].place).unwrap(),
        written[1].text
    );
    assert_eq!(journal.chains().heads_data(), report.chains.heads_data());
    drop(journal);
    let opened = room.open();
    assert!(opened.behind.is_empty());
    let mut journal = writing(opened);
    assert_eq!(
        journal.append(&[note("{}")]).unwrap()[0].id,
        EventId {
            writer: written[0].id.writer,
            seq: 4
        }
    );
    assert_eq!(
        fs::metadata(room.path()).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_second_writer_is_refused_by_name() {
    let room = Room::new();
    let journal = writing(room.open());
    let error = room.open_at(&room.path(), "there").unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Locked { .. }), "{text}");
    assert!(
        text.contains("acme.cutover.lock")
            && text.contains("rosa")
            && text.contains(&std::process::id().to_string()),
        "{text}"
    );
    assert!(open_read_only(&room.path(), |_, _| (), |_| ()).is_ok());
    drop(journal);
    room.open_at(&room.path(), "there").unwrap();
}

#[test]
fn a_new_device_joins_first() {
    let room = Room::new();
    let mut journal = writing(room.open_at(&room.path(), "there").unwrap());
    assert!(!journal.joined());
    assert!(matches!(
        journal.append(&[note("{}")]),
        Err(Error::NotJoined)
    ));
    journal
        .append(&[draft(WRITER_JOINED, "{}"), note("{}")])
        .unwrap();
    assert!(journal.append(&[draft(WRITER_JOINED, "{}")]).is_err());
    assert!(room.verify().intact());
}

#[test]
fn a_bad_event_writes_nothing_and_harms_nothing() {
    let room = Room::new();
    let mut journal = writing(room.open());
    let before = fs::read(room.path()).unwrap();
    assert!(journal.append(&[note("{}"), note("{\"a\": 1}")]).is_err());
    let huge = format!("{{\"t\":\"{}\"}}", "x".repeat(1 << 20));
    assert!(matches!(
        journal.append(&[note(&huge)]),
        Err(Error::Event(Reason::TooLong))
    ));
    assert_eq!(fs::read(room.path()).unwrap(), before);
    journal.append(&[note("{}")]).unwrap();
}

#[test]
fn a_session_is_never_created_over_a_file() {
    let room = Room::new();
    let before = fs::read(room.path()).unwrap();
    assert!(matches!(
        room.create(&room.path()),
        Err(Error::Exists { .. })
    ));
    assert_eq!(fs::read(room.path()).unwrap(), before);
    let dangling = room.folder.path().join("dangling.cutover");
    std::os::unix::fs::symlink("/nonexistent", &dangling).unwrap();
    assert!(matches!(room.create(&dangling), Err(Error::Exists { .. })));
    let error = room
        .create(&room.folder.path().join("no/such/folder.cutover"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("no/such"), "{error}");
    let strays = fs::read_dir(room.folder.path()).unwrap().filter(|e| {
        e.as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with(".cutover-new")
    });
    assert_eq!(strays.count(), 0);
}

#[test]
fn only_a_regular_file_is_opened() {
    let room = Room::new();
    let at = |name: &str| room.folder.path().join(name);
    std::os::unix::fs::symlink(room.path(), at("link.cutover")).unwrap();
    std::process::Command::new("mkfifo")
        .arg(at("pipe.cutover"))
        .status()
        .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket.cutover")).unwrap();
    fs::create_dir(at("folder.cutover")).unwrap();
    for (name, link) in [
        ("link", true),
        ("pipe", false),
        ("socket", false),
        ("folder", false),
    ] {
        let path = at(&format!("{name}.cutover"));
        for error in [
            room.open_at(&path, "here").unwrap_err(),
            open_read_only(&path, |_, _| (), |_| ()).unwrap_err(),
        ] {
            assert_eq!(matches!(error, Error::Link { .. }), link, "{error}");
            assert_eq!(matches!(error, Error::NotRegular { .. }), !link, "{error}");
        }
        assert!(!disk::beside(&path, ".lock").exists());
    }
    // A lock that is a link would let its target be overwritten.
    fs::write(at("precious"), "keep me").unwrap();
    std::os::unix::fs::symlink(at("precious"), at("acme.cutover.lock")).unwrap();
    assert!(matches!(
        room.open_at(&room.path(), "here"),
        Err(Error::Link { .. })
    ));
    assert_eq!(fs::read_to_string(at("precious")).unwrap(), "keep me");
}

#[test]
fn a_torn_tail_is_set_aside_and_kept() {
    let room = Room::new();
    for (n, tail) in [b"{\"v\":1,\"writer\"".as_slice(), &[0; 70_000]]
        .into_iter()
        .enumerate()
    {
        let before = fs::read(room.path()).unwrap();
        fs::write(room.path(), [&before, tail].concat()).unwrap();
        let opened = room.open();
        let aside = opened.set_aside.clone().unwrap();
        assert_eq!(fs::read(&aside).unwrap(), tail);
        assert_eq!(
            aside.file_name().unwrap().to_str().unwrap(),
            format!("acme.cutover.torn-{}", before.len())
        );
        assert_eq!(opened.report.torn.unwrap().zeros, n == 1);
        writing(opened).append(&[note("{}")]).unwrap();
        assert!(room.verify().intact());
    }
}

#[test]
fn damage_opens_read_only_and_untouched() {
    let room = Room::new();
    writing(room.open())
        .append(&[note("{\"n\":1}"), note("{\"n\":2}")])
        .unwrap();
    let bad = fs::read_to_string(room.path())
        .unwrap()
        .replace("\"n\":1", "\"n\":7")
        + "torn";
    fs::write(room.path(), &bad).unwrap();
    let opened = room.open();
    assert!(matches!(opened.access, Access::ReadOnly));
    let error = opened
        .report
        .sound(&room.path(), &*opened.file)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("line 3") && error.contains("acme.cutover"),
        "{error}"
    );
    assert_eq!(fs::read_to_string(room.path()).unwrap(), bad);
}

#[test]
fn a_file_that_fell_behind_gets_a_new_writer_and_a_report() {
    let room = Room::new();
    let old = fs::read(room.path()).unwrap();
    let mut journal = writing(room.open());
    let founder = journal.writer();
    journal.append(&[note("{}"), note("{}")]).unwrap();
    drop(journal);
    let full = fs::read(room.path()).unwrap();
    fs::write(room.path(), &old).unwrap();
    let opened = room.open();
    assert_eq!(
        opened.behind,
        [Behind {
            writer: founder,
            remembered: 3,
            present: Some(1),
            replaced: false
        }]
    );
    let journal = writing(opened);
    assert_ne!(journal.writer(), founder);
    drop(journal);
    // The lines come back: the old writer goes on.
    fs::write(room.path(), &full).unwrap();
    let opened = room.open();
    assert!(opened.behind.is_empty());
    assert!(room.verify().intact());
}

#[test]
fn two_copies_never_share_a_writer() {
    let room = Room::new();
    let copy = room.folder.path().join("copy.cutover");
    fs::copy(room.path(), &copy).unwrap();
    let first = writing(room.open());
    let second = writing(room.open_at(&copy, "here").unwrap());
    assert_ne!(first.writer(), second.writer());
    let used = first.writer();
    drop((first, second));
    // After a clean end the copy may go on with the founder; the original is behind then and must not.
    let mut second = writing(room.open_at(&copy, "here").unwrap());
    assert_eq!(second.writer(), used);
    second.append(&[note("{}")]).unwrap();
    drop(second);
    let opened = room.open();
    assert_eq!(opened.behind.len(), 1);
    assert_ne!(writing(opened).writer(), used);
}

#[test]
fn after_a_kill_a_copy_is_not_trusted() {
    let room = Room::new();
    let mut journal = writing(room.open());
    let founder = journal.writer();
    journal.append(&[note("{}")]).unwrap();
    let state = room
        .state("here")
        .join(SessionId::from_random([4; 16]).as_str())
        .join(format!("{founder}.json"));
    let running = fs::read(&state).unwrap();
    drop(journal);
    fs::write(&state, running).unwrap();
    let copy = room.folder.path().join("copy.cutover");
    fs::copy(room.path(), &copy).unwrap();
    assert_ne!(
        writing(room.open_at(&copy, "here").unwrap()).writer(),
        founder
    );
    assert_eq!(writing(room.open()).writer(), founder);
}

#[test]
fn lines_of_others_are_absorbed_once_and_in_order() {
    let room = Room::new();
    let copy = room.folder.path().join("copy.cutover");
    fs::copy(room.path(), &copy).unwrap();
    let mut there = writing(room.open_at(&copy, "there").unwrap());
    let written = there
        .append(&[draft(WRITER_JOINED, "{}"), note("{}"), note("{}")])
        .unwrap();
    let lines: Vec<&str> = written.iter().map(|w| w.text.as_str()).collect();
    let mut here = writing(room.open());
    assert!(matches!(
        here.absorb(&lines[1..]),
        Err(Error::Event(Reason::Gap {
            expected: 0,
            found: 1
        }))
    ));
    let forged = [
        lines[0].to_owned(),
        lines[1].replace("\"tick\":3", "\"tick\":4"),
    ];
    assert!(matches!(
        here.absorb(&forged),
        Err(Error::Event(Reason::Hash))
    ));
    assert_eq!(here.absorb(&lines).unwrap().len(), 3);
    assert!(matches!(
        here.absorb(&lines),
        Err(Error::Event(Reason::Again { .. }))
    ));
    assert_eq!(here.append(&[note("{}")]).unwrap()[0].tick, 5);
    assert!(room.verify().intact());
}

/// What the disk should do next.
#[derive(Default)]
struct Faults {
    /// Bytes that still fit.
    room: Option<usize>,
    /// The next sync fails.
    sync: bool,
}

/// A real file whose writes and syncs fail on demand, as a full or broken disk's do.
struct FaultyDisk {
    file: FileDisk,
    faults: Arc<Mutex<Faults>>,
    reserve: PathBuf,
}

impl Disk for FaultyDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut faults = self.faults.lock().unwrap();
        let Some(room) = faults.room else {
            return self.file.append(bytes);
        };
        let freed = if self.reserve.exists() {
            0
        } else {
            disk::RESERVE
        };
        let fits = bytes.len().min(room + freed);
        faults.room = Some(room.saturating_sub(fits));
        self.file.append(&bytes[..fits])?;
        if fits < bytes.len() {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }
    fn sync(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.faults.lock().unwrap().sync) {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.file.sync()
    }
    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.file.cut(len)
    }
    fn changed(&self, len: u64) -> io::Result<Option<&'static str>> {
        self.file.changed(len)
    }
}

fn faulty(room: &Room) -> (Journal, Arc<Mutex<Faults>>) {
    let opened = room.open();
    let file = FileDisk::new(Arc::clone(&opened.file), &room.path()).unwrap();
    let mut journal = writing(opened);
    let faults = Arc::new(Mutex::new(Faults::default()));
    let reserve = disk::beside(&room.path(), ".reserve");
    journal.disk = Box::new(FaultyDisk {
        file,
        faults: Arc::clone(&faults),
        reserve,
    });
    (journal, faults)
}

#[test]
fn a_failed_sync_poisons_until_reopened() {
    let room = Room::new();
    let (mut journal, faults) = faulty(&room);
    journal.append(&[note("{}")]).unwrap();
    faults.lock().unwrap().sync = true;
    assert!(matches!(
        journal.append(&[note("{}")]),
        Err(Error::Io { doing: "write", .. })
    ));
    for result in [
        journal.append(&[note("{}")]),
        journal.append_outcome(&note("{}")).map(|w| vec![w]),
    ] {
        assert!(matches!(result, Err(Error::Poisoned(_))));
    }
    assert!(journal.poisoned().is_some());
    drop(journal);
    let mut journal = writing(room.open());
    assert_eq!(journal.append(&[note("{}")]).unwrap()[0].id.seq, 3);
    assert!(room.verify().intact());
}

#[test]
fn a_full_disk_takes_the_outcome_and_nothing_else() {
    let room = Room::new();
    let (mut journal, faults) = faulty(&room);
    journal.ensure_room().unwrap();
    faults.lock().unwrap().room = Some(50);
    let outcome = journal.append_outcome(&note("{\"done\":true}")).unwrap();
    assert_eq!(outcome.id.seq, 2);
    assert!(!disk::beside(&room.path(), ".reserve").exists());
    let report = room.verify();
    assert!(report.intact());
    assert_eq!(report.lines, 3);
    // The next ordinary event fails cleanly: what was acknowledged stays.
    fs::write(disk::beside(&room.path(), ".reserve"), "").unwrap();
    faults.lock().unwrap().room = Some(7);
    assert!(matches!(
        journal.append(&[note("{}")]),
        Err(Error::Io { .. })
    ));
    assert!(room.verify().intact());
    assert_eq!(room.verify().lines, 3);
}

#[test]
fn a_file_changed_behind_our_back_is_not_written_on() {
    for (change, how) in [
        (
            (|path: &Path| {
                fs::OpenOptions::new()
                    .append(true)
                    .open(path)
                    .unwrap()
                    .write_all(b"x")
                    .unwrap()
            }) as fn(&Path),
            "length",
        ),
        (
            |path| fs::rename(path, path.with_extension("moved")).unwrap(),
            "gone",
        ),
        (
            |path| {
                let text = fs::read(path).unwrap();
                fs::remove_file(path).unwrap();
                fs::write(path, text).unwrap()
            },
            "another file",
        ),
    ] {
        let room = Room::new();
        let mut journal = writing(room.open());
        change(&room.path());
        let error = journal.append(&[note("{}")]).unwrap_err();
        assert!(
            matches!(error, Error::Changed(_)) && error.to_string().contains(how),
            "{error}"
        );
        assert!(matches!(
            journal.append(&[note("{}")]),
            Err(Error::Poisoned(_))
        ));
    }
}

#[test]
fn a_signed_line_carries_its_signature_under_its_hash() {
    let room = Room::new();
    let mut journal = writing(room.open());
    let signed = std::cell::RefCell::new(Vec::new());
    let signer = |bytes: &[u8]| {
        signed.borrow_mut().extend_from_slice(bytes);
        Ok("QUJD".to_owned())
    };
    let written = journal.append_signed(&note("{}"), &signer).unwrap();
    let line = Line::parse(written.text.as_bytes()).unwrap();
    assert_eq!(
        (line.sig, line.signed_bytes()),
        (Some("QUJD"), signed.borrow().as_slice())
    );
    let refuses = |_: &[u8]| Err(SignError::NoSignature);
    assert!(matches!(
        journal.append_signed(&note("{}"), &refuses),
        Err(Error::Sign(_))
    ));
    assert!(room.verify().intact());
}
