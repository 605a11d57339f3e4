//! Script files and build targets: shell is read as shell, other languages are searched for calls that publish.
//!
//! A file is read only from the tree and only as text. Only what the file itself holds counts, not what it imports.

use std::collections::HashMap;

use super::super::Tool;
use super::super::tree::join;
use super::super::yaml::{Node, Yaml};
use super::dispatch::{Args, names_npm_release, program};
use super::follow::Call;
use super::{Flags, Frame, Walk, What};

/// Interpreters whose first positional is a script file.
const INTERPRETERS: &[&str] = &[
    "node",
    "nodejs",
    "tsx",
    "ts-node",
    "ts-node-esm",
    "esno",
    "jiti",
    "zx",
    "babel-node",
    "esr",
    "swc-node",
    "vite-node",
    "bun",
    "deno",
    "python",
    "python3",
    "ruby",
    "perl",
    "php",
    "uv",
    "esbuild-register",
    "tsm",
    "sucrase-node",
];

/// File endings that are read as scripts of some language.
const CODE: &[&str] = &[
    ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".py", ".rb", ".ps1", ".pl", ".php",
];

/// Calls that publish, as they read once quotes, commas and brackets are taken out.
const CALLS: &[(&str, What, Tool)] = &[
    ("npm stage publish", What::Stage, Tool::Npm),
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
    /// Handles a program that is a script file or an interpreter of one; false if it is neither.
    pub(super) fn script_file(&mut self, first: &str, rest: &[String], frame: &Frame) -> bool {
        let name = program(first);
        if INTERPRETERS.contains(&name) {
            self.interpreter(name, rest, frame);
            return true;
        }
        let is_path = first.contains('/')
            || CODE
                .iter()
                .chain([".sh", ".bash"].iter())
                .any(|s| first.ends_with(s));
        if !is_path {
            return false;
        }
        self.run_file(first, rest, frame);
        true
    }

    fn interpreter(&mut self, name: &str, rest: &[String], frame: &Frame) {
        let takes = [
            "-r",
            "--require",
            "--loader",
            "--import",
            "--project",
            "-P",
            "--tsconfig",
            "--experimental-loader",
            "-C",
            "--env-file",
        ];
        if name == "node"
            && let Some(script) = rest.iter().find_map(|w| w.strip_prefix("--run="))
        {
            return self.run_script("npm", &[script.to_owned()], frame);
        }
        if name == "node" && rest.first().is_some_and(|w| w == "--run") {
            return self.run_script("npm", rest.get(1..).unwrap_or_default(), frame);
        }
        let own_flags = rest.iter().take_while(|w| w.starts_with('-'));
        if own_flags.into_iter().any(|w| {
            matches!(
                w.as_str(),
                "-e" | "--eval" | "-c" | "-p" | "-pe" | "--print"
            )
        }) {
            let text = rest.last().map_or("", String::as_str);
            return self.code(text, frame);
        }
        let mut words = super::dispatch::skip_flags(rest, &takes);
        if matches!(name, "deno" | "uv")
            && matches!(words.first().map(String::as_str), Some("run" | "task"))
        {
            words = super::dispatch::skip_flags(words.get(1..).unwrap_or_default(), &takes);
        }
        let Some((file, args)) = words.split_first() else {
            return;
        };
        if name == "deno" && file == "publish" {
            return;
        }
        let bin = program(file);
        let by_path = file.contains("node_modules/")
            || file.contains(".yarn/")
            || own_program(bin).is_some()
            || file.contains("install-run-rush");
        if by_path && self.known_bin(file, bin, args, frame) {
            return;
        }
        self.run_file(file, args, frame);
    }

    /// `node node_modules/.bin/lerna publish`, `node common/scripts/install-run-rush.js publish`.
    fn known_bin(&mut self, file: &str, bin: &str, args: &[String], frame: &Frame) -> bool {
        let manager = own_program(bin);
        if let Some(name) = manager.or(file.contains(".yarn/releases/").then_some("yarn")) {
            self.manager(name, args, &super::Command::default(), frame, 1);
            return true;
        }
        let stem = bin.strip_suffix(".js").unwrap_or(bin);
        if bin == "install-run-rush.js" {
            return self.release_tool(bin, None, args, frame);
        }
        let package = file
            .split("node_modules/")
            .last()
            .unwrap_or("")
            .split('/')
            .next()
            .unwrap_or("");
        self.release_tool(stem, None, args, frame) || self.release_tool(package, None, args, frame)
    }

    /// Reads a script file: as shell by its ending or first line, else as code.
    pub(super) fn run_file(&mut self, file: &str, args: &[String], frame: &Frame) {
        let plain = file
            .trim_start_matches("${{ github.action_path }}/")
            .trim_start_matches("${GITHUB_ACTION_PATH}/")
            .trim_start_matches("$GITHUB_ACTION_PATH/")
            .trim_start_matches("$GITHUB_WORKSPACE/")
            .trim_start_matches("${GITHUB_WORKSPACE}/")
            .trim_start_matches("${{ github.workspace }}/");
        if program(plain).starts_with("gradlew") {
            self.guess_words(file, args, frame);
            return;
        }
        let Some((path, text)) = self.find_file(plain, frame) else {
            self.unread(plain, args, frame);
            return;
        };
        let rehearsal = args.iter().any(|a| a == "--dry-run" || a == "--dryRun");
        let call = Call {
            label: path,
            text: String::from(if rehearsal { "--dry-run" } else { "" }),
            dir: frame.dir.clone(),
            in_file: true,
        };
        self.follow(call, frame, |walk, call, inner| {
            walk.file_text(&call.label, &text, inner);
            for act in &mut walk.out {
                act.flags.dry_run |= rehearsal;
            }
        });
    }

    fn file_text(&mut self, path: &str, text: &str, frame: &Frame) {
        let shebang = text.lines().next().unwrap_or("");
        let code = CODE.iter().any(|s| path.ends_with(s)) && !path.ends_with(".ps1");
        let shell = path.ends_with(".sh")
            || path.ends_with(".bash")
            || (shebang.starts_with("#!") && shebang.contains("sh"));
        if shell || !code && !shebang.starts_with("#!") {
            self.nested(text, frame);
        } else {
            self.code(text, frame);
        }
    }

    fn find_file(&self, plain: &str, frame: &Frame) -> Option<(String, std::rc::Rc<str>)> {
        let bases = [frame.dir.as_deref(), Some("")];
        let whole = CODE
            .iter()
            .chain(&[".sh", ".bash"])
            .any(|s| plain.ends_with(s));
        // A name with an ending stands for itself; asking for more is what most of a scan's vain questions would be.
        let endings: &[&str] = if whole {
            &[""]
        } else {
            &["", ".js", ".ts", ".mjs", "/index.js", "/index.ts", ".sh"]
        };
        for base in bases.into_iter().flatten() {
            let path = join(base, plain)?;
            for suffix in endings {
                let full = format!("{path}{suffix}");
                if let Some(text) = self.project.read(&full) {
                    return Some((full, text));
                }
            }
        }
        None
    }

    /// Notes a script that cannot be read, where its name or words say that it releases.
    fn unread(&mut self, file: &str, args: &[String], frame: &Frame) {
        let mut flags = Args::split("", args).publish_flags();
        flags.tag = None;
        let mut shown = vec![file.to_owned()];
        shown.extend(args.iter().cloned());
        if let Some(act) = self.push(
            What::Unread(shown.join(" ")),
            Tool::CustomScript,
            flags,
            frame,
        ) {
            act.sure = false;
        }
    }

    fn guess_words(&mut self, first: &str, args: &[String], frame: &Frame) {
        let hit = args.iter().any(|w| {
            names_npm_release(w)
                || (w.contains("ublish") && (w.contains("Js") || w.contains("Npm")))
        });
        if hit {
            let shown = format!("{first} {}", args.join(" "));
            if let Some(act) = self.push(What::Unread(shown), Tool::Other, Flags::default(), frame)
            {
                act.sure = false;
            }
        }
    }

    /// Searches program text for calls that publish.
    pub(super) fn code(&mut self, text: &str, frame: &Frame) {
        let lines: Vec<&str> = text.lines().collect();
        let mut last: Option<(usize, Tool)> = None;
        for (index, line) in lines.iter().enumerate() {
            let trimmed = line.trim_start();
            let is_comment = ["//", "*", "#", "/*"]
                .iter()
                .any(|c| trimmed.starts_with(c));
            let talks = [
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
            if is_comment || talks.iter().any(|t| trimmed.starts_with(t)) || !may_publish(line) {
                continue;
            }
            let window: Vec<&str> = lines.iter().skip(index).take(4).copied().collect();
            let mut own = squeeze(line);
            let mut wide = squeeze(&window.join(" "));
            if let Some(call) = with_listed_words(&own, text) {
                wide.clone_from(&call);
                own = call;
            }
            let Some((what, tool)) = call_in(&own, &wide) else {
                continue;
            };
            // A window of four lines sees the same call up to four times.
            if last.is_some_and(|(at, t)| t == tool && index < at + 4) {
                continue;
            }
            last = Some((index, tool));
            let mut flags = Flags::default();
            let always = wide.contains("--dry-run")
                && !["?", "if ", "&&", "..."]
                    .iter()
                    .any(|c| window.join(" ").contains(c));
            flags.dry_run = always;
            flags.registry = stated_registry(&window.join(" "), text);
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

    /// `make publish`, `task publish`, `just publish`: the target's own recipe.
    pub(super) fn target(&mut self, name: &str, rest: &[String], frame: &Frame) {
        let args = Args::split(name, rest);
        let mut dir = frame.dir.clone().unwrap_or_default();
        if let Some(other) = args.value(&["-C", "--dir", "-d", "--directory"]) {
            dir = join(&dir, other).unwrap_or(dir);
        }
        let targets: Vec<&String> = args
            .positional
            .iter()
            .filter(|w| !w.contains('='))
            .collect();
        for target in targets {
            self.one_target(name, target, &dir, frame);
        }
    }

    fn one_target(&mut self, name: &str, target: &str, dir: &str, frame: &Frame) {
        let names: &[&str] = match name {
            "make" | "gmake" => &["Makefile", "makefile", "GNUmakefile"],
            "just" => &["justfile", "Justfile", ".justfile"],
            "mise" => &["mise.toml", ".mise.toml"],
            _ => &[
                "Taskfile.yml",
                "Taskfile.yaml",
                "taskfile.yml",
                "Taskfile.dist.yml",
            ],
        };
        let found = [dir, ""].iter().find_map(|folder| {
            names.iter().find_map(|n| {
                let path = join(folder, n)?;
                Some((path.clone(), self.project.read(&path)?))
            })
        });
        let Some((path, text)) = found else {
            if target.contains("publish") || target.contains("release") || target.contains("npm") {
                self.unread(&format!("{name} {target}"), &[], frame);
            }
            return;
        };
        let call = Call {
            label: format!("{path}#{target}"),
            text: String::new(),
            dir: Some(path.rsplit_once('/').map_or("", |(d, _)| d).to_owned()),
            in_file: true,
        };
        let project = self.project;
        self.follow(call, frame, |walk, _, inner| {
            // Targets that need others do not pass through a shell text, so their depth is counted here.
            let mut inner = inner.clone();
            inner.depth += 1;
            if inner.depth > super::DEPTH_CAP {
                walk.cut_short();
            } else if matches!(name, "task" | "go-task" | "mise") {
                walk.task(&project.taskfile(&path, &text), target, name, &inner);
            } else {
                walk.recipe(&text, target, name, &inner);
            }
        });
    }

    fn recipe(&mut self, text: &str, target: &str, name: &str, frame: &Frame) {
        let mut body = String::new();
        let mut needs: Vec<String> = Vec::new();
        let mut inside = false;
        let make = matches!(name, "make" | "gmake");
        for line in text.lines() {
            let indented = line.starts_with([' ', '\t']);
            // make's conditionals stand at the margin and do not end a recipe.
            let first = line.split([' ', '(']).next().unwrap_or("");
            if make && ["ifeq", "ifneq", "ifdef", "ifndef", "else", "endif"].contains(&first) {
                continue;
            }
            if !indented && !line.trim().is_empty() && !line.starts_with('#') {
                let head = line
                    .split_once(':')
                    .filter(|(_, rest)| !rest.starts_with('='));
                inside = head.is_some_and(|(names, _)| {
                    names
                        .split_whitespace()
                        .any(|n| n.trim_start_matches('@') == target)
                });
                if inside && let Some((_, rest)) = head {
                    needs.extend(
                        rest.split('#')
                            .next()
                            .unwrap_or("")
                            .split_whitespace()
                            .map(str::to_owned),
                    );
                }
            } else if inside && indented {
                body.push_str(line.trim_start().trim_start_matches(['@', '-', '+']));
                body.push('\n');
            }
        }
        for need in needs.iter().filter(|n| !n.contains(['$', '='])) {
            let dir = frame.dir.clone().unwrap_or_default();
            self.one_target(name, need, &dir, frame);
        }
        let body = body.replace("$(MAKE)", "make").replace("${MAKE}", "make");
        let body = if make { shell_variables(&body) } else { body };
        let body = body.replace("$$", "$");
        self.nested(&body, frame);
    }

    fn task(&mut self, file: &Taskfile, target: &str, name: &str, frame: &Frame) {
        let Some(task) = file.0.get(target) else {
            return;
        };
        let mut inner = frame.clone();
        if let Some(dir) = &task.dir {
            inner.dir = frame.dir.as_deref().and_then(|base| join(base, dir));
        }
        for line in &task.lines {
            match line {
                Line::Runs(text) => self.nested(text, &inner),
                Line::Needs(other) => {
                    let dir = frame.dir.clone().unwrap_or_default();
                    self.one_target(name, other, &dir, frame);
                }
            }
        }
    }
}

/// Writes make's `$(NAME)` as a shell would, to which it is a command.
fn shell_variables(recipe: &str) -> String {
    let mut out = String::with_capacity(recipe.len());
    let mut rest = recipe;
    while let Some((before, after)) = rest.split_once("$(") {
        out.push_str(before);
        let name = after.split_once(')').filter(|(name, _)| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            !before.ends_with('$') && !name.is_empty() && name.chars().all(plain)
        });
        match name {
            Some((name, after)) => {
                out.extend(["${", name, "}"]);
                rest = after;
            }
            None => {
                out.push_str("$(");
                rest = after;
            }
        }
    }
    out + rest
}

/// The tasks of a Taskfile by their names.
#[derive(Default)]
pub(super) struct Taskfile(HashMap<String, Task>);

#[derive(Default)]
struct Task {
    dir: Option<String>,
    lines: Vec<Line>,
}

enum Line {
    Runs(String),
    Needs(String),
}

impl Taskfile {
    /// Reads a Taskfile; one that is no YAML has no tasks.
    pub(super) fn read(text: &str) -> Self {
        let mut file = Self::default();
        if let Ok(table) = text.parse::<toml::Table>() {
            file.0.extend(mise_tasks(&table));
            return file;
        }
        let Ok(yaml) = Yaml::parse(text, false) else {
            return file;
        };
        let tasks = yaml.root().and_then(|root| root.get("tasks"));
        // Aliases may name one text many times over: no more is kept than a file of this size can want.
        let mut left = 8 * text.len();
        for (name, node) in tasks.map(Node::entries).unwrap_or_default() {
            if let Some(name) = name.as_str().and_then(|name| kept(name, &mut left)) {
                file.0.insert(name, Task::read(node, &mut left));
            }
        }
        file
    }
}

#[cfg(test)]
impl Taskfile {
    /// Bytes of text that are kept.
    pub(super) fn size(&self) -> usize {
        let lines = self.0.values().flat_map(|task| &task.lines);
        lines
            .map(|line| match line {
                Line::Runs(text) | Line::Needs(text) => text.len(),
            })
            .sum()
    }
}

impl Task {
    fn read(node: Node<'_, '_>, left: &mut usize) -> Self {
        let text = |node: Node<'_, '_>, left: &mut usize| kept(node.as_str()?, left);
        let command = |node: Node<'_, '_>, left: &mut usize| {
            text(node, left).or_else(|| text(node.get("cmd")?, left))
        };
        let mut task = Self {
            dir: node.get("dir").and_then(|dir| text(dir, left)),
            lines: command(node, left).map(Line::Runs).into_iter().collect(),
        };
        let lists = [
            Some(node).filter(|node| node.is_seq()),
            node.get("cmds"),
            node.get("deps"),
        ];
        for item in lists.into_iter().flatten().flat_map(Node::items) {
            let needs = |left: &mut usize| text(item.get("task")?, left).map(Line::Needs);
            let line = command(item, left).map(Line::Runs);
            task.lines.extend(line.or_else(|| needs(left)));
        }
        task
    }
}

/// The tasks of a mise.toml (<https://mise.jdx.dev/tasks/toml-tasks.html>).
fn mise_tasks(table: &toml::Table) -> impl Iterator<Item = (String, Task)> {
    let strings = |value: Option<&toml::Value>| -> Vec<String> {
        match value {
            Some(toml::Value::String(one)) => vec![one.clone()],
            Some(toml::Value::Array(many)) => {
                let texts = many.iter().filter_map(toml::Value::as_str);
                texts.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    };
    let tasks = table.get("tasks").and_then(toml::Value::as_table);
    tasks.into_iter().flatten().map(move |(name, task)| {
        let key = |key: &str| task.get(key);
        let needs = strings(key("depends")).into_iter().map(Line::Needs);
        let text = if task.is_table() {
            key("run")
        } else {
            Some(task)
        };
        let runs = strings(text).into_iter().map(Line::Runs);
        let task = Task {
            dir: strings(key("dir")).into_iter().next(),
            lines: needs.chain(runs).collect(),
        };
        (name.clone(), task)
    })
}

/// Copies a text while there is room for it.
fn kept(text: &str, left: &mut usize) -> Option<String> {
    *left = left.checked_sub(text.len())?;
    Some(text.to_owned())
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

/// The package manager whose own program file has this name, such as `yarn.js` and `npm-cli.js`.
fn own_program(bin: &str) -> Option<&'static str> {
    let stem = bin
        .strip_suffix(".js")
        .or_else(|| bin.strip_suffix(".cjs"))?;
    match stem {
        "yarn" => Some("yarn"),
        "npm-cli" => Some("npm"),
        "pnpm" => Some("pnpm"),
        _ => None,
    }
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
