//! Programs in other languages than shell: searched for calls that publish, for commands that they run, and for what
//! they write to npm's configuration. Nothing is evaluated; what hangs on a switch that is not given is a rehearsal.

use super::super::Tool;
use super::{Flags, Frame, Walk, What};

/// Calls to the registry, as they read once quotes, commas and brackets are taken out.
const CALLS: &[(&str, What, Tool)] = &[
    ("npm stage publish", What::Stage, Tool::Npm),
    ("pnpm stage publish", What::Stage, Tool::Pnpm),
    ("pnpm -r stage publish", What::Stage, Tool::Pnpm),
    ("pnpm recursive stage publish", What::Stage, Tool::Pnpm),
    ("pnpm stage", What::Stage, Tool::Pnpm),
    ("yarn npm publish", What::Publish, Tool::YarnBerry),
    ("pnpm publish", What::Publish, Tool::Pnpm),
    ("pnpm -r publish", What::Publish, Tool::Pnpm),
    ("pnpm recursive publish", What::Publish, Tool::Pnpm),
    ("yarn publish", What::Publish, Tool::YarnClassic),
    ("bun publish", What::Publish, Tool::Bun),
    ("lerna publish", What::Publish, Tool::Lerna),
    ("changeset publish", What::Publish, Tool::Changesets),
    ("nx release publish", What::Publish, Tool::Nx),
    ("npm publish", What::Publish, Tool::Npm),
    ("npm dist-tag add", What::DistTag, Tool::Npm),
    ("npm dist-tag rm", What::DistTag, Tool::Npm),
    ("npm deprecate", What::Deprecate, Tool::Npm),
    ("npm unpublish", What::Unpublish, Tool::Npm),
];

/// Flags before a verb whose value says where it runs.
const PLACE_FLAGS: &[&str] = &[
    "--cwd",
    "-C",
    "--dir",
    "--prefix",
    "--filter",
    "-F",
    "--workspace",
    "-w",
];

