//! Release tools: which of their commands publish, and which of their configurations say that they do not.
//!
//! Tools known by their words alone stand in a table of their own. Configurations written in a programming language are searched, not run.

use serde_json::Value;

use super::super::Tool;
use super::super::tree::join;
use super::dispatch::Args;
use super::{Act, Flags, Frame, Walk, What};

impl Walk<'_, '_> {
    /// Handles a release tool; false if the program is none.
    pub(super) fn release_tool(
        &mut self,
        name: &str,
        version: Option<&str>,
        rest: &[String],
        frame: &Frame,
    ) -> bool {
        let before = self.out.len();
        let (package, handled) = match name {
            "lerna" | "lerna-lite" | "@lerna-lite/cli" => ("lerna", self.lerna(rest, frame)),
            "changeset" | "changesets" | "@changesets/cli" => {
                ("@changesets/cli", self.changeset(rest, frame))
            }
            "semantic-release"
            | "multi-semantic-release"
            | "@qiwi/multi-semantic-release"
            | "semantic-release-plus" => ("semantic-release", self.semantic_release(rest, frame)),
            "release-it" => ("release-it", self.release_it(rest, frame)),
            "np" => ("np", self.np(rest, frame)),
            "nx" => ("nx", self.nx(rest, frame)),
            "turbo" | "lage" | "ultra" | "wsrun" | "turborepo" => {
                ("turbo", self.tasks(rest, frame))
            }
            "rush" | "install-run-rush.js" => ("@microsoft/rush", self.rush(rest, frame)),
            "napi" => ("@napi-rs/cli", self.napi(rest, frame)),
            "npm-publish" | "@jsdevtools/npm-publish" => {
                self.push(
                    What::Publish,
                    Tool::JsDevtoolsNpmPublish,
                    Args::split(name, rest).publish_flags(),
                    frame,
                );
                ("@jsdevtools/npm-publish", true)
            }
            "concurrently" | "run-s" | "run-p" | "npm-run-all" | "npm-run-all2" | "npm-s" => {
                ("", self.run_all(name, rest, frame))
            }
            _ => ("", self.other_tool(name, rest, frame)),
        };
        if handled {
            let stated = version.map(str::to_owned).or_else(|| {
                let dir = frame.dir.as_deref().unwrap_or("");
                self.project
                    .packages
                    .tool_version(dir, package)
                    .map(str::to_owned)
            });
            for act in self.out.iter_mut().skip(before) {
                let own = matches!(act.what, What::Publish | What::Stage) && act.version.is_none();
                if own
                    && !matches!(
                        act.tool,
                        Tool::Npm | Tool::Pnpm | Tool::YarnClassic | Tool::YarnBerry | Tool::Bun
                    )
                {
                    act.version.clone_from(&stated);
                }
            }
        }
        handled
    }

    fn other_tool(&mut self, name: &str, rest: &[String], frame: &Frame) -> bool {
        let Some(tool) = super::table::tool(name) else {
            return self.own_tool(name, rest, frame);
        };
        let args = Args::split(name, rest);
        if tool.publishes(&args, self.project) {
            self.push(What::Publish, Tool::Other, args.publish_flags(), frame);
        }
        true
    }

    /// A tool that the repository names: it adds a publish and hides none, so a call that publishes nothing by its row is
    /// read as any other command.
    fn own_tool(&mut self, name: &str, rest: &[String], frame: &Frame) -> bool {
        let args = Args::split(name, rest);
        let project = self.project;
        let mut own = project.own_tools().iter().flatten();
        let publishes = own.any(|tool| tool.program == name && tool.publishes(&args, project));
        if publishes {
            self.push(What::Publish, Tool::Other, args.publish_flags(), frame);
        }
        publishes
    }

    fn lerna(&mut self, rest: &[String], frame: &Frame) -> bool {
        let args = Args::split("lerna", rest);
        match args.first() {
            "publish" => {
                let off = args.on(&["--skip-npm"]) || self.project.all_private();
                if !off {
                    self.push(What::Publish, Tool::Lerna, args.publish_flags(), frame);
                }
            }
            "run" => {
                self.workspace_script(args.second(), frame);
            }
            "exec" => {
                let words: Vec<String> = if args.rest.is_empty() {
                    args.positional.iter().skip(1).cloned().collect()
                } else {
                    args.rest.clone()
                };
                let mut inner = frame.clone();
                inner.everywhere();
                self.nested(&words.join(" "), &inner);
            }
            _ => {}
        }
        true
    }

