//! Package scripts, script files and build targets: which one a name means, and what it was found to do.
//!
//! Keeps what each came to for the whole checkout, so that workflow steps which run the same one follow it once.
//! That is sound because an act depends on the followed text and its folder alone; what the caller adds to it
//! (variables, flags, the command to show) is put in each time. What a cycle or a cap cut short is not kept.

use std::rc::Rc;

use super::super::Tool;
use super::super::tree::join;
use super::dispatch::Args;
use super::manager::after;
use super::{ACT_CAP, Act, Flags, Frame, Walk, What};

/// Least letters before the variable in a script's name that tell which scripts are meant.
const FITTING_HEAD: usize = 3;
/// Most workspaces that one command is followed into.
const WORKSPACE_CAP: usize = 50;
/// Most scripts that are followed in one checkout, and acts that are kept of them.
const FOLLOW_CAP: usize = 40_000;

/// Something that is followed: where it stands, and all else that what it does depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Call {
    /// Such as `package.json#release` or `scripts/publish.sh`.
    pub label: String,
    /// Text of a package script with the words given to it; words and folder of a script file.
    pub text: String,
    /// Folder that it runs in; `None` when not known.
    pub dir: Option<String>,
    pub in_file: bool,
}

impl Walk<'_, '_> {
    /// Runs something for all workspaces, or in the first of them where that comes to anything.
    pub(super) fn each_workspace(&mut self, frame: &Frame, mut run: impl FnMut(&mut Self, &Frame)) {
        let mut inner = frame.clone();
        inner.everywhere();
        let before = self.out.len();
        run(self, &inner);
        if self.out.len() > before {
            return;
        }
        // Nothing at the root: a script of the workspaces' own manifests.
        inner.spread = false;
        for dir in self.workspace_dirs() {
            let mut at = inner.clone();
            at.dir = Some(dir);
            run(self, &at);
            if self.out.len() > before {
                return;
            }
        }
    }

    /// Runs a package.json script with the words after its name, with its pre and post scripts.
    pub(super) fn run_script(&mut self, manager: &str, words: &[String], frame: &Frame) {
        let args = Args::split(manager, words);
        let name = args.first();
        if name.contains('$') {
            self.run_fitting(manager, words, name, frame);
            return;
        }
        if name.is_empty() {
            return;
        }
        // npm keeps flags to itself unless they stand behind `--`.
        let extra: Vec<&String> = if manager == "npm" {
            args.positional.iter().skip(1).chain(&args.rest).collect()
        } else {
            after(words, name).iter().filter(|w| *w != "--").collect()
        };
        let mut outer = self.sent(&args, frame);
        if manager == "npm" {
            hand_down(&args, &mut outer);
        }
        if manager == "bun" && !self.has_script(name, &outer) {
            let extra: Vec<String> = extra.into_iter().cloned().collect();
            return self.run_file(name, &extra, frame);
        }
        let dirs = self.script_dirs(name, &outer);
        if dirs.is_empty() {
            return self.unknown_script(manager, name, frame);
        }
        let steps: Vec<String> = ["pre", "", "post"]
            .iter()
            .map(|before| format!("{before}{name}"))
            .filter(|full| self.project.packages.with_script(full).next().is_some())
            .collect();
        for dir in dirs {
            let before = self.out.len();
            for full in &steps {
                let words = if full == name { extra.as_slice() } else { &[] };
                self.follow_script(&dir, full, words, &outer);
            }
            // Workspaces mostly share one release script: the first that publishes stands for all.
            if outer.all_workspaces
                && self
                    .out
                    .iter()
                    .skip(before)
                    .any(|a| matches!(a.what, What::Publish | What::Stage))
            {
                return;
            }
        }
    }

    /// Runs a script whose name ends in what only the run knows, such as `release:$KIND` or `release:${{ inputs.kind }}`:
    /// of the scripts that fit, the first that publishes stands for all. False where none fits.
    pub(super) fn run_fitting(
        &mut self,
        manager: &str,
        words: &[String],
        name: &str,
        frame: &Frame,
    ) -> bool {
        let head = name.split('$').next().unwrap_or("");
        let outer = self.sent(&Args::split(manager, words), frame);
        let packages = self.project.packages;
        let nearest = packages.nearest(outer.dir.as_deref().unwrap_or(""));
        let Some(manifest) = nearest.filter(|_| head.len() >= FITTING_HEAD) else {
            return false;
        };
        let fits = |full: &&str| full.len() > head.len() && full.starts_with(head);
        let all = manifest.scripts.iter().map(|s| s.name.as_str());
        let mut any = false;
        for full in all.filter(fits).take(WORKSPACE_CAP) {
            any = true;
            let before = self.out.len();
            let instead = |w: &String| {
                if w == name {
                    full.to_owned()
                } else {
                    w.clone()
                }
            };
            let words: Vec<String> = words.iter().map(instead).collect();
            self.run_script(manager, &words, frame);
            let publishes =
                |a: &Act| matches!(a.what, What::Publish | What::Stage) && !a.flags.dry_run;
            if self.out.iter().skip(before).any(publishes) {
                break;
            }
            self.out.truncate(before);
        }
        any
    }

