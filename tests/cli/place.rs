//! A folder to run the program in: nothing of the real user or machine reaches it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The time that every run takes as the present one.
pub const NOW: &str = "2026-12-05T10:02:11Z";

/// What a run left behind.
#[must_use]
pub struct Ran {
    pub line: String,
    pub out: String,
    pub err: String,
    pub code: i32,
}

pub struct Place {
    pub dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("cutover-cli-")
            .tempdir()
            .unwrap();
        for folder in ["home", "work"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        Self { dir }
    }

    /// A place with a session `acme.cutover` of the example organisation in it.
    pub fn with_session() -> Self {
        let place = Self::new();
        place.unpack();
        let ran = place.run(&[
            "init",
            "acme",
            "--scan",
            "demo/repos",
            "--inventory",
            "demo/inventory.csv",
            "--tokens",
            "rosa=demo/tokens-rosa.json",
            "acme-bot=demo/tokens-acme-bot.json",
            "--owed",
            "ken",
        ]);
        assert_eq!(ran.code, 0, "{}", ran.text());
        place
    }

    pub fn unpack(&self) {
        let today = chrono::NaiveDate::from_ymd_opt(2026, 12, 5).unwrap();
        cutover::assets::demo::unpack(&self.path("demo"), today).unwrap();
    }

    pub fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.work().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Names of everything in the working folder, to show that nothing was left behind.
    pub fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.work())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub fn command(&self, program: &Path) -> Command {
        let home = self.dir.path().join("home");
        let mut command = Command::new(program);
        command
            .current_dir(self.work())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_DATA_HOME", home.join("data"))
            .env("TMPDIR", self.dir.path())
            .env("HOSTNAME", "host")
            .env("TZ", "UTC")
            .env("COLUMNS", "100")
            .env("CUTOVER_NOW", NOW)
            .env("CUTOVER_ACTOR", "rosa")
            .stdin(Stdio::null());
        command
    }

    pub fn cutover(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_cutover")));
        command.args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.finish(arguments, self.cutover(arguments))
    }

    pub fn finish(&self, arguments: &[&str], mut command: Command) -> Ran {
        let output = command.output().unwrap();
        Ran {
            line: arguments.join(" "),
            out: self.plain(&output.stdout),
            err: self.plain(&output.stderr),
            code: output.status.code().unwrap_or(-1),
        }
    }

    /// Runs several and gives one transcript.
    pub fn transcript(&self, runs: &[&[&str]]) -> String {
        runs.iter()
            .map(|arguments| self.run(arguments).text())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Takes out what differs from run to run: places and random ids.
    fn plain(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let real = fs::canonicalize(self.dir.path()).unwrap();
        let text = text
            .replace(&*real.to_string_lossy(), "[DIR]")
            .replace(&*self.dir.path().to_string_lossy(), "[DIR]");
        let rules = [
            (r"\bw[a-z2-7]{10}:\d+\b", "[EVENT]"),
            (r"\bw[a-z2-7]{10}\b", "[WRITER]"),
            (r"\b[0-9a-f]{64}\b", "[HASH]"),
            (r"\b[0-9a-f]{32}\b", "[SESSION]"),
        ];
        rules.iter().fold(text, |text, (rule, word)| {
            regex::Regex::new(rule)
                .unwrap()
                .replace_all(&text, *word)
                .into_owned()
        })
    }
}

impl Ran {
    pub fn text(&self) -> String {
        let err = if self.err.is_empty() {
            String::new()
        } else {
            format!("--- stderr\n{}", self.err)
        };
        format!(
            "$ cutover {}\n{}{err}--- exit {}\n",
            self.line, self.out, self.code
        )
    }

    /// One clear error: an `error:` line and at least `hints` ways on, nothing on standard output.
    pub fn fails(&self, code: i32, words: &str, hints: usize) {
        let text = self.text();
        assert_eq!(self.code, code, "{text}");
        assert!(self.out.is_empty(), "{text}");
        assert_eq!(
            self.err
                .lines()
                .filter(|line| line.starts_with("error: "))
                .count(),
            1,
            "{text}"
        );
        assert!(self.err.contains(words), "no `{words}` in\n{text}");
        assert!(
            self.err
                .lines()
                .filter(|line| line.starts_with("hint: "))
                .count()
                >= hints,
            "{text}"
        );
        assert!(!self.err.contains("panicked"), "{text}");
    }
}
