//! The report as text and as Markdown, from templates that a user may replace.
//!
//! Whatever a template prints is encoded for its sink, so a replaced one cannot let foreign text out as markup; only
//! what `code` and `cell` return is taken as it is. Templates know no loader and read no file.

use super::page::page;
use super::runbook::Runbook;
use super::{Error, Runs};
use crate::assets;
use crate::model::time::Ts;
use crate::safe::shown::counted;
use crate::safe::sink::{markdown_cell, markdown_code, markdown_text};
use crate::session::Session;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior, context};
use std::io::Write;
use std::path::Path;

/// What the report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Markdown,
}

impl Form {
    /// Gives the names of the templates: the summary's, and a page's.
    pub fn templates(self) -> [&'static str; 2] {
        match self {
            Self::Text => ["report/summary.txt.j2", "report/page.txt.j2"],
            Self::Markdown => ["report/summary.md.j2", "report/page.md.j2"],
        }
    }
}

/// Writes a report: the summary, then a page for each repository. `words` is the folder of the user's own templates.
///
/// # Errors
/// What the writer gives, or a user's template that cannot be used.
pub fn report(
    session: &Session,
    runbook: &Runbook,
    now: Ts,
    form: Form,
    words: Option<&Path>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let [summary, of_page] = form.templates();
    let mut jinja = environment(form);
    for name in [summary, of_page] {
        jinja
            .add_template_owned(name, assets::template(name, words)?.into_owned())
            .map_err(|error| failed(name, &error))?;
    }
    let template = jinja
        .get_template(summary)
        .map_err(|error| failed(summary, &error))?;
    let text = template
        .render(context! { book => Serde(runbook) })
        .map_err(|error| failed(summary, &error))?;
    out.write_all(text.as_bytes())?;
    let template = jinja
        .get_template(of_page)
        .map_err(|error| failed(of_page, &error))?;
    Runs::new(&runbook.order).each(
        |repo| {
            template
                .render(context! { page => Serde(page(session, &runbook.shared, repo, now)) })
                .map_err(|error| failed(of_page, &error))
        },
        |text| Ok(out.write_all(text.as_bytes())?),
    )
}

fn failed(name: &'static str, error: &minijinja::Error) -> Error {
    Error::Template {
        name,
        why: crate::safe::shown::visible(&error.to_string()).into_owned(),
    }
}

fn environment(form: Form) -> Environment<'static> {
    let mut jinja = Environment::new();
    // A misspelt name in a template is an error, never an empty place in a report.
    jinja.set_undefined_behavior(UndefinedBehavior::Strict);
    jinja.add_filter("many", |count: usize, noun: &str| counted(count, noun));
    match form {
        Form::Text => {
            jinja.set_formatter(|out, _, value| {
                if !value.is_none() {
                    out.write_str(&value.to_string())?;
                }
                Ok(())
            });
            jinja.add_filter("code", |value: &Value| value.to_string());
            jinja.add_filter("cell", |value: &Value| value.to_string());
        }
        Form::Markdown => {
            jinja.set_formatter(|out, _, value| {
                if value.is_safe() || value.is_number() {
                    out.write_str(&value.to_string())?;
                } else if !value.is_none() {
                    out.write_str(&markdown_text(&value.to_string()))?;
                }
                Ok(())
            });
            let code = |value: &Value| Value::from_safe_string(markdown_code(&value.to_string()));
            jinja.add_filter("code", code);
            let cell = |value: &Value| Value::from_safe_string(markdown_cell(&value.to_string()));
            jinja.add_filter("cell", cell);
            // These would let raw text out.
            for name in ["safe", "escape", "e"] {
                jinja.remove_filter(name);
            }
        }
    }
    jinja
}
