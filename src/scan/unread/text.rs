//! What looks like a command in a file whose grammar is not known: YAML values, strings of code, lines of a build file.
//!
//! Guesses nothing about what the file does with them. Values that are words for people are left out by their keys.

use super::super::jenkins::quoted;
use super::super::yaml::{Node, Yaml};

/// Most commands of one file.
const CAP: usize = 2_000;
/// How deep values are read.
const DEPTH: u32 = 40;

/// Keys whose values are names, words for people or conditions.
const WORDS: &[&str] = &[
    "author",
    "branch",
    "branches",
    "comment",
    "depends_on",
    "description",
    "displayName",
    "emoji",
    "environment",
    "event",
    "events",
    "group",
    "icon",
    "id",
    "if",
    "image",
    "images",
    "key",
    "label",
    "labels",
    "message",
    "name",
    "needs",
    "path",
    "paths",
    "plugins",
    "ref",
    "secrets",
    "services",
    "stage",
    "summary",
    "tags",
    "title",
    "type",
    "uses",
    "version",
    "when",
];

/// How a file is written, as far as commands can be found in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Yaml,
    /// Starlark, Kotlin, Jsonnet, TOML: commands stand in quotes.
    Code,
    /// Dockerfile, Earthfile: commands stand behind `RUN`.
    Build,
    Shell,
}

impl Form {
    pub(super) fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "yml" | "yaml" | "json" => Self::Yaml,
            "sh" | "bat" => Self::Shell,
            "star" | "starlark" | "script" | "jsonnet" | "kts" | "kt" | "java" | "go" | "ts"
            | "py" | "cue" | "cfg" | "toml" | "xml" | "hcl" => Self::Code,
            _ => Self::Build,
        }
    }
}

/// A text that may be a command, and its first line in the file, from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub line: u32,
    pub text: String,
}

/// Lists what may be commands, in the order of the file.
pub(super) fn commands(text: &str, form: Form) -> Vec<Command> {
    let mut out = Vec::new();
    match form {
        Form::Yaml => {
            if let Ok(yaml) = Yaml::parse(text, true) {
                for document in yaml.documents() {
                    values(document, &mut out, 0);
                }
            }
        }
        Form::Code => strings(text, &mut out),
        Form::Build => build(text, &mut out),
        Form::Shell => out.push(Command {
            line: 1,
            text: text.to_owned(),
        }),
    }
    out.retain(|command| reads_as_command(&command.text));
    out
}

/// One word is a name unless it is a path of a script; a capital letter begins a title, not a program.
fn reads_as_command(text: &str) -> bool {
    let text = text.trim();
    let first = text.split_whitespace().next().unwrap_or("");
    let assigns = first.contains('=') || first.starts_with(['$', '.', '/']);
    let script = first.contains('/') || first.ends_with(".sh") || first.ends_with(".js");
    let program =
        assigns || first.starts_with(|c: char| c.is_ascii_lowercase() || c == '#' || c == '@');
    program && (script || text.contains(char::is_whitespace) || first == "semantic-release")
}

/// Every value below a node, but those whose keys say that they are words.
fn values(node: Node<'_, '_>, out: &mut Vec<Command>, depth: u32) {
    if depth > DEPTH || out.len() >= CAP {
        return;
    }
    if let Some(text) = node.as_str() {
        out.push(Command {
            line: node.line_within(0, ""),
            text: text.to_owned(),
        });
        return;
    }
    out.extend(program(node));
    out.extend(argv(node));
    for item in node.items() {
        values(item, out, depth + 1);
    }
    for (key, value) in node.entries() {
        let word = key.as_str().unwrap_or_default();
        // A list under such a key may hold steps of its own: `when` and `stage` of some systems do.
        if WORDS.contains(&word) && value.as_str().is_some() || word.starts_with("x-") {
            continue;
        }
        values(value, out, depth + 1);
    }
}

/// `entrypoint: npm` with `args: [publish]`, as container steps have it.
fn program(node: Node<'_, '_>) -> Option<Command> {
    let args = node.get("args").or_else(|| node.get("arguments"))?;
    let args = args.strings();
    let at = ["entrypoint", "command", "name"]
        .iter()
        .find_map(|key| node.get(key))?;
    let program = at.strings().join(" ");
    // An image stands for its program: `gcr.io/cloud-builders/npm`.
    let image = program.rsplit('/').next().unwrap_or(&program);
    let program = match program.split_whitespace().count() {
        1 if program.contains('/') && !program.starts_with(['.', '/']) => {
            image.split([':', '@']).next().unwrap_or(image)
        }
        _ => &program,
    };
    (!args.is_empty()).then(|| Command {
        line: at.line(),
        text: format!("{program} {}", args.join(" ")),
    })
}

/// `["npm", "publish"]`: a command in words.
fn argv(node: Node<'_, '_>) -> Option<Command> {
    let words = node.strings();
    let plain = |w: &&str| !w.is_empty() && !w.contains(char::is_whitespace);
    let list = node.is_seq() && words.len() > 1 && words.len() < 30 && words.iter().all(plain);
    list.then(|| Command {
        line: node.line(),
        text: words.join(" "),
    })
}

/// The strings of a text, whatever its language; a string of many lines keeps them.
fn strings(text: &str, out: &mut Vec<Command>) {
    let (mut rest, mut line) = (text, 1_u32);
    let mut commented = false;
    while let Some(c) = rest.chars().next() {
        if out.len() >= CAP {
            return;
        }
        commented &= c != '\n';
        let mut take = c.len_utf8();
        if c == '#' || rest.starts_with("//") {
            commented = true;
        } else if !commented && let Some((value, length)) = quoted(rest) {
            take = length;
            out.push(Command { line, text: value });
        }
        let (taken, tail) = rest.split_at_checked(take).unwrap_or((rest, ""));
        line = line.saturating_add(u32::try_from(taken.matches('\n').count()).unwrap_or(0));
        rest = tail;
    }
}

/// `RUN --mount=… npm publish && …`, lines continued by a backslash put together.
fn build(text: &str, out: &mut Vec<Command>) {
    let mut open: Option<Command> = None;
    for (line, words) in (1_u32..).zip(text.lines()) {
        if let Some(command) = &mut open {
            command.text.push('\n');
            command.text.push_str(words);
        } else {
            let trimmed = words.trim_start();
            let run = trimmed
                .split_once(char::is_whitespace)
                .filter(|(verb, _)| verb.eq_ignore_ascii_case("run"));
            let Some((_, mut rest)) = run else { continue };
            rest = rest.trim_start();
            // Flags of the build itself: `--mount=type=secret,…`, `--push`, `--secret NAME`.
            while let Some((flag, after)) = rest
                .split_once(char::is_whitespace)
                .filter(|(f, _)| f.starts_with("--"))
            {
                rest = after.trim_start();
                let takes = matches!(flag, "--secret" | "--mount" | "--network");
                if let Some((_, after)) = rest.split_once(char::is_whitespace).filter(|_| takes) {
                    rest = after.trim_start();
                }
            }
            open = Some(Command {
                line,
                text: rest.to_owned(),
            });
        }
        let goes_on = words.trim_end().ends_with('\\');
        if !goes_on && out.len() < CAP {
            out.extend(open.take());
        }
    }
    out.extend(open);
}
