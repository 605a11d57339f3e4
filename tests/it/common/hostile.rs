//! An organisation that attacks whoever reads it: checkouts, lists, names and environment full of terminal escapes,
//! look-alikes, special files and planted secrets. `build` lays it out, the assertions read what came out.
//! Secrets are made up at run time, so that nothing that looks like one stands in the tree.
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Stands in every planted text that is written raw, so that its way to an output can be told.
pub const MARK: &str = "HOSTILE";

/// Writes to the clipboard, makes a link, sets the title, clears the screen, asks the terminal to answer.
const ESCAPES: &[&str] = &[
    "\u{1b}]52;c;SE9TVElMRQ==\u{7}",
    "\u{1b}]8;;https://hostile.example/\u{1b}\\",
    "\u{1b}]0;HOSTILE\u{7}",
    "\u{1b}[2J\u{1b}[31;5m",
    "\u{1b}[6n\u{1b}[c",
    "\u{1b}P+q544e\u{1b}\\",
    "\u{9b}2J",
    "\u{9d}52;c;SE9TVElMRQ==\u{9c}",
];

/// Reorders, hides, tags and looks like a space.
const HIDDEN: &[char] = &[
    '\u{202e}',
    '\u{2066}',
    '\u{200b}',
    '\u{200d}',
    '\u{2060}',
    '\u{feff}',
    '\u{e0041}',
    '\u{a0}',
    '\u{ad}',
    '\u{2028}',
    '\u{fe0f}',
];

/// What was laid out, and what must not come out.
#[derive(Debug)]
pub struct Planted {
    /// Holds every checkout.
    pub repos: PathBuf,
    /// A checkout of which everything can be read: its names are hostile, its files are regular.
    pub readable: PathBuf,
    /// Hostile names in every column.
    pub inventory: PathBuf,
    /// The same with whole tokens in it.
    pub inventory_with_secret: PathBuf,
    pub account: String,
    /// Hostile names, masked tokens.
    pub tokens: PathBuf,
    /// A list with a whole token in it, and one in a note.
    pub tokens_with_secret: PathBuf,
    /// Variables to set for the program; all of them hold secrets.
    pub environment: Vec<(String, String)>,
    /// A person's name that is no name.
    pub actor: String,
    /// Every planted secret. No part of ten characters of one may come out.
    pub secrets: Vec<String>,
    /// Stands only in a file outside of every checkout that links point to.
    pub outside: String,
    /// Below `readable`: a workflow that .gitignore names and that publishes.
    pub ignored: String,
    /// Below `readable`: a workflow whose job says `permissions:` twice.
    pub duplicate: String,
}

/// Lays the organisation out below a folder, which must exist.
pub fn build(dir: &Path) -> Planted {
    let mut planted = Planted {
        repos: dir.join("repos"),
        readable: dir.join("repos/acme__readable"),
        inventory: dir.join("inventory.csv"),
        inventory_with_secret: dir.join("inventory-secret.csv"),
        account: "acme-bot".to_owned(),
        tokens: dir.join("tokens.json"),
        tokens_with_secret: dir.join("tokens-secret.json"),
        environment: Vec::new(),
        actor: format!("ken{}", nasty()),
        secrets: Vec::new(),
        outside: "PLANTED-OUTSIDE-OF-EVERY-CHECKOUT".to_owned(),
        ignored: ".github/workflows/ignored.yml".to_owned(),
        duplicate: ".github/workflows/duplicate.yml".to_owned(),
    };
    let mut random = Random(20_261_122);
    readable_checkout(&mut planted, &mut random);
    special_files(&mut planted, &mut random, dir);
    broken_files(&planted);
    odd_names(&mut planted, &mut random);
    lists(&mut planted, &mut random);
    for name in [
        "NPM_TOKEN",
        "NODE_AUTH_TOKEN",
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "NPM_CONFIG__AUTH",
        "GITLAB_TOKEN",
        "CIRCLE_TOKEN",
    ] {
        let secret = planted.secret(
            &mut random,
            if name.starts_with('G') {
                "ghp_"
            } else {
                "npm_"
            },
        );
        planted.environment.push((name.to_owned(), secret));
    }
    planted
}

