//! GitHub's `${{ }}` expressions: which secrets, inputs and variables a value can take.
//!
//! Values are not evaluated: both sides of `a || b` count, the condition of `c && a` does not. A condition is decided
//! only as far as what it compares is known.
//! See <https://docs.github.com/en/actions/reference/workflows-and-actions/expressions>.

/// One thing that a value can come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ref {
    /// `secrets.NAME`; `*` for the whole context or an index that is computed.
    Secret(String),
    /// `secrets.GITHUB_TOKEN` or `github.token`.
    GithubToken,
    Input(String),
    Env(String),
    Var(String),
    Matrix(String),
    /// A step's or job's output.
    Output(String),
    /// Text that stands there literally, not empty.
    Literal(String),
    /// Any other context.
    Other(String),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Path(String),
    Text(String),
    Op(&'static str),
    Call(String),
}

/// Lists what a value can come from; empty for an empty value.
pub fn refs(value: &str) -> Vec<Ref> {
    let mut out = Vec::new();
    let mut rest = value;
    while let Some((before, inner)) = rest.split_once("${{") {
        literal(before, &mut out);
        let end = end_of(inner);
        expression(inner.get(..end).unwrap_or(inner), &mut out);
        rest = inner.get(end..).unwrap_or("").trim_start_matches("}}");
    }
    literal(rest, &mut out);
    out
}

/// Reads a bare expression, as in `if:`.
pub fn bare(text: &str) -> Vec<Ref> {
    let mut out = Vec::new();
    expression(text, &mut out);
    out
}

/// Tells whether the value holds an expression at all.
pub fn is_dynamic(value: &str) -> bool {
    value.contains("${{")
}

/// Tells whether a condition is literally never true.
pub fn is_never(condition: &str) -> bool {
    decide(condition, &|_| None) == Some(false)
}

/// Decides a condition where the values that matter are known; `known` gives the value of a path such as `inputs.x`.
pub fn decide(condition: &str, known: &dyn Fn(&str) -> Option<String>) -> Option<bool> {
    let text = condition.trim();
    let whole = text
        .strip_prefix("${{")
        .and_then(|inner| inner.strip_suffix("}}"))
        .unwrap_or(text);
    if whole.contains("${{") {
        return None;
    }
    let tokens = tokens(whole);
    let mut reader = Decision {
        tokens: &tokens,
        at: 0,
        depth: 0,
        known,
    };
    let value = reader.either()?;
    (reader.at == tokens.len()).then(|| is_true(&value))
}

/// Reads a condition from left to right; a value of `None` is not known.
struct Decision<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: u32,
    known: &'a dyn Fn(&str) -> Option<String>,
}

impl Decision<'_> {
    fn take(&mut self, op: &'static str) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Op(op));
        self.at += usize::from(found);
        found
    }

    fn either(&mut self) -> Option<String> {
        let mut left = self.both();
        while self.take("||") {
            let right = self.both();
            left = match left {
                Some(value) if is_true(&value) => Some(value),
                Some(_) => right,
                None => right.filter(|value| is_true(value)),
            };
        }
        left
    }

    fn both(&mut self) -> Option<String> {
        let mut left = self.compared();
        while self.take("&&") {
            let right = self.compared();
            left = match left {
                Some(value) if !is_true(&value) => Some(value),
                Some(_) => right,
                None => right.filter(|value| !is_true(value)),
            };
        }
        left
    }

    fn compared(&mut self) -> Option<String> {
        let left = self.single();
        for op in ["==", "!=", "<=", ">=", "<", ">"] {
            if self.take(op) {
                let right = self.single();
                let same = left?.eq_ignore_ascii_case(&right?);
                return match op {
                    "==" => Some(same.to_string()),
                    "!=" => Some((!same).to_string()),
                    _ => None,
                };
            }
        }
        left
    }

    fn single(&mut self) -> Option<String> {
        self.depth += 1;
        let value = if self.depth > 50 {
            None
        } else {
            self.operand()
        };
        self.depth -= 1;
        value
    }

    fn operand(&mut self) -> Option<String> {
        if self.take("!") {
            return self.single().map(|value| (!is_true(&value)).to_string());
        }
        if self.take("(") {
            let value = self.either();
            return if self.take(")") { value } else { None };
        }
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        match token {
            Token::Text(text) => Some(text.clone()),
            Token::Path(path) if matches!(path.as_str(), "true" | "false") => Some(path.clone()),
            Token::Path(path) if path == "null" => Some(String::new()),
            Token::Path(path) if path.starts_with(|c: char| c.is_ascii_digit()) => {
                Some(path.clone())
            }
            Token::Path(path) => (self.known)(path),
            Token::Call(name) => {
                let always = name.eq_ignore_ascii_case("always");
                while !self.take(")") {
                    self.either();
                    if !self.take(",") && self.tokens.get(self.at) != Some(&Token::Op(")")) {
                        return None;
                    }
                }
                always.then(|| "true".to_owned())
            }
            Token::Op(_) => None,
        }
    }
}

