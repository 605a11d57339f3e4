//! npm, pnpm, yarn, bun and the ways they run other programs: `npx`, `dlx`, `exec`, `run`, workspaces.

use super::super::Tool;
use super::super::package::Manager;
use super::super::script::Command;
use super::dispatch::{Args, program, skip_flags, spec};
use super::{Flags, Frame, Walk, What};
use std::rc::Rc;

/// Tools whose installed version matters for a publish.
const VERSIONED: &[&str] = &[
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "lerna",
    "semantic-release",
    "@semantic-release/npm",
    "@changesets/cli",
    "nx",
    "np",
    "release-it",
    "corepack",
];

impl Walk<'_, '_> {
    pub(super) fn manager(
        &mut self,
        name: &str,
        rest: &[String],
        command: &Command,
        frame: &Frame,
        hops: u32,
    ) {
        match name {
            "npx" | "bunx" | "pnpx" | "nlx" => self.execute(rest, command, frame, hops),
            "corepack" => self.corepack(rest, command, frame, hops),
            "nr" => self.run_script("npm", rest, frame),
            "npm" => self.npm("npm", rest, command, frame, hops),
            "pnpm" => self.npm("pnpm", rest, command, frame, hops),
            "yarn" | "yarnpkg" => self.yarn(rest, command, frame, hops),
            "bun" => self.bun(rest, command, frame, hops),
            _ => {}
        }
    }

    fn corepack(&mut self, rest: &[String], command: &Command, frame: &Frame, hops: u32) {
        match rest.first().map(String::as_str) {
            Some("enable" | "disable" | "pack" | "hydrate" | "cache") => {}
            Some("prepare" | "use" | "install" | "up") => {
                for word in rest.iter().skip(1) {
                    self.installed(word, frame);
                }
            }
            Some(first) => {
                let (name, _) = spec(first);
                let mut words = vec![name.to_owned()];
                words.extend(rest.iter().skip(1).cloned());
                self.words(&words, command, frame, hops + 1);
            }
            None => {}
        }
    }

    /// npm and pnpm share most of their words.
    fn npm(&mut self, name: &str, rest: &[String], command: &Command, frame: &Frame, hops: u32) {
        // `npm exec` and `pnpm exec|dlx` hand all that follows to another program.
        if let Some(inner) = handed_on(name, rest) {
            let outer = Args::split(
                name,
                rest.get(..rest.len() - inner.len()).unwrap_or_default(),
            );
            let frame = self.enter(&outer, frame);
            return self.execute(inner, command, &frame, hops);
        }
        let mut args = Args::split(name, rest);
        let frame = &self.enter(&args, frame);
        let mut verb = args.first().to_owned();
        // `npm ${{ prerelease && 'publish --tag next' || 'publish' }}`
        if verb.starts_with("${{") && verb.contains("'publish") {
            verb = "publish".to_owned();
        }
        if name == "pnpm"
            && matches!(verb.as_str(), "recursive" | "multi" | "m")
            && args.positional.len() > 1
        {
            args.positional.remove(0);
            args.flags.push(("-r".to_owned(), None));
            verb = args.first().to_owned();
        }
        let tool = if name == "pnpm" {
            Tool::Pnpm
        } else {
            Tool::Npm
        };
        let flags = args.publish_flags();
        let narrowed = &self.narrow(&args, frame);
        if self.registry_verb(&verb, &args, tool, &flags, frame) {
            return;
        }
        match verb.as_str() {
            "publish" | "pub" => {
                self.publish(tool, flags, args.second(), frame);
            }
            "stage" if matches!(args.second(), "publish" | "") => {
                self.push(What::Stage, tool, flags, frame);
            }
            "run" | "run-script" | "rum" | "urn" => {
                self.run_script(name, after(rest, &verb), narrowed)
            }
            "version" => self.lifecycle(&["preversion", "version", "postversion"], frame),
            "install" | "i" | "add" | "ci" | "clean-install" | "install-clean" | "update"
            | "up" | "install-ci-test" | "it" => {
                self.install(&args, tool, flags, frame);
            }
            "env" | "pack" | "test" | "t" | "tst" | "start" | "stop" | "view" | "info" | "show"
            | "ls" | "list" | "audit" | "cache" | "prune" | "link" | "rebuild" | "root" | "bin"
            | "init" | "create" | "help" | "pkg" | "outdated" | "why" | "store" | "deploy"
            | "rm" | "remove" | "uninstall" | "un" | "search" | "ping" | "sbom" | "stage"
            | "diff" | "explain" | "doctor" | "fund" | "" => {}
            _ if name == "pnpm" => {
                self.bare("pnpm", &verb, after(rest, &verb), command, narrowed, hops)
            }
            _ => {}
        }
    }

