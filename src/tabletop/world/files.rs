//! The files of a repository: templates of `assets/tabletop/workflows` filled in, manifests, CODEOWNERS.
//! Must not keep anything: texts in, texts out.

use std::fmt::Write as _;

/// What stands in the braces of a template.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    pub organisation: &'a str,
    pub repo: &'a str,
}

/// Gives a workflow template by name.
pub fn template(name: &str) -> Option<&'static str> {
    macro_rules! templates {
        ($($word:literal)*) => {
            match name {
                $($word => Some(include_str!(concat!("../../../assets/tabletop/workflows/", $word, ".yml"))),)*
                _ => None,
            }
        };
    }
    templates!(
        "token" "token-push" "oidc" "oidc-plain" "oidc-no-permission" "staged" "changesets" "lerna"
        "semantic-release" "self-hosted" "next" "dist-tag" "private-install" "pnpm" "ci" "reusable" "caller"
    )
}

/// Fills a template in: `{{registry}}`, `{{organisation}}`, `{{repo}}`.
pub fn filled(template: &str, names: Names<'_>) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let value = |word: &str| match word {
            "registry" => Some(crate::assets::npm_host()),
            "organisation" => Some(names.organisation),
            "repo" => Some(names.repo),
            _ => None,
        };
        match after
            .split_once("}}")
            .and_then(|(word, tail)| Some((value(word)?, tail)))
        {
            Some((value, tail)) => {
                out.push_str(value);
                rest = tail;
            }
            None => {
                out.push_str("{{");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Writes the manifest of a package.
pub fn manifest(name: &str, version: &str, repository: Option<&str>, folder: &str) -> String {
    let mut out = format!(
        "{{\n  \"name\": \"{name}\",\n  \"version\": \"{version}\",\n  \"license\": \"MIT\",\n"
    );
    if let Some(url) = repository {
        let _ = write!(
            out,
            "  \"repository\": {{\n    \"type\": \"git\",\n    \"url\": \"{url}\""
        );
        if !folder.is_empty() {
            let _ = write!(out, ",\n    \"directory\": \"{folder}\"");
        }
        out.push_str("\n  },\n");
    }
    out.push_str("  \"files\": [\"dist\"],\n  \"scripts\": {\n    \"build\": \"tsc -p .\",\n    \"test\": \"node --test\"\n  }\n}\n");
    out
}

/// Writes the manifest at the root of a monorepo or of a repository that publishes nothing.
pub fn root_manifest(name: &str, tool: Option<&str>, workspaces: bool) -> String {
    let mut out = format!("{{\n  \"name\": \"{name}\",\n  \"private\": true,\n");
    if workspaces && tool != Some("pnpm") {
        out.push_str("  \"workspaces\": [\"packages/*\"],\n");
    }
    match tool {
        Some("lerna") => out.push_str("  \"devDependencies\": { \"lerna\": \"^8.2.4\" },\n"),
        Some("pnpm") => out.push_str("  \"packageManager\": \"pnpm@10.22.0\",\n  \"devDependencies\": { \"@changesets/cli\": \"^2.29.0\" },\n"),
        _ => {}
    }
    out.push_str(
        "  \"scripts\": {\n    \"build\": \"tsc -b\",\n    \"test\": \"node --test\"\n  }\n}\n",
    );
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn braces_of_the_forge_are_left_alone() {
        let names = Names {
            organisation: "acme",
            repo: "cli",
        };
        let text = filled("a {{repo}} ${{ secrets.X }} {{organisation}}/x {{", names);
        assert_eq!(text, "a cli ${{ secrets.X }} acme/x {{");
        for name in ["token", "reusable", "ci"] {
            let filled = filled(template(name).unwrap(), names);
            assert!(super::super::Workflow::parse(&filled).is_some(), "{name}");
        }
        let manifest: serde_json::Value = serde_json::from_str(&manifest(
            "@acme/a",
            "1.0.0",
            Some("https://x"),
            "packages/a",
        ))
        .unwrap();
        assert_eq!(manifest["repository"]["directory"], "packages/a");
        let root: serde_json::Value =
            serde_json::from_str(&root_manifest("x", Some("lerna"), true)).unwrap();
        assert_eq!(root["workspaces"][0], "packages/*");
    }
}