impl Planted {
    /// Makes up one more secret: the prefix and 36 letters and digits.
    fn secret(&mut self, random: &mut Random, prefix: &str) -> String {
        let secret = format!("{prefix}{}", random.letters(36));
        self.secrets.push(secret.clone());
        secret
    }
}

/// All escapes and hidden characters in one line of text, and marks stacked higher than any line.
pub fn nasty() -> String {
    nasty_with(10_000)
}

/// The same with fewer marks, for places with a cap on length.
fn nasty_with(marks: usize) -> String {
    let hidden: String = HIDDEN.iter().collect();
    format!(
        "{}{MARK}{hidden}a{}",
        ESCAPES.concat(),
        "\u{301}".repeat(marks)
    )
}

/// The same as a double-quoted string's content, which a parser turns into the characters themselves.
fn escaped(text: &str, astral: impl Fn(char) -> String) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        ' '..='~' | '\u{301}' => c.to_string(),
        '\u{10000}'.. => astral(c),
        c => format!("\\u{:04x}", u32::from(c)),
    };
    text.chars().map(escape).collect()
}

fn in_yaml(text: &str) -> String {
    escaped(text, |c| format!("\\U{:08x}", u32::from(c)))
}

fn in_json(text: &str) -> String {
    escaped(text, |c| {
        c.encode_utf16(&mut [0; 2])
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect()
    })
}