    /// Applies `--prefix`, `-C`, `--filter` and the like to the place a command runs in.
    fn enter(&self, args: &Args, frame: &Frame) -> Frame {
        let mut frame = frame.clone();
        if let Some(dir) = args.value(&["--prefix", "-C", "--dir", "--cwd"]) {
            frame.dir = match (&frame.dir, dir.contains('$')) {
                (Some(base), false) => super::super::tree::join(base, dir),
                _ => None,
            };
        }
        frame
    }

    /// Sends what follows to the workspaces that `--filter`, `-w` and `-r` name.
    fn narrow(&self, args: &Args, frame: &Frame) -> Frame {
        let mut frame = frame.clone();
        let named = args.workspaces();
        if let Some(dir) = named.iter().find_map(|w| self.workspace_dir(w, &frame)) {
            frame.dir = Some(dir);
        } else if args.on(&["-r", "--recursive", "--workspaces"]) || !named.is_empty() {
            frame.everywhere();
        }
        if !named.is_empty() {
            Rc::make_mut(&mut frame.workspaces).extend(named);
        }
        frame
    }

    /// Verbs that talk to the registry other than publishing; true if it was one.
    fn registry_verb(
        &mut self,
        verb: &str,
        args: &Args,
        tool: Tool,
        flags: &Flags,
        frame: &Frame,
    ) -> bool {
        let what = match verb {
            "dist-tag" | "dist-tags" | "tag"
                if args.second() != "ls" && args.second() != "list" =>
            {
                What::DistTag
            }
            "deprecate" | "undeprecate" => What::Deprecate,
            "unpublish" => What::Unpublish,
            "access" | "owner" | "author" | "team" | "org" | "trust" | "token" | "profile" => {
                What::Access
            }
            "whoami" => What::Whoami,
            "login" | "adduser" | "add-user" => What::Login,
            "config" | "c" | "set" | "get" => {
                self.config(verb, args, tool, frame);
                return true;
            }
            _ => return false,
        };
        self.push(what, tool, flags.clone(), frame);
        true
    }

    fn config(&mut self, verb: &str, args: &Args, tool: Tool, frame: &Frame) {
        let words: &[String] = if matches!(verb, "set" | "get") {
            &args.positional
        } else {
            args.positional.get(1..).unwrap_or_default()
        };
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.extend(args.rest.iter().map(String::as_str));
        match words.first().copied() {
            Some("set") => {
                let pairs = words.get(1..).unwrap_or_default();
                if let Some((key, value)) = pairs.first().and_then(|p| p.split_once('=')) {
                    for pair in pairs {
                        let (k, v) = pair.split_once('=').unwrap_or((key, value));
                        self.setting(k, v, tool, frame);
                    }
                } else if let [key, value, ..] = pairs {
                    self.setting(key, value, tool, frame);
                }
            }
            Some("list" | "ls") | None => {
                self.push(What::Dump, tool, Flags::default(), frame);
            }
            Some("get")
                if words
                    .iter()
                    .any(|w| w.contains("_auth") || w.contains("npmAuthToken"))
                    || words.len() == 1 =>
            {
                self.push(What::Dump, tool, Flags::default(), frame);
            }
            _ => {}
        }
    }

    fn setting(&mut self, key: &str, value: &str, tool: Tool, frame: &Frame) {
        if let Some(auth) = super::auth::setting(key, value) {
            if let Some(act) = self.push(What::Auth, tool, Flags::default(), frame) {
                act.auth = Some(auth);
            }
        } else if key == "registry"
            || key == "npmPublishRegistry"
            || key == "npmRegistryServer"
            || key.ends_with(":registry")
        {
            let scope = key.strip_suffix(":registry").map(str::to_owned);
            self.push(
                What::Registry {
                    url: value.to_owned(),
                    scope,
                },
                tool,
                Flags::default(),
                frame,
            );
        }
    }

    fn publish(&mut self, tool: Tool, flags: Flags, target: &str, frame: &Frame) {
        let mut frame = frame.clone();
        // `npm publish ./dist` publishes that folder; a tarball's package is not known.
        let is_folder = !target.is_empty()
            && !target.ends_with(".tgz")
            && !target.contains('$')
            && !target.contains('*');
        if is_folder && !target.starts_with('-') {
            frame.dir = frame
                .dir
                .as_deref()
                .and_then(|d| super::super::tree::join(d, target));
        } else if !target.is_empty() {
            frame.dir = None;
        }
        self.push(What::Publish, tool, flags, &frame);
    }

    fn install(&mut self, args: &Args, tool: Tool, flags: Flags, frame: &Frame) {
        self.push(What::Install, tool, flags, frame);
        for word in args.positional.iter().skip(1) {
            self.installed(word, frame);
        }
    }

