//! Reads GraphQL query documents: operations, fragments, selections, arguments.
//! Reads the executable half of the language only; must not know what fields there are.

use std::iter::Peekable;
use std::str::CharIndices;

use serde_json::{Map, Value};

/// A value as written: a variable is not yet known.
#[derive(Debug, Clone)]
pub enum Written {
    Variable(String),
    Plain(Value),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

#[derive(Debug, Clone, Default)]
pub struct Field {
    pub alias: Option<String>,
    pub name: String,
    pub written: Vec<(String, Written)>,
    pub selections: Vec<Selection>,
}

#[derive(Debug, Clone)]
pub enum Selection {
    Field(Field),
    Inline {
        on: Option<String>,
        selections: Vec<Self>,
    },
    Spread(String),
}

#[derive(Debug, Clone)]
pub struct Operation {
    pub kind: String,
    pub name: Option<String>,
    /// Variables with their defaults.
    pub variables: Vec<(String, Option<Written>)>,
    pub selections: Vec<Selection>,
}

#[derive(Debug, Clone)]
pub struct Fragment {
    pub name: String,
    pub on: Option<String>,
    pub selections: Vec<Selection>,
}

#[derive(Debug, Clone, Default)]
pub struct Document {
    operations: Vec<Operation>,
    fragments: Vec<Fragment>,
}

impl Document {
    /// Finds the operation to run: the only one, or the named one.
    pub fn operation(&self, name: Option<&str>) -> Option<&Operation> {
        match name {
            Some(name) => self
                .operations
                .iter()
                .find(|one| one.name.as_deref() == Some(name)),
            None => self
                .operations
                .first()
                .filter(|_| self.operations.len() == 1),
        }
    }

