//! The shape of a world, read from `assets/tabletop/world.toml`: people, tokens, kinds of repositories, names.
//! Must not draw or decide anything: `build` makes a world from it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The data of the simulated organisation.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    pub organisation: String,
    pub name: String,
    pub shared_secret_share: u64,
    pub dormant_share: u64,
    pub private_share: u64,
    pub reusable_callers: usize,
    pub orphans: Vec<String>,
    pub nobody: String,
    #[serde(rename = "person")]
    pub people: Vec<PersonShape>,
    #[serde(rename = "token")]
    pub tokens: Vec<TokenShape>,
    #[serde(rename = "kind")]
    pub kinds: Vec<KindShape>,
    pub names: Names,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonShape {
    pub login: String,
    pub name: String,
    pub role: Option<String>,
    pub two_factor: Option<String>,
    #[serde(default)]
    pub left: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenShape {
    /// How this file names it; the world's own key is a UUID.
    pub key: String,
    pub owner: String,
    pub name: String,
    pub age: i64,
    pub days: i64,
    /// Ends so many minutes after the start, whatever its days.
    #[serde(default)]
    pub ends_in_minutes: Option<i64>,
    pub bypass: bool,
    #[serde(default = "yes")]
    pub write: bool,
    #[serde(default)]
    pub stage_only: bool,
    #[serde(default)]
    pub packages: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindShape {
    pub name: String,
    pub share: usize,
    pub least: usize,
    /// File below `.github/workflows` to template. The first in order of `release_file` publishes.
    pub workflows: BTreeMap<String, String>,
    pub packages: Option<[u64; 2]>,
    pub tool: Option<String>,
    pub secret: Option<SecretShape>,
    pub trust: Option<TrustShape>,
    pub environment: Option<String>,
    #[serde(default)]
    pub reviewers: usize,
    /// Template of the workflow on the branch `release/1.x`.
    pub maintenance: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretShape {
    pub name: String,
    pub token: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustShape {
    pub file: String,
    pub environment: Option<String>,
    pub publish: bool,
    #[serde(default)]
    pub lapsed: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    pub first: Vec<String>,
    pub second: Vec<String>,
}

fn yes() -> bool {
    true
}

static SHAPE: LazyLock<Shape> = LazyLock::new(|| {
    // The file is compiled in and a test reads it: it cannot fail where the program runs.
    toml::from_str(include_str!("../../../assets/tabletop/world.toml")).unwrap_or_default()
});

/// Gives the built-in shape.
pub fn shape() -> &'static Shape {
    &SHAPE
}

impl KindShape {
    /// Gives the file that releases: the one that is no CI.
    pub fn release_file(&self) -> Option<&str> {
        let mut files = self.workflows.keys().map(String::as_str);
        let named = ["release.yml", "publish.yml"];
        named
            .into_iter()
            .find(|name| self.workflows.contains_key(*name))
            .or_else(|| files.find(|name| *name != "ci.yml"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_built_in_shape_is_whole() {
        let shape: Shape =
            toml::from_str(include_str!("../../../assets/tabletop/world.toml")).unwrap();
        assert!(shape.kinds.iter().map(|kind| kind.share).sum::<usize>() <= 100);
        let owners: std::collections::BTreeSet<_> =
            shape.tokens.iter().map(|token| &token.owner).collect();
        assert_eq!(owners.len(), 9);
        let left = shape.people.iter().filter(|one| one.left);
        assert_eq!(left.filter(|one| owners.contains(&one.login)).count(), 2);
        for kind in &shape.kinds {
            for template in kind.workflows.values().chain(&kind.maintenance) {
                assert!(
                    super::super::files::template(template).is_some(),
                    "{template}"
                );
            }
            if let Some(secret) = &kind.secret {
                assert!(shape.tokens.iter().any(|token| token.key == secret.token));
            }
        }
    }
}