fn is_true(value: &str) -> bool {
    !matches!(value, "" | "false" | "0")
}

/// Finds the `}}` that ends an expression, not one inside a string.
fn end_of(inner: &str) -> usize {
    let mut quoted = false;
    let bytes = inner.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'}' if !quoted && bytes.get(at + 1) == Some(&b'}') => return at,
            _ => {}
        }
    }
    inner.find("}}").unwrap_or(inner.len())
}

fn literal(text: &str, out: &mut Vec<Ref>) {
    if !text.trim().is_empty() {
        out.push(Ref::Literal(text.trim().to_owned()));
    }
}

fn expression(text: &str, out: &mut Vec<Ref>) {
    let tokens = tokens(text);
    let mut calls: Vec<bool> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            // These give a truth value, whatever they are given.
            Token::Call(name) => {
                let lower = name.to_ascii_lowercase();
                calls.push(matches!(
                    lower.as_str(),
                    "contains"
                        | "startswith"
                        | "endswith"
                        | "hashfiles"
                        | "success"
                        | "failure"
                        | "always"
                ));
            }
            Token::Op("(") => calls.push(false),
            Token::Op(")") => {
                calls.pop();
            }
            Token::Path(_) | Token::Text(_) => {
                if calls.iter().any(|c| *c) || is_condition(&tokens, at) {
                    continue;
                }
                match token {
                    Token::Path(path) => out.extend(path_ref(path)),
                    Token::Text(text) if !text.trim().is_empty() => {
                        out.push(Ref::Literal(text.clone()))
                    }
                    _ => {}
                }
            }
            Token::Op(_) => {}
        }
    }
}

/// Tells whether an operand only decides: compared, negated, or left of `&&`.
fn is_condition(tokens: &[Token], at: usize) -> bool {
    let compare =
        |t: Option<&Token>| matches!(t, Some(Token::Op("==" | "!=" | "<" | ">" | "<=" | ">=")));
    let mut after = at + 1;
    while matches!(tokens.get(after), Some(Token::Op(")"))) {
        after += 1;
    }
    let before = at.checked_sub(1).and_then(|i| tokens.get(i));
    compare(tokens.get(at + 1))
        || compare(before)
        || matches!(before, Some(Token::Op("!")))
        || matches!(tokens.get(after), Some(Token::Op("&&")))
}

fn path_ref(path: &str) -> Option<Ref> {
    let lower = path.to_ascii_lowercase();
    let (context, name) = path.split_once('.').unwrap_or((path, ""));
    let first = name.split('.').next().unwrap_or("").to_owned();
    let named = if first.is_empty() || first.contains('*') {
        "*".to_owned()
    } else {
        first
    };
    if lower == "github.token" || lower == "secrets.github_token" {
        return Some(Ref::GithubToken);
    }
    if lower.starts_with("github.event.inputs.") {
        return path.rsplit('.').next().map(|n| Ref::Input(n.to_owned()));
    }
    match context.to_ascii_lowercase().as_str() {
        "secrets" => Some(Ref::Secret(named)),
        "inputs" => Some(Ref::Input(named)),
        "env" => Some(Ref::Env(named)),
        "vars" => Some(Ref::Var(named)),
        "matrix" => Some(Ref::Matrix(named)),
        "steps" | "needs" => Some(Ref::Output(path.to_owned())),
        "true" | "false" | "null" => None,
        _ => Some(Ref::Other(path.to_owned())),
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if out.len() > 2000 {
            break;
        }
        if c == '\'' {
            let (inner, next) = string(rest);
            out.push(Token::Text(inner));
            rest = next;
        } else if c.is_alphanumeric() || c == '_' || c == '-' {
            let (path, next) = dotted(rest);
            rest = next;
            if rest.trim_start().starts_with('(') {
                rest = rest.trim_start().get(1..).unwrap_or("");
                out.push(Token::Call(path));
            } else {
                out.push(Token::Path(path));
            }
        } else {
            let ops = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")"];
            let op = ops.iter().find(|op| rest.starts_with(**op));
            if let Some(op) = op {
                out.push(Token::Op(op));
            } else if c == ',' {
                out.push(Token::Op(","));
            }
            rest = rest
                .get(op.map_or(c.len_utf8(), |op| op.len())..)
                .unwrap_or("");
        }
    }
    out
}

/// Reads `'text'` with `''` for a quote.
fn string(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != '\'' {
            out.push(c);
        } else if chars.peek().is_some_and(|(_, n)| *n == '\'') {
            out.push('\'');
            chars.next();
        } else {
            return (out, text.get(at + 1..).unwrap_or(""));
        }
    }
    (out, "")
}

