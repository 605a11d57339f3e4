//! Jenkinsfiles: the stages, the strings that steps run as commands, and the credentials bound around them.
//!
//! Owns what a stage, a credential and a function call mean here; the text itself is taken apart in `groovy`. Nothing is
//! evaluated; a string that is built from parts is read as far as it stands there.
//! Reference: <https://www.jenkins.io/doc/book/pipeline/syntax/>.

mod groovy;

pub(super) use groovy::quoted;
use groovy::{Kind, Token, function_of, functions, owner, returns_status, tokens};

use super::checkout::{Checkout, Found};
use super::job::{self, Job, Lines, Step, Variable};
use super::tree::FileKind;
use super::{CiSystem, Place, Runner, Trigger};

/// Most brace levels that are read of one file.
const DEPTH_CAP: usize = 200;

/// Calls whose strings are words for people or names, never commands.
const NO_COMMANDS: &[&str] = &[
    "archiveArtifacts",
    "branch",
    "buildDiscarder",
    "checkout",
    "contains",
    "credentials",
    "credentialsId",
    "cron",
    "defaultValue",
    "description",
    "dir",
    "docker",
    "echo",
    "endsWith",
    "environment",
    "equals",
    "error",
    "expression",
    "file",
    "fileExists",
    "image",
    "input",
    "junit",
    "label",
    "library",
    "message",
    "name",
    "node",
    "println",
    "publishHTML",
    "replaceAll",
    "slackSend",
    "stage",
    "startsWith",
    "stash",
    "string",
    "tag",
    "text",
    "tool",
    "unstash",
    "url",
    "usernamePassword",
    "writeFile",
];

/// Reads every Jenkinsfile of a checkout.
pub fn scan(cx: &Checkout<'_>) -> Found {
    let mut found = Found::default();
    let parts = &mut found;
    for path in cx.regular(FileKind::Jenkins) {
        let Some(text) = cx.read(&path, parts) else {
            continue;
        };
        let mut reader = Reader::new(&path);
        reader.read(&tokens(&text));
        // A login in a helper that is called in ways not followed here counts for the whole file.
        let mut earlier = job::Earlier::with_credential(reader.credentials.first().cloned());
        for job in reader.jobs() {
            job::read(cx, &job, &mut earlier, parts);
        }
    }
    found
}

/// What a pair of braces belongs to.
#[derive(Debug, Default, Clone)]
struct Block {
    stage: bool,
    /// Credentials bound for what stands inside.
    variables: Vec<Variable>,
    granted: Option<String>,
    dir: Option<String>,
    /// Name of the function that the block is the body of.
    function: Option<String>,
    /// `agent { … }`, `environment { … }`.
    word: String,
    ignores_failure: bool,
}

#[derive(Debug, Clone)]
struct Run {
    stages: Vec<(String, u32)>,
    /// The function that it stands in, where that is outside every stage.
    function: Option<String>,
    step: Step<'static, 'static>,
    granted: Option<String>,
    agent: Option<String>,
    environment: Vec<Variable>,
}

struct Reader<'p> {
    path: &'p str,
    blocks: Vec<Block>,
    /// Names and lines of the stages that are open.
    stages: Vec<(String, u32)>,
    /// Agents and `environment` entries, with how many stages were open.
    agents: Vec<(usize, String)>,
    environment: Vec<(usize, Variable)>,
    /// Every npm credential that the file names, for commands whose own block names none.
    credentials: Vec<(String, Place)>,
    triggers: Vec<Trigger>,
    node_version: Option<String>,
    /// The last `stage 'X'` without a block of its own.
    loose_stage: Option<(String, u32)>,
    functions: Vec<String>,
    found: Vec<Event>,
}

/// What happens in the order of the text: a command, or a call of one of the file's own functions.
#[derive(Debug, Clone)]
enum Event {
    Run(Box<Run>),
    Call {
        name: String,
        stages: Vec<(String, u32)>,
        function: Option<String>,
    },
}

impl<'p> Reader<'p> {
    fn new(path: &'p str) -> Self {
        Self {
            path,
            blocks: Vec::new(),
            stages: Vec::new(),
            agents: Vec::new(),
            environment: Vec::new(),
            credentials: Vec::new(),
            triggers: Vec::new(),
            node_version: None,
            loose_stage: None,
            functions: Vec::new(),
            found: Vec::new(),
        }
    }