impl Walk<'_, '_> {
    /// Searches program text for calls that publish. `switches` are those the program is given, where that is known.
    pub(super) fn code(&mut self, text: &str, switches: Option<&str>, frame: &Frame) {
        let lines: Vec<&str> = text.lines().collect();
        let mut last: Option<(usize, What, Tool)> = None;
        for (index, line) in lines.iter().enumerate() {
            if is_said(line) {
                continue;
            }
            self.written_by_code(line, text, frame);
            let window = || {
                lines
                    .iter()
                    .skip(index)
                    .take(4)
                    .copied()
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            let found = may_publish(line)
                .then(window)
                .and_then(|wide| call_at(line, &wide, text));
            let Some((what, tool, mut flags)) = found else {
                let command = may_start(line)
                    .then(window)
                    .and_then(|wide| started(&wide, line.len()));
                if let Some(command) = command {
                    let off = is_off(&lines, index, switches, text);
                    let before = self.out.len();
                    self.nested(&command, frame);
                    for act in self.out.iter_mut().skip(before) {
                        act.flags.dry_run |= off;
                    }
                }
                continue;
            };
            // A window of four lines sees the same call up to four times.
            if last
                .as_ref()
                .is_some_and(|(at, w, t)| *w == what && *t == tool && index < at + 4)
            {
                continue;
            }
            last = Some((index, what.clone(), tool));
            flags.dry_run |= is_off(&lines, index, switches, text);
            self.push(what, tool, flags, frame);
        }
        let api = [
            ("releasePublish(", "nx/release", Tool::Nx),
            ("libnpmpublish", "libnpmpublish", Tool::Npm),
            (
                "npmPublish(",
                "@jsdevtools/npm-publish",
                Tool::JsDevtoolsNpmPublish,
            ),
        ];
        for (call, import, tool) in api {
            if text.contains(import) && text.contains(call) {
                self.push(What::Publish, tool, Flags::default(), frame);
            }
        }
    }

    /// `_authToken=${process.env.NPM_TOKEN}`: a line that writes npm's configuration from a variable.
    fn written_by_code(&mut self, line: &str, text: &str, frame: &Frame) {
        let Some((before, after)) = ["_authToken", "npmAuthToken"]
            .iter()
            .find_map(|k| line.split_once(k))
        else {
            return;
        };
        let Some(name) = variable_of(after).or_else(|| variable_of(assigned(after, text)?)) else {
            return;
        };
        let host = before
            .rsplit_once("//")
            .map_or("", |(_, h)| h.split('/').next().unwrap_or(h));
        let key = if host.is_empty() {
            "_authToken".to_owned()
        } else {
            format!("//{host}/:_authToken")
        };
        let auth = super::auth::setting(&key, &format!("${{{name}}}"));
        if let Some(act) = self.push(What::Auth, Tool::Other, Flags::default(), frame) {
            act.auth = auth;
        }
    }
}

/// Tells whether a line only speaks: a comment, or what is printed.
fn is_said(line: &str) -> bool {
    let trimmed = line.trim_start();
    let speaks = [
        "//",
        "*",
        "#",
        "/*",
        "console.",
        "print(",
        "puts ",
        "log(",
        "logger",
        "throw ",
        "raise ",
        "echo ",
        "describe(",
        "it(",
    ];
    speaks.iter().any(|s| trimmed.starts_with(s))
}

/// The registry call that begins in a line, with what it is given.
fn call_at(line: &str, window: &str, text: &str) -> Option<(What, Tool, Flags)> {
    let mut own = squeeze(line);
    let mut wide = squeeze(window);
    if let Some(call) = with_listed_words(&own, text) {
        wide.clone_from(&call);
        own = call;
    }
    let (what, tool) = call_in(&own, &wide)?;
    let chosen = |text: &str| ["?", "if ", "&&", "..."].iter().any(|c| text.contains(c));
    let flags = Flags {
        dry_run: own.contains("--dry-run") && !chosen(line)
            || wide.contains("--dry-run") && !chosen(window),
        registry: stated_registry(window, text),
        ..Flags::default()
    };
    Some((what, tool, flags))
}

/// Calls by which a program starts another.
const STARTS: &[&str] = &[
    "exec(",
    "execSync(",
    "execAsync(",
    "execFile(",
    "execFileSync(",
    "execa(",
    "execaSync(",
    "execaCommand(",
    "execaCommandSync(",
    "command(",
    "commandSync(",
    "getExecOutput(",
    "spawn(",
    "spawnSync(",
    "check_call(",
    "check_output(",
    "Popen(",
    "run(",
    "system(",
    "sh(",
    "$`",
];

/// Programs whose commands are followed out of a program.
const STARTED: &[&str] = &[
    "npm",
    "pnpm",
    "pn",
    "yarn",
    "bun",
    "npx",
    "pnpx",
    "bunx",
    "corepack",
    "node",
    "bash",
    "sh",
    "make",
    "tsx",
    "nx",
    "turbo",
    "lerna",
    "changeset",
    "semantic-release",
    "release-it",
    "rush",
];

fn may_start(line: &str) -> bool {
    STARTS.iter().any(|call| line.contains(call))
}

/// The command that a call within the first `own` bytes of a text starts, as a shell would read it; what is no literal
/// word of it is left as a variable.
fn started(text: &str, own: usize) -> Option<String> {
    let at = STARTS.iter().filter_map(|call| {
        let at = text.find(call).filter(|at| *at < own)?;
        Some(at + call.len() - usize::from(call.ends_with('`')))
    });
    let mut rest = text.get(at.min()?..)?.trim_start_matches(['[', ' ', '(']);
    let mut words: Vec<String> = Vec::new();
    let first = quoted(&mut rest)?;
    let mut listed = !first.contains(' ');
    words.push(first);
    while listed && words.len() < 20 {
        rest = rest.trim_start_matches([',', ' ', '[', '(']);
        if let Some(word) = quoted(&mut rest) {
            words.push(format!("'{}'", word.replace('\'', "")));
        } else {
            let end = rest.find([',', ']', ')', '{', '}']).unwrap_or(rest.len());
            let ends = !rest.get(end..)?.starts_with(',');
            if rest
                .get(..end)?
                .trim()
                .starts_with(|c: char| c.is_alphabetic())
            {
                words.push("$value".to_owned());
            }
            rest = rest.get(end..)?;
            listed = !ends;
        }
    }
    let text = words.join(" ");
    let program = text.split_whitespace().next()?;
    let path = program.starts_with("./") || program.ends_with(".sh");
    (path || STARTED.contains(&program)).then_some(text)
}

/// Takes a quoted text off the front.
fn quoted(rest: &mut &str) -> Option<String> {
    let mark = rest
        .chars()
        .next()
        .filter(|c| matches!(c, '\'' | '"' | '`'))?;
    let inner = rest.get(1..)?;
    let end = inner.find(mark)?;
    *rest = inner.get(end + 1..)?;
    inner.get(..end).map(str::to_owned)
}

/// The environment variable that an expression reads: `process.env.NAME`, `os.environ["NAME"]`, `ENV['NAME']`.
fn variable_of(text: &str) -> Option<&str> {
    let at = ["env", "ENV"].iter().filter_map(|w| text.find(w)).min()?;
    let rest = text.get(at + 3..)?;
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let start = rest.find(capital)?;
    let name = rest.get(start..)?;
    let name = name.get(..name.find(|c| !capital(c)).unwrap_or(name.len()))?;
    // What stands between is punctuation and `get` only.
    let between = rest.get(..start)?;
    (name.len() > 2 && between.len() < 12 && !between.contains(' ')).then_some(name)
}

/// What the name in `${name}` or `+ name` is set to, elsewhere in the text.
fn assigned<'t>(after: &str, text: &'t str) -> Option<&'t str> {
    let start = after.find(|c: char| c.is_ascii_alphabetic())?;
    let name = after.get(start..)?;
    let name = name.get(
        ..name
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(name.len()),
    )?;
    let (_, value) = text.split_once(&format!(" {name} = "))?;
    value.lines().next()
}

