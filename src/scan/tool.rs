//! From shell commands to what they do to a package registry: publish, stage, dist-tag, install and the like.
//!
//! Follows package.json scripts, Makefile and Taskfile targets, workspaces and script files, with a depth cap.
//! Knows no CI system and judges no credential; nothing is run. Each tool's way of being called has one file below.

mod auth;
mod code;
mod dispatch;
mod file;
mod follow;
mod manager;
mod release;
mod table;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::Tool;
use super::package::Packages;
use super::script::Command;
use super::tree::Tree;

pub use auth::{Auth, bunfig_auth, npmrc_auth, variables, yarnrc_auth};
pub use table::{OWN, ReleaseTool, own_tools};

/// How deep scripts are followed into scripts.
const DEPTH_CAP: u32 = 8;
/// Most acts that one text may give.
const ACT_CAP: usize = 500;
/// Most bytes of a script file that are read, 512 KiB.
const SCRIPT_CAP: u64 = 512 * 1024;

/// What a command does, as far as a registry or a credential is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Publish,
    /// `npm stage publish`, `pnpm stage`.
    Stage,
    DistTag,
    Deprecate,
    Unpublish,
    /// `npm access`, `owner`, `team`, `trust`, `token`.
    Access,
    Whoami,
    Login,
    /// Installs dependencies.
    Install,
    /// Installs or activates a tool such as npm, at the version of [`Act::version`].
    InstallTool(String),
    /// Writes a credential to a configuration: the [`Act::auth`] says which.
    Auth,
    /// Sets a variable for later steps (`>> $GITHUB_ENV`).
    SetEnv(String, String),
    /// Sets the registry of later commands, for all packages or for one scope.
    Registry {
        url: String,
        scope: Option<String>,
    },
    /// Prints configuration or environment: `npm config list`, `env`, `printenv`, `set`.
    Dump,
    /// `set -x`: each command is printed with its variables filled in.
    Trace,
    /// Runs a file that is not in the tree or is no text, or a command whose words name an npm release.
    Unread(String),
    /// Goes on deeper, or for longer, than is followed: what comes there was not seen.
    CutShort,
}

/// Flags that matter for a publish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    pub dry_run: bool,
    pub provenance: Option<bool>,
    pub tag: Option<String>,
    pub registry: Option<String>,
    pub access: Option<String>,
    pub otp: bool,
    /// Workspaces named by `-w`, `--filter`.
    pub workspaces: Vec<String>,
    pub all_workspaces: bool,
    pub userconfig: Option<String>,
}

/// One thing that a script does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    pub what: What,
    pub tool: Tool,
    /// The tool that a script file runs, where `tool` is [`Tool::CustomScript`].
    pub inner: Option<Tool>,
    /// Version where the command or a manifest states it.
    pub version: Option<String>,
    pub flags: Flags,
    /// Folder it runs in, relative to the root; `None` when not known.
    pub dir: Option<String>,
    /// Assignments in reach: of the command itself and of the scripts that called it.
    pub env: Vec<(String, String)>,
    /// Line in the text that was given, from 0.
    pub line: u32,
    /// The command of the given text that led here.
    pub command: String,
    /// The first words of that command, for finding its line.
    pub needle: String,
    pub failure_ignored: bool,
    pub piped_on: bool,
    /// Scripts gone through, such as `package.json#release` and `scripts/publish.sh`.
    pub via: Vec<String>,
    pub auth: Option<Auth>,
    /// False where the words only look like a publish (unread script, unknown tool).
    pub sure: bool,
}

/// A credential that a configuration file of the checkout names.
pub struct Configured {
    pub file: String,
    /// Line in the file, from 0.
    pub line: u32,
    pub auth: Auth,
}

/// Paths of the configuration files that count in a folder, the nearest first.
pub fn config_files(dir: &str) -> Vec<String> {
    let mut out = Vec::new();
    for folder in [dir, ""] {
        for name in [".npmrc", ".yarnrc.yml"] {
            if let Some(path) = super::tree::join(folder, name)
                && !out.contains(&path)
            {
                out.push(path);
            }
        }
    }
    out
}

/// Credentials of the configuration files in reach of a folder, with or without yarn's.
type ByFolder = BTreeMap<(String, bool), Rc<[Configured]>>;

/// The acts of a text in one folder.
type InFolder = (Option<String>, Rc<[Act]>);

