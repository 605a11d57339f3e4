//! Takes the wrappers off a command (`sudo`, `env`, `npx`, `bash -c`) and hands it to the tool it runs.
//!
//! Owns the list of programs by name; what a tool does with its words stands in the files beside this one.

use super::super::Tool;
use super::super::script::{self, Command};
use super::{Flags, Frame, Walk, What};
use std::rc::Rc;

/// Words split into positionals and flags.
#[derive(Debug, Default, Clone)]
pub(super) struct Args {
    pub positional: Vec<String>,
    pub flags: Vec<(String, Option<String>)>,
    /// Words after `--`.
    pub rest: Vec<String>,
}

/// Flags of npm, pnpm, yarn and bun that take the next word as their value.
const VALUE_FLAGS: &[&str] = &[
    "--tag",
    "--registry",
    "--access",
    "--otp",
    "--workspace",
    "-w",
    "--prefix",
    "-C",
    "--dir",
    "--cwd",
    "--filter",
    "-F",
    "--userconfig",
    "--package",
    "-p",
    "--call",
    "-c",
    "--loglevel",
    "--cache",
    "--scope",
    "--publish-branch",
    "--dist-tag",
    "--preid",
    "--new-version",
    "--from",
    "--include",
    "--exclude",
    "--target",
    "-t",
    "--targets",
    "--projects",
    "--configuration",
    "--publish-summary",
    "--auth-type",
    "--to",
    "--since",
    "--ignore",
    "--git-remote",
    "--concurrency",
    "--jobs",
    "-j",
    "--parallel",
    "--auth-token",
    "--config",
    "--message",
    "-m",
    "--branches",
    "--extends",
    "-e",
    "--plugins",
    "--repository-url",
    "-r-url",
    "--tag-format",
    "--tag-version-prefix",
    "--contents",
    "--provenance-file",
    "--version-policy",
    "--set-access-level",
    "--npm-auth-token",
    "--npm-tag",
    "-i",
    "--increment",
];

/// Switches of tools and scripts by which a release is rehearsed or left out.
const OFF_SWITCHES: &[&str] = &[
    "--dry-run",
    "--dryRun",
    "--dryrun",
    "--dry_run",
    "--dry",
    "--without-publish",
    "--skip-publish",
    "--no-publish",
    "--skip-npm",
    "--skip-npm-publish",
    "--check-only",
    "--smoke-publish",
    "--pack-only",
    "--simulate",
];

/// Flags among those that a tool uses as a switch.
const SWITCHES: &[(&str, &[&str])] = &[
    ("pnpm", &["-w", "-c", "-r", "-p", "-i", "--parallel"]),
    ("yarn", &["-p", "-i", "-t", "-j", "--parallel", "--from"]),
    ("npm", &["-p", "-i", "-t", "-j", "-e", "-m", "-F"]),
    ("rush", &["-p", "-i", "-t"]),
    ("lerna", &["-p", "-i", "-t", "-e", "--parallel"]),
    ("np", &["-p", "-i"]),
    ("semantic-release", &["-i", "-t", "-c"]),
    ("release-it", &["-p", "-t"]),
    ("nx", &["-p", "-e", "--parallel"]),
    ("changeset", &["-p", "-t"]),
    ("turbo", &["-p", "--parallel"]),
    ("bun", &["-p", "-i", "-t", "-e"]),
];

