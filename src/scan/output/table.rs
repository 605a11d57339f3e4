//! The table of a scan for a terminal of a given width.
//!
//! Owns columns and their shares of the width. All text passes `safe::shown`; nothing here colours.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::super::unread;
use super::super::{
    CiSystem, Credential, PublishPath, Purpose, Registry, RepoScan, Runner, Severity, TokenUse,
    Tool,
};
use crate::safe::redact::redact;
use crate::safe::shown::visible;

/// Narrower than this, columns are not squeezed any further and lines run over.
const MIN_WIDTH: usize = 60;
/// Column gap.
const GAP: usize = 2;

/// Writes the scan as text, at most `width` columns wide (not less than 60).
///
/// # Errors
/// Only what the writer gives.
pub fn write_table(repos: &[RepoScan], width: usize, out: &mut impl Write) -> io::Result<()> {
    let width = width.max(MIN_WIDTH);
    // Repositories with nothing to tell take one line each, after the others.
    let (quiet, told): (Vec<_>, Vec<_>) = repos.iter().partition(|r| {
        r.publish_paths.is_empty() && r.token_uses.is_empty() && r.findings.is_empty()
    });
    for repo in told {
        heading(repo, width, out)?;
        if !repo.publish_paths.is_empty() {
            rows(
                &PATH_HEAD,
                &repo.publish_paths.iter().map(path_row).collect::<Vec<_>>(),
                width,
                out,
            )?;
        }
        if !repo.token_uses.is_empty() {
            rows(
                &USE_HEAD,
                &repo.token_uses.iter().map(use_row).collect::<Vec<_>>(),
                width,
                out,
            )?;
        }
        findings(repo, width, out)?;
        writeln!(out)?;
    }
    for repo in &quiet {
        let line = format!(
            "{}  nothing that publishes or uses a token",
            clean(&repo.repo)
        );
        writeln!(out, "{}", cut(&line, width))?;
    }
    if !quiet.is_empty() {
        writeln!(out)?;
    }
    summary(repos, out)
}

const PATH_HEAD: [&str; 7] = [
    "PUBLISH PATH",
    "JOB",
    "TOOL",
    "CREDENTIAL",
    "ENVIRONMENT",
    "RUNNER",
    "PACKAGES",
];
const USE_HEAD: [&str; 4] = ["TOKEN USE", "JOB", "PURPOSE", "SECRET"];

fn heading(repo: &RepoScan, width: usize, out: &mut impl Write) -> io::Result<()> {
    let ci: Vec<String> = repo.ci.iter().map(|c| ci_words(*c)).collect();
    let ci = if ci.is_empty() {
        "no CI file".to_owned()
    } else {
        ci.join(", ")
    };
    let line = format!("{}  ({ci}; {})", clean(&repo.repo), clean(&repo.refs));
    writeln!(out, "{}", cut(&line, width))
}

fn path_row(path: &PublishPath) -> [String; 7] {
    let tool = match &path.tool_version {
        Some(version) => format!("{} {}", tool_word(path.tool), clean(version)),
        None => tool_word(path.tool).to_owned(),
    };
    let mut credential = match path.credential {
        Credential::Oidc => "oidc".to_owned(),
        Credential::Token => "token".to_owned(),
        Credential::TokenAndOidc => "token+oidc".to_owned(),
        Credential::NoneVisible => "none visible".to_owned(),
    };
    if let Some(secret) = &path.secret {
        credential = format!("{credential} {}", clean(secret));
    }
    if path.staged {
        credential.push_str(", staged");
    }
    match path.registry {
        Registry::Npmjs | Registry::Unknown => {}
        Registry::GithubPackages => credential.push_str(" (GitHub Packages)"),
        Registry::Other => credential.push_str(" (other registry)"),
    }
    [
        format!("{}:{}", clean(&path.file), path.line),
        path.job
            .as_deref()
            .map(clean)
            .unwrap_or_else(|| "-".to_owned()),
        tool,
        credential,
        path.environment
            .as_deref()
            .map(clean)
            .unwrap_or_else(|| "-".to_owned()),
        match path.runner {
            Runner::Hosted => "hosted".to_owned(),
            Runner::SelfHosted => "self-hosted".to_owned(),
            Runner::Unknown => "unknown".to_owned(),
        },
        packages(&path.packages),
    ]
}

fn packages(names: &[String]) -> String {
    match names {
        [] => "-".to_owned(),
        [one] => clean(one),
        [first, rest @ ..] => format!("{} +{}", clean(first), rest.len()),
    }
}

fn use_row(token_use: &TokenUse) -> [String; 4] {
    [
        format!("{}:{}", clean(&token_use.file), token_use.line),
        token_use
            .job
            .as_deref()
            .map(clean)
            .unwrap_or_else(|| "-".to_owned()),
        purpose_word(token_use.purpose).to_owned(),
        token_use
            .secret
            .as_deref()
            .map(clean)
            .unwrap_or_else(|| "-".to_owned()),
    ]
}