/// Tells whether a line runs only with a switch that the program is not given: what stands around it asks for one.
fn is_off(lines: &[&str], index: usize, switches: Option<&str>, text: &str) -> bool {
    let Some(given) = switches else {
        return false;
    };
    let depth = |line: &str| line.len() - line.trim_start().len();
    let Some(mut around) = lines.get(index).map(|line| depth(line)) else {
        return false;
    };
    let above = lines
        .get(..index)
        .unwrap_or_default()
        .iter()
        .rev()
        .take(OUTER_LINES);
    for line in above {
        if line.trim().is_empty() || depth(line) >= around {
            continue;
        }
        around = depth(line);
        if let Some(switch) = asked_for(line.trim(), text)
            && !given
                .split(' ')
                .any(|g| g.split('=').next() == Some(&switch))
        {
            return true;
        }
    }
    false
}

/// Lines above a call in which its conditions are looked for.
const OUTER_LINES: usize = 80;

/// The switch that a condition asks for and nothing else: `if (process.argv.includes('--publish')) {`,
/// `if "--publish" in sys.argv:`, or by the name of such a value.
fn asked_for(line: &str, text: &str) -> Option<String> {
    let condition = line
        .strip_prefix("if")?
        .trim()
        .trim_end_matches(['{', ':', ' ']);
    if ["!", "||", "not ", " or ", "else"]
        .iter()
        .any(|w| condition.contains(w))
    {
        return None;
    }
    if let Some(switch) = listed_switch(condition) {
        return Some(switch);
    }
    let name = condition.trim_matches(['(', ')', ' ']);
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let (_, value) = text.split_once(&format!(" {name} = ")).filter(|_| plain)?;
    let value = value.lines().next()?;
    (!value.contains(['!', '|']))
        .then(|| listed_switch(value))
        .flatten()
}

/// The switch that is sought among the words a program was given.
fn listed_switch(text: &str) -> Option<String> {
    let sought = text.contains("argv")
        && (text.contains("includes(") || text.contains(" in ") || text.contains("indexOf("));
    let at = text.find("--").filter(|_| sought)?;
    let switch = text.get(at..)?;
    let end = switch
        .find(['\'', '"', '`', ')', ' '])
        .unwrap_or(switch.len());
    switch.get(..end).filter(|s| s.len() > 2).map(str::to_owned)
}

/// The registry that a call in a program names; a local test registry anywhere in the file counts.
fn stated_registry(window: &str, text: &str) -> Option<String> {
    let given = window
        .split_once("--registry")
        .map(|(_, rest)| rest.trim_start_matches(['=', ' ', '\'', '"', ',', '`']));
    let url = given.map(|rest| {
        rest.split(['\'', '"', '`', ' ', ',', ']', ')'])
            .next()
            .unwrap_or("")
    });
    let local = ["localhost:", "127.0.0.1", "verdaccio"]
        .iter()
        .any(|w| text.contains(w));
    match url.filter(|u| !u.is_empty()) {
        Some(url) if url.contains("://") && !url.contains('$') => Some(url.to_owned()),
        _ if local => Some("http://localhost".to_owned()),
        Some(url) => Some(format!("${url}")),
        None => None,
    }
}

