//! Where a job runs: GitHub's own machines, somebody else's, or not to be told from the files.
//!
//! The labels of other providers stand in the policy. A label that neither GitHub nor a known provider uses is unknown, never guessed.

use super::super::Runner;
use super::super::expression::{self, Ref};
use super::flow::Job;
use crate::assets::policy;

/// Tells the kind of runner and gives its labels as written.
pub(super) fn kind(job: &Job<'_>) -> (Runner, Option<String>) {
    let Some(node) = job.runs_on else {
        return (Runner::Unknown, None);
    };
    let mut labels: Vec<&str> = node.strings();
    let mut grouped = false;
    if node.is_map() {
        grouped = node.get("group").is_some();
        labels = node.get("labels").map(|l| l.strings()).unwrap_or_default();
    }
    let written = if grouped && labels.is_empty() {
        node.get("group")
            .and_then(|g| g.as_str())
            .map(|g| format!("group: {g}"))
    } else {
        Some(labels.join(", "))
    };
    let mut worst = Runner::Hosted;
    if labels.is_empty() {
        worst = Runner::Unknown;
    }
    for label in labels {
        let one = label_kind(label, job);
        worst = match (worst, one) {
            (Runner::SelfHosted, _) | (_, Runner::SelfHosted) => Runner::SelfHosted,
            (Runner::Unknown, _) | (_, Runner::Unknown) => Runner::Unknown,
            _ => Runner::Hosted,
        };
    }
    if grouped && worst == Runner::Hosted {
        worst = Runner::Unknown;
    }
    (worst, written)
}

fn label_kind(label: &str, job: &Job<'_>) -> Runner {
    if !expression::is_dynamic(label) {
        return plain(label);
    }
    let refs = expression::refs(label);
    let mut seen = Vec::new();
    for found in refs {
        match found {
            Ref::Matrix(name) => {
                let last = label
                    .rsplit('.')
                    .next()
                    .unwrap_or("")
                    .trim_end_matches(['}', ' ']);
                let values = job.matrix.iter().find(|(n, _)| *n == last || *n == name);
                match values {
                    Some((_, values)) if !values.is_empty() => {
                        seen.extend(values.iter().map(|v| plain(v)))
                    }
                    _ => return Runner::Unknown,
                }
            }
            Ref::Literal(text) => seen.push(plain(&text)),
            _ => return Runner::Unknown,
        }
    }
    match seen.first() {
        Some(first) if seen.iter().all(|k| k == first) => *first,
        Some(_) if seen.contains(&Runner::SelfHosted) => Runner::SelfHosted,
        _ => Runner::Unknown,
    }
}

fn plain(label: &str) -> Runner {
    let label = label.trim().to_ascii_lowercase();
    let others = &policy().runner.third_party;
    if others.iter().any(|start| label.starts_with(start.as_str()))
        || label.contains("self-hosted")
        || label.contains("selfhosted")
    {
        return Runner::SelfHosted;
    }
    let Some((system, rest)) = label.split_once('-') else {
        return Runner::Unknown;
    };
    let known = matches!(system, "ubuntu" | "windows" | "macos");
    let version = rest.split('-').next().unwrap_or("");
    let dated = !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '.');
    let own = version == "latest"
        || version == "slim"
        || (dated && (system != "ubuntu" || version.contains('.')));
    if known && own {
        Runner::Hosted
    } else {
        Runner::Unknown
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn labels() {
        for hosted in [
            "ubuntu-latest",
            "ubuntu-24.04",
            "ubuntu-22.04-arm",
            "ubuntu-slim",
            "windows-2022",
            "windows-11-arm",
            "macos-15-intel",
            "macos-latest-xlarge",
            "ubuntu-latest-4-cores",
        ] {
            assert_eq!(plain(hosted), Runner::Hosted, "{hosted}");
        }
        for other in [
            "self-hosted",
            "blacksmith-4vcpu-ubuntu-2204",
            "depot-ubuntu-22.04",
            "namespace-profile-x",
            "warp-ubuntu-latest-x64-4x",
            "buildjet-4vcpu-ubuntu-2204",
        ] {
            assert_eq!(plain(other), Runner::SelfHosted, "{other}");
        }
        for unknown in ["linux", "acme-large", "ubuntu-22-8core"] {
            assert_eq!(plain(unknown), Runner::Unknown, "{unknown}");
        }
    }
}