impl Args {
    /// Splits the words after the program's name.
    pub fn split(program: &str, words: &[String]) -> Self {
        let switches = SWITCHES
            .iter()
            .find(|(p, _)| *p == program)
            .map_or(&[][..], |(_, s)| *s);
        let mut out = Args::default();
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            if word == "--" {
                out.rest.extend(words.cloned());
                break;
            }
            if !word.starts_with('-') || word.len() < 2 {
                out.positional.push(word.clone());
                continue;
            }
            if let Some((name, value)) = word.split_once('=') {
                out.flags.push((name.to_owned(), Some(value.to_owned())));
                continue;
            }
            let takes = VALUE_FLAGS.contains(&word.as_str()) && !switches.contains(&word.as_str());
            let literal = words
                .peek()
                .is_some_and(|w| matches!(w.as_str(), "true" | "false") || chosen_later(word, w));
            let value = if takes || literal {
                words.next().cloned()
            } else {
                None
            };
            out.flags.push((word.clone(), value));
        }
        out
    }

    pub fn first(&self) -> &str {
        self.positional.first().map_or("", String::as_str)
    }

    pub fn second(&self) -> &str {
        self.positional.get(1).map_or("", String::as_str)
    }

    pub fn value(&self, names: &[&str]) -> Option<&str> {
        self.flags
            .iter()
            .rev()
            .find(|(n, _)| names.contains(&n.as_str()))
            .and_then(|(_, v)| v.as_deref())
    }

    /// Tells whether a switch is on: given, and not given as `false`.
    pub fn on(&self, names: &[&str]) -> bool {
        self.flags
            .iter()
            .any(|(n, v)| names.contains(&n.as_str()) && v.as_deref() != Some("false"))
    }

    /// Reads the flags that matter for a publish.
    pub fn publish_flags(&self) -> Flags {
        // `--dry-run=${{ inputs.dry }}` may be either: then it can publish. `turbo --dry=json` shows what it would do.
        let dry = |(n, v): &(String, Option<String>)| {
            OFF_SWITCHES.contains(&n.as_str())
                && matches!(v.as_deref(), None | Some("true" | "json" | "text"))
        };
        let has = |name: &str| self.flags.iter().rev().find(|(n, _)| n == name);
        let provenance = if has("--no-provenance").is_some() {
            Some(false)
        } else {
            has("--provenance").map(|(_, v)| v.as_deref() != Some("false"))
        };
        Flags {
            dry_run: self.flags.iter().any(dry),
            provenance,
            tag: self
                .value(&["--tag", "--dist-tag", "--npm-tag", "--npm.tag"])
                .map(str::to_owned),
            registry: self.value(&["--registry"]).map(str::to_owned),
            access: self.value(&["--access"]).map(str::to_owned),
            otp: self.flags.iter().any(|(n, _)| n == "--otp"),
            workspaces: self.workspaces(),
            all_workspaces: self.on(&["--workspaces", "-ws", "--recursive", "-r"]),
            userconfig: self.value(&["--userconfig"]).map(str::to_owned),
        }
    }

    pub fn workspaces(&self) -> Vec<String> {
        let names = ["-w", "--workspace", "--filter", "-F"];
        let named = self
            .flags
            .iter()
            .filter(|(n, _)| names.contains(&n.as_str()));
        named.filter_map(|(_, v)| v.clone()).collect()
    }
}

/// Tells whether `--dry-run` is followed by an expression that the CI system fills in: it may be `false`.
fn chosen_later(flag: &str, word: &str) -> bool {
    OFF_SWITCHES.contains(&flag) && ["${{", "<<"].iter().any(|open| word.starts_with(open))
}

/// Splits `name@version`, scopes respected.
pub(super) fn spec(word: &str) -> (&str, Option<&str>) {
    match word.rfind('@') {
        Some(at) if at > 0 => (word.get(..at).unwrap_or(word), word.get(at + 1..)),
        _ => (word, None),
    }
}

impl Walk<'_, '_> {
    /// Reads one command: its redirections first, then the program it runs.
    pub(super) fn command(&mut self, command: &Command, frame: &Frame) {
        self.writes(command, frame);
        if !command.words.is_empty() {
            self.words(&command.words, command, frame, 0);
        }
    }