    fn changeset(&mut self, rest: &[String], frame: &Frame) -> bool {
        let args = Args::split("changeset", rest);
        if args.first() == "publish" && !self.project.all_private() {
            self.push(What::Publish, Tool::Changesets, args.publish_flags(), frame);
        }
        true
    }

    fn semantic_release(&mut self, rest: &[String], frame: &Frame) -> bool {
        let args = Args::split("semantic-release", rest);
        let mut flags = args.publish_flags();
        flags.dry_run |= args.on(&["-d"]);
        let plugins = args
            .value(&["--plugins", "-p"])
            .is_some_and(|p| !p.contains("npm"));
        if plugins
            || !self
                .project
                .semantic_release_publishes(frame.dir.as_deref().unwrap_or(""))
        {
            return true;
        }
        self.push(What::Publish, Tool::SemanticRelease, flags, frame);
        true
    }

    fn release_it(&mut self, rest: &[String], frame: &Frame) -> bool {
        let args = Args::split("release-it", rest);
        let mut flags = args.publish_flags();
        flags.dry_run |= args.on(&["-d"]);
        let off = args.on(&["--no-npm", "--no-npm.publish"])
            || [args.value(&["--npm"]), args.value(&["--npm.publish"])].contains(&Some("false"))
            || args.on(&["--changelog", "--release-version"]);
        let config = args.value(&["--config", "-c"]);
        if off
            || !self
                .project
                .release_it_publishes(frame.dir.as_deref().unwrap_or(""), config)
        {
            return true;
        }
        self.push(What::Publish, Tool::ReleaseIt, flags, frame);
        true
    }

    fn np(&mut self, rest: &[String], frame: &Frame) -> bool {
        let args = Args::split("np", rest);
        if args.on(&["--no-publish", "--preview"]) {
            return true;
        }
        let what = if args.on(&["--stage"]) {
            What::Stage
        } else {
            What::Publish
        };
        self.push(what, Tool::Np, args.publish_flags(), frame);
        true
    }

    fn nx(&mut self, rest: &[String], frame: &Frame) -> bool {
        let args = Args::split("nx", rest);
        let mut flags = args.publish_flags();
        flags.dry_run |= args.on(&["-d"]);
        match args.first() {
            "release" => {
                let publishes = match args.second() {
                    "version" | "changelog" | "plan" | "plan:check" => false,
                    "publish" => true,
                    _ => !args.on(&["--skip-publish", "--no-publish"]),
                };
                if publishes {
                    self.push(What::Publish, Tool::Nx, flags, frame);
                }
            }
            "run-many" | "affected" => {
                let targets = args
                    .value(&["-t", "--target", "--targets"])
                    .unwrap_or("")
                    .to_owned();
                for target in targets.split(',') {
                    self.nx_target(target, &flags, frame);
                }
            }
            "run" => {
                let target = args.second().split(':').nth(1).unwrap_or("").to_owned();
                self.nx_target(&target, &flags, frame);
            }
            "exec" => self.nested(&args.rest.join(" "), frame),
            target if !target.is_empty() && !args.second().is_empty() => {
                self.nx_target(target, &flags, frame)
            }
            _ => {}
        }
        true
    }

    fn nx_target(&mut self, target: &str, flags: &Flags, frame: &Frame) {
        if matches!(target, "nx-release-publish" | "npm-publish") {
            self.push(What::Publish, Tool::Nx, flags.clone(), frame);
            return;
        }
        if !target.contains("publish") && !target.contains("release") && !target.contains("deploy")
        {
            return;
        }
        if self.workspace_script(target, frame) {
            return;
        }
        let key = format!("\"{target}\"");
        let says = [
            "npm publish",
            "release-publish",
            "ngx-deploy-npm",
            "pnpm publish",
            "semantic-release",
        ];
        let projects = self
            .project
            .packages
            .manifests()
            .iter()
            .map(|m| join(&m.package.path, "project.json"))
            .take(60);
        let files: Vec<String> = projects
            .flatten()
            .chain(["nx.json".to_owned(), "project.json".to_owned()])
            .collect();
        let hit = files.iter().any(|file| {
            self.project.read(file).is_some_and(|text| {
                text.split_once(&key).is_some_and(|(_, rest)| {
                    let near: String = rest.chars().take(600).collect();
                    says.iter().any(|s| near.contains(s))
                })
            })
        });
        if hit {
            self.push(What::Publish, Tool::Nx, flags.clone(), frame);
        } else if !files
            .iter()
            .any(|f| f.ends_with("project.json") && self.project.tree.lists(f))
        {
            // Targets may stand where they are not seen.
            let shown = What::Unread(format!("nx {target}"));
            if let Some(act) = self.push(shown, Tool::Nx, flags.clone(), frame) {
                act.sure = false;
            }
        }
    }

