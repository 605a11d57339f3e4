//! Shell text to simple commands: words, assignments, redirections and whether a failure would be noticed.
//!
//! Nothing is run or expanded. Variables, substitutions and `${{ }}` stay in the words as written, except plain
//! assignments of the same script. What cannot be read as shell is read as far as it goes.

/// Most commands that are kept of one script.
const COMMAND_CAP: usize = 20_000;

/// One simple command of a script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    /// Line in the script, from 0.
    pub line: u32,
    /// Assignments in front of it, such as `NODE_AUTH_TOKEN=$X npm publish`.
    pub env: Vec<(String, String)>,
    /// The words, quotes removed.
    pub words: Vec<String>,
    pub redirects: Vec<Redirect>,
    /// Text of a here-document or here-string.
    pub input: Option<String>,
    /// Words of the command that is piped into this one.
    pub piped_from: Option<Vec<String>>,
    /// True where its output is piped on: without `pipefail` its failure is lost.
    pub piped_on: bool,
    /// True where a failure cannot end the script (`|| true`, `if cmd`, `set +e`, `&` at the end).
    pub failure_ignored: bool,
    /// Folder set by `cd` before it, relative to where the script starts; `None` when not known.
    pub dir: Option<String>,
    /// Name of the function it stands in.
    pub function: Option<String>,
}

/// Output of a command sent to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    pub append: bool,
    pub target: String,
}

impl Command {
    /// Gives the words joined by blanks: the text to show and to search.
    pub fn text(&self) -> String {
        self.words.join(" ")
    }

    /// Gives the program's name without its folder.
    pub fn program(&self) -> &str {
        let first = self.words.first().map_or("", String::as_str);
        first.rsplit('/').next().unwrap_or(first)
    }
}