/// What a text is read against: the checkout's files and packages.
pub struct Project<'t> {
    pub tree: &'t dyn Tree,
    pub packages: &'t Packages,
    files: RefCell<BTreeMap<String, Option<Rc<str>>>>,
    /// Release tools that the repository names, or what is wrong with its file.
    own: OnceCell<Result<Vec<ReleaseTool>, String>>,
    taskfiles: RefCell<BTreeMap<String, Rc<file::Taskfile>>>,
    configured: RefCell<ByFolder>,
    /// What scripts, files and targets came to that were followed to their end, and how many were followed in all.
    followed: RefCell<HashMap<follow::Call, Rc<[Act]>>>,
    spent: Cell<usize>,
    /// What whole texts came to: many workflow steps say the same.
    texts: RefCell<BTreeMap<String, Vec<InFolder>>>,
}

impl<'t> Project<'t> {
    /// Makes a project of a tree and its packages.
    pub fn new(tree: &'t dyn Tree, packages: &'t Packages) -> Self {
        Self {
            tree,
            packages,
            files: RefCell::default(),
            own: OnceCell::new(),
            taskfiles: RefCell::default(),
            configured: RefCell::default(),
            followed: RefCell::new(HashMap::new()),
            spent: Cell::new(0),
            texts: RefCell::default(),
        }
    }

    /// Reads a script or configuration file, once; `None` where it is not there, no text or too large.
    pub fn read(&self, path: &str) -> Option<Rc<str>> {
        if let Some(known) = self.files.borrow().get(path) {
            return known.clone();
        }
        let text: Option<Rc<str>> = self.tree.read(path, SCRIPT_CAP).ok().map(Into::into);
        let mut files = self.files.borrow_mut();
        files.insert(path.to_owned(), text.clone());
        text
    }

    /// Gives the release tools that the repository names in [`OWN`]; none where it has no such file.
    ///
    /// # Errors
    /// The file is there and cannot be understood; the words say why.
    pub fn own_tools(&self) -> &Result<Vec<ReleaseTool>, String> {
        self.own
            .get_or_init(|| match self.tree.read(OWN, SCRIPT_CAP) {
                Ok(text) => table::own_tools(&text),
                Err(_) => Ok(Vec::new()),
            })
    }

    /// Lists the files read so far, with their texts, in the order of their paths.
    pub fn scripts_read(&self) -> Vec<(String, Rc<str>)> {
        let files = self.files.borrow();
        let read = files
            .iter()
            .filter_map(|(p, t)| Some((p.clone(), t.clone()?)));
        read.collect()
    }

    /// Reads a Taskfile's text, once.
    fn taskfile(&self, path: &str, text: &str) -> Rc<file::Taskfile> {
        if let Some(known) = self.taskfiles.borrow().get(path) {
            return Rc::clone(known);
        }
        let read = Rc::new(file::Taskfile::read(text));
        let mut known = self.taskfiles.borrow_mut();
        known.insert(path.to_owned(), Rc::clone(&read));
        read
    }

    /// Lists the credentials that the checkout's own .npmrc and, with `yarn`, .yarnrc.yml name for a folder, the nearest
    /// first.
    pub fn configured(&self, dir: &str, yarn: bool) -> Rc<[Configured]> {
        let key = (dir.to_owned(), yarn);
        if let Some(known) = self.configured.borrow().get(&key) {
            return Rc::clone(known);
        }
        let mut found = Vec::new();
        for file in config_files(dir) {
            let is_yarn = file.ends_with(".yml");
            if (is_yarn && !yarn) || !self.tree.lists(&file) {
                continue;
            }
            let Some(text) = self.read(&file) else {
                continue;
            };
            let read = if is_yarn { yarnrc_auth } else { npmrc_auth };
            found.extend(read(&text).into_iter().map(|(line, auth)| Configured {
                file: file.clone(),
                line,
                auth,
            }));
        }
        let found: Rc<[Configured]> = found.into();
        let mut known = self.configured.borrow_mut();
        known.insert(key, Rc::clone(&found));
        found
    }

    /// Reads every act of a shell text that starts in `dir` (`None`: not known).
    pub fn acts(&self, text: &str, dir: Option<&str>) -> Rc<[Act]> {
        let known = self.texts.borrow();
        let same = known.get(text).into_iter().flatten();
        if let Some((_, acts)) = same.into_iter().find(|(at, _)| at.as_deref() == dir) {
            return Rc::clone(acts);
        }
        drop(known);
        let acts: Rc<[Act]> = self.acts_of(&super::script::commands(text), dir).into();
        let mut texts = self.texts.borrow_mut();
        let same = texts.entry(text.to_owned()).or_default();
        same.push((dir.map(str::to_owned), Rc::clone(&acts)));
        acts
    }

