//! Shell text to tokens: words with their quotes taken off, operators, redirections and here-documents.

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
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
pub(super) struct Token {
    pub line: u32,
    pub kind: Kind,
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

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    tokens: Vec<Token>,
    /// Here-documents announced on this line: end word, strip tabs.
    pending: Vec<(String, bool)>,
    /// Inside `[[ … ]]`, where `<`, `>`, `&&`, `||` and brackets compare and join and are no operators of the shell.
    compares: bool,
}

impl<'t> Lexer<'t> {
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            line: 0,
            tokens: Vec::new(),
            pending: Vec::new(),
            compares: false,
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

    pub fn run(mut self) -> Vec<Token> {
        while let Some(c) = self.peek() {
            match c {
                '\n' => {
                    self.compares &= self.joins_lines();
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
                _ if self.compares && self.comparison() => {}
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

    /// Takes an operator of `[[ … ]]` as a word.
    fn comparison(&mut self) -> bool {
        let rest = self.rest();
        let operators = ["&&", "||", "<", ">", "(", ")"];
        let Some(text) = operators.into_iter().find(|o| rest.starts_with(o)) else {
            return false;
        };
        self.at += text.len();
        self.push(Kind::Word {
            text: text.to_owned(),
            plain: false,
        });
        true
    }

    /// Tells whether a test goes on in the next line: `[[ a && ⏎ b ]]`.
    fn joins_lines(&self) -> bool {
        let last = self.tokens.last().map(|t| &t.kind);
        matches!(last, Some(Kind::Word { text, .. }) if matches!(text.as_str(), "&&" | "||" | "[["))
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
        match text.as_str() {
            "[[" if plain => self.compares = true,
            "]]" => self.compares = false,
            _ => {}
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
                '$' if self.rest().starts_with("$'") => {
                    plain = false;
                    self.escaped(&mut text);
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

    /// Reads `$'…'`, in which a backslash stands for a character
    /// (<https://www.gnu.org/software/bash/manual/html_node/ANSI_002dC-Quoting.html>).
    fn escaped(&mut self, text: &mut String) {
        self.bump();
        self.bump();
        while let Some(c) = self.bump() {
            match c {
                '\'' => return,
                '\\' => match self.bump() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some('x') => self.coded(text, 2, 16),
                    Some('u') => self.coded(text, 4, 16),
                    Some(digit @ '0'..='7') => {
                        self.at -= digit.len_utf8();
                        self.coded(text, 3, 8);
                    }
                    Some(other) => text.push(other),
                    None => {}
                },
                other => text.push(other),
            }
        }
    }

    /// Reads at most so many digits as the number of a character.
    fn coded(&mut self, text: &mut String, most: usize, radix: u32) {
        let digits: String = self
            .rest()
            .chars()
            .take(most)
            .take_while(|c| c.is_digit(radix))
            .collect();
        self.at += digits.len();
        let number = u32::from_str_radix(&digits, radix).ok();
        text.extend(number.and_then(char::from_u32));
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