    /// Where `run` sends a script: the workspaces that its own flags name.
    fn sent(&self, args: &Args, frame: &Frame) -> Frame {
        let mut outer = frame.clone();
        let workspaces = args.workspaces();
        if args.on(&["--workspaces", "-ws", "--recursive", "-r"]) {
            outer.everywhere();
        }
        if let Some(dir) = workspaces.iter().find_map(|w| self.workspace_dir(w, frame)) {
            outer.dir = Some(dir);
        }
        if !workspaces.is_empty() {
            Rc::make_mut(&mut outer.workspaces).extend(workspaces);
        }
        outer
    }

    /// Notes a script by its name where no manifest is there to say what it does.
    fn unknown_script(&mut self, manager: &str, name: &str, frame: &Frame) {
        let folder = frame.dir.as_deref().unwrap_or("");
        let lower = name.to_ascii_lowercase();
        if self.project.packages.nearest(folder).is_none()
            && (lower.contains("publish") || lower.contains("release"))
        {
            let what = What::Unread(format!("{manager} run {name}"));
            if let Some(act) = self.push(what, Tool::CustomScript, Flags::default(), frame) {
                act.sure = false;
            }
        }
    }

    fn follow_script(&mut self, dir: &str, name: &str, extra: &[&String], frame: &Frame) {
        let project = self.project;
        let Some((manifest, script)) = project.packages.script(dir, name) else {
            return;
        };
        let call = Call {
            label: format!("{}#{name}", manifest.file),
            text: with_words(&script.text, extra),
            dir: Some(manifest.package.path.clone()),
            in_file: frame.in_file,
        };
        self.follow(call, frame, |walk, call, inner| {
            walk.nested(&call.text, inner);
        });
    }

    /// Follows something, or takes over what was found when it was followed before.
    pub(super) fn follow(
        &mut self,
        call: Call,
        frame: &Frame,
        run: impl FnOnce(&mut Self, &Call, &Frame),
    ) {
        let project = self.project;
        let known = project.followed.borrow().get(&call).cloned();
        if let Some(known) = known {
            return self.adopt(&known, frame);
        }
        // Inside a cycle each is followed once: what it does was noted when it was.
        if let Some(low) = self.met.get(&call) {
            self.low = self.low.min(*low);
            return;
        }
        if project.spent.get() >= FOLLOW_CAP {
            return self.cut_short(frame);
        }
        if !self.begin(&call.label) {
            return;
        }
        let inner = Frame {
            dir: call.dir.clone(),
            depth: frame.depth,
            via: Rc::new(vec![call.label.clone()]),
            top: Some(Rc::default()),
            in_file: call.in_file,
            ..Frame::default()
        };
        let outer = std::mem::take(&mut self.out);
        run(self, &call, &inner);
        let own: Rc<[Act]> = std::mem::replace(&mut self.out, outer).into();
        project.spent.update(|n| n + 1 + own.len());
        let low = self.low;
        if self.finish() {
            project.followed.borrow_mut().insert(call, Rc::clone(&own));
        } else {
            self.met.insert(call, low);
        }
        self.adopt(&own, frame);
    }

    /// Takes over what a script does, with what its caller adds.
    fn adopt(&mut self, acts: &[Act], frame: &Frame) {
        let (line, command, needle) = frame.top.as_deref().cloned().unwrap_or_default();
        for act in acts {
            if self.out.len() >= ACT_CAP {
                return self.cut_short(frame);
            }
            // What leads back into something that is still followed is noted there.
            let back = |(label, _): &(String, usize)| act.via.contains(label);
            if let Some(at) = self.open.iter().position(back) {
                self.low = self.low.min(at);
                continue;
            }
            let mut act = Act {
                line,
                command: command.clone(),
                needle: needle.clone(),
                env: [&frame.env, act.env.as_slice()].concat(),
                via: [&frame.via, act.via.as_slice()].concat(),
                ..act.clone()
            };
            act.failure_ignored |= frame.failure_ignored;
            act.piped_on |= frame.piped_on;
            frame.mark(&act.what, act.inner.unwrap_or(act.tool), &mut act.flags);
            self.out.push(act);
        }
    }