    /// Reads the acts of a piece of JavaScript, such as that of actions/github-script.
    ///
    /// One that starts no program only speaks of commands, in comments that it writes for example.
    pub fn code_acts(&self, text: &str) -> Vec<Act> {
        if !["exec", "spawn", "$`"].iter().any(|w| text.contains(w)) {
            return Vec::new();
        }
        let frame = Frame {
            dir: Some(String::new()),
            ..Frame::default()
        };
        let mut walk = Walk::new(self);
        walk.code(text, None, &frame);
        walk.out
    }

    /// Reads every act of commands already parsed.
    pub fn acts_of(&self, commands: &[Command], dir: Option<&str>) -> Vec<Act> {
        let frame = Frame {
            dir: dir.map(str::to_owned),
            ..Frame::default()
        };
        let mut walk = Walk::new(self);
        walk.commands(commands, &frame);
        walk.out
    }
}

/// Where a command stands while scripts are followed.
#[derive(Clone, Default)]
struct Frame {
    dir: Option<String>,
    depth: u32,
    /// Shared until changed: a frame is copied for every command.
    via: Rc<Vec<String>>,
    env: Rc<Vec<(String, String)>>,
    /// Line, text and needle of the outermost command.
    top: Option<Rc<(u32, String, String)>>,
    failure_ignored: bool,
    piped_on: bool,
    /// True once a script file (not only a package.json script) was gone through.
    in_file: bool,
    /// Workspaces already chosen by an outer `-w`, `--filter`, `-r`.
    workspaces: Rc<Vec<String>>,
    /// True where what is published here is published from every workspace.
    all_workspaces: bool,
    /// True where the next script is looked for in every workspace; what such a script runs stays in its own.
    spread: bool,
}

impl Frame {
    /// Sends what follows to every workspace.
    fn everywhere(&mut self) {
        self.all_workspaces = true;
        self.spread = true;
    }

    /// The values that a script sets a variable to, where a word is that variable and no more; in the order of the text.
    fn values_of(&self, word: &str) -> Vec<String> {
        let Some(name) = word.strip_prefix('$') else {
            return Vec::new();
        };
        let name = name
            .strip_prefix('{')
            .and_then(|n| n.strip_suffix('}'))
            .unwrap_or(name);
        let name = name.trim_end_matches("[@]").trim_end_matches("[*]");
        let mut found: Vec<String> = Vec::new();
        for (_, value) in self.env.iter().filter(|(n, _)| n == name) {
            // `words=(npm publish)` is a list.
            let list = value.strip_prefix('(').and_then(|v| v.strip_suffix(')'));
            let value = list.unwrap_or(value).trim();
            if !found.iter().any(|v| v == value) {
                found.push(value.to_owned());
            }
        }
        found
    }

    /// Adds to a command's flags what its callers say: workspaces, and variables that make a publish a rehearsal.
    fn mark(&self, what: &What, tool: Tool, flags: &mut Flags) {
        flags.all_workspaces |= self.all_workspaces;
        flags.workspaces.extend(self.workspaces.iter().cloned());
        // `--registry $local` of a script that sets `local`.
        let set = flags.registry.as_deref().map(|r| self.values_of(r));
        if let Some(value) = set.into_iter().flatten().rfind(|v| !v.is_empty()) {
            flags.registry = Some(value);
        }
        let set = |name: &str| {
            let mut all = self.env.iter();
            all.any(|(n, v)| n.eq_ignore_ascii_case(name) && v == "true")
        };
        flags.dry_run |= *what == What::Publish
            && match tool {
                Tool::Npm | Tool::Pnpm | Tool::YarnClassic | Tool::YarnBerry | Tool::Bun => {
                    set("npm_config_dry_run")
                }
                Tool::Nx => set("NX_DRY_RUN"),
                _ => false,
            };
    }
}

struct Walk<'p, 't> {
    project: &'p Project<'t>,
    out: Vec<Act>,
    /// Scripts, files and targets being followed, outermost first, each with `low` as it was before.
    open: Vec<(String, usize)>,
    /// The outermost of `open` that something since the innermost came back to: what lies between is seen in part.
    low: usize,
    /// Scripts seen in part, with their `low`, while the cycle they lie in is still followed.
    met: HashMap<follow::Call, usize>,
}

