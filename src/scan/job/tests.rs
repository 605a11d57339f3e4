#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::super::checkout::scan_tree;
use super::super::tree::Memory;
use super::super::{PublishPath, Registry, RepoScan, TokenUse};

/// Scans files given by path and text; `{{registry}}` stands for the public registry's host.
pub fn read_files(files: &[(&str, &str)]) -> RepoScan {
    let texts = files
        .iter()
        .map(|(p, t)| ((*p).to_owned(), crate::assets::fill(t).into_owned()));
    scan_tree(&Memory::new(texts), None, "acme__kit")
}

fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

/// `job line tool credential secret`, with what differs from the usual in brackets.
pub fn paths(parts: &RepoScan) -> Vec<String> {
    let one = |p: &PublishPath| {
        let mut out = format!(
            "{} {} {} {} {}",
            p.job.as_deref().unwrap_or("-"),
            p.line,
            word(p.tool),
            word(p.credential),
            p.secret.as_deref().unwrap_or("-")
        );
        if p.registry != Registry::Npmjs {
            out.push_str(&format!(" [{}]", word(p.registry)));
        }
        if p.staged {
            out.push_str(" [staged]");
        }
        if !p.fails_closed {
            out.push_str(" [can fail]");
        }
        out
    };
    parts.publish_paths.iter().map(one).collect()
}

pub fn uses(parts: &RepoScan) -> Vec<String> {
    let one = |u: &TokenUse| {
        format!(
            "{} {} {} {}",
            u.job.as_deref().unwrap_or("-"),
            u.line,
            word(u.purpose),
            u.secret.as_deref().unwrap_or("-")
        )
    };
    parts.token_uses.iter().map(one).collect()
}

pub fn rules(parts: &RepoScan) -> Vec<&'static str> {
    let mut found: Vec<&str> = parts.findings.iter().map(|f| f.rule).collect();
    found.sort_unstable();
    found.dedup();
    found
}
