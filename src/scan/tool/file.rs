//! Script files and build targets: shell is read as shell, other languages as [`super::code`] does.
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
            return self.code(text, None, frame);
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

    /// `source lib.sh`: what cannot be found is told only where its own name says that it releases.
    pub(super) fn source(&mut self, file: &str, args: &[String], frame: &Frame) {
        let name = program(file).to_ascii_lowercase();
        if ["publish", "release", "deploy"]
            .iter()
            .any(|w| name.contains(w))
            || self.find_file(&placed(file, frame), frame).is_some()
        {
            self.run_file(file, args, frame);
        }
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
        let plain = &*placed(plain, frame);
        if program(plain).starts_with("gradlew") {
            self.guess_words(file, args, frame);
            return;
        }
        let Some((path, text)) = self.find_file(plain, frame) else {
            self.unread(plain, args, frame);
            return;
        };
        let rehearsal = Args::split("", args).publish_flags().dry_run;
        let switches: Vec<&str> = args
            .iter()
            .map(String::as_str)
            .filter(|a| a.starts_with("--"))
            .collect();
        let call = Call {
            label: path,
            text: switches.join(" "),
            dir: frame.dir.clone(),
            in_file: true,
        };
        self.follow(call, frame, |walk, call, inner| {
            walk.file_text(&call.label, &text, &call.text, inner);
            for act in &mut walk.out {
                act.flags.dry_run |= rehearsal;
            }
        });
    }

    fn file_text(&mut self, path: &str, text: &str, switches: &str, frame: &Frame) {
        let shebang = text.lines().next().unwrap_or("");
        let code = CODE.iter().any(|s| path.ends_with(s)) && !path.ends_with(".ps1");
        let shell = path.ends_with(".sh")
            || path.ends_with(".bash")
            || (shebang.starts_with("#!") && shebang.contains("sh"));
        if shell || !code && !shebang.starts_with("#!") {
            self.nested(text, frame);
        } else {
            self.code(text, Some(switches), frame);
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
            &[
                "",
                ".js",
                ".ts",
                ".mjs",
                ".cjs",
                ".mts",
                ".cts",
                "/index.js",
                "/index.ts",
                ".sh",
            ]
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
        if name == "mise" && self.task_file(target, dir, frame) {
            return;
        }
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
                walk.cut_short(&inner);
            } else if matches!(name, "task" | "go-task" | "mise") {
                walk.task(&project.taskfile(&path, &text), target, name, &inner);
            } else {
                walk.recipe(&text, target, name, &inner);
            }
        });
    }

    /// A task of mise that is a file of its own: `release:npm` is `release/npm` in one of these folders
    /// (<https://mise.jdx.dev/tasks/file-tasks.html>).
    fn task_file(&mut self, target: &str, dir: &str, frame: &Frame) -> bool {
        let folders = [
            "mise-tasks",
            ".mise-tasks",
            "mise/tasks",
            ".mise/tasks",
            ".config/mise/tasks",
        ];
        let name = target.replace(':', "/");
        for base in [dir, ""] {
            for folder in folders {
                let path = join(base, folder).and_then(|at| join(&at, &name));
                let found = path.and_then(|path| {
                    let endings = ["", ".sh", ".js", ".mjs", ".ts", ".py", "/_default"];
                    let mut all = endings.iter().map(|end| format!("{path}{end}"));
                    all.find(|full| self.project.read(full).is_some())
                });
                if let Some(file) = found {
                    let mut inner = frame.clone();
                    inner.dir = Some(base.to_owned());
                    self.run_file(&file, &[], &inner);
                    return true;
                }
            }
        }
        false
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

/// A path that begins with the folder of the script itself, or with the root, as scripts find it out: with
/// `$(dirname "$0")`, `${BASH_SOURCE%/*}`, or a variable that was set so.
fn placed<'p>(file: &'p str, frame: &Frame) -> std::borrow::Cow<'p, str> {
    let Some((head, tail)) = head_of(file) else {
        return file.into();
    };
    let value = frame
        .values_of(head)
        .pop()
        .unwrap_or_else(|| head.to_owned());
    if value.contains("--show-toplevel") {
        return tail.to_owned().into();
    }
    if !["dirname", "BASH_SOURCE", "$0", "${0", "__dirname"]
        .iter()
        .any(|w| value.contains(w))
    {
        return file.into();
    }
    // The folder of the innermost script file; a package script has none.
    let own = frame.via.last().filter(|label| !label.contains('#'));
    let Some(folder) = own.map(|path| path.rsplit_once('/').map_or("", |(dir, _)| dir)) else {
        return file.into();
    };
    let up = "../".repeat(value.matches("..").count());
    join(folder, &format!("{up}{tail}")).map_or_else(|| file.into(), Into::into)
}

/// Splits `$DIR/lib.sh`, `${DIR}/lib.sh` and `$(…)/lib.sh` into the folder's text and the rest.
fn head_of(file: &str) -> Option<(&str, &str)> {
    if !file.starts_with('$') {
        return None;
    }
    let at = match file.as_bytes().get(1)? {
        b'(' => file.rfind(')')? + 1,
        b'{' => file.find('}')? + 1,
        _ => file.find('/')?,
    };
    Some((file.get(..at)?, file.get(at..)?.strip_prefix('/')?))
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
