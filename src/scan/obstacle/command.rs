//! What a publishing command says by itself: a tool fetched without a version, a prerelease without its tag.

use super::tool_rule;
use crate::model::semver::exact;
use crate::scan::Tool;
use crate::scan::package::Packages;

/// Tells whether a command fetches a release tool at publish time without an exact version.
pub fn fetched_without_version(
    packages: &Packages,
    dir: &str,
    tool: Tool,
    version: Option<&str>,
    command: &str,
) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    let fetches = words
        .iter()
        .any(|word| matches!(*word, "npx" | "bunx" | "pnpx"))
        || words
            .windows(2)
            .any(|pair| matches!(pair, ["pnpm" | "yarn", "dlx"] | ["npm", "exec" | "x"]));
    let manager = matches!(
        tool,
        Tool::Npm
            | Tool::Pnpm
            | Tool::YarnBerry
            | Tool::YarnClassic
            | Tool::Bun
            | Tool::CustomScript
    );
    let package = tool_rule(tool).and_then(|rule| rule.package.as_deref());
    let installed = match package {
        Some(name) => {
            packages.tool_version(dir, name).is_some() && !command.contains(&format!("{name}@"))
        }
        None => version.is_some() && !command.contains('@'),
    };
    fetches && !manager && !installed && version.and_then(exact).is_none()
}

/// Gives the first package of a direct publish whose version is a prerelease and has no tag, with the version.
pub fn untagged_prerelease(
    packages: &Packages,
    names: &[String],
    tool: Tool,
    tag: Option<&str>,
) -> Option<String> {
    let single = matches!(
        tool,
        Tool::Npm
            | Tool::Pnpm
            | Tool::YarnBerry
            | Tool::YarnClassic
            | Tool::Bun
            | Tool::JsDevtoolsNpmPublish
    );
    if !single || tag.is_some() {
        return None;
    }
    names
        .iter()
        .filter_map(|name| packages.named(name))
        .find_map(|one| {
            let version = one.package.version.as_deref()?;
            // `0.0.0-development`, `0.0.0-semantically-released` and their likes are placeholders that a release replaces.
            let placeholder = version.starts_with("0.0.0")
                || version.contains("managed")
                || version.contains("semantic");
            let before = exact(version).is_some_and(|version| version.is_prerelease());
            (before && !placeholder && one.package.publish_tag.is_none())
                .then(|| format!("{} {version}", one.package.name))
        })
}
