//! Places where a CI file gives a credential to what cannot be seen, or to text that nothing explains.
//!
//! Owns the reading of these kinds: workflows of other repositories that inherit secrets, actions, images and services
//! that get an npm token, text that decodes or fetches what it runs, scripts that speak of a publish beside a secret, and
//! npm tokens in text that runs. Says what stands there; what the scan explains and what the policy allows is judged
//! elsewhere. Keeps names, never values.

use std::sync::LazyLock;

use regex::Regex;

use crate::assets::{HostKind, registries};
use crate::model::token_name::is_npm_token;
use crate::scan::script::hides_what_it_runs;
use crate::scan::tree::{FileKind, Tree};
use crate::scan::yaml::Node;

/// Most bytes of a script that is read for words.
const SCRIPT_CAP: u64 = 256 * 1024;
/// Most scripts of one step that are read.
const SCRIPTS: usize = 16;

/// One such place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unseen {
    pub file: String,
    pub line: u32,
    pub job: Option<String>,
    /// Number of the step in its job, from 0.
    pub step: Option<u32>,
    pub what: What,
}

/// What stands there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A workflow of another repository that gets every secret.
    Inherits(String),
    /// An action, image, service or workflow elsewhere that gets an npm token.
    Given(String),
    /// Text that decodes or fetches what it runs, beside an npm token.
    Unreadable,
    /// A script that speaks of a publish, beside a secret.
    Script(String),
    /// A request that uploads to npm's registry, beside a secret.
    Upload,
    /// An npm token, by its name, in text that runs.
    Token(String),
}

/// A credential by its name: GitHub's contexts, and variables of other systems.
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b(secrets|vars|inputs|env)\s*(?:\.\s*([a-z_][a-z0-9_-]*)|\[\s*['"]([^'"]+)['"]\s*\])"#).ok()
});

/// Any read of the secrets, also one that hides which.
static SECRET: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\bsecrets\s*[.\[),]|\{\{\s*secrets\s*\}\}").ok());

/// `$NAME`, `${NAME`, `$(NAME)`, `%NAME%`, `$env:NAME`.
static VARIABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)(?:\$\{?(?:env[:.])?|\$\(|%)([a-z_][a-z0-9_]*)").ok());

/// Words of a script that publishes, or that writes npm's login.
static SPEAKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)_authToken|npmAuthToken|\b(?:npm|pnpm|yarn|bun|lerna)\b[\s"'`,\[\]()]{1,8}(?:npm\s+)?publish\b|libnpmpublish"#).ok()
});

/// A program handed to an interpreter in the command itself.
static INLINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\b(?:node|deno|bun|python3?|perl|ruby|php)\s+(?:\S+\s+)*(?:-\w*[ecp]\b|-\s*<<|eval\b)",
    )
    .ok()
});

/// A request that writes.
static WRITES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:curl|wget|xh|httpie|https?|invoke-restmethod|invoke-webrequest|irm|iwr)\b[^\n]*(?:\bPUT\b|\s-T\s|--upload-file|--method[= ]put)").ok()
});

/// A file that a command may run.
static FILE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:\./|[\w@-])[\w./@-]*\.(?:[cm]?[jt]s|py|sh|bash|zsh|rb|pl|php|ps1)\b|\./[\w./@-]+",
    )
    .ok()
});

fn fits(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|one| one.is_match(text))
}

/// Names of npm tokens that an expression reads.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let names = NAMED.iter().flat_map(|one| one.captures_iter(text));
    let names = names.filter_map(|hit| hit.get(2).or_else(|| hit.get(3)));
    names
        .map(|name| name.as_str())
        .filter(|name| is_npm_token(name))
}

/// What stands in reach of a step.
#[derive(Debug, Clone, Copy, Default)]
struct Reach {
    npm: bool,
    any: bool,
}