/// Reads a shell script into its simple commands, in the order of the text.
pub fn commands(text: &str) -> Vec<Command> {
    let mut tokens = Lexer::new(text).run();
    tokens.push(Token {
        line: 0,
        kind: Kind::Newline,
    });
    Reader::default().read(tokens)
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// A word; `plain` if no part of it was quoted (only then can it be a keyword or an assignment).
    Word {
        text: String,
        plain: bool,
    },
    /// `;`, `&&`, `||`, `|`, `&`, `(`, `)`, `;;` and the like.
    Op(&'static str),
    Redirect {
        append: bool,
        output: bool,
    },
    Input(String),
    Newline,
    /// Text inside `$( )` or backquotes: commands of their own.
    Nested(String),
}

#[derive(Debug, Clone)]
struct Token {
    line: u32,
    kind: Kind,
}

/// What writes to another place or joins commands, the longer before those that they begin with.
static OPERATORS: [(&str, Option<Kind>); 22] = [
    ("&>>", Some(redirect(true, true))),
    ("&>", Some(redirect(false, true))),
    ("1>>", Some(redirect(true, true))),
    ("2>>", Some(redirect(true, false))),
    ("2>&1", None),
    ("1>&2", None),
    (">&2", None),
    (">&1", None),
    ("2>", Some(redirect(false, false))),
    ("1>", Some(redirect(false, true))),
    (">>", Some(redirect(true, true))),
    (">|", Some(redirect(false, true))),
    (">", Some(redirect(false, true))),
    ("<", Some(redirect(false, false))),
    (";;", Some(Kind::Op(";;"))),
    ("&&", Some(Kind::Op("&&"))),
    ("||", Some(Kind::Op("||"))),
    ("|&", Some(Kind::Op("|"))),
    ("|", Some(Kind::Op("|"))),
    (";", Some(Kind::Op(";"))),
    ("&", Some(Kind::Op("&"))),
    ("(", Some(Kind::Op("("))),
];

const fn redirect(append: bool, output: bool) -> Kind {
    Kind::Redirect { append, output }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    tokens: Vec<Token>,
    /// Here-documents announced on this line: end word, strip tabs.
    pending: Vec<(String, bool)>,
}

impl<'t> Lexer<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            line: 0,
            tokens: Vec::new(),
            pending: Vec::new(),
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn push(&mut self, kind: Kind) {
        self.tokens.push(Token {
            line: self.line,
            kind,
        });
    }

    fn run(mut self) -> Vec<Token> {
        while let Some(c) = self.peek() {
            if self.tokens.len() > COMMAND_CAP * 8 {
                break;
            }
            match c {
                '\n' => {
                    self.push(Kind::Newline);
                    self.bump();
                    self.here_documents();
                }
                ' ' | '\t' | '\r' => {
                    self.bump();
                }
                '#' => self.comment(),
                '\\' if self.rest().starts_with("\\\n") || self.rest().starts_with("\\\r\n") => {
                    self.continuation()
                }
                _ if self.operator() => {}
                _ => self.word(),
            }
        }
        self.tokens
    }

    fn comment(&mut self) {
        let end = self.rest().find('\n').unwrap_or(self.rest().len());
        self.at += end;
    }

    fn continuation(&mut self) {
        while let Some(c) = self.bump() {
            if c == '\n' {
                break;
            }
        }
    }

    fn operator(&mut self) -> bool {
        let rest = self.rest();
        let begins = match rest.as_bytes() {
            [b'1' | b'2', next, ..] => *next == b'>',
            [first, ..] => matches!(first, b'<' | b'>' | b'|' | b'&' | b';' | b'(' | b')'),
            [] => false,
        };
        if !begins {
            return false;
        }
        if rest.starts_with("<<<") {
            self.at += 3;
            self.skip_blanks();
            let (text, _) = self.word_text();
            self.push(Kind::Input(text));
            return true;
        }
        if rest.starts_with("<<") {
            self.here_start();
            return true;
        }
        if rest.starts_with("<(") || rest.starts_with(">(") {
            self.at += 1;
            self.push(Kind::Op("("));
            self.at += 1;
            return true;
        }
        if rest.starts_with(')') {
            self.push(Kind::Op(")"));
            self.at += 1;
            return true;
        }
        for (text, kind) in &OPERATORS {
            if rest.starts_with(text) {
                if let Some(kind) = kind {
                    self.push(kind.clone());
                }
                self.at += text.len();
                return true;
            }
        }
        false
    }

    fn here_start(&mut self) {
        self.at += 2;
        let strip = self.rest().starts_with('-');
        if strip {
            self.at += 1;
        }
        self.skip_blanks();
        let (end, _) = self.word_text();
        self.pending.push((end, strip));
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.bump();
        }
    }

    /// Reads the bodies of the here-documents announced on the line before, into the tokens before that line's end.
    fn here_documents(&mut self) {
        for (end, strip) in std::mem::take(&mut self.pending) {
            let mut body = String::new();
            while !self.rest().is_empty() {
                let line = self.rest().split_inclusive('\n').next().unwrap_or_default();
                self.at += line.len();
                self.line += u32::from(line.ends_with('\n'));
                let plain = line.trim_end_matches(['\n', '\r']);
                let compare = if strip {
                    plain.trim_start_matches('\t')
                } else {
                    plain
                };
                // Scripts in YAML or JavaScript are often indented as a whole, so blanks are forgiven.
                if compare.trim() == end {
                    break;
                }
                body.push_str(line);
            }
            let at = self.tokens.len().saturating_sub(1);
            let line = self.line;
            self.tokens.insert(
                at,
                Token {
                    line,
                    kind: Kind::Input(body),
                },
            );
        }
    }

    fn word(&mut self) {
        let line = self.line;
        let before = self.tokens.len();
        let (text, plain) = self.word_text();
        if text.is_empty() && plain {
            self.bump();
            return;
        }
        // Nested commands found inside the word come after it.
        let at = before.min(self.tokens.len());
        self.tokens.insert(
            at,
            Token {
                line,
                kind: Kind::Word { text, plain },
            },
        );
    }

    fn word_text(&mut self) -> (String, bool) {
        let mut text = String::new();
        let mut plain = true;
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\n' | '\r' | ';' | '&' | '|' | '<' | '>' | ')' => break,
                '(' => {
                    // `name=(a b)` is an array; elsewhere a parenthesis ends the word.
                    if text.ends_with('=') {
                        self.balanced(&mut text, b'(', b')');
                    } else {
                        break;
                    }
                }
                '\\' => {
                    if self.rest().starts_with("\\\n") || self.rest().starts_with("\\\r\n") {
                        self.continuation();
                        break;
                    }
                    self.bump();
                    // A backslash before a letter is more likely a Windows path than an escape.
                    match self.peek() {
                        Some(n) if n.is_alphanumeric() => text.push('\\'),
                        Some(n) => {
                            text.push(n);
                            self.bump();
                            plain = false;
                        }
                        None => {}
                    }
                }
                '\'' => {
                    plain = false;
                    self.bump();
                    let end = self.rest().find('\'').unwrap_or(self.rest().len());
                    let inner = self.rest().get(..end).unwrap_or_default();
                    text.push_str(inner);
                    self.line += breaks(inner);
                    self.at += end;
                    self.bump();
                }
                '"' => {
                    plain = false;
                    self.double_quoted(&mut text);
                }
                '$' => self.dollar(&mut text),
                '`' => self.backquoted(&mut text),
                _ => self.copy_to(&mut text, |b| {
                    matches!(
                        b,
                        b' ' | b'\t'
                            ..=b'\r'
                                | b';'
                                | b'&'
                                | b'|'
                                | b'<'
                                | b'>'
                                | b'('
                                | b')'
                                | b'\\'
                                | b'\''
                                | b'"'
                                | b'$'
                                | b'`'
                    )
                }),
            }
        }
        (text, plain)
    }

    /// Copies one character and all after it up to the first of the given ones, which are all ASCII.
    fn copy_to(&mut self, text: &mut String, ends: impl Fn(u8) -> bool) {
        let rest = self.rest();
        let after = rest.bytes().skip(1).position(ends);
        let run = after.map_or(rest, |at| rest.get(..=at).unwrap_or(rest));
        text.push_str(run);
        self.line += breaks(run);
        self.at += run.len();
    }

    fn double_quoted(&mut self, text: &mut String) {
        self.bump();
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.bump();
                    return;
                }
                '\\' => {
                    self.bump();
                    match self.peek() {
                        Some('\n') => {
                            self.bump();
                        }
                        Some(n @ ('"' | '\\' | '$' | '`')) => {
                            text.push(n);
                            self.bump();
                        }
                        _ => text.push('\\'),
                    }
                }
                '$' => self.dollar(text),
                '`' => self.backquoted(text),
                _ => self.copy_to(text, |b| matches!(b, b'"' | b'\\' | b'$' | b'`')),
            }
        }
    }

    /// Reads `${{ }}`, `${ }`, `$( )`, `$(( ))` or a bare `$`.
    fn dollar(&mut self, text: &mut String) {
        let rest = self.rest();
        if rest.starts_with("${{") {
            let end = rest.find("}}").map_or(rest.len(), |e| e + 2);
            let inner = rest.get(..end).unwrap_or_default();
            self.line += breaks(inner);
            text.push_str(inner);
            self.at += end;
        } else if rest.starts_with("${") {
            self.bump();
            text.push('$');
            self.balanced(text, b'{', b'}');
        } else if rest.starts_with("$(") {
            self.bump();
            let mut inner = String::new();
            let line = self.line;
            self.balanced(&mut inner, b'(', b')');
            text.push('$');
            text.push_str(&inner);
            if let Some(inner) = inner.strip_prefix('(').and_then(|i| i.strip_suffix(')'))
                && !inner.starts_with('(')
            {
                self.tokens.push(Token {
                    line,
                    kind: Kind::Nested(inner.to_owned()),
                });
            }
        } else {
            text.push('$');
            self.bump();
        }
    }

    fn backquoted(&mut self, text: &mut String) {
        let line = self.line;
        self.bump();
        let end = self.rest().find('`').unwrap_or(self.rest().len());
        let inner = self.rest().get(..end).unwrap_or_default().to_owned();
        self.line += breaks(&inner);
        self.at += end;
        self.bump();
        text.push_str("$(");
        text.push_str(&inner);
        text.push(')');
        self.tokens.push(Token {
            line,
            kind: Kind::Nested(inner),
        });
    }

    /// Copies from an opening bracket to the one that closes it, quotes respected.
    fn balanced(&mut self, text: &mut String, open: u8, close: u8) {
        let mut depth = 0usize;
        let mut quote: Option<u8> = None;
        let rest = self.rest();
        let mut bytes = rest.bytes().enumerate();
        let mut end = rest.len();
        while let Some((at, b)) = bytes.next() {
            match quote {
                Some(q) if b == q => quote = None,
                // A character of several bytes has none that counts here, so one is enough to skip.
                Some(_) if b == b'\\' => drop(bytes.next()),
                Some(_) => {}
                None if b == b'\'' || b == b'"' => quote = Some(b),
                None if b == open => depth += 1,
                None if b == close => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        end = at + 1;
                        break;
                    }
                }
                None => {}
            }
        }
        let inner = rest.get(..end).unwrap_or(rest);
        text.push_str(inner);
        self.line += breaks(inner);
        self.at += end;
    }
}