fn put(path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn git(checkout: &Path, origin: &str) {
    put(checkout.join(".git/HEAD"), "ref: refs/heads/main\n");
    put(
        checkout.join(".git/config"),
        format!("[remote \"origin\"]\n\turl = {origin}\n"),
    );
}

/// Everything here is a regular file that can be parsed; what it says is hostile.
fn readable_checkout(planted: &mut Planted, random: &mut Random) {
    let root = planted.readable.clone();
    let npm = cutover::assets::npm_host();
    let name = in_yaml(&nasty());
    // A YAML key may not be longer than 1,024 characters.
    let key = in_yaml(&nasty_with(20));
    let json = in_json(&nasty());
    git(
        &root,
        &format!(
            "https://x-access-token:{}@github.com/acme/readable.git",
            planted.secret(random, "ghs_")
        ),
    );
    let token = planted.secret(random, "npm_");
    let workflow = format!(
        "name: \"{name}\"\non:\n  push:\n    branches: [\"{name}\"]\nenv:\n  NPM_TOKEN: {token}\njobs:\n  \"pub{key}\":\n    runs-on: \"{name}\"\n    environment: \"{name}\"\n    permissions: {{ id-token: write }}\n    steps:\n      - name: \"{name}\"\n        uses: \"acme/{name}@main\"\n      - name: \"{name}\"\n        run: \"npm publish --tag '{name}'\"\n        env:\n          NODE_AUTH_TOKEN: ${{{{ secrets.NPM_TOKEN }}}}\n          \"X{key}\": \"{name}\"\n"
    );
    put(root.join(".github/workflows/publish.yml"), workflow);
    let raw = planted.secret(random, "npm_");
    put(
        root.join(".github/workflows/script.yml"),
        format!(
            "on: push\njobs:\n  p:\n    runs-on: ubuntu-latest\n    steps:\n      - run: |\n          echo //{npm}/:_authToken={raw} > .npmrc\n          echo '{}'\n          npm publish\n",
            HIDDEN.iter().collect::<String>()
        ),
    );
    put(
        root.join(&planted.duplicate),
        "on: push\njobs:\n  p:\n    runs-on: ubuntu-latest\n    permissions: {}\n    permissions: { id-token: write }\n    steps:\n      - run: npm publish\n",
    );
    put(
        root.join(".gitignore"),
        ".github/workflows/ignored.yml\n*.npmrc\npackages\n",
    );
    put(
        root.join(&planted.ignored),
        "on: push\njobs:\n  ignored:\n    runs-on: ubuntu-latest\n    steps:\n      - run: npm publish\n        env:\n          NODE_AUTH_TOKEN: ${{ secrets.IGNORED_TOKEN }}\n",
    );
    let [classic, basic, yarn] = [(); 3].map(|()| planted.secret(random, ""));
    put(
        root.join(".npmrc"),
        format!(
            "//{npm}/:_authToken={classic}\n//{npm}/:_password={basic}\n_auth={basic}\nregistry=https://user:{basic}@{npm}/\n"
        ),
    );
    put(
        root.join(".yarnrc.yml"),
        format!("npmAuthToken: \"{yarn}\"\n"),
    );
    put(
        root.join("package.json"),
        format!(
            "{{\"name\":\"@acme/{json}\",\"version\":\"{json}\",\"repository\":\"https://github.com/{json}\",\"scripts\":{{\"release\":\"npm publish {json}\"}},\"workspaces\":[\"packages/*\",\"{json}\"]}}"
        ),
    );
    put(
        root.join("packages/a/package.json"),
        format!("{{\"name\":\"@acme/a\",\"publishConfig\":{{\"registry\":\"https://{json}/\"}}}}"),
    );
    put(
        root.join(".gitlab-ci.yml"),
        format!(
            "\"job{key}\":\n  environment: \"{name}\"\n  script:\n    - npm publish\n    - \"echo {name}\"\n"
        ),
    );
    put(
        root.join(".circleci/config.yml"),
        format!(
            "version: 2.1\njobs:\n  \"j{key}\":\n    steps:\n      - run: npm publish\nworkflows:\n  w:\n    jobs:\n      - \"j{key}\":\n          context: \"{name}\"\n"
        ),
    );
    put(
        root.join("azure-pipelines.yml"),
        format!("steps:\n  - script: npm publish\n    displayName: \"{name}\"\n"),
    );
    put(
        root.join(".travis.yml"),
        format!(
            "script: npm test\ndeploy:\n  provider: npm\n  api_key: {}\n",
            planted.secret(random, "npm_")
        ),
    );
    put(
        root.join("Jenkinsfile"),
        format!("node {{ stage('{}') {{ sh 'npm publish' }} }}\n", nasty()),
    );
}

/// What must not be opened, waited for or followed.
fn special_files(planted: &mut Planted, random: &mut Random, dir: &Path) {
    let root = planted.repos.join("acme__special");
    git(&root, "git@github.com:acme/special.git");
    let flows = root.join(".github/workflows");
    fs::create_dir_all(&flows).unwrap();
    let outside = dir.join("outside/publish.yml");
    let secret = planted.secret(random, "npm_");
    put(
        &outside,
        format!(
            "# {} {}\non: push\njobs:\n  {}:\n    runs-on: ubuntu-latest\n    steps: [{{ run: npm publish }}]\n",
            planted.outside, secret, planted.outside
        ),
    );
    symlink(&outside, flows.join("link.yml")).unwrap();
    symlink("/dev/zero", flows.join("zero.yml")).unwrap();
    symlink("loop.yml", flows.join("loop.yml")).unwrap();
    symlink("/dev/zero", root.join("package.json")).unwrap();
    symlink(&outside, root.join(".npmrc")).unwrap();
    symlink(dir.join("outside"), root.join(".circleci")).unwrap();
    let linked = planted.repos.join("acme__linked");
    git(&linked, "https://github.com/acme/linked.git");
    fs::create_dir_all(linked.join(".github")).unwrap();
    symlink(dir.join("outside"), linked.join(".github/workflows")).unwrap();
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        for (name, kind) in [
            ("fifo.yml", FileType::Fifo),
            ("socket.yml", FileType::Socket),
        ] {
            mknodat(CWD, flows.join(name), kind, Mode::RUSR | Mode::WUSR, 0).unwrap();
        }
        mknodat(
            CWD,
            root.join(".gitlab-ci.yml"),
            FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();
    }
}

/// Regular files that no parser gets through.
fn broken_files(planted: &Planted) {
    let root = planted.repos.join("acme__broken");
    git(&root, &format!("https://github.com/acme/{}.git", nasty()));
    let flows = root.join(".github/workflows");
    put(
        flows.join("raw.yml"),
        format!("name: {}\non: push\n", nasty()),
    );
    put(
        flows.join("binary.yml"),
        (0..=255).cycle().take(4096).collect::<Vec<u8>>(),
    );
    put(flows.join("latin.yml"), b"on: push\njobs:\n  p\x9b2J:\n    runs-on: ubuntu-latest\n    steps:\n      - run: npm publish\n");
    put(
        flows.join("huge.yml"),
        format!("on: push\n# {}\n", "x".repeat(3 * 1024 * 1024)),
    );
    put(flows.join("deep.yml"), "[".repeat(100_000));
    let bomb: String = (1..10)
        .map(|level| {
            format!(
                "a{level}: &a{level} [{}]\n",
                vec![format!("*a{}", level - 1); 10].join(",")
            )
        })
        .collect();
    put(
        flows.join("bomb.yml"),
        format!("a0: &a0 [x]\n{bomb}on: push\njobs: *a9\n"),
    );
    put(flows.join("empty.yml"), "");
    put(
        root.join("package.json"),
        format!("{{\"name\": {}", nasty()),
    );
    put(root.join("lerna.json"), b"\xff\xfe{\x00");
}

/// Names of files and folders.
fn odd_names(planted: &mut Planted, random: &mut Random) {
    let publish =
        "on: push\njobs:\n  p:\n    runs-on: ubuntu-latest\n    steps:\n      - run: npm publish\n";
    let secret = planted.secret(random, "npm_");
    let root = planted
        .repos
        .join(format!("acme__\u{1b}]52;c;AA==\u{7}{MARK}\u{202e}{secret}"));
    put(root.join(".git/HEAD"), "ref: refs/heads/main\n");
    let flows = root.join(".github/workflows");
    put(flows.join("plain.yml"), publish);
    put(
        flows.join(format!(
            "{MARK}\u{1b}[2J\u{202e}\u{200b}{}.yml",
            "\u{301}".repeat(40)
        )),
        publish,
    );
    put(flows.join("a\nb\r::error::c.yml"), publish);
    put(flows.join("@acme,closes #1=`x`|[y](z).yml"), publish);
    put(
        flows.join(format!("{}.yml", planted.secret(random, "npm_"))),
        publish,
    );
    // Not every file system takes such a name; where it does not, there is nothing to show.
    let _ = fs::write(flows.join(OsStr::from_bytes(b"bad\x9b2J.yml")), publish);
    put(
        root.join(format!("packages/{MARK}\u{9b}2J/package.json")),
        "{\"name\":\"@acme/odd\"}",
    );
}

fn lists(planted: &mut Planted, random: &mut Random) {
    let name = nasty_with(1_000).replace(['"', '\n'], "");
    let header = "repo,packages,owner,reviewer,lane,secret_name,secret_store,environment,canary_tag,revoked_token_id\n";
    let row = |note: &str| {
        format!(
            "acme/readable,@acme/a,\"{note}\",\"=1+1\",trusted,NPM_TOKEN,\"{note}\",\"{note}\",canary,\"@{note}\"\n"
        )
    };
    put(&planted.inventory, format!("{header}{}", row(&name)));
    let secret = planted.secret(random, "npm_");
    put(
        &planted.inventory_with_secret,
        format!("{header}{}{}", row(&name), row(&secret)),
    );
    let token = |masked: &str, note: &str| {
        serde_json::json!({
            "key": "3a5d9c17-6e80-4b42-9f21-c7d8e4b6a053", "token": masked, "name": note, "description": note,
            "created": "2026-09-12T08:14:22.410Z", "expiry": "2026-12-11T08:14:22.410Z", "readonly": false, "bypass_2fa": true,
            "permissions": [{"name": "package", "action": "write"}], "scopes": [{"type": "scope", "name": format!("@acme{note}")}],
        })
    };
    put(
        &planted.tokens,
        serde_json::json!([token("npm_hT4w...Zp2K", &nasty())]).to_string(),
    );
    let [whole, note] = [(); 2].map(|()| planted.secret(random, "npm_"));
    put(
        &planted.tokens_with_secret,
        serde_json::json!([token(&whole, &format!("{note} {}", nasty()))]).to_string(),
    );
}

/// A fixed sequence: the same secrets in every run, none of them in the tree.
struct Random(u64);

impl Random {
    fn letters(&mut self, count: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let next = |_| {
            // Numerical Recipes' generator; its high bits are good enough for names that must not be guessed by accident.
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            char::from(ALPHABET[usize::try_from(self.0 >> 33).unwrap() % ALPHABET.len()])
        };
        (0..count).map(next).collect()
    }
}

/// Asserts that nothing of a planted secret, nor of the file outside, is in bytes that were written or shown.
///
/// A secret that was cut by a line's end, a table's border or a colour is still found.
#[track_caller]
pub fn assert_no_secret(output: &[u8], planted: &Planted) {
    const PART: usize = 10;
    let letters: Vec<u8> = without_escapes(output)
        .into_iter()
        .filter(u8::is_ascii_alphanumeric)
        .collect();
    for secret in &planted.secrets {
        let body = secret.rsplit('_').next().unwrap().as_bytes();
        let part = body
            .windows(PART)
            .find(|part| memchr::memmem::find(&letters, part).is_some());
        assert!(
            part.is_none(),
            "a planted secret came out: {}",
            around(output, part.unwrap_or_default())
        );
    }
    assert!(
        memchr::memmem::find(output, planted.outside.as_bytes()).is_none(),
        "a file outside of the checkout was read"
    );
}

/// Asserts that bytes that were shown hold no planted secret, no escape of foreign origin and nothing hidden.
///
/// Our own escapes may be there: colours, cursor moves and modes. For a file that keeps foreign text as data, use
/// [`assert_no_secret`].
#[track_caller]
pub fn assert_clean(output: &[u8], planted: &Planted) {
    assert_no_secret(output, planted);
    for escape in ESCAPES {
        assert!(
            memchr::memmem::find(output, escape.as_bytes()).is_none(),
            "a foreign escape came out: {escape:?}"
        );
    }
    for (at, pair) in output.windows(2).enumerate() {
        // Of the escapes only CSI, character sets, keypad modes and save/restore are ours: no string that carries text.
        let foreign = pair[0] == 0x1b && matches!(pair[1], b']' | b'P' | b'X' | b'^' | b'_');
        assert!(
            !foreign,
            "an escape that carries text came out: {}",
            around(output, &output[at..(at + 12).min(output.len())])
        );
    }
    let mut marks = 0;
    for chunk in output.utf8_chunks() {
        assert!(!chunk.invalid().contains(&0x9b), "a raw 0x9b came out");
        for c in chunk.valid().chars() {
            let hidden = HIDDEN.contains(&c)
                || ('\u{80}'..='\u{9f}').contains(&c)
                || ('\u{e0000}'..='\u{e007f}').contains(&c);
            assert!(
                !hidden,
                "a hidden character came out: {c:?} in {}",
                around(output, c.encode_utf8(&mut [0; 4]).as_bytes())
            );
            marks = if c == '\u{301}' { marks + 1 } else { 0 };
            assert!(marks < 6, "combining marks are stacked");
        }
    }
}

/// Asserts what [`assert_clean`] does of an output that is no terminal's: there is no escape at all.
#[track_caller]
pub fn assert_plain(output: &[u8], planted: &Planted) {
    assert_clean(output, planted);
    let control = output
        .iter()
        .position(|b| b.is_ascii_control() && !matches!(b, b'\n' | b'\t'));
    assert!(
        control.is_none(),
        "a control character came out: {}",
        around(output, &output[control.unwrap_or(0)..][..1])
    );
}

/// Drops CSI sequences, so that letters on both sides of a colour stand together.
fn without_escapes(output: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(output.len());
    let mut rest = output;
    while let [first, tail @ ..] = rest {
        if *first == 0x1b && tail.first() == Some(&b'[') {
            let end = tail[1..]
                .iter()
                .position(|b| (0x40..=0x7e).contains(b))
                .map_or(tail.len(), |at| at + 2);
            rest = &tail[end..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

fn around(output: &[u8], part: &[u8]) -> String {
    let at = memchr::memmem::find(output, part).unwrap_or(0);
    let piece = &output[at.saturating_sub(60)..(at + 60).min(output.len())];
    format!("{:?}", String::from_utf8_lossy(piece))
}