impl Reach {
    /// Adds the variables of an `env:` or the inputs of a `with:`.
    fn with(self, map: Option<Node<'_, '_>>) -> Self {
        let entries = map.map_or_else(Vec::new, Node::entries);
        entries.into_iter().fold(self, |reach, (key, value)| {
            let (key, value) = (
                key.as_str().unwrap_or_default(),
                value.as_str().unwrap_or_default(),
            );
            let reads = value.contains("${{");
            let npm = reads && (is_npm_token(key) || tokens(value).next().is_some());
            let own = NAMED
                .iter()
                .flat_map(|one| one.captures_iter(value))
                .any(|hit| {
                    hit.get(2)
                        .is_some_and(|name| name.as_str().eq_ignore_ascii_case("GITHUB_TOKEN"))
                });
            Self {
                npm: reach.npm || npm,
                any: reach.any || npm || (reads && !own && fits(&SECRET, value)),
            }
        })
    }
}

/// Reads one CI file that is YAML.
pub(super) fn read(tree: &dyn Tree, kind: FileKind, file: &str, root: Node<'_, '_>) -> Vec<Unseen> {
    let mut reader = Reader {
        tree,
        file,
        found: Vec::new(),
    };
    match kind {
        FileKind::GithubWorkflow => reader.workflow(root),
        FileKind::GithubAction => {
            let steps = root.at(&["runs", "steps"]);
            reader.steps(None, steps, Reach::default(), "");
        }
        _ => reader.variables(root, 0),
    }
    reader.found
}

/// Reads one CI file that is no YAML: its text as it stands.
pub(super) fn plain(file: &str, text: &str) -> Vec<Unseen> {
    let lines = text.lines().zip(1_u32..);
    let named =
        lines.flat_map(|(text, line)| variables(text).map(move |name| (line, name.to_owned())));
    named
        .map(|(line, name)| Unseen {
            file: file.to_owned(),
            line,
            job: None,
            step: None,
            what: What::Token(name),
        })
        .collect()
}

fn variables(text: &str) -> impl Iterator<Item = &str> {
    let names = VARIABLE.iter().flat_map(|one| one.captures_iter(text));
    let names = names.filter_map(|hit| hit.get(1)).map(|name| name.as_str());
    names.filter(|name| is_npm_token(name))
}

struct Reader<'a> {
    tree: &'a dyn Tree,
    file: &'a str,
    found: Vec<Unseen>,
}