    fn read(&mut self, tokens: &[Token]) {
        // What was said since the last block or line began, for the block that opens next.
        let mut next = Block::default();
        let mut stage: Option<(String, u32)> = None;
        self.functions = functions(tokens);
        for (index, token) in tokens.iter().enumerate() {
            match &token.kind {
                Kind::Mark('{') => {
                    if self.blocks.len() >= DEPTH_CAP {
                        return;
                    }
                    next.word = owner(tokens, index).unwrap_or_default().to_owned();
                    next.function = function_of(tokens, index).map(str::to_owned);
                    if let Some(named) = stage.take() {
                        next.stage = true;
                        self.loose_stage = None;
                        self.stages.push(named);
                    }
                    self.blocks.push(std::mem::take(&mut next));
                }
                Kind::Mark('}') => {
                    if self.blocks.pop().is_some_and(|b| b.stage) {
                        self.stages.pop();
                        let open = self.stages.len();
                        self.agents.retain(|(depth, _)| *depth <= open);
                        self.environment.retain(|(depth, _)| *depth <= open);
                    }
                }
                Kind::Word(word) => self.word(word, tokens, index),
                Kind::Text(text) => {
                    let call = owner(tokens, index).unwrap_or_default();
                    match call {
                        "stage" => {
                            stage = Some((text.clone(), token.line));
                            let after = tokens.get(index + 1..).unwrap_or_default().iter();
                            let mut after =
                                after.filter(|t| !matches!(t.kind, Kind::Mark(')' | '\n')));
                            if after.next().is_none_or(|t| t.kind != Kind::Mark('{')) {
                                self.loose_stage = stage.take();
                            }
                        }
                        "nodejs" if text.starts_with(|c: char| c.is_ascii_digit()) => {
                            self.node_version = Some(text.clone())
                        }
                        "dir" => next.dir = Some(text.clone()),
                        "credentialsId" => self.credential(text, tokens, index, &mut next),
                        "credentials" => self.bound(text, tokens, index),
                        "label" | "image"
                            if self.blocks.last().is_some_and(|b| {
                                matches!(b.word.as_str(), "agent" | "docker" | "node")
                            }) =>
                        {
                            self.agents.push((self.stages.len(), text.clone()));
                        }
                        "node" | "agent" => self.agents.push((self.stages.len(), text.clone())),
                        "npmrcConfig" | "configId" | "fileId" => {
                            next.granted = Some(text.clone());
                            if is_npm(text) {
                                self.credentials
                                    .push((text.clone(), self.place(token.line)));
                            }
                        }
                        "branch" | "tag" => self.when(call, text),
                        _ => self.command(call, text, token.line, tokens, index),
                    }
                }
                Kind::Mark(_) => {}
            }
        }
    }

    fn word(&mut self, word: &str, tokens: &[Token], index: usize) {
        let follows = |want: &Kind| tokens.get(index + 1).is_some_and(|t| t.kind == *want);
        match word {
            "catchError" | "warnError" => {
                if let Some(last) = self.blocks.last_mut() {
                    last.ignores_failure = true;
                }
            }
            // `agent any`, `agent none`
            "any" if owner(tokens, index) == Some("agent") => {
                self.agents.push((self.stages.len(), "any".to_owned()))
            }
            name if follows(&Kind::Mark('(')) && self.functions.iter().any(|f| f == name) => {
                let defined = index.checked_sub(1).and_then(|i| tokens.get(i));
                if !matches!(defined.map(|t| &t.kind), Some(Kind::Word(_))) {
                    let call = Event::Call {
                        name: name.to_owned(),
                        stages: self.open_stages(),
                        function: self.function(),
                    };
                    self.found.push(call);
                }
            }
            "buildingTag" if follows(&Kind::Mark('(')) => self.when("tag", "*"),
            _ => {}
        }
    }