    /// `turbo run publish`, `turbo release`: the workspaces' scripts.
    fn tasks(&mut self, rest: &[String], frame: &Frame) -> bool {
        let args = Args::split("turbo", rest);
        for name in args.positional.iter().filter(|n| *n != "run") {
            self.workspace_script(name, frame);
        }
        true
    }

    fn rush(&mut self, rest: &[String], frame: &Frame) -> bool {
        let args = Args::split("rush", rest);
        // With `--pack` tarballs are written and nothing is sent (<https://rushjs.io/pages/commands/rush_publish/>).
        let sends = args.on(&["--publish", "-p"]) && !args.on(&["--pack"]);
        if args.first() == "publish" && sends {
            self.push(What::Publish, Tool::Rush, args.publish_flags(), frame);
        }
        true
    }

    /// `napi prepublish -t npm` publishes one package per platform.
    fn napi(&mut self, rest: &[String], frame: &Frame) -> bool {
        let args = Args::split("napi", rest);
        let publishes = matches!(args.first(), "prepublish" | "pre-publish")
            && !args.on(&["--no-npm-publish", "--dry-run"]);
        // As a lifecycle script it belongs to the publish that runs it.
        if publishes && frame.via.is_empty() {
            self.push(What::Publish, Tool::Other, args.publish_flags(), frame);
        }
        true
    }

    fn run_all(&mut self, name: &str, rest: &[String], frame: &Frame) -> bool {
        for word in Args::split(name, rest).positional {
            if word.contains(' ') {
                self.nested(&word, frame);
            } else if name == "concurrently" {
                if let Some(script) = word
                    .strip_prefix("npm:")
                    .or_else(|| word.strip_prefix("pnpm:"))
                {
                    self.run_script("npm", &[script.to_owned()], frame);
                }
            } else {
                self.run_script("npm", &[word], frame);
            }
        }
        true
    }
}