fn breaks(text: &str) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text.as_bytes()).count()).unwrap_or(0)
}

/// Turns tokens into commands; keeps what the shell would know at that point.
#[derive(Default)]
struct Reader {
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
}

impl Reader {
    fn read(mut self, tokens: Vec<Token>) -> Vec<Command> {
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
            "if" | "elif" | "while" | "until" => {
                self.condition = true;
                true
            }
            "then" | "do" | "else" => {
                self.condition = false;
                true
            }
            "fi" | "done" | "!" | "time" | "in" => true,
            "esac" => {
                self.in_case = self.in_case.saturating_sub(1);
                self.pattern = false;
                true
            }
            "for" | "select" => {
                // `for x in a b; do`: the list is no command.
                self.skip_words = true;
                true
            }
            "case" => {
                self.in_case += 1;
                self.pattern = true;
                self.skip_words = true;
                true
            }
            "{" => {
                self.braces += 1;
                true
            }
            "}" => {
                self.braces = self.braces.saturating_sub(1);
                if self.braces == 0 {
                    self.function = None;
                }
                true
            }
            "function" => true,
            _ => false,
        }
    }

    fn operator(&mut self, op: &str, next: Option<&Token>) {
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
                    self.dirs.push(self.dir.clone());
                }
            }
            ")" => {
                self.end();
                if let Some(dir) = self.dirs.pop() {
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
                        "true" | ":" | "echo" | "printf" | "/bin/true"
                    );
                    if harmless && let Some(last) = self.last.and_then(|i| self.out.get_mut(i)) {
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
        command.failure_ignored |= self.errexit_off || self.condition;
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
                super::tree::join(dir, t)
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

/// Splits `NAME=value`; also `NAME+=value`.
pub fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let head = name.chars().next()?;
    let good = (head.is_ascii_alphabetic() || head == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    good.then_some((name, value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    fn texts(script: &str) -> Vec<String> {
        commands(script)
            .iter()
            .filter(|c| !c.words.is_empty())
            .map(Command::text)
            .collect()
    }

    #[test]
    fn commands_of_many_forms() {
        let table: &[(&str, &[&str])] = &[
            ("npm ci && npm publish", &["npm ci", "npm publish"]),
            ("npm publish # --dry-run", &["npm publish"]),
            ("echo \"npm publish\"", &["echo npm publish"]),
            (
                "npm publish \\\n  --tag next\n",
                &["npm publish --tag next"],
            ),
            (
                "if [ -n \"$X\" ]; then npm publish; fi",
                &["[ -n $X ]", "npm publish"],
            ),
            (
                "for p in npm/*; do\n cd $p;\n npm publish;\ndone",
                &["cd $p", "npm publish"],
            ),
            ("(cd a && npm publish)", &["cd a", "npm publish"]),
            ("A=1 B='x y' npm publish", &["npm publish"]),
            (
                "x=$(npm view a version)\nnpm publish",
                &["npm view a version", "npm publish"],
            ),
            (
                "npm publish --tag ${{ github.ref == 'a' && 'x' || 'y' }}",
                &["npm publish --tag ${{ github.ref == 'a' && 'x' || 'y' }}"],
            ),
            (
                "case $x in\n a|b) npm publish ;;\n *) echo no ;;\nesac",
                &["npm publish", "echo no"],
            ),
            (
                "publish() {\n npm publish\n}\npublish",
                &["npm publish", "publish"],
            ),
            ("cat <<EOF > .npmrc\nnpm publish\nEOF\nls", &["cat", "ls"]),
            ("npm publish 2>&1 | tee log", &["npm publish", "tee log"]),
            (
                "`npm bin`/lerna publish",
                &["$(npm bin)/lerna publish", "npm bin"],
            ),
        ];
        for (script, want) in table {
            assert_eq!(&texts(script), want, "{script}");
        }
    }

    #[test]
    fn details() {
        let all =
            commands("set -e\ncd wasm\nNODE_AUTH_TOKEN=$T npm publish || true\ncd ..\nnpm publish");
        assert_eq!(
            all[2].env,
            [("NODE_AUTH_TOKEN".to_owned(), "$T".to_owned())]
        );
        assert_eq!(
            (all[2].line, all[2].failure_ignored, all[2].dir.as_deref()),
            (2, true, Some("wasm"))
        );
        assert_eq!(
            (all[5].failure_ignored, all[5].dir.as_deref()),
            (false, Some(""))
        );
        let all = commands("echo //h/:_authToken=${NPM_TOKEN} > ~/.npmrc");
        assert_eq!(
            all[0].redirects,
            [Redirect {
                append: false,
                target: "~/.npmrc".to_owned()
            }]
        );
        let all = commands("cat > .npmrc <<EOF\n//h/:_authToken=$T\nEOF\nnpm publish");
        assert_eq!(all[0].input.as_deref(), Some("//h/:_authToken=$T\n"));
        assert_eq!(all[1].line, 3);
        let all = commands("cat <<'EOF' >> $HOME/.npmrc\nx\nEOF\n");
        assert_eq!(
            (all[0].input.as_deref(), all[0].redirects.len()),
            (Some("x\n"), 1)
        );
        let all = commands("echo $T | npm login");
        assert_eq!(
            all[1].piped_from.as_deref(),
            Some(&["echo".to_owned(), "$T".to_owned()][..])
        );
        assert!(commands("if npm publish; then echo; fi")[0].failure_ignored);
        assert!(!commands("npm publish || exit 1")[0].failure_ignored);
        assert!(!commands("npm publish || { echo no; exit 1; }")[0].failure_ignored);
    }

    proptest::proptest! {
        #[test]
        fn any_text_ends(text in "[a-z $(){}'\"`\\\\\n;|&<>=#-]{0,80}") {
            let _ = commands(&text);
        }

        #[test]
        fn any_unicode_ends(text in "\\PC{0,60}") {
            let _ = commands(&text);
        }
    }
}