impl Reader<'_> {
    fn push(&mut self, line: u32, job: Option<&str>, step: Option<u32>, what: What) {
        self.found.push(Unseen {
            file: self.file.to_owned(),
            line,
            job: job.map(str::to_owned),
            step,
            what,
        });
    }

    fn workflow(&mut self, root: Node<'_, '_>) {
        let whole = Reach::default().with(root.get("env"));
        for (name, job) in root.get("jobs").map_or_else(Vec::new, Node::entries) {
            let name = name.as_str();
            let reach = whole.with(job.get("env"));
            if let Some(callee) = job.get("uses") {
                self.called(name, callee, job.get("secrets"));
            }
            self.containers(name, job);
            let folder = job.at(&["defaults", "run", "working-directory"]);
            let folder = folder.and_then(Node::as_str).unwrap_or_default();
            self.steps(name, job.get("steps"), reach, folder);
        }
    }

    /// A called workflow: one of this repository is read for itself, one of another cannot be.
    fn called(&mut self, job: Option<&str>, callee: Node<'_, '_>, secrets: Option<Node<'_, '_>>) {
        let Some(name) = callee.as_str().filter(|name| !name.starts_with("./")) else {
            return;
        };
        let what = match secrets {
            Some(all) if all.as_str() == Some("inherit") => What::Inherits(name.to_owned()),
            some if Reach::default().with(some).npm => What::Given(name.to_owned()),
            _ => return,
        };
        self.push(callee.line(), job, None, what);
    }

    /// Images beside a job's steps: what runs in them is not in the file.
    fn containers(&mut self, name: Option<&str>, job: Node<'_, '_>) {
        for (service, body) in job.get("services").map_or_else(Vec::new, Node::entries) {
            if Reach::default().with(body.get("env")).npm {
                let image = body.get("image").and_then(Node::as_str);
                let image = image.or(service.as_str()).unwrap_or_default().to_owned();
                self.push(service.line(), name, None, What::Given(image));
            }
        }
    }

    fn steps(
        &mut self,
        job: Option<&str>,
        steps: Option<Node<'_, '_>>,
        reach: Reach,
        folder: &str,
    ) {
        let steps = steps.map_or_else(Vec::new, Node::items);
        for (step, at) in steps.into_iter().zip(0_u32..) {
            let own = Reach::default()
                .with(step.get("env"))
                .with(step.get("with"));
            let reach = reach.with(step.get("env"));
            if let Some((node, uses)) = step.get("uses").and_then(|one| Some((one, one.as_str()?)))
            {
                // An image is started with all variables of its job; an action of somebody else is given what its step names.
                let given = own.npm || (reach.npm && uses.starts_with("docker://"));
                if given && !uses.starts_with("./") && !is_githubs(uses) {
                    self.push(node.line(), job, Some(at), What::Given(uses.to_owned()));
                }
            }
            let folder = step
                .get("working-directory")
                .and_then(Node::as_str)
                .unwrap_or(folder);
            let scripts = [step.get("run"), step.at(&["with", "script"])];
            for text in scripts.into_iter().flatten() {
                self.text(job, at, text, reach, folder);
            }
        }
    }

    fn text(&mut self, job: Option<&str>, at: u32, node: Node<'_, '_>, reach: Reach, folder: &str) {
        let Some(text) = node.as_str() else { return };
        let named: Option<&str> = tokens(text).next();
        if let Some(name) = named {
            let index = text
                .lines()
                .position(|line| line.contains(name))
                .unwrap_or(0);
            let line = node.line_within(u32::try_from(index).unwrap_or(0), name);
            self.push(line, job, Some(at), What::Token(name.to_owned()));
        }
        let npm = reach.npm || named.is_some();
        let any = reach.any || npm || fits(&SECRET, text);
        let line = node.line_within(0, "");
        if npm && hides_what_it_runs(text) {
            self.push(line, job, Some(at), What::Unreadable);
        }
        if !any {
            return;
        }
        let uploads =
            |line: &str| fits(&WRITES, line) && line.split([' ', '"', '\'']).any(is_npmjs);
        // A command may go on in the next line.
        if text.replace("\\\n", " ").lines().any(uploads) {
            self.push(line, job, Some(at), What::Upload);
        }
        if fits(&INLINE, text) && fits(&SPEAKS, text) {
            self.push(line, job, Some(at), What::Script("its own text".to_owned()));
        }
        let files = FILE
            .iter()
            .flat_map(|one| one.find_iter(text))
            .take(SCRIPTS);
        for file in files {
            let name = file.as_str();
            if self.speaks(folder, name) {
                self.push(line, job, Some(at), What::Script(name.to_owned()));
            }
        }
    }

    /// Tells whether a file of this tree speaks of a publish.
    fn speaks(&self, folder: &str, name: &str) -> bool {
        let name = name.trim_start_matches("./");
        let folder = folder.trim_start_matches("./").trim_matches('/');
        let places = [format!("{folder}/{name}"), name.to_owned()];
        places.iter().any(|place| {
            let text = self.tree.read(place.trim_start_matches('/'), SCRIPT_CAP);
            text.is_ok_and(|text| fits(&SPEAKS, &text))
        })
    }

    /// Every npm token that a file of another system names as a variable.
    fn variables(&mut self, node: Node<'_, '_>, depth: u32) {
        if depth > super::mention::MAX_DEPTH {
            return;
        }
        if let Some(text) = node.as_str() {
            for (line, index) in text.lines().zip(0_u32..) {
                for name in variables(line) {
                    let what = What::Token(name.to_owned());
                    self.push(node.line_within(index, name), None, None, what);
                }
            }
        }
        for item in node.items() {
            self.variables(item, depth + 1);
        }
        for (_, value) in node.entries() {
            self.variables(value, depth + 1);
        }
    }
}

fn is_npmjs(word: &str) -> bool {
    let kind = registries().kind_of(word);
    word.contains('/') && matches!(kind, Some(HostKind::Npmjs | HostKind::NpmjsAlias))
}

/// Actions of GitHub itself, whose sources are known and which run nothing of their caller's.
fn is_githubs(uses: &str) -> bool {
    uses.starts_with("actions/") || uses.starts_with("github/")
}

#[cfg(test)]
mod tests;