    /// `credentialsId: 'X', variable: 'Y'` inside withCredentials: Y holds X in the block that follows.
    fn credential(&mut self, id: &str, tokens: &[Token], index: usize, next: &mut Block) {
        let Some(token) = tokens.get(index) else {
            return;
        };
        let place = self.place(token.line);
        let mut named = false;
        // The other arguments of the same call stand on either side, up to its parentheses.
        let back = tokens
            .get(..index)
            .unwrap_or_default()
            .iter()
            .rev()
            .take_while(|t| !matches!(t.kind, Kind::Mark('(' | '[')))
            .count();
        let from = index.saturating_sub(back);
        let inside = tokens
            .get(from..)
            .unwrap_or_default()
            .iter()
            .take_while(|t| !matches!(t.kind, Kind::Mark(')' | ']')));
        let inside: Vec<&Token> = inside.collect();
        for window in inside.windows(3) {
            if let [
                Token {
                    kind: Kind::Word(key),
                    ..
                },
                Token {
                    kind: Kind::Mark(':'),
                    ..
                },
                Token {
                    kind: Kind::Text(value),
                    ..
                },
            ] = window
                && matches!(
                    key.as_str(),
                    "variable" | "passwordVariable" | "tokenVariable"
                )
            {
                let variable = Variable::new(value, &format!("${value}"), place.clone());
                named |= is_npm(value);
                next.variables.push(Variable {
                    secret: Some(id.to_owned()),
                    ..variable
                });
            }
        }
        if is_npm(id) || named {
            self.credentials.push((id.to_owned(), place));
        }
    }

    /// `NAME = credentials('X')` in an `environment` block.
    fn bound(&mut self, id: &str, tokens: &[Token], index: usize) {
        let before: Vec<&Token> = tokens
            .get(..index)
            .unwrap_or_default()
            .iter()
            .rev()
            .take(4)
            .collect();
        let [
            _,
            _,
            Token {
                kind: Kind::Mark('='),
                ..
            },
            Token {
                kind: Kind::Word(name),
                line,
            },
        ] = before.as_slice()
        else {
            return;
        };
        let place = self.place(*line);
        if is_npm(id) || is_npm(name) {
            self.credentials.push((id.to_owned(), place.clone()));
        }
        let variable = Variable {
            secret: Some(id.to_owned()),
            ..Variable::new(name, &format!("${name}"), place)
        };
        // A user name and password also come apart, under these names.
        for suffix in ["_PSW", "_USR"] {
            let name = format!("{name}{suffix}");
            let part = Variable {
                name,
                ..variable.clone()
            };
            self.environment.push((self.stages.len(), part));
        }
        self.environment.push((self.stages.len(), variable));
    }

    fn when(&mut self, kind: &str, value: &str) {
        let value = vec![value.to_owned()];
        let (branches, tags) = if kind == "tag" {
            (Vec::new(), value)
        } else {
            (value, Vec::new())
        };
        let found = Trigger {
            event: "push".to_owned(),
            branches,
            tags,
        };
        if self.triggers.len() < 50 && !self.triggers.contains(&found) {
            self.triggers.push(found);
        }
    }

    /// A string that a step may run: `sh`, `bat`, and helpers of the file's own that take a command.
    fn command(&mut self, call: &str, text: &str, line: u32, tokens: &[Token], index: usize) {
        if call.is_empty() || NO_COMMANDS.contains(&call) || text.trim().is_empty() {
            return;
        }
        let assigned = matches!(
            index
                .checked_sub(1)
                .and_then(|i| tokens.get(i))
                .map(|t| &t.kind),
            Some(Kind::Mark('='))
        );
        let in_environment = self.blocks.last().is_some_and(|b| b.word == "environment");
        if assigned && in_environment {
            let variable = Variable::new(call, text, self.place(line));
            self.environment.push((self.stages.len(), variable));
            return;
        }
        let runs = matches!(call, "sh" | "bat" | "powershell" | "pwsh" | "script");
        // `cmd = "…"` is not run here; a helper's argument is.
        if assigned && !runs {
            return;
        }
        let ignores = self.blocks.iter().any(|b| b.ignores_failure);
        let dirs: Vec<&str> = self
            .blocks
            .iter()
            .filter_map(|b| b.dir.as_deref())
            .collect();
        let dir = (!dirs.is_empty()).then(|| dirs.join("/"));
        let variables: Vec<Variable> = self
            .blocks
            .iter()
            .rev()
            .flat_map(|b| b.variables.clone())
            .collect();
        let status = returns_status(tokens, index);
        self.found.push(Event::Run(Box::new(Run {
            stages: self.open_stages(),
            function: self.function(),
            granted: self.blocks.iter().rev().find_map(|b| b.granted.clone()),
            agent: self.agents.last().map(|(_, a)| a.clone()),
            environment: self
                .environment
                .iter()
                .rev()
                .map(|(_, v)| v.clone())
                .collect(),
            step: Step {
                line,
                lines: Lines::From(line),
                text: text.to_owned(),
                variables,
                dir,
                ignores_failure: ignores || status,
                ..Step::default()
            },
        })));
    }