    fn installed(&mut self, word: &str, frame: &Frame) {
        let (name, version) = spec(word);
        if VERSIONED.contains(&name)
            && let Some(act) = self.push(
                What::InstallTool(name.to_owned()),
                Tool::Other,
                Flags::default(),
                frame,
            )
        {
            act.version = version.map(str::to_owned);
        }
    }

    fn yarn(&mut self, rest: &[String], command: &Command, frame: &Frame, hops: u32) {
        let mut args = Args::split("yarn", rest);
        let frame = &self.enter(&args, frame);
        let folder = frame.dir.clone().unwrap_or_default();
        let berry = self.project.packages.yarn(&folder) == Manager::YarnBerry;
        let tool = if berry {
            Tool::YarnBerry
        } else {
            Tool::YarnClassic
        };
        let verb = args.first().to_owned();
        let flags = args.publish_flags();
        let tail = after(rest, &verb);
        match verb.as_str() {
            "npm" => {
                if !args.positional.is_empty() {
                    args.positional.remove(0);
                }
                let verb = args.first().to_owned();
                match verb.as_str() {
                    "publish" => self.publish(Tool::YarnBerry, flags, "", frame),
                    "tag" => {
                        self.push(What::DistTag, Tool::YarnBerry, flags, frame);
                    }
                    _ => {
                        self.registry_verb(&verb, &args, Tool::YarnBerry, &flags, frame);
                    }
                }
            }
            "publish" if !berry => self.publish(Tool::YarnClassic, flags, args.second(), frame),
            "tag" if !berry => {
                self.push(What::DistTag, tool, flags, frame);
            }
            "run" => self.run_or_program("yarn", tail, frame),
            "dlx" | "exec" => self.execute(tail, command, frame, hops),
            "workspace" => {
                let mut inner = frame.clone();
                let name = args.second().to_owned();
                inner.dir = self.workspace_dir(&name, &inner).or(inner.dir);
                Rc::make_mut(&mut inner.workspaces).push(name.clone());
                self.yarn_inner(after(tail, &name), command, &inner, hops);
            }
            "workspaces" => self.yarn_workspaces(tail, command, frame, hops),
            "" | "install" | "add" | "up" | "upgrade" | "global" => {
                self.install(&args, tool, flags, frame)
            }
            "set" if args.second() == "version" => {
                let version = args.positional.get(2).cloned();
                if let Some(act) = self.push(
                    What::InstallTool("yarn".to_owned()),
                    Tool::Other,
                    Flags::default(),
                    frame,
                ) {
                    act.version = version;
                }
            }
            "version" => self.lifecycle(&["preversion", "version", "postversion"], frame),
            "pack" | "info" | "why" | "cache" | "plugin" | "constraints" | "dedupe" | "audit"
            | "link" | "bin" | "node" | "patch" | "test" => {
                if verb == "node" {
                    self.words(rest, command, frame, hops + 1);
                }
            }
            _ if self.registry_verb(&verb, &args, tool, &flags, frame) => {}
            _ => self.bare("yarn", &verb, tail, command, frame, hops),
        }
    }

    fn yarn_inner(&mut self, words: &[String], command: &Command, frame: &Frame, hops: u32) {
        if hops < 8 {
            self.yarn(words, command, frame, hops + 1);
        }
    }

    fn yarn_workspaces(&mut self, tail: &[String], command: &Command, frame: &Frame, hops: u32) {
        let mut inner = frame.clone();
        inner.everywhere();
        let (verb, rest) = tail
            .split_first()
            .map_or(("", &[][..]), |(v, r)| (v.as_str(), r));
        match verb {
            "foreach" => {
                let words = skip_flags(
                    rest,
                    &[
                        "--from",
                        "--include",
                        "--exclude",
                        "--jobs",
                        "-j",
                        "--since",
                    ],
                );
                self.each_workspace(frame, |walk, frame| {
                    walk.yarn_inner(words, command, frame, hops)
                });
            }
            "run" => self.run_script("yarn", rest, &inner),
            _ => {}
        }
    }

    fn bun(&mut self, rest: &[String], command: &Command, frame: &Frame, hops: u32) {
        let args = Args::split("bun", rest);
        let frame = &self.enter(&args, frame);
        let verb = args.first().to_owned();
        let tail = after(rest, &verb);
        match verb.as_str() {
            "publish" => self.publish(Tool::Bun, args.publish_flags(), args.second(), frame),
            "x" => self.execute(tail, command, frame, hops),
            "run" => self.run_or_program("bun", tail, frame),
            "install" | "i" | "add" | "ci" => {
                self.install(&args, Tool::Bun, args.publish_flags(), frame)
            }
            "pm" => {
                self.registry_verb(
                    args.second(),
                    &args,
                    Tool::Bun,
                    &args.publish_flags(),
                    frame,
                );
            }
            "test" | "build" | "update" | "link" | "create" | "init" | "" => {}
            _ => self.bare("bun", &verb, tail, command, frame, hops),
        }
    }

