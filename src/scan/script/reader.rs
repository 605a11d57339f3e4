//! Tokens to simple commands, with what a shell would know at each: folder, function, whether a failure is noticed.

use super::guard::{Guards, Kind as Block};
use super::lexer::{Kind, Lexer, Token};
use super::{COMMAND_CAP, Command, Redirect, assignment};

/// Longest name of a folder that is kept, in bytes: what goes deeper by `cd` after `cd` is not known.
const FOLDER_CAP: usize = 512;

/// Turns tokens into commands; keeps what the shell would know at that point.
#[derive(Default)]
pub(super) struct Reader {
    out: Vec<Command>,
    now: Command,
    /// Index in `out` of the commands that the next `||` would guard.
    last: Option<usize>,
    dirs: Vec<Option<String>>,
    dir: Option<String>,
    started: bool,
    errexit_off: bool,
    condition: bool,
    function: Option<String>,
    braces: usize,
    /// In the pattern part of a `case`: words up to `)` are no command.
    in_case: usize,
    pattern: bool,
    skip_words: bool,
    nested: Vec<(u32, String)>,
    depth: u32,
    guards: Guards,
    /// What stands next runs only after `&&` or `||`.
    chained: bool,
}

impl Reader {
    pub fn read(mut self, tokens: Vec<Token>) -> Vec<Command> {
        if !self.started {
            self.dir = Some(String::new());
            self.started = true;
        }
        let mut expect_target: Option<(bool, bool)> = None;
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            if self.out.len() >= COMMAND_CAP {
                break;
            }
            match token.kind {
                Kind::Word { text, plain } => {
                    if let Some((append, output)) = expect_target.take() {
                        if output {
                            self.now.redirects.push(Redirect {
                                append,
                                target: text,
                            });
                        }
                        continue;
                    }
                    self.word(text, plain, token.line);
                }
                Kind::Redirect { append, output } => expect_target = Some((append, output)),
                Kind::Input(text) => {
                    if self.now.words.is_empty() && self.now.redirects.is_empty() {
                        if let Some(last) = self.last.and_then(|i| self.out.get_mut(i)) {
                            last.input = Some(text);
                        }
                    } else {
                        self.now.input = Some(text);
                    }
                }
                Kind::Nested(text) => self.nested.push((token.line, text)),
                Kind::Newline => {
                    expect_target = None;
                    self.end();
                    self.chained = false;
                }
                Kind::Op(op) => {
                    expect_target = None;
                    self.operator(op, tokens.peek());
                }
            }
        }
        self.end();
        self.out
    }

    fn word(&mut self, text: String, plain: bool, line: u32) {
        if self.skip_words {
            return;
        }
        if self.now.words.is_empty() {
            if plain && self.keyword(&text) {
                return;
            }
            if self.now.env.is_empty() && self.now.redirects.is_empty() {
                self.now.line = line;
            }
            if let Some((name, value)) = assignment(&text) {
                self.now.env.push((name.to_owned(), value.to_owned()));
                return;
            }
            self.now.line = line;
        }
        self.now.words.push(text);
    }

    /// Handles shell keywords in command position; true if the word was one.
    fn keyword(&mut self, text: &str) -> bool {
        match text {
            "if" | "while" | "until" => {
                self.guards.enter(match text {
                    "if" => Block::If,
                    "while" => Block::While,
                    _ => Block::Until,
                });
                self.condition = true;
                true
            }
            "elif" => {
                self.guards.other_part(text);
                self.condition = true;
                true
            }
            "then" | "do" => {
                self.guards.body();
                self.condition = false;
                true
            }
            "else" => {
                self.guards.other_part(text);
                self.condition = false;
                true
            }
            "fi" | "done" => {
                self.leave(false);
                true
            }
            "!" => {
                self.guards.negate();
                true
            }
            "time" | "in" => true,
            "esac" => {
                self.leave(false);
                self.in_case = self.in_case.saturating_sub(1);
                self.pattern = false;
                true
            }
            "for" | "select" => {
                // `for x in a b; do`: the list is no command.
                self.guards.enter(Block::For);
                self.skip_words = true;
                true
            }
            "case" => {
                self.guards.enter(Block::Case);
                self.in_case += 1;
                self.pattern = true;
                self.skip_words = true;
                true
            }
            "{" => {
                self.guards.enter(Block::Group);
                self.braces += 1;
                true
            }
            "}" => {
                self.braces = self.braces.saturating_sub(1);
                let ends_function = self.braces == 0 && self.function.is_some();
                self.leave(ends_function);
                if self.braces == 0 {
                    self.function = None;
                }
                true
            }
            "function" => true,
            _ => false,
        }
    }

    /// Closes a block of the script: what it shows to end the run on failure is not ignored.
    fn leave(&mut self, forget: bool) {
        let noticed = self.guards.leave(forget);
        self.notice(&noticed);
    }

    fn notice(&mut self, commands: &[usize]) {
        for index in commands {
            if let Some(command) = self.out.get_mut(*index) {
                command.failure_ignored = false;
            }
        }
    }

    fn operator(&mut self, op: &str, next: Option<&Token>) {
        self.operate(op, next);
        self.chained = matches!(op, "&&" | "||");
    }

    fn operate(&mut self, op: &str, next: Option<&Token>) {
        match op {
            "(" | "|" if self.pattern => self.now = Command::default(),
            ")" if self.pattern => {
                // What stood before it was a pattern.
                self.now = Command::default();
                self.skip_words = false;
                self.pattern = false;
            }
            "(" => {
                let is_function = self.now.words.len() == 1
                    && matches!(next.map(|t| &t.kind), Some(Kind::Op(")")));
                if is_function {
                    self.function = self.now.words.pop();
                    self.now = Command::default();
                } else {
                    self.end();
                    self.guards.enter(Block::Group);
                    self.dirs.push(self.dir.clone());
                }
            }
            ")" => {
                self.end();
                if let Some(dir) = self.dirs.pop() {
                    self.leave(false);
                    self.dir = dir;
                }
            }
            "|" => {
                self.now.piped_on = true;
                let words = self.now.words.clone();
                self.end();
                self.now.piped_from = Some(words);
            }
            "||" => {
                self.end();
                if let Some(Token {
                    kind: Kind::Word { text, .. },
                    ..
                }) = next
                {
                    let harmless = matches!(
                        text.as_str(),
                        "true" | ":" | "echo" | "printf" | "/bin/true" | "sleep" | "continue"
                    );
                    if harmless && let Some(last) = self.last.and_then(|i| self.out.get_mut(i)) {
                        self.guards.forget(self.last);
                        last.failure_ignored = true;
                    }
                }
            }
            "&" => {
                self.now.failure_ignored = true;
                self.end();
            }
            ";;" => {
                self.end();
                self.guards.other_part(op);
                self.pattern = self.in_case > 0;
            }
            _ => self.end(),
        }
    }

    fn end(&mut self) {
        self.skip_words = false;
        let command = std::mem::take(&mut self.now);
        let something =
            !command.words.is_empty() || !command.env.is_empty() || !command.redirects.is_empty();
        let nested = std::mem::take(&mut self.nested);
        // What an assignment is made of runs before the variable is there.
        let assigns = command.words.is_empty();
        if assigns {
            self.substitutions(&nested);
        }
        if something {
            self.finish(command);
        }
        if !assigns {
            self.substitutions(&nested);
        }
    }

    fn finish(&mut self, mut command: Command) {
        command.dir.clone_from(&self.dir);
        command.function.clone_from(&self.function);
        command.failure_ignored |= self.errexit_off;
        if self.condition && !command.failure_ignored {
            command.failure_ignored = true;
            self.guards.test(self.out.len());
        }
        if !self.chained && !self.condition {
            let noticed = self.guards.end(&command.words);
            self.notice(&noticed);
        }
        if let Some((first, rest)) = command.words.split_first() {
            match (first.as_str(), rest) {
                ("cd" | "pushd" | "Set-Location", _) => self.change_dir(rest),
                ("popd", _) => self.dir = None,
                ("set", [flags, ..]) if flags.starts_with('+') && flags.contains('e') => {
                    self.errexit_off = true;
                }
                ("set", [flags, ..])
                    if flags.starts_with('-')
                        && !flags.starts_with("--")
                        && flags.contains('e') =>
                {
                    self.errexit_off = false;
                }
                _ => {}
            }
        }
        self.last = Some(self.out.len());
        self.out.push(command);
    }

    fn change_dir(&mut self, rest: &[String]) {
        let target = rest
            .iter()
            .map(String::as_str)
            .find(|w| !w.starts_with('-') || *w == "-");
        self.dir = match (target, &self.dir) {
            (Some(t), Some(dir))
                if !t.contains('$') && t != "-" && !t.contains('*') && !t.starts_with('~') =>
            {
                crate::scan::tree::join(dir, t).filter(|d| d.len() <= FOLDER_CAP)
            }
            _ => None,
        };
    }

    fn substitutions(&mut self, nested: &[(u32, String)]) {
        if self.depth < 4 {
            for (line, text) in nested {
                self.substitution(*line, text);
            }
        }
    }

    fn substitution(&mut self, line: u32, text: &str) {
        let mut tokens = Lexer::new(text).run();
        tokens.push(Token {
            line: 0,
            kind: Kind::Newline,
        });
        let inner = Reader {
            dir: self.dir.clone(),
            started: true,
            depth: self.depth + 1,
            function: self.function.clone(),
            ..Reader::default()
        };
        for mut command in inner.read(tokens) {
            command.line = command.line.saturating_add(line);
            self.out.push(command);
        }
    }
}
