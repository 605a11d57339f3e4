//! GitHub's `${{ }}` expressions: which secrets, inputs and variables a value can take.
//!
//! Expressions are not evaluated: both sides of `a || b` count, the condition of `c && a` does not.
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
    let inner = condition
        .trim()
        .trim_start_matches("${{")
        .trim_end_matches("}}")
        .trim();
    matches!(inner, "false" | "!true" | "'false'" | "0")
        || inner.starts_with("false &&")
        || inner.ends_with("&& false")
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
}