    pub fn fragment(&self, name: &str) -> Option<&Fragment> {
        self.fragments.iter().find(|one| one.name == name)
    }
}

impl Operation {
    /// Gives the variables with defaults where nothing was sent.
    pub fn with_defaults(&self, sent: &Value) -> Value {
        let mut map: Map<String, Value> = sent.as_object().cloned().unwrap_or_default();
        for (name, default) in &self.variables {
            if let (false, Some(default)) = (map.contains_key(name), default) {
                let value = default.value(&Value::Null);
                map.insert(name.clone(), value);
            }
        }
        Value::Object(map)
    }
}

impl Field {
    /// Gives the arguments with the variables put in.
    pub fn args(&self, variables: &Value) -> Map<String, Value> {
        let pairs = self
            .written
            .iter()
            .map(|(name, value)| (name.clone(), value.value(variables)));
        pairs.filter(|(_, value)| !value.is_null()).collect()
    }
}

impl Written {
    fn value(&self, variables: &Value) -> Value {
        match self {
            Self::Variable(name) => variables.get(name).cloned().unwrap_or_default(),
            Self::Plain(value) => value.clone(),
            Self::List(all) => Value::Array(all.iter().map(|one| one.value(variables)).collect()),
            Self::Object(all) => Value::Object(
                all.iter()
                    .map(|(name, one)| (name.clone(), one.value(variables)))
                    .collect(),
            ),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Sign(char),
    Spread,
    Text(String),
    Number(String),
}

/// Reads a document.
///
/// # Errors
/// In GitHub's words: what was found where something else was due.
pub fn document(text: &str) -> Result<Document, String> {
    let mut reader = Reader {
        tokens: tokens(text)?,
        at: 0,
    };
    let mut document = Document::default();
    while let Some(token) = reader.peek().cloned() {
        match token {
            Token::Name(word) if word == "fragment" => {
                reader.at += 1;
                let name = reader.name()?;
                reader.word("on")?;
                let on = Some(reader.name()?);
                reader.directives()?;
                let selections = reader.selections()?;
                document.fragments.push(Fragment {
                    name,
                    on,
                    selections,
                });
            }
            _ => document.operations.push(reader.operation()?),
        }
    }
    Ok(document)
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut all = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '#' => while chars.next_if(|(_, c)| *c != '\n').is_some() {},
            '.' => {
                let more = chars.next_if(|(_, c)| *c == '.').is_some()
                    && chars.next_if(|(_, c)| *c == '.').is_some();
                if !more {
                    return Err(format!("Parse error on \".\" at {at}"));
                }
                all.push(Token::Spread);
            }
            '"' => all.push(Token::Text(string(&mut chars)?)),
            '{' | '}' | '(' | ')' | '[' | ']' | ':' | '$' | '!' | '=' | '@' | '|' | '&' => {
                all.push(Token::Sign(c))
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let mut word = c.to_string();
                while let Some((_, c)) =
                    chars.next_if(|(_, c)| c.is_ascii_alphanumeric() || *c == '_')
                {
                    word.push(c);
                }
                all.push(Token::Name(word));
            }
            c if c.is_ascii_digit() || c == '-' => {
                let mut word = c.to_string();
                while let Some((_, c)) =
                    chars.next_if(|(_, c)| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+'))
                {
                    word.push(c);
                }
                all.push(Token::Number(word));
            }
            c if c.is_whitespace() || c == ',' || c == '\u{feff}' => {}
            other => return Err(format!("Parse error on \"{other}\" at {at}")),
        }
    }
    Ok(all)
}

fn string(chars: &mut Peekable<CharIndices<'_>>) -> Result<String, String> {
    let mut out = String::new();
    while let Some((_, c)) = chars.next() {
        match c {
            '"' => return Ok(out),
            '\\' => match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, 'u')) => {
                    let code: String = (0..4)
                        .filter_map(|_| chars.next().map(|(_, c)| c))
                        .collect();
                    let read = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                    out.push(read.unwrap_or('\u{fffd}'));
                }
                Some((_, other)) => out.push(other),
                None => break,
            },
            other => out.push(other),
        }
    }
    Err("Parse error: a string does not end".to_owned())
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn is(&self, sign: char) -> bool {
        self.peek() == Some(&Token::Sign(sign))
    }

    /// Takes a sign if it stands here.
    fn took(&mut self, sign: char) -> bool {
        let is = self.is(sign);
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, sign: char) -> Result<(), String> {
        match self.next() {
            Some(Token::Sign(found)) if found == sign => Ok(()),
            other => Err(format!("Expected {sign}, actual: {other:?}")),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Name(word)) => Ok(word),
            other => Err(format!("Expected a name, actual: {other:?}")),
        }
    }

    fn word(&mut self, wanted: &str) -> Result<(), String> {
        let found = self.name()?;
        if found == wanted {
            Ok(())
        } else {
            Err(format!("Expected {wanted}, actual: {found}"))
        }
    }

    fn operation(&mut self) -> Result<Operation, String> {
        let mut operation = Operation {
            kind: "query".to_owned(),
            name: None,
            variables: Vec::new(),
            selections: Vec::new(),
        };
        if !self.is('{') {
            operation.kind = self.name()?;
            if let Some(Token::Name(_)) = self.peek() {
                operation.name = Some(self.name()?);
            }
            if self.took('(') {
                while !self.took(')') {
                    self.sign('$')?;
                    let name = self.name()?;
                    self.sign(':')?;
                    self.kind()?;
                    let default = if self.took('=') {
                        Some(self.value()?)
                    } else {
                        None
                    };
                    operation.variables.push((name, default));
                }
            }
            self.directives()?;
        }
        operation.selections = self.selections()?;
        Ok(operation)
    }

    /// A type, which is read over.
    fn kind(&mut self) -> Result<(), String> {
        if self.took('[') {
            self.kind()?;
            self.sign(']')?;
        } else {
            self.name()?;
        }
        self.took('!');
        Ok(())
    }

    fn directives(&mut self) -> Result<(), String> {
        while self.took('@') {
            self.name()?;
            if self.is('(') {
                self.arguments()?;
            }
        }
        Ok(())
    }

    fn selections(&mut self) -> Result<Vec<Selection>, String> {
        self.sign('{')?;
        let mut all = Vec::new();
        while !self.took('}') {
            if self.peek() == Some(&Token::Spread) {
                self.at += 1;
                all.push(self.spread()?);
            } else {
                all.push(Selection::Field(self.field()?));
            }
        }
        Ok(all)
    }

    fn spread(&mut self) -> Result<Selection, String> {
        let mut on = None;
        if let Some(Token::Name(word)) = self.peek().cloned() {
            self.at += 1;
            if word != "on" {
                self.directives()?;
                return Ok(Selection::Spread(word));
            }
            on = Some(self.name()?);
        }
        self.directives()?;
        Ok(Selection::Inline {
            on,
            selections: self.selections()?,
        })
    }

    fn field(&mut self) -> Result<Field, String> {
        let mut field = Field {
            name: self.name()?,
            ..Field::default()
        };
        if self.took(':') {
            field.alias = Some(std::mem::replace(&mut field.name, self.name()?));
        }
        if self.is('(') {
            field.written = self.arguments()?;
        }
        self.directives()?;
        if self.is('{') {
            field.selections = self.selections()?;
        }
        Ok(field)
    }

    fn arguments(&mut self) -> Result<Vec<(String, Written)>, String> {
        self.sign('(')?;
        let mut all = Vec::new();
        while !self.took(')') {
            let name = self.name()?;
            self.sign(':')?;
            all.push((name, self.value()?));
        }
        Ok(all)
    }

    fn value(&mut self) -> Result<Written, String> {
        let plain = |value: Value| Ok(Written::Plain(value));
        match self.next() {
            Some(Token::Sign('$')) => self.name().map(Written::Variable),
            Some(Token::Text(text)) => plain(Value::String(text)),
            Some(Token::Number(text)) => {
                let number: Result<Value, _> = serde_json::from_str(&text);
                number
                    .map(Written::Plain)
                    .map_err(|error| format!("Expected a number: {error}"))
            }
            Some(Token::Name(word)) => plain(match word.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                _ => Value::String(word),
            }),
            Some(Token::Sign('[')) => {
                let mut all = Vec::new();
                while !self.took(']') {
                    all.push(self.value()?);
                }
                Ok(Written::List(all))
            }
            Some(Token::Sign('{')) => {
                let mut all = Vec::new();
                while !self.took('}') {
                    let name = self.name()?;
                    self.sign(':')?;
                    all.push((name, self.value()?));
                }
                Ok(Written::Object(all))
            }
            other => Err(format!("Expected a value, actual: {other:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_document_is_read() {
        let text = "# words\nquery Q($a: Int = 7, $b: [ID!]!) @x { one: two(n: $a, o: {f: UP, l: [1, \"z\\u0041\"]}) { ...F ... on T { y } } }\nfragment F on T { z }";
        let document = document(text).unwrap();
        let operation = document.operation(Some("Q")).unwrap();
        let variables = operation.with_defaults(&serde_json::json!({ "b": [] }));
        let Selection::Field(field) = &operation.selections[0] else {
            panic!()
        };
        assert_eq!(field.alias.as_deref(), Some("one"));
        let args = Value::Object(field.args(&variables));
        assert_eq!(
            args,
            serde_json::json!({ "n": 7, "o": { "f": "UP", "l": [1, "zA"] } })
        );
        assert_eq!(document.fragment("F").unwrap().selections.len(), 1);
        assert!(document.operation(None).is_some());
    }

    #[test]
    fn what_is_no_document_is_an_error() {
        for text in ["{", "query {", "{ a(b: ) }", "{ a \"", "{ .. on }", "}"] {
            assert!(document(text).is_err(), "{text}");
        }
    }
}