/// A cheap look before the line is taken apart.
fn may_publish(line: &str) -> bool {
    ["npm", "yarn", "bun", "lerna", "changeset", "nx "]
        .iter()
        .any(|w| line.contains(w))
}

/// Takes quotes, commas and brackets out, so that `spawn("npm", ["publish"])` reads as words.
fn squeeze(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        let c = if "'\"`,[](){};".contains(c) || c.is_whitespace() {
            ' '
        } else {
            c
        };
        if !(c == ' ' && out.ends_with(' ')) {
            out.push(c);
        }
    }
    out
}

/// A call that is given its words by the name of a list, `spawnSync('npm', args, …)`, with the words that the text
/// lists under that name; `None` for any other call, and where the list does not begin with a verb of publishing.
fn with_listed_words(own: &str, text: &str) -> Option<String> {
    let mut words = own
        .split(' ')
        .skip_while(|w| !w.contains("spawn") && !w.contains("exec"));
    words.next()?;
    let program = words
        .next()
        .filter(|w| matches!(*w, "npm" | "pnpm" | "yarn" | "bun"))?;
    let list = words
        .next()
        .filter(|w| w.chars().all(|c| c.is_alphanumeric() || c == '_'))?;
    let start = format!(" {list} = [");
    let (_, listed) = text.split_once(&start)?;
    let listed = squeeze(listed.split_once(']')?.0);
    let listed = listed.trim();
    let publishes = ["publish", "npm publish", "-r publish"];
    publishes
        .iter()
        .any(|p| has_words(listed, p) && listed.starts_with(p))
        .then(|| format!(" {program} {listed} "))
}

/// The publishing call that begins in a line, read with the lines after it.
fn call_in(own: &str, wide: &str) -> Option<(What, Tool)> {
    let plain = CALLS.iter().find(|(call, _, _)| {
        own.contains(call.split(' ').next().unwrap_or(call))
            && has_words(wide, call)
            && !longer_hit(wide, call)
    });
    let flagged = || flagged_call(own, wide).map(|tool| (What::Publish, tool));
    match plain.map(|(_, what, tool)| (what.clone(), *tool)) {
        // `yarn --cwd ${dir} npm publish` is yarn's.
        Some((What::Publish, Tool::Npm)) if own.contains("yarn ") => {
            flagged().or(Some((What::Publish, Tool::Npm)))
        }
        None => flagged(),
        plain => plain,
    }
}

/// A publish with flags before its verb: `yarn --cwd ${dir} publish`, `["--filter", name, "publish"]`.
fn flagged_call(own: &str, wide: &str) -> Option<Tool> {
    if !wide.contains(" publish") {
        return None;
    }
    let words: Vec<&str> = wide.split(' ').filter(|w| !w.is_empty()).collect();
    words.iter().enumerate().find_map(|(at, word)| {
        let tool = match word.rsplit('/').next() {
            Some("npm") => Tool::Npm,
            Some("pnpm") => Tool::Pnpm,
            Some("yarn") => Tool::YarnClassic,
            _ => return None,
        };
        // Brackets are gone, so a value such as `${dir.path}` is more than one word.
        let mut value = 0;
        let mut flagged = false;
        let mut berry = false;
        for next in words.get(at + 1..)?.iter().take(12) {
            if next.starts_with('-') {
                flagged = true;
                value = if PLACE_FLAGS.contains(next) { 3 } else { 0 };
            } else if *next == "publish" && flagged && own.contains(word) {
                return Some(if berry { Tool::YarnBerry } else { tool });
            } else if *next == "npm" && tool == Tool::YarnClassic && flagged {
                berry = true;
            } else if value == 0 || ["run", "exec", "dlx", "&&", "||", "|"].contains(next) {
                return None;
            } else {
                value -= 1;
            }
        }
        None
    })
}

/// Finds `call` as whole words.
fn has_words(text: &str, call: &str) -> bool {
    text.match_indices(call).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + call.len()..).and_then(|t| t.chars().next());
        before.is_none_or(|c| c == ' ' || c == '/') && after.is_none_or(|c| c == ' ' || c == '$')
    })
}

/// `npm publish` inside `yarn npm publish` or `pnpm publish` belongs to the longer call.
fn longer_hit(text: &str, call: &str) -> bool {
    call == "npm publish" && has_words(text, "yarn npm publish")
}