fn findings(repo: &RepoScan, width: usize, out: &mut impl Write) -> io::Result<()> {
    for finding in &repo.findings {
        let word = severity_word(finding.severity);
        let place = format!(
            "{}:{}:{}",
            clean(&finding.file),
            finding.line,
            finding.column
        );
        writeln!(
            out,
            "{}",
            cut(&format!("  {word:7}  {}  {place}", finding.rule), width)
        )?;
        for text in [&finding.message, &finding.fix] {
            for line in wrap(&clean(text), width.saturating_sub(11)) {
                writeln!(out, "           {line}")?;
            }
        }
    }
    Ok(())
}

fn summary(repos: &[RepoScan], out: &mut impl Write) -> io::Result<()> {
    let paths = || repos.iter().flat_map(|r| &r.publish_paths);
    let ours = |p: &&PublishPath| matches!(p.registry, Registry::Npmjs | Registry::Unknown);
    let with = |c: Credential| paths().filter(ours).filter(|p| p.credential == c).count();
    let elsewhere = paths().count() - paths().filter(ours).count();
    let severity = |s: Severity| {
        repos
            .iter()
            .flat_map(|r| &r.findings)
            .filter(|f| f.severity == s)
            .count()
    };
    writeln!(
        out,
        "{} to npm: {} by token, {} by OIDC, {} by OIDC with a token left, {} with none visible; {elsewhere} to other registries",
        counted(paths().filter(ours).count(), "publish path"),
        with(Credential::Token),
        with(Credential::Oidc),
        with(Credential::TokenAndOidc),
        with(Credential::NoneVisible),
    )?;
    writeln!(
        out,
        "{}, {}, {}, {}, {}",
        counted(repos.len(), "repo"),
        counted(
            repos
                .iter()
                .flat_map(|repo| &repo.token_uses)
                .filter(|one| !matches!(one.purpose, Purpose::Publish | Purpose::Stage))
                .count(),
            "other token use"
        ),
        counted(severity(Severity::Error), "error"),
        counted(severity(Severity::Warning), "warning"),
        counted(severity(Severity::Note), "note"),
    )
}

/// One table: every column as wide as its content, the widest ones cut first where the width does not hold them.
fn rows<const N: usize>(
    head: &[&str; N],
    body: &[[String; N]],
    width: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut widths = head.map(UnicodeWidthStr::width);
    for row in body {
        for (size, cell) in widths.iter_mut().zip(row) {
            *size = (*size).max(cell.width());
        }
    }
    let room = width.saturating_sub(2 + GAP * N.saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > 6 => *widest -= 1,
            _ => break,
        }
    }
    line(&head.map(str::to_owned), &widths, out)?;
    body.iter().try_for_each(|row| line(row, &widths, out))
}

fn line<const N: usize>(
    cells: &[String; N],
    widths: &[usize; N],
    out: &mut impl Write,
) -> io::Result<()> {
    let mut text = String::from(" ");
    for (cell, &size) in cells.iter().zip(widths) {
        let cell = cut(cell, size);
        let fill = size.saturating_sub(cell.width());
        text.push(' ');
        text.push_str(&cell);
        text.extend(std::iter::repeat_n(' ', fill + GAP - 1));
    }
    writeln!(out, "{}", text.trim_end())
}

/// Redacted and made visible.
fn clean(text: &str) -> String {
    visible(&redact(text)).to_string()
}

/// Cuts to a number of columns, with an ellipsis in the last one.
fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let size = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used + size + 1 > columns {
            break;
        }
        used += size;
        out.push(c);
    }
    out.push('…');
    out
}

/// Breaks at blanks; a word wider than the line keeps a line of its own.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        match lines.last_mut() {
            Some(last) if last.width() + 1 + word.width() <= columns => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

fn ci_words(ci: CiSystem) -> String {
    match ci {
        CiSystem::NotRead(_) => format!("{} not read", ci_word(ci)),
        _ => ci_word(ci).to_owned(),
    }
}

fn ci_word(ci: CiSystem) -> &'static str {
    match ci {
        CiSystem::Github => "GitHub Actions",
        CiSystem::Gitlab => "GitLab CI",
        CiSystem::Circleci => "CircleCI",
        CiSystem::Azure => "Azure Pipelines",
        CiSystem::Jenkins => "Jenkins",
        CiSystem::Travis => "Travis CI",
        CiSystem::NotRead(id) => unread::name_of(id),
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn tool_word(tool: Tool) -> &'static str {
    match tool {
        Tool::Npm => "npm",
        Tool::Pnpm => "pnpm",
        Tool::YarnClassic => "yarn classic",
        Tool::YarnBerry => "yarn berry",
        Tool::Bun => "bun",
        Tool::Lerna => "lerna",
        Tool::Changesets => "changesets",
        Tool::SemanticRelease => "semantic-release",
        Tool::Nx => "nx",
        Tool::ReleaseIt => "release-it",
        Tool::Np => "np",
        Tool::JsDevtoolsNpmPublish => "npm-publish action",
        Tool::Rush => "rush",
        Tool::CustomScript => "script",
        Tool::Other => "other",
    }
}

fn purpose_word(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Publish => "publish",
        Purpose::Stage => "stage",
        Purpose::Install => "install",
        Purpose::DistTag => "dist-tag",
        Purpose::Deprecate => "deprecate",
        Purpose::Unpublish => "unpublish",
        Purpose::Access => "access",
        Purpose::Whoami => "whoami",
        Purpose::Unknown => "unknown",
    }
}