    /// Dispatches words whose first is a program; `hops` bounds wrapper in wrapper.
    pub(super) fn words(&mut self, words: &[String], command: &Command, frame: &Frame, hops: u32) {
        let Some((first, rest)) = words.split_first() else {
            return;
        };
        if hops > 8 || rest.iter().any(|w| w == "--help") {
            return;
        }
        if first.starts_with('$') && self.named_by_variable(first, rest, frame) {
            return;
        }
        // pnpm's own short names (<https://pnpm.io/cli/alias>).
        let name = match program(first) {
            "pn" => "pnpm",
            "pnx" => "pnpx",
            name => name,
        };
        if let Some(inner) = self.unwrap(name, rest, command, frame, hops) {
            return inner;
        }
        match name {
            "npm" | "pnpm" | "yarn" | "yarnpkg" | "bun" | "pnpx" | "npx" | "bunx" | "corepack"
            | "ni" | "nr" | "nlx" => {
                self.manager(name, rest, command, frame, hops);
            }
            "make" | "gmake" | "task" | "go-task" | "just" => self.target(name, rest, frame),
            "env" | "printenv" | "export" | "declare" | "Get-ChildItem" | "set" => {
                self.shell(name, rest, frame)
            }
            "aws" => self.codeartifact(rest, frame),
            _ if SILENT.contains(&name) => {}
            _ => {
                if !self.release_tool(name, None, rest, frame)
                    && !self.script_file(first, rest, frame)
                {
                    self.guess(first, rest, frame);
                }
            }
        }
    }

    /// `$command`, `"${command[@]}"`: what the script sets the variable to, whichever branch it takes; false if nothing.
    fn named_by_variable(&mut self, first: &str, rest: &[String], frame: &Frame) -> bool {
        // Values may name variables in turn: few steps are enough, and no script can make many of them.
        if frame.depth >= 3 {
            return false;
        }
        let mut texts = frame.values_of(first);
        texts.retain(|text| text.starts_with(|c: char| c.is_ascii_lowercase()));
        texts.truncate(4);
        for text in &texts {
            self.nested(&format!("{text} {}", rest.join(" ")), frame);
        }
        !texts.is_empty()
    }