impl super::Project<'_> {
    /// The registry that lerna.json states for what lerna publishes
    /// (<https://github.com/lerna/lerna/tree/main/libs/commands/publish>).
    pub fn lerna_registry(&self, act: &Act) -> Option<String> {
        if act.inner.unwrap_or(act.tool) != Tool::Lerna {
            return None;
        }
        let file = join(act.dir.as_deref()?, "lerna.json").filter(|f| self.tree.lists(f))?;
        let config: Value = serde_json::from_str(&self.read(&file)?).ok()?;
        [
            "/command/publish/registry",
            "/command/registry",
            "/registry",
        ]
        .iter()
        .find_map(|at| config.pointer(at)?.as_str().map(str::to_owned))
    }

    /// Tells whether semantic-release run in this folder publishes to npm, as far as its configuration shows.
    ///
    /// Its default plugins do; a `plugins` list without one for npm, `npmPublish: false` and a private package do not.
    pub fn semantic_release_publishes(&self, dir: &str) -> bool {
        let config = self.configuration(dir, "release", &[".releaserc", "release.config"]);
        // Without any package there is nothing that its plugin for npm could publish.
        let private = self.private_only(dir) || self.packages.manifests().is_empty();
        let Some(text) = config else {
            return !private;
        };
        if text.trim().is_empty() {
            return !private;
        }
        let squeezed: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '"' && *c != '\'')
            .collect();
        if !squeezed.contains("plugins:")
            && !squeezed.contains("plugins=")
            && !squeezed.contains("publish:")
        {
            // A shared configuration may name another folder to publish.
            return !private || squeezed.contains("extends");
        }
        let by_exec = text.contains("publishCmd")
            && ["publish", "lerna", "release"]
                .iter()
                .any(|w| after_key(&text, "publishCmd").contains(w))
            && ![
                "poetry", "twine", "cargo", "vsce", "ovsx", "docker", "helm", "gradle", "mvn",
                "dotnet",
            ]
            .iter()
            .any(|w| after_key(&text, "publishCmd").contains(w));
        let by_npm = text.contains("semantic-release/npm")
            || text.contains("semantic-release-npm")
            || text.contains("-npm\"")
            || text.contains("-pnpm")
            || text.contains("-yarn")
            || text.contains("semantic-release-monorepo");
        if squeezed.contains("npmPublish:false")
            && squeezed.matches("semantic-release/npm").count()
                <= squeezed.matches("npmPublish:false").count()
        {
            return by_exec && text.contains("npm publish");
        }
        if private && !by_exec && !squeezed.contains("pkgRoot") {
            return false;
        }
        // Lists built from elsewhere (`extends`, spread, imports) may hold it.
        let elsewhere = squeezed.contains("extends:") || squeezed.contains("...");
        by_npm || by_exec || (elsewhere && !squeezed.contains("plugins:["))
    }

    /// Tells whether release-it run in this folder publishes to npm, as far as its configuration shows.
    pub fn release_it_publishes(&self, dir: &str, config: Option<&str>) -> bool {
        let named = config
            .and_then(|c| join(dir, c))
            .and_then(|p| self.read(&p))
            .map(|t| t.to_string());
        let text = named.or_else(|| self.configuration(dir, "release-it", &[".release-it"]));
        if self.packages.at(dir).is_some_and(|m| m.package.private) {
            return false;
        }
        let Some(text) = text else { return true };
        let squeezed: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '"' && *c != '\'')
            .collect();
        if squeezed.contains("npm:false") {
            return false;
        }
        let block = squeezed
            .split_once("npm:{")
            .map_or("", |(_, rest)| rest.split('}').next().unwrap_or(""));
        let toml = squeezed
            .split_once("[npm]")
            .map_or("", |(_, rest)| rest.split('[').next().unwrap_or(""));
        let yaml = if squeezed.contains('{') {
            ""
        } else {
            squeezed
                .split_once("npm:publish:")
                .map_or("", |(_, rest)| rest)
        };
        !block.contains("publish:false")
            && !toml.contains("publish=false")
            && !yaml.starts_with("false")
    }

    /// Tells whether packages are there and every one of them is private: then nothing can be published.
    pub fn all_private(&self) -> bool {
        let named = |m: &&super::super::package::Manifest| !m.package.name.is_empty();
        let mut manifests = self.packages.manifests().iter().filter(named).peekable();
        manifests.peek().is_some() && manifests.all(|m| m.package.private)
    }

    fn private_only(&self, dir: &str) -> bool {
        self.packages
            .nearest(dir)
            .is_some_and(|m| m.package.private)
            && !self.packages.has_workspaces()
    }

    /// Finds a tool's configuration: its own file, or its key in package.json.
    fn configuration(&self, dir: &str, key: &str, stems: &[&str]) -> Option<String> {
        let folders = if dir.is_empty() {
            vec![""]
        } else {
            vec![dir, ""]
        };
        for folder in folders {
            for stem in stems {
                for suffix in [
                    "", ".json", ".js", ".cjs", ".mjs", ".ts", ".mts", ".yaml", ".yml", ".toml",
                ] {
                    let path = join(folder, &format!("{stem}{suffix}"))?;
                    if self.tree.lists(&path)
                        && let Some(text) = self.read(&path)
                    {
                        return Some(text.to_string());
                    }
                }
            }
            let manifest = self.read(&join(folder, "package.json")?);
            if let Some(text) = manifest
                && text.contains(&format!("\"{key}\""))
                && let Ok(Value::Object(map)) = serde_json::from_str::<Value>(&text)
                && let Some(value) = map.get(key)
            {
                return Some(value.to_string());
            }
        }
        None
    }
}

/// Gives some text after a key, for a look at its value.
fn after_key(text: &str, key: &str) -> String {
    text.split_once(key)
        .map_or_else(String::new, |(_, rest)| rest.chars().take(120).collect())
}