impl<'p, 't> Walk<'p, 't> {
    fn new(project: &'p Project<'t>) -> Self {
        Self {
            project,
            out: Vec::new(),
            open: Vec::new(),
            low: usize::MAX,
            met: HashMap::new(),
        }
    }

    fn commands(&mut self, commands: &[Command], frame: &Frame) {
        if commands.len() >= super::script::COMMAND_CAP {
            self.cut_short(frame);
        }
        // Variables that the script itself sets, in order.
        let mut set: Vec<(String, String)> = Vec::new();
        for command in commands {
            if self.out.len() >= ACT_CAP {
                return self.cut_short(frame);
            }
            if keep_variables(command, &mut set) || dispatch::is_silent(command) {
                continue;
            }
            let mut inner = frame.clone();
            if !set.is_empty() {
                Rc::make_mut(&mut inner.env).extend(set.iter().cloned());
            }
            inner.dir = match (&frame.dir, &command.dir) {
                (Some(base), Some(dir)) => super::tree::join(base, dir),
                _ => None,
            };
            if !command.env.is_empty() {
                Rc::make_mut(&mut inner.env).extend(command.env.iter().cloned());
            }
            inner.failure_ignored |= command.failure_ignored;
            inner.piped_on |= command.piped_on;
            if inner.top.is_none() {
                let needle: Vec<&str> = command.words.iter().take(2).map(String::as_str).collect();
                inner.top = Some(Rc::new((command.line, command.text(), needle.join(" "))));
            }
            self.command(command, &inner);
        }
    }

    fn push(&mut self, what: What, tool: Tool, flags: Flags, frame: &Frame) -> Option<&mut Act> {
        if self.out.len() >= ACT_CAP {
            self.cut_short(frame);
            return None;
        }
        Some(self.note(what, tool, flags, frame))
    }

    /// Notes that a cap ended something early.
    fn cut_short(&mut self, frame: &Frame) {
        self.low = 0;
        if self.out.last().is_none_or(|act| act.what != What::CutShort) {
            self.note(What::CutShort, Tool::Other, Flags::default(), frame);
        }
    }

    fn note(&mut self, what: What, tool: Tool, flags: Flags, frame: &Frame) -> &mut Act {
        let (line, command, needle) = frame.top.as_deref().cloned().unwrap_or_default();
        let mut flags = flags;
        frame.mark(&what, tool, &mut flags);
        let (tool, inner) = if frame.in_file && matches!(what, What::Publish | What::Stage) {
            (Tool::CustomScript, Some(tool))
        } else {
            (tool, None)
        };
        self.out.push_mut(Act {
            what,
            tool,
            inner,
            version: None,
            flags,
            dir: frame.dir.clone(),
            env: frame.env.to_vec(),
            line,
            command,
            needle,
            failure_ignored: frame.failure_ignored,
            piped_on: frame.piped_on,
            via: frame.via.to_vec(),
            auth: None,
            sure: true,
        })
    }

    /// Follows a text that another command runs.
    fn nested(&mut self, text: &str, frame: &Frame) {
        if frame.depth >= DEPTH_CAP {
            return self.cut_short(frame);
        }
        let mut inner = frame.clone();
        inner.depth += 1;
        self.commands(&super::script::commands(text), &inner);
    }
}

/// Notes `A=b`, `export A=b` and `unset A`; true where the command does nothing else.
fn keep_variables(command: &Command, set: &mut Vec<(String, String)>) -> bool {
    let (first, rest) = command
        .words
        .split_first()
        .map_or(("", &[][..]), |(f, r)| (f.as_str(), r));
    match first {
        "" => {
            set.extend(command.env.iter().cloned());
            command.redirects.is_empty()
        }
        "export" | "declare" | "local" | "readonly"
            if !rest.is_empty() && rest.iter().all(|w| w != "-p") =>
        {
            let pairs = rest.iter().filter_map(|w| super::script::assignment(w));
            set.extend(pairs.map(|(n, v)| (n.to_owned(), v.to_owned())));
            true
        }
        "unset" => {
            set.extend(rest.iter().map(|n| (n.clone(), String::new())));
            true
        }
        _ => {
            // PowerShell: `$env:NAME = "value"`.
            if let (Some(name), Some("=")) = (
                first.strip_prefix("$env:"),
                rest.first().map(String::as_str),
            ) {
                set.push((name.to_owned(), rest.get(1).cloned().unwrap_or_default()));
                return true;
            }
            false
        }
    }
}

#[cfg(test)]
mod tests;