    /// `yarn release`, `pnpm lerna publish`: a script of that name, else a program of that name.
    fn bare(
        &mut self,
        manager: &str,
        verb: &str,
        tail: &[String],
        command: &Command,
        frame: &Frame,
        hops: u32,
    ) {
        let mut words = vec![verb.to_owned()];
        words.extend(tail.iter().cloned());
        if self.has_script(verb, frame) {
            self.run_script(manager, &words, frame);
        } else if verb.contains('$') && self.run_fitting(manager, &words, verb, frame) {
        } else if verb.contains('/') || verb.contains('.') {
            self.run_file(verb, tail, frame);
        } else {
            self.words(&words, command, frame, hops + 1);
        }
    }

    /// `yarn run lerna publish`, `bun run lerna publish`: where no script has the name, an installed program that does.
    fn run_or_program(&mut self, manager: &str, tail: &[String], frame: &Frame) {
        let name = Args::split(manager, tail).first().to_owned();
        let words = after(tail, &name);
        let program = !self.has_script(&name, frame)
            && (self.release_tool(&name, None, words, frame)
                || manager == "yarn" && self.script_file(&name, words, frame));
        if !program {
            self.run_script(manager, tail, frame);
        }
    }

    /// `npx [flags] tool@version …` and its likes.
    pub(super) fn execute(&mut self, rest: &[String], command: &Command, frame: &Frame, hops: u32) {
        let takes = [
            "-p",
            "--package",
            "--registry",
            "--userconfig",
            "--cache",
            "-w",
            "--workspace",
            "--filter",
            "--loglevel",
        ];
        let mut version = None;
        let mut package = None;
        let mut at = 0;
        while let Some(word) = rest.get(at) {
            if word == "-c" || word == "--call" || word == "--shell-mode" {
                return self.nested(rest.get(at + 1).map_or("", String::as_str), frame);
            }
            if let Some(text) = word
                .strip_prefix("--call=")
                .or_else(|| word.strip_prefix("-c="))
            {
                return self.nested(text, frame);
            }
            let joined = word
                .strip_prefix("--package=")
                .or_else(|| word.strip_prefix("-p="));
            let next = (word == "-p" || word == "--package")
                .then(|| rest.get(at + 1))
                .flatten();
            if let Some(given) = joined.or(next.map(String::as_str)) {
                let (name, stated) = spec(given);
                if package.is_none() {
                    package = Some(name.to_owned());
                    version = stated.map(str::to_owned);
                }
            }
            if word == "--" {
                at += 1;
                break;
            }
            if !word.starts_with('-') {
                break;
            }
            at += if takes.contains(&word.as_str()) { 2 } else { 1 };
        }
        let words = skip_flags(rest.get(at..).unwrap_or_default(), &[]);
        let Some((first, tail)) = words.split_first() else {
            return;
        };
        // `yarn exec "yarn npm publish"`: one word with blanks is a shell text.
        if tail.is_empty() && first.contains(' ') {
            return self.nested(first, frame);
        }
        let (name, stated) = spec(first);
        let version = stated.map(str::to_owned).or(version);
        let bin = if name.starts_with('@') {
            name
        } else {
            program(name)
        };
        if self.release_tool(bin, version.as_deref(), tail, frame) {
            return;
        }
        let mut inner = vec![name.to_owned()];
        inner.extend(tail.iter().cloned());
        let before = self.out.len();
        self.words(&inner, command, frame, hops + 1);
        for act in self.out.iter_mut().skip(before) {
            if matches!(act.tool, Tool::Npm | Tool::Pnpm)
                && act.version.is_none()
                && matches!(name, "npm" | "pnpm")
            {
                act.version.clone_from(&version);
            }
        }
    }
}

/// The words after the first one equal to `verb`.
pub(super) fn after<'w>(words: &'w [String], verb: &str) -> &'w [String] {
    let at = words
        .iter()
        .position(|w| w == verb)
        .map_or(words.len(), |i| i + 1);
    words.get(at..).unwrap_or_default()
}

/// The words that `exec`, `x` or `dlx` hands to another program.
fn handed_on<'w>(name: &str, words: &'w [String]) -> Option<&'w [String]> {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if matches!(word.as_str(), "exec" | "x" | "dlx") {
            return words.get(at + 1..);
        }
        if !word.starts_with('-') {
            return None;
        }
        let takes = matches!(
            word.as_str(),
            "--filter" | "-F" | "-C" | "--dir" | "--prefix" | "--workspace"
        );
        at += if takes || (name == "npm" && word == "-w") {
            2
        } else {
            1
        };
    }
    None
}
