//! The little of Groovy that a Jenkinsfile's reading needs: strings, words, marks, and what a string belongs to.
//!
//! Comments are left out and nothing is evaluated. Knows no stage, credential or command.

/// Most tokens that are read of one file.
pub(super) const TOKEN_CAP: usize = 200_000;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Word(String),
    Text(String),
    /// One of `{ } ( ) [ ] , : =` or a line end.
    Mark(char),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: u32,
}

/// Splits Groovy text into words, strings and marks; comments are left out.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut line = 1_u32;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if out.len() >= TOKEN_CAP {
            break;
        }
        let mut take = c.len_utf8();
        let kind = if rest.starts_with("//") || (rest.starts_with("#!") && out.is_empty()) {
            take = rest.find('\n').unwrap_or(rest.len());
            None
        } else if rest.starts_with("/*") {
            take = rest.find("*/").map_or(rest.len(), |at| at + 2);
            None
        } else if let Some((value, length)) = quoted(rest) {
            take = length;
            Some(Kind::Text(value))
        } else if c.is_alphanumeric() || c == '_' {
            take = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            rest.get(..take).map(|word| Kind::Word(word.to_owned()))
        } else if "{}()[],:=\n;".contains(c) {
            Some(Kind::Mark(if c == ';' { '\n' } else { c }))
        } else {
            None
        };
        out.extend(kind.map(|kind| Token { kind, line }));
        let (taken, tail) = rest.split_at_checked(take).unwrap_or((rest, ""));
        line += u32::try_from(taken.bytes().filter(|&b| b == b'\n').count()).unwrap_or(0);
        rest = tail;
    }
    out
}

/// A Groovy string at the start of the text: its value, and its length with quotes.
pub(in crate::scan) fn quoted(text: &str) -> Option<(String, usize)> {
    let quote = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|q| text.starts_with(q))?;
    let body = text.get(quote.len()..)?;
    let mut value = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        if body.get(at..).is_some_and(|b| b.starts_with(quote)) {
            return Some((value, quote.len() * 2 + at));
        }
        match c {
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                // A line continued inside a command stays one.
                Some((_, '\n')) => value.push_str("\\\n"),
                Some((_, other)) => value.push(other),
                None => break,
            },
            '\n' if quote.len() == 1 => return Some((value, quote.len() + at)),
            c => value.push(c),
        }
    }
    Some((value, text.len()))
}

/// Names of the functions that the file defines: `def name(…) {`.
pub(super) fn functions(tokens: &[Token]) -> Vec<String> {
    let braces = tokens
        .iter()
        .enumerate()
        .filter(|(_, t)| t.kind == Kind::Mark('{'));
    braces
        .filter_map(|(index, _)| function_of(tokens, index).map(str::to_owned))
        .collect()
}

/// The function whose body opens at this brace: two words before a parameter list.
pub(super) fn function_of(tokens: &[Token], brace: usize) -> Option<&str> {
    let mut at = brace.checked_sub(1)?;
    while tokens.get(at)?.kind == Kind::Mark('\n') {
        at = at.checked_sub(1)?;
    }
    if tokens.get(at)?.kind != Kind::Mark(')') {
        return None;
    }
    let mut open = 1_u32;
    while open > 0 {
        at = at.checked_sub(1)?;
        match tokens.get(at)?.kind {
            Kind::Mark(')') => open += 1,
            Kind::Mark('(') => open -= 1,
            Kind::Mark('{' | '}') => return None,
            _ => {}
        }
    }
    let (name, before) = (
        tokens.get(at.checked_sub(1)?)?,
        tokens.get(at.checked_sub(2)?)?,
    );
    match (&before.kind, &name.kind) {
        (Kind::Word(kind), Kind::Word(name))
            if !matches!(kind.as_str(), "else" | "return" | "new" | "in") =>
        {
            Some(name)
        }
        _ => None,
    }
}

/// The word that a string or brace belongs to: the name before it, before `(`, `:` or `=`, or before the argument's own call.
pub(super) fn owner(tokens: &[Token], index: usize) -> Option<&str> {
    let mut at = index;
    let mut nested = 0_u32;
    for _ in 0..200 {
        at = at.checked_sub(1)?;
        match &tokens.get(at)?.kind {
            Kind::Word(word) if nested == 0 => return Some(word),
            Kind::Mark(')' | ']') => nested += 1,
            Kind::Mark('(' | '[') => nested = nested.saturating_sub(1),
            Kind::Mark('{' | '}' | '\n') if nested == 0 => return None,
            _ => {}
        }
    }
    None
}

/// `sh(script: '…', returnStatus: true)`: a failure does not end the build by itself.
pub(super) fn returns_status(tokens: &[Token], index: usize) -> bool {
    let back = tokens.get(..index).unwrap_or_default().iter().rev();
    let back = back
        .take_while(|t| !matches!(t.kind, Kind::Mark('(' | ')' | '{')))
        .count();
    let call = tokens.get(index.saturating_sub(back)..).unwrap_or_default();
    let call: Vec<&Token> = call
        .iter()
        .take(40)
        .take_while(|t| t.kind != Kind::Mark(')'))
        .collect();
    call.windows(3).any(|w| {
        matches!(w, [Token { kind: Kind::Word(k), .. }, Token { kind: Kind::Mark(':'), .. }, Token { kind: Kind::Word(v), .. }] if k == "returnStatus" && v == "true")
    })
}