    /// The stages that are open, or the last one without a block.
    fn open_stages(&self) -> Vec<(String, u32)> {
        if self.stages.is_empty() && self.function().is_none() {
            return self.loose_stage.iter().cloned().collect();
        }
        self.stages.clone()
    }

    fn function(&self) -> Option<String> {
        self.blocks.iter().rev().find_map(|b| b.function.clone())
    }

    fn place(&self, line: u32) -> Place {
        Place {
            file: self.path.to_owned(),
            line,
            column: 1,
            span: (0, 0),
        }
    }

    /// The commands by the innermost stage that they stand in, or that calls their function.
    fn jobs(mut self) -> Vec<Job<'static, 'static>> {
        let events = std::mem::take(&mut self.found);
        let mut runs = Vec::new();
        let called = |name: &str| {
            events
                .iter()
                .any(|e| matches!(e, Event::Call { name: n, .. } if n == name))
        };
        for event in &events {
            match event {
                // What a called function does is told where it is called.
                Event::Run(run) if run.function.as_deref().is_some_and(called) => {}
                Event::Run(run) => runs.push((**run).clone()),
                Event::Call {
                    function: Some(outer),
                    ..
                } if called(outer) => {}
                Event::Call { name, stages, .. } => expand(&events, name, stages, &mut runs, 0),
            }
        }
        let mut jobs: Vec<(Option<(String, u32)>, Job<'static, 'static>)> = Vec::new();
        for run in runs {
            let stage = run.stages.last().cloned();
            let at = jobs
                .iter()
                .position(|(s, _)| *s == stage)
                .unwrap_or_else(|| {
                    jobs.push((stage.clone(), self.empty_job(stage.as_ref(), &run)));
                    jobs.len() - 1
                });
            let mut step = run.step;
            step.grants = run.granted;
            if let Some((_, job)) = jobs.get_mut(at) {
                step.index = u32::try_from(job.steps.len()).ok();
                job.steps.push(step);
            }
        }
        jobs.into_iter().map(|(_, job)| job).collect()
    }

    fn empty_job(&self, stage: Option<&(String, u32)>, run: &Run) -> Job<'static, 'static> {
        let any = Trigger {
            event: "push".to_owned(),
            branches: Vec::new(),
            tags: Vec::new(),
        };
        let image = run.agent.as_deref().and_then(job::node_of_image);
        Job {
            ci: CiSystem::Jenkins,
            file: self.path.to_owned(),
            name: stage.map(|(name, _)| name.clone()),
            line: stage.map_or(1, |(_, line)| *line),
            column: 1,
            environment: None,
            runner: Runner::Unknown,
            runner_label: run.agent.clone(),
            triggers: if self.triggers.is_empty() {
                vec![any]
            } else {
                self.triggers.clone()
            },
            variables: run.environment.clone(),
            stores: Vec::new(),
            id_token: false,
            ignores_failure: false,
            node_version: image.or_else(|| self.node_version.clone()),
            steps: Vec::new(),
        }
    }
}

/// The commands of a function, as if they stood where it is called.
fn expand(events: &[Event], name: &str, stages: &[(String, u32)], out: &mut Vec<Run>, depth: u32) {
    for event in events {
        if depth > 4 || out.len() > 2_000 {
            return;
        }
        match event {
            Event::Run(run) if run.function.as_deref() == Some(name) => {
                let stages = if run.stages.is_empty() {
                    stages.to_vec()
                } else {
                    run.stages.clone()
                };
                out.push(Run {
                    stages,
                    ..(**run).clone()
                });
            }
            Event::Call {
                name: inner,
                function: Some(outer),
                stages: own,
            } if outer == name && inner != name => {
                expand(
                    events,
                    inner,
                    if own.is_empty() { stages } else { own },
                    out,
                    depth + 1,
                );
            }
            _ => {}
        }
    }
}

fn is_npm(name: &str) -> bool {
    name.to_ascii_lowercase().contains("npm")
}

#[cfg(test)]
mod tests;
