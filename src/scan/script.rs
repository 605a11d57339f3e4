//! Shell text to simple commands: words, assignments, redirections and whether a failure would be noticed.
//!
//! Nothing is run or expanded. Variables, substitutions and `${{ }}` stay in the words as written, except plain
//! assignments of the same script. What cannot be read as shell is read as far as it goes.

mod guard;
mod hidden;
mod lexer;
mod reader;

pub use hidden::hides_what_it_runs;
use lexer::{Kind, Lexer, Token};
use reader::Reader;

/// Most commands that are kept of one script.
pub const COMMAND_CAP: usize = 20_000;

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
mod tests;
