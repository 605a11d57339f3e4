//! Findings as SARIF 2.1.0, for code scanning: relative URIs and plain text only.
//!
//! Owns the shape of the document; the rules' words come from `rule`, the findings from a scan.
//! Reference: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::rule::{RULES, Rule};
use super::{Finding, RepoScan, Severity};
use crate::safe::json::write_json;
use crate::safe::sink::{sarif_text, sarif_uri};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: Vec<Run<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: ToolInfo<'a>,
    /// Tells the runs of several repositories in one file apart.
    automation_details: Automation,
    column_kind: &'static str,
    results: Vec<ResultOf>,
}

#[derive(Serialize)]
struct ToolInfo<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    version: &'a str,
    rules: Vec<RuleInfo>,
}

#[derive(Serialize)]
struct Automation {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleInfo {
    id: &'static str,
    short_description: Text,
    help: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<&'static str>,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultOf {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    partial_fingerprints: Fingerprint,
}

#[derive(Serialize)]
struct Fingerprint {
    #[serde(rename = "cutoverFinding/v1")]
    finding: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
}

/// Writes one SARIF log with one run a repository.
///
/// # Errors
/// Only what the writer gives.
pub fn write_sarif(repos: &[RepoScan], version: &str, out: &mut impl Write) -> io::Result<()> {
    let runs = repos
        .iter()
        .map(|repo| Run {
            tool: ToolInfo {
                driver: Driver {
                    name: "cutover",
                    version,
                    rules: RULES.iter().map(rule_info).collect(),
                },
            },
            automation_details: Automation {
                id: format!("cutover/{}/", sarif_uri(&repo.repo)),
            },
            column_kind: "unicodeCodePoints",
            results: repo.findings.iter().map(result).collect(),
        })
        .collect();
    write_json(
        out,
        &Log {
            schema: SCHEMA,
            version: "2.1.0",
            runs,
        },
    )?;
    out.write_all(b"\n")
}

fn rule_info(rule: &Rule) -> RuleInfo {
    RuleInfo {
        id: rule.id,
        short_description: Text {
            text: sarif_text(rule.title),
        },
        help: Text {
            text: sarif_text(rule.fix),
        },
        help_uri: rule.source.starts_with("https://").then_some(rule.source),
        default_configuration: Configuration {
            level: level(rule.severity),
        },
    }
}

fn result(finding: &Finding) -> ResultOf {
    ResultOf {
        rule_id: finding.rule,
        rule_index: RULES.iter().position(|r| r.id == finding.rule),
        level: level(finding.severity),
        message: Text {
            text: sarif_text(&format!("{} {}", finding.message, finding.fix)),
        },
        locations: [Location {
            physical_location: Physical {
                artifact_location: Artifact {
                    uri: sarif_uri(&finding.file),
                    uri_base_id: "%SRCROOT%",
                },
                region: Region {
                    start_line: finding.line.max(1),
                    start_column: finding.column.max(1),
                },
            },
        }],
        partial_fingerprints: Fingerprint {
            finding: fingerprint(finding),
        },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Stays the same when lines move: rule, file, job and message, but no line number.
fn fingerprint(finding: &Finding) -> String {
    let mut hash = Sha256::new();
    for part in [
        finding.rule,
        &finding.file,
        finding.job.as_deref().unwrap_or(""),
        &finding.message,
    ] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    data_encoding::HEXLOWER.encode(digest.get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use serde::Deserialize;

    use super::super::output::tests::repo;
    use super::*;

    // The fields that SARIF 2.1.0 and GitHub's code scanning require, as a reader would take them.
    #[derive(Deserialize)]
    struct ReadLog {
        #[serde(rename = "$schema")]
        schema: String,
        version: String,
        runs: Vec<ReadRun>,
    }
    #[derive(Deserialize)]
    struct ReadRun {
        tool: ReadTool,
        #[serde(rename = "automationDetails")]
        automation: ReadId,
        results: Vec<ReadResult>,
    }
    #[derive(Deserialize)]
    struct ReadTool {
        driver: ReadDriver,
    }
    #[derive(Deserialize)]
    struct ReadDriver {
        name: String,
        version: String,
        rules: Vec<ReadRule>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ReadRule {
        id: String,
        short_description: ReadText,
        default_configuration: ReadLevel,
    }
    #[derive(Deserialize)]
    struct ReadLevel {
        level: String,
    }
    #[derive(Deserialize)]
    struct ReadId {
        id: String,
    }
    #[derive(Deserialize)]
    struct ReadText {
        text: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ReadResult {
        rule_id: String,
        rule_index: Option<usize>,
        level: String,
        message: ReadText,
        locations: Vec<ReadLocation>,
        partial_fingerprints: std::collections::BTreeMap<String, String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ReadLocation {
        physical_location: ReadPhysical,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ReadPhysical {
        artifact_location: ReadArtifact,
        region: ReadRegion,
    }
    #[derive(Deserialize)]
    struct ReadArtifact {
        uri: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ReadRegion {
        start_line: u32,
        start_column: u32,
    }

    fn written(repos: &[RepoScan]) -> (String, ReadLog) {
        let mut out = Vec::new();
        write_sarif(repos, "1.2.3", &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let log = serde_json::from_str(&text).unwrap();
        (text, log)
    }

    #[test]
    fn has_the_required_shape() {
        let mut known = repo();
        known.findings[0].rule = "token-beside-oidc";
        let (_, log) = written(&[known, repo()]);
        assert_eq!((log.version.as_str(), log.runs.len()), ("2.1.0", 2));
        assert!(log.schema.contains("2.1.0"));
        let run = &log.runs[0];
        assert_eq!(
            (
                run.tool.driver.name.as_str(),
                run.tool.driver.version.as_str()
            ),
            ("cutover", "1.2.3")
        );
        assert_eq!(run.automation.id, "cutover/acme/ui/");
        assert_eq!(run.tool.driver.rules.len(), RULES.len());
        for rule in &run.tool.driver.rules {
            assert!(!rule.id.is_empty() && !rule.short_description.text.is_empty());
            assert!(
                ["error", "warning", "note"].contains(&rule.default_configuration.level.as_str())
            );
        }
        let result = &run.results[0];
        assert_eq!(
            run.tool.driver.rules[result.rule_index.unwrap()].id,
            result.rule_id
        );
        assert_eq!(result.level, "warning");
        assert!(result.message.text.ends_with("Use OIDC."));
        let place = &result.locations[0].physical_location;
        assert_eq!((place.region.start_line, place.region.start_column), (3, 1));
        assert_eq!(result.partial_fingerprints.len(), 1);
    }

    #[test]
    fn addresses_are_relative_and_text_is_plain() {
        let mut odd = repo();
        odd.findings[0].file = "../a b/\u{202e}%c:é".into();
        odd.findings[0].message = "see [x](https://evil.example) {0}".into();
        let (text, log) = written(&[odd]);
        let result = &log.runs[0].results[0];
        let uri = &result.locations[0].physical_location.artifact_location.uri;
        assert!(
            uri.is_ascii() && !uri.starts_with('/') && !uri.contains("..") && !uri.contains(':'),
            "{uri}"
        );
        assert!(
            !result.message.text.contains(" [x]("),
            "{}",
            result.message.text
        );
        assert!(text.is_ascii());
    }

    #[test]
    fn fingerprints_outlive_moved_lines() {
        let mut moved = repo();
        moved.findings[0].line += 10;
        let mut other = repo();
        other.findings[0].file = "other.yml".into();
        let of = |r: &RepoScan| fingerprint(&r.findings[0]);
        assert_eq!(of(&repo()), of(&moved));
        assert_ne!(of(&repo()), of(&other));
    }
}