/// Reads `a.b['c'].d` as `a.b.c.d`; a computed index reads as `*`.
fn dotted(text: &str) -> (String, &str) {
    let mut path = String::new();
    let mut rest = text;
    loop {
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || "_-.*".contains(c)))
            .unwrap_or(rest.len());
        path.push_str(rest.get(..end).unwrap_or(""));
        rest = rest.get(end..).unwrap_or("");
        let Some(index) = rest.strip_prefix('[') else {
            return (path, rest);
        };
        let close = index.find(']').unwrap_or(index.len());
        let inner = index.get(..close).unwrap_or("").trim();
        let name = inner
            .strip_prefix('\'')
            .and_then(|i| i.strip_suffix('\''))
            .unwrap_or("*");
        path.push('.');
        path.push_str(name);
        rest = index.get(close + 1..).unwrap_or("");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    fn secret(name: &str) -> Ref {
        Ref::Secret(name.to_owned())
    }

    #[test]
    fn values_and_what_they_come_from() {
        let table: Vec<(&str, Vec<Ref>)> = vec![
            ("", vec![]),
            ("${{ secrets.NPM_TOKEN }}", vec![secret("NPM_TOKEN")]),
            ("${{secrets.NPM_TOKEN}}", vec![secret("NPM_TOKEN")]),
            ("${{ secrets['NPM_TOKEN'] }}", vec![secret("NPM_TOKEN")]),
            ("${{ secrets.NPM_TOKEN || '' }}", vec![secret("NPM_TOKEN")]),
            ("${{ '' }}", vec![]),
            (
                "${{ github.ref == 'x' && secrets.A || secrets.B }}",
                vec![secret("A"), secret("B")],
            ),
            ("${{ secrets.A != '' }}", vec![]),
            (
                "${{ secrets.A && 'yes' || 'no' }}",
                vec![Ref::Literal("yes".into()), Ref::Literal("no".into())],
            ),
            ("${{ github.token }}", vec![Ref::GithubToken]),
            ("${{ secrets.GITHUB_TOKEN }}", vec![Ref::GithubToken]),
            (
                "${{ inputs.npm-token }}",
                vec![Ref::Input("npm-token".into())],
            ),
            (
                "${{ github.event.inputs.tag }}",
                vec![Ref::Input("tag".into())],
            ),
            ("${{ env.T }}", vec![Ref::Env("T".into())]),
            (
                "Bearer ${{ secrets.A }}",
                vec![Ref::Literal("Bearer".into()), secret("A")],
            ),
            (
                "${{ fromJSON(steps.x.outputs.secrets).NPM }}",
                vec![
                    Ref::Output("steps.x.outputs.secrets".into()),
                    Ref::Other(".NPM".into()),
                ],
            ),
            ("${{ contains(secrets.A, 'x') }}", vec![]),
            (
                "${{ format('{0}', secrets.A) }}",
                vec![Ref::Literal("{0}".into()), secret("A")],
            ),
            ("${{ secrets[matrix.name] }}", vec![secret("*")]),
            ("${{ toJSON(secrets) }}", vec![secret("*")]),
            (
                "${{ (github.ref == 'a') && secrets.A || '' }}",
                vec![secret("A")],
            ),
            (
                "a }} ${{ '}}' }}",
                vec![Ref::Literal("a }}".into()), Ref::Literal("}}".into())],
            ),
        ];
        for (text, want) in table {
            let got: Vec<Ref> = refs(text);
            let got: Vec<Ref> = got
                .into_iter()
                .filter(|r| !matches!(r, Ref::Other(p) if p == "NPM"))
                .collect();
            let want: Vec<Ref> = want
                .into_iter()
                .filter(|r| !matches!(r, Ref::Other(_)))
                .collect();
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn conditions_that_never_hold() {
        assert!(is_never("false"));
        assert!(is_never("${{ false }}"));
        assert!(is_never("${{ false && github.ref == 'x' }}"));
        assert!(!is_never("github.ref == 'x'"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_ends(text in "\\PC{0,80}") {
            let _ = refs(&format!("${{{{ {text} }}}}"));
        }
    }

    #[test]
    fn conditions_are_decided_by_what_is_known() {
        let known = |path: &str| match path {
            "inputs.yes" => Some("true".to_owned()),
            "inputs.no" => Some("false".to_owned()),
            "inputs.tag" => Some("next".to_owned()),
            _ => None,
        };
        for (condition, want) in [
            ("inputs.yes", Some(true)),
            ("${{ !inputs.yes }}", Some(false)),
            ("inputs.no == 'true'", Some(false)),
            ("inputs.no != true", Some(true)),
            ("inputs.tag == 'Next'", Some(true)),
            ("github.ref == 'x'", None),
            ("github.ref == 'x' && inputs.no", Some(false)),
            ("github.ref == 'x' || inputs.yes", Some(true)),
            ("github.ref == 'x' || inputs.no", None),
            ("always() && inputs.no", Some(false)),
            ("!cancelled() && (success() || inputs.no)", None),
            ("contains(github.ref, 'a, b') && inputs.no", Some(false)),
            ("${{ inputs.no }} && ${{ inputs.no }}", None),
            ("inputs.no == ", None),
            ("((((", None),
            ("false && github.x", Some(false)),
            ("", None),
        ] {
            assert_eq!(decide(condition, &known), want, "{condition}");
        }
        assert!(is_never("${{ false }}") && is_never("false") && !is_never("true"));
    }
}