    /// Goes into a script, file or target; false where it is being followed already.
    fn begin(&mut self, label: &str) -> bool {
        if let Some(at) = self.open.iter().position(|(open, _)| open == label) {
            self.low = self.low.min(at);
            return false;
        }
        let before = std::mem::replace(&mut self.low, usize::MAX);
        self.open.push((label.to_owned(), before));
        true
    }

    /// Leaves what was entered last; true where everything that it leads to was seen.
    fn finish(&mut self) -> bool {
        let before = self.open.pop().map_or(usize::MAX, |(_, before)| before);
        let at = self.open.len();
        let whole = self.low >= at;
        if whole && self.low != usize::MAX {
            self.met.retain(|_, low| *low < at);
        }
        self.low = if whole { before } else { before.min(self.low) };
        whole
    }

    pub(super) fn lifecycle(&mut self, names: &[&str], frame: &Frame) {
        let Some(dir) = &frame.dir else { return };
        for name in names {
            self.follow_script(dir, name, &[], frame);
        }
    }

    pub(super) fn has_script(&self, name: &str, frame: &Frame) -> bool {
        !self.script_dirs(name, frame).is_empty()
    }

    /// Folders whose manifest has the script: where the command runs, or the workspaces it is sent to.
    fn script_dirs(&self, name: &str, frame: &Frame) -> Vec<String> {
        let packages = self.project.packages;
        let mut having = packages.with_script(name).peekable();
        if having.peek().is_none() {
            return Vec::new();
        }
        if frame.spread {
            let dirs: Vec<String> = packages
                .with_script(name)
                .filter(|m| m.package.workspace && !m.package.path.is_empty())
                .take(WORKSPACE_CAP)
                .map(|m| m.package.path.clone())
                .collect();
            if !dirs.is_empty() {
                return dirs;
            }
        }
        let here = packages.script(frame.dir.as_deref().unwrap_or(""), name);
        let found = here
            .map(|(m, _)| m)
            .or_else(|| having.next().filter(|_| frame.dir.is_none()));
        found.map(|m| m.package.path.clone()).into_iter().collect()
    }

    fn workspace_dirs(&self) -> Vec<String> {
        let members = self.project.packages.manifests().iter();
        members
            .filter(|m| m.package.workspace && !m.package.path.is_empty())
            .map(|m| m.package.path.clone())
            .take(WORKSPACE_CAP)
            .collect()
    }

    /// Folder of a workspace given by name or path.
    pub(super) fn workspace_dir(&self, name: &str, frame: &Frame) -> Option<String> {
        let packages = self.project.packages;
        let plain = name
            .trim_start_matches('{')
            .trim_end_matches('}')
            .trim_end_matches("...");
        if let Some(manifest) = packages.named(plain) {
            return Some(manifest.package.path.clone());
        }
        let dir = join(frame.dir.as_deref().unwrap_or(""), plain)?;
        packages.at(&dir).map(|m| m.package.path.clone())
    }

    /// The targets of `turbo run`, `lerna run`, `nx run-many`: the script of that name in the workspaces.
    pub(super) fn workspace_script(&mut self, name: &str, frame: &Frame) -> bool {
        let mut inner = frame.clone();
        inner.everywhere();
        if !self.has_script(name, &inner) {
            return false;
        }
        self.run_script("yarn", &[name.to_owned()], &inner);
        true
    }
}

/// Adds what npm hands to the script it runs: its own flags, as variables.
/// <https://docs.npmjs.com/cli/v11/using-npm/scripts#environment>
fn hand_down(args: &Args, frame: &mut Frame) {
    let flags = args.publish_flags();
    let registry = flags.registry.map(|url| ("npm_config_registry", url));
    let dry = flags
        .dry_run
        .then(|| ("npm_config_dry_run", "true".to_owned()));
    for (name, value) in registry.into_iter().chain(dry) {
        Rc::make_mut(&mut frame.env).push((name.to_owned(), value));
    }
}

/// A script's text with the words that were given to it, quoted where a shell would need it.
fn with_words(text: &str, words: &[&String]) -> String {
    let mut out = text.to_owned();
    for word in words {
        out.push(' ');
        let plain = word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_=./@:,$+^~".contains(c));
        if plain || word.starts_with("${{") {
            out.push_str(word);
        } else {
            out.push_str(&format!("'{word}'"));
        }
    }
    out
}
