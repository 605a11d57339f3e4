//! `cutover log list`: who did what when, in the file's order or newest last.

use super::super::Exit;
use super::super::context::Context;
use super::super::error::CommandError;
use crate::journal::{HEADS_SEEN, WRITER_JOINED};
use crate::model::event::spec;
use crate::model::id::Subject;
use crate::safe::json::write_json;
use crate::safe::shown::{visible, visible_within};
use crate::session::Session;
use crate::session::fold::{Entry, Signature};
use crate::session::name;
use chrono::{DateTime, Local};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Longest text of one value in the table, in columns.
const VALUE: usize = 100;
/// Values of an answer that the table shows; `--format json` has all.
const FEW: usize = 6;

/// How the list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// Version 1
    Json,
}

#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The session file [default: the only *.cutover here]
    #[arg(value_name = "SESSION")]
    pub session: Option<PathBuf>,
    /// Only what is about this
    #[arg(long, value_name = "SUBJECT")]
    pub about: Option<String>,
    /// Only events of this kind, for example lane_chosen
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Only the last so many [default: all]
    #[arg(long, value_name = "COUNT")]
    pub last: Option<usize>,
    /// Also what the program writes for itself: who joined, which last lines were known
    #[arg(long)]
    pub all: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Lists.
///
/// # Errors
/// The file cannot be used, or a name means nothing.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let path = context.session_path(options.session.as_deref())?;
    let session = context.read(&path)?;
    let about: Option<Subject> = match &options.about {
        Some(name) => Some(name::find(session.facts(), name)?),
        None => None,
    };
    let wanted = |entry: &&Entry| {
        let own = matches!(entry.kind_word(), HEADS_SEEN | WRITER_JOINED);
        (options.all || options.kind.is_some() || !own)
            && about.is_none_or(|about| entry.about == Some(about))
            && options
                .kind
                .as_deref()
                .is_none_or(|kind| entry.kind_word() == kind)
    };
    if let Some(kind) = &options.kind {
        is_kind(kind, &session)?;
    }
    let mut entries: Vec<&Entry> = session.log().iter().filter(wanted).collect();
    let skip = entries
        .len()
        .saturating_sub(options.last.unwrap_or(usize::MAX));
    entries.drain(..skip);
    if entries.is_empty() {
        context.out.say("There is no such event.");
        return Ok(Exit::NothingFound);
    }
    match options.format {
        Format::Table => {
            let width = |text: fn(&Session, &Entry) -> String| {
                let widths = entries
                    .iter()
                    .map(|entry| text(&session, entry).chars().count());
                widths.max().unwrap_or(0)
            };
            let widths = [
                width(id),
                width(|session, entry| by(session, entry).into_owned()),
                width(|_, entry| entry.kind_word().to_owned()),
            ];
            for entry in entries {
                let line = row(&session, entry, widths)?;
                writeln!(context.out.data(), "{line}")?;
            }
        }
        Format::Json => as_json(&session, &entries, context)?,
    }
    Ok(Exit::Done)
}

/// Refuses a word that is no kind of event, neither of this version nor in this file.
fn is_kind(kind: &str, session: &Session) -> Result<(), CommandError> {
    let here: BTreeSet<&str> = session.log().iter().map(Entry::kind_word).collect();
    if spec(kind).is_some() || here.contains(kind) {
        return Ok(());
    }
    let here: Vec<_> = here.into_iter().map(visible).collect();
    Err(
        CommandError::usage(format!("`{}` is not a kind of event", visible(kind)))
            .hint(format!("kinds here: {}", here.join(", "))),
    )
}

fn data(session: &Session, entry: &Entry) -> Result<Value, CommandError> {
    session
        .data(entry)
        .map_err(|error| CommandError::io("read back", session.path(), &error))
}

fn by<'a>(session: &'a Session, entry: &Entry) -> std::borrow::Cow<'a, str> {
    let writer = session.writers().get(usize::from(entry.id.writer));
    visible(writer.map_or("", |writer| &writer.person))
}

fn id(session: &Session, entry: &Entry) -> String {
    session
        .name_of(entry.id)
        .map(|id| id.to_string())
        .unwrap_or_default()
}

fn signature(signature: Signature) -> &'static str {
    match signature {
        Signature::None => "unsigned",
        Signature::NotChecked => "not checked",
        Signature::Good => "signed",
        Signature::Bad => "bad signature",
    }
}

fn row(
    session: &Session,
    entry: &Entry,
    [ids, people, kinds]: [usize; 3],
) -> Result<String, CommandError> {
    let at = DateTime::<Local>::from(entry.at.utc()).format("%Y-%m-%d %H:%M:%S %:z");
    let about = entry
        .about
        .map(|about| name::label(session.facts(), about))
        .unwrap_or_default();
    let sign = match entry.signature {
        Signature::None => String::new(),
        other => format!("  [{}]", signature(other)),
    };
    let words = words(&data(session, entry)?);
    Ok(format!(
        "{at}  {:ids$}  {:people$}  {:kinds$}  {about}{}{words}{sign}",
        id(session, entry),
        by(session, entry),
        entry.kind_word(),
        if words.is_empty() { "" } else { "  " },
    ))
}

/// Puts the data of an event into words: the plain values, by name; of an answer, the first few.
fn words(data: &Value) -> String {
    let Value::Object(fields) = data else {
        return String::new();
    };
    let mut parts = Vec::new();
    for (key, value) in fields {
        let key = visible_within(key, 40);
        match value {
            Value::Object(inner) => {
                let few: Vec<String> = inner
                    .iter()
                    .filter_map(|(key, value)| word(key, value))
                    .take(FEW)
                    .collect();
                parts.push(format!("{key}({})", few.join(" ")));
            }
            _ => parts.extend(word(&key, value)),
        }
    }
    parts.join(" ")
}

fn word(key: &str, value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) if !text.is_empty() => visible_within(text, VALUE).into_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) if !items.is_empty() => format!("[{}]", items.len()),
        _ => return None,
    };
    Some(format!("{}={text}", visible_within(key, 40)))
}

fn as_json(
    session: &Session,
    entries: &[&Entry],
    context: &mut Context,
) -> Result<(), CommandError> {
    let mut out = context.out.data();
    out.write_all(b"{\"version\":1,\"events\":[")?;
    for (n, entry) in entries.iter().enumerate() {
        out.write_all(if n == 0 { b"\n" } else { b",\n" })?;
        let event = json!({
            "id": id(session, entry),
            "at": entry.at,
            "by": by(session, entry),
            "kind": entry.kind_word(),
            "about": entry.about.map(|about| about.to_string()),
            "name": entry.about.map(|about| name::label(session.facts(), about)),
            "signature": signature(entry.signature),
            "line": entry.place.line,
            "data": data(session, entry)?,
        });
        write_json(&mut out, &event)?;
    }
    out.write_all(b"\n]}\n")?;
    Ok(())
}