    /// Takes one wrapper off; `None` if the program is no wrapper.
    fn unwrap(
        &mut self,
        name: &str,
        rest: &[String],
        command: &Command,
        frame: &Frame,
        hops: u32,
    ) -> Option<()> {
        let skip = |takes: &[&str]| skip_flags(rest, takes);
        let inner: &[String] = match name {
            "sudo" => skip(&["-u", "-g", "--user", "--group"]),
            "time" | "exec" | "command" | "nohup" | "builtin" | "unbuffer" | "ionice" | "&"
            | "." | "source" => {
                if matches!(name, "." | "source") {
                    let (file, args) = rest.split_first()?;
                    self.source(file, args, frame);
                    return Some(());
                }
                skip(&[])
            }
            "setsid" | "chronic" | "catchsegv" | "ts-node-dev" | "firejail" => skip(&[]),
            "nice" => skip(&["-n"]),
            "timeout" | "gtimeout" => skip(&["-k", "-s", "--kill-after", "--signal"]).get(1..)?,
            // A file or a user stands before the command.
            "flock" => skip(&["-w", "--timeout", "-E"]).get(1..)?,
            "gosu" | "su-exec" => rest.get(1..)?,
            "su" | "runuser" | "script" => {
                let at = rest
                    .iter()
                    .position(|w| matches!(w.as_str(), "-c" | "--command"))?;
                self.nested(rest.get(at + 1)?, frame);
                return Some(());
            }
            "nix" | "nix-shell" => return self.nix(name, rest, command, frame, hops),
            "devbox" => return self.devbox(rest, command, frame, hops),
            "xargs" => skip(&[
                "-n",
                "-I",
                "-P",
                "-L",
                "-d",
                "-a",
                "--max-args",
                "--max-procs",
            ]),
            "parallel" => skip(&["-j", "--jobs"]),
            // `find … -exec npm publish {} \;`
            "find" => {
                let runs =
                    |w: &String| matches!(w.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir");
                let Some(at) = rest.iter().position(runs) else {
                    return Some(());
                };
                let inner = rest.get(at + 1..).unwrap_or_default();
                let end = inner
                    .iter()
                    .position(|w| matches!(w.as_str(), ";" | "\\;" | "+"));
                inner.get(..end.unwrap_or(inner.len())).unwrap_or_default()
            }
            "env" | "cross-env" | "cross-env-shell" | "dotenv" | "dotenvx" | "op" | "doppler"
            | "infisical" | "aws-vault" | "chamber" | "with-env" | "retry" | "mise" | "volta"
            | "nvm" | "fnm" | "direnv" | "xvfb-run" | "wireit" | "stdbuf" | "winpty"
            | "nodeenv" | "teller" | "poetry" | "pipenv" | "bundle" | "rye" | "pixi" | "asdf"
            | "proto" | "vp" => {
                return self.unwrap_runner(name, rest, command, frame, hops);
            }
            "bash" | "sh" | "zsh" | "dash" | "ash" | "ksh" | "pwsh" | "powershell" | "cmd" => {
                self.shell_call(rest, frame);
                return Some(());
            }
            "eval" => {
                self.nested(&rest.join(" "), frame);
                return Some(());
            }
            // It runs one command where the last job of a build is.
            "travis-deploy-once" => {
                self.nested(&skip(&["-b", "--buildLeaderId", "-t"]).join(" "), frame);
                return Some(());
            }
            "docker" | "podman" | "nerdctl" => {
                return self.container(rest, command, frame, hops).or(Some(()));
            }
            "docker-compose" => {
                let rest: Vec<String> = std::iter::once("compose".to_owned())
                    .chain(rest.iter().cloned())
                    .collect();
                return self.container(&rest, command, frame, hops).or(Some(()));
            }
            _ => return None,
        };
        self.words(inner, command, frame, hops + 1);
        Some(())
    }

    /// Wrappers whose own words end at `--` or at the first word that is neither flag nor assignment.
    fn unwrap_runner(
        &mut self,
        name: &str,
        rest: &[String],
        command: &Command,
        frame: &Frame,
        hops: u32,
    ) -> Option<()> {
        let mut frame = frame.clone();
        // A task by its name; `mise exec` runs a program, as the others do.
        if name == "mise"
            && let Some((verb, task)) =
                skip_flags(rest, &["-C", "--cd", "-E", "--env"]).split_first()
            && matches!(verb.as_str(), "run" | "r")
        {
            let task = skip_flags(task, &[]).get(..1).unwrap_or_default();
            self.target(name, task, &frame);
            return Some(());
        }
        if let Some(at) = rest.iter().position(|w| w == "--") {
            Rc::make_mut(&mut frame.env).extend(
                rest.iter()
                    .take(at)
                    .filter_map(|w| script::assignment(w))
                    .map(own),
            );
            self.words(rest.get(at + 1..)?, command, &frame, hops + 1);
            return Some(());
        }
        let takes: &[&str] = match name {
            "env" => &["-u", "-C", "--unset", "--chdir"],
            "dotenv" | "dotenvx" => &["-e", "-f", "-v", "-c"],
            "retry" => &["-t", "-d", "-n", "--times", "--delay", "--tries"],
            "xvfb-run" => &[
                "-s",
                "--server-args",
                "-n",
                "--server-num",
                "-e",
                "-f",
                "-w",
                "-p",
            ],
            "stdbuf" => &["-i", "-o", "-e"],
            _ => &[],
        };
        let mut words = skip_flags(rest, takes);
        while let Some((pair, next)) = words
            .split_first()
            .and_then(|(w, n)| script::assignment(w).map(|p| (p, n)))
        {
            Rc::make_mut(&mut frame.env).push(own(pair));
            words = next;
        }
        if matches!(
            words.first().map(String::as_str),
            Some("run" | "exec" | "x")
        ) && !matches!(name, "env" | "retry")
        {
            let takes = ["--node", "--npm", "--pnpm", "--yarn", "--using"];
            words = skip_flags(words.get(1..)?, &takes);
            // `nvm exec 22 npm publish`: the version of Node comes first.
            let version = |w: &String| {
                w.trim_start_matches('v')
                    .starts_with(|c: char| c.is_ascii_digit())
            };
            if name == "nvm" && words.first().is_some_and(version) {
                words = words.get(1..)?;
            }
        }
        if name == "env" && words.is_empty() {
            return None;
        }
        if name == "cross-env-shell"
            || words.len() == 1 && words.first().is_some_and(|w| w.contains(' '))
        {
            self.nested(&words.join(" "), &frame);
            return Some(());
        }
        self.words(words, command, &frame, hops + 1);
        Some(())
    }

    /// `nix develop -c npm publish`, `nix shell nixpkgs#nodejs --command bash -c …`, `nix-shell -p nodejs --run 'npm publish'`.
    fn nix(
        &mut self,
        name: &str,
        rest: &[String],
        command: &Command,
        frame: &Frame,
        hops: u32,
    ) -> Option<()> {
        let hands = |w: &String| matches!(w.as_str(), "--run" | "--command" | "-c");
        let at = rest.iter().position(hands);
        let inner = at.and_then(|at| rest.get(at + 1..)).unwrap_or_default();
        match inner {
            [text, ..] if name == "nix-shell" || inner.len() == 1 => self.nested(text, frame),
            [] => {}
            _ => self.words(inner, command, frame, hops + 1),
        }
        Some(())
    }

    /// `devbox run NAME`: a script of devbox.json, else a program (<https://www.jetify.com/docs/devbox/cli_reference/devbox_run/>).
    fn devbox(
        &mut self,
        rest: &[String],
        command: &Command,
        frame: &Frame,
        hops: u32,
    ) -> Option<()> {
        let rest = skip_flags(rest, &["-c", "--config", "-e", "--env"]);
        let (verb, rest) = rest.split_first()?;
        if verb != "run" {
            return Some(());
        }
        let words = skip_flags(rest, &["-c", "--config", "-e", "--env", "--environment"]);
        let config = super::super::tree::join(frame.dir.as_deref().unwrap_or(""), "devbox.json")
            .and_then(|path| self.project.read(&path))
            .or_else(|| self.project.read("devbox.json"));
        let script = config.and_then(|text| {
            let json: serde_json::Value = serde_json::from_str(&text).ok()?;
            let script = json
                .get("shell")?
                .get("scripts")?
                .get(words.first()?)?
                .clone();
            match script {
                serde_json::Value::String(text) => Some(text),
                serde_json::Value::Array(lines) => {
                    let lines: Vec<&str> = lines.iter().filter_map(|l| l.as_str()).collect();
                    Some(lines.join("\n"))
                }
                _ => None,
            }
        });
        match (script, words) {
            (Some(text), _) => self.nested(&text, frame),
            (None, [text]) if text.contains(' ') => self.nested(text, frame),
            (None, words) => self.words(words, command, frame, hops + 1),
        }
        Some(())
    }

    fn shell_call(&mut self, rest: &[String], frame: &Frame) {
        let mut words = rest.iter();
        while let Some(word) = words.next() {
            let lower = word.to_ascii_lowercase();
            let inline = lower == "/c"
                || lower == "-command"
                || (word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'));
            if inline {
                let text: Vec<&str> = words.map(String::as_str).collect();
                self.nested(&text.join(" "), frame);
                return;
            }
            if word.starts_with('-')
                && !word.starts_with("--")
                && word.contains('x')
                && word.len() <= 5
            {
                self.push(What::Trace, Tool::Other, Flags::default(), frame);
            }
            if word == "-o" || word == "-O" {
                words.next();
                continue;
            }
            if !word.starts_with('-') {
                let args: Vec<String> = words.cloned().collect();
                self.run_file(word, &args, frame);
                return;
            }
        }
    }

    /// `docker run [flags] IMAGE command…`: the command inside, where it can be told from the image.
    fn container(
        &mut self,
        rest: &[String],
        command: &Command,
        frame: &Frame,
        hops: u32,
    ) -> Option<()> {
        let verb = rest.first()?.as_str();
        let words = match (verb, rest.get(1).map(String::as_str)) {
            ("run" | "exec", _) => rest.get(1..)?,
            ("container", Some("run" | "exec")) => rest.get(2..)?,
            ("compose", _) => {
                let at = rest
                    .iter()
                    .position(|w| matches!(w.as_str(), "run" | "exec"));
                rest.get(at? + 1..)?
            }
            _ => return Some(()),
        };
        let takes = [
            "-e",
            "--env",
            "-v",
            "--volume",
            "-w",
            "--workdir",
            "--name",
            "-u",
            "--user",
            "--env-file",
            "--network",
            "--mount",
            "--entrypoint",
            "-p",
            "--platform",
            "-l",
            "--label",
            "--net",
            "-h",
            "--cpus",
            "-m",
            "--memory",
            "--add-host",
            "--cap-add",
            "--device",
            "--dns",
            "--expose",
            "--gpus",
            "--group-add",
            "--hostname",
            "--ipc",
            "--pid",
            "--pull",
            "--restart",
            "--runtime",
            "--security-opt",
            "--shm-size",
            "--tmpfs",
            "--ulimit",
            "--userns",
            "--volumes-from",
        ];
        let mut frame = frame.clone();
        for pair in words.windows(2) {
            if let [flag, value] = pair
                && matches!(flag.as_str(), "-e" | "--env")
            {
                let (name, text) = value
                    .split_once('=')
                    .map_or((value.as_str(), None), |(n, t)| (n, Some(t)));
                Rc::make_mut(&mut frame.env).push((
                    name.to_owned(),
                    text.map_or_else(|| format!("${name}"), str::to_owned),
                ));
            }
        }
        let inner = skip_flags(words, &takes).get(1..).unwrap_or_default();
        let own = words.iter().take(words.len() - inner.len());
        let entry = own.zip(words.iter().skip(1)).find_map(|(flag, next)| {
            let joined = flag.strip_prefix("--entrypoint=");
            joined.or((flag == "--entrypoint").then_some(next.as_str()))
        });
        let inner: Vec<String> = entry
            .map(str::to_owned)
            .into_iter()
            .chain(inner.iter().cloned())
            .collect();
        frame.dir = frame.dir.clone().or_else(|| Some(String::new()));
        self.words(&inner, command, &frame, hops + 1);
        Some(())
    }

    /// `aws codeartifact login --tool npm` makes that repository npm's registry, or that of one scope
    /// (<https://docs.aws.amazon.com/codeartifact/latest/ug/npm-auth.html>).
    fn codeartifact(&mut self, rest: &[String], frame: &Frame) {
        let logs_in = rest.windows(2).any(|w| w == ["codeartifact", "login"]);
        let value = |flag: &str| {
            let at = rest.iter().position(|w| w == flag);
            at.and_then(|at| rest.get(at + 1)).map(String::as_str)
        };
        if logs_in && value("--tool") == Some("npm") {
            let part = |flag: &str| {
                value(flag)
                    .filter(|v| !v.contains('$'))
                    .unwrap_or("unnamed")
            };
            let what = What::Registry {
                url: format!(
                    "https://codeartifact/{}/{}/",
                    part("--domain"),
                    part("--repository")
                ),
                scope: value("--namespace").map(str::to_owned),
            };
            self.push(what, Tool::Npm, Flags::default(), frame);
        }
    }

    /// Shell built-ins that show or leak the environment.
    fn shell(&mut self, name: &str, rest: &[String], frame: &Frame) {
        let flag = rest.first().map_or("", String::as_str);
        let trace = name == "set"
            && (flag.starts_with('-') && !flag.starts_with("--") && flag.contains('x')
                || flag == "-o" && rest.get(1).is_some_and(|w| w == "xtrace"));
        if trace {
            self.push(What::Trace, Tool::Other, Flags::default(), frame);
            return;
        }
        let dumps = match name {
            "env" | "set" => rest.is_empty(),
            "printenv" => rest.is_empty() || rest.iter().any(|w| w.contains("TOKEN")),
            "export" | "declare" => flag == "-p",
            _ => flag.eq_ignore_ascii_case("env:"),
        };
        if dumps {
            self.push(What::Dump, Tool::Other, Flags::default(), frame);
        }
    }

    /// A program this file does not know, whose own words say that it releases to npm.
    fn guess(&mut self, first: &str, rest: &[String], frame: &Frame) {
        let speaks = |w: &str| {
            ["ublish", "UBLISH", "elease", "RELEASE", "eploy", "DEPLOY"]
                .iter()
                .any(|v| w.contains(v))
        };
        if !speaks(first) && !rest.iter().any(|w| speaks(w)) {
            return;
        }
        let hit = std::iter::once(first)
            .chain(rest.iter().map(String::as_str))
            .any(names_npm_release);
        let args = Args::split("", rest);
        let verb = (args
            .positional
            .first()
            .is_some_and(|w| speaks_of_release(w))
            || speaks_of_release(program(first)))
            && !OTHER_MARKETS.contains(&program(first));
        // `bazel run //pkg:kit.publish`, as its rules for npm packages name the target.
        let bazel = matches!(program(first), "bazel" | "bazelisk")
            && args.first() == "run"
            && args.second().ends_with("publish");
        let gradle = program(first).starts_with("gradle")
            && rest.iter().any(|w| {
                w.to_ascii_lowercase().contains("publish")
                    && (w.contains("Js") || w.contains("Npm"))
            });
        // `tool call release --npm-token=env:NPM_TOKEN`: it is handed npm's token, and told to release.
        let handed = rest.iter().any(|w| {
            w.starts_with("--npm-token")
                || w.starts_with("--npm-auth-token")
                || w.contains("NPM_TOKEN")
        }) && args.positional.iter().take(4).any(|w| speaks_of_release(w));
        if !hit && !gradle && !verb && !bazel && !handed {
            return;
        }
        let runs_own_code = matches!(
            program(first),
            "dart"
                | "cargo"
                | "go"
                | "mage"
                | "bazel"
                | "bazelisk"
                | "rake"
                | "invoke"
                | "inv"
                | "gradlew"
                | "gradle"
                | "mvn"
                | "grunt"
                | "gulp"
                | "nox"
        );
        let tool = if runs_own_code && !gradle {
            Tool::CustomScript
        } else {
            Tool::Other
        };
        let shown = std::iter::once(first)
            .chain(rest.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ");
        if let Some(act) = self.push(
            What::Unread(shown),
            tool,
            Args::split("", rest).publish_flags(),
            frame,
        ) {
            act.sure = false;
        }
    }
}

/// Programs that do nothing to a registry, whatever their words.
const SILENT: &[&str] = &[
    "echo",
    "printf",
    "cat",
    "ls",
    "cd",
    "test",
    "[",
    "[[",
    "git",
    "gh",
    "grep",
    "sed",
    "jq",
    "curl",
    "mkdir",
    "cp",
    "mv",
    "rm",
    "chmod",
    "tar",
    "exit",
    "return",
    "tee",
    "wget",
    "unzip",
    "find",
    "awk",
    "tr",
    "sleep",
    "read",
    "local",
    "cargo-publish",
    "Write-Host",
    "Write-Output",
];

/// Tells whether a command neither does anything to a registry nor can write a configuration: most of a script is such.
pub(super) fn is_silent(command: &Command) -> bool {
    let Some(first) = command.words.first() else {
        return false;
    };
    SILENT.contains(&program(first))
        && command.redirects.is_empty()
        // Files that are written and programs that log in both have npm, yarn or bun in their names.
        && !command.words.iter().any(|w| {
            w.bytes().any(|b| matches!(b, b'n' | b'N'))
                && ["npm", "yarn", "bun", "env"].iter().any(|name| {
                    w.as_bytes()
                        .windows(name.len())
                        .any(|part| part.eq_ignore_ascii_case(name.as_bytes()))
                })
        })
}

/// Programs that publish somewhere else, or only prepare a release.
const OTHER_MARKETS: &[&str] = &[
    "cargo",
    "docker",
    "vsce",
    "@vscode/vsce",
    "ovsx",
    "jsr",
    "twine",
    "poetry",
    "hatch",
    "flit",
    "gem",
    "dotnet",
    "mvn",
    "mvnw",
    "helm",
    "deno",
    "hub",
    "glab",
    "web-ext",
    "electron-builder",
    "electron-forge",
    "firebase",
    "pkg-pr-new",
    "wrangler",
    "vercel",
    "netlify",
    "expo",
    "eas",
    "flutter",
    "pod",
    "standard-version",
    "commit-and-tag-version",
    "release-please",
    "sentry-cli",
    "changelogithub",
    "bumpp",
    "python",
    "pip",
    "zip",
    "rsync",
    "scp",
    "aws",
    "az",
    "gcloud",
    "kubectl",
    "terraform",
    "chrome-webstore-upload",
    "apm",
    "ember",
    "ng",
    "hugo",
    "snapcraft",
    "pulumi",
    "serverless",
    "sls",
    "gradle",
    "gradlew",
    "sbt",
    "mix",
    "opam",
    "stack",
    "cabal",
    "rover",
    "buf",
    "graphql-codegen",
    "chromatic",
    "storybook-to-ghpages",
    "gh-pages",
    "git-cliff",
    "svu",
    "cz",
    "commitizen",
    "dart",
    "unzip",
    "vitest",
    "jest",
    "mocha",
    "eslint",
    "tsc",
    "can-npm-publish",
    "publint",
    "attw",
];

/// Tells whether a word is a verb of releasing: `publish`, `release:prod`.
fn speaks_of_release(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let not = [
        "unpublish",
        "prepublish",
        "dry",
        "check",
        "test",
        "notes",
        "changelog",
        "build",
        "github",
        "docs",
        ".",
    ];
    (lower.contains("publish") || lower.contains("release"))
        && !not.iter().any(|n| lower.contains(n))
        && !lower.contains('/')
}

/// Tells whether one word joins npm with publish, release or deploy: `npm:package:release`, `pkg-npm-deploy`.
pub(super) fn names_npm_release(word: &str) -> bool {
    if word.starts_with('-')
        || word.contains('=')
        || word.contains("://")
        || word.len() > 60
        || word.contains(' ')
    {
        return false;
    }
    let lower = word.to_ascii_lowercase();
    let checks = [
        "can-",
        "check",
        "test",
        "dry",
        "is-",
        "verify",
        "lint",
        "unpublish",
        "build",
        "prepare",
        ".tgz",
        ".json",
    ];
    lower.contains("npm")
        && ["publish", "release", "deploy"]
            .iter()
            .any(|v| lower.contains(v))
        && !checks.iter().any(|c| lower.contains(c))
}

/// Gives the program's name: no folder, no Windows suffix.
pub(super) fn program(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    [".cmd", ".exe", ".bat"]
        .iter()
        .find_map(|s| name.strip_suffix(s))
        .unwrap_or(name)
}

/// Skips flags (and the values of those that take one) to the first word that is neither.
pub(super) fn skip_flags<'w>(words: &'w [String], takes: &[&str]) -> &'w [String] {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if word == "--" {
            at += 1;
            break;
        }
        if !word.starts_with('-') {
            break;
        }
        at += if takes.contains(&word.as_str()) { 2 } else { 1 };
    }
    words.get(at..).unwrap_or_default()
}

fn own(pair: (&str, &str)) -> (String, String) {
    (pair.0.to_owned(), pair.1.to_owned())
}
