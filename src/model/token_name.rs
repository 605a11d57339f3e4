//! Whether the name of a variable or a secret is one for an npm token, by convention: never what it holds.
//!
//! Owns how the lists of the policy are applied; the lists stand in `assets/policy/npm.toml`.

use crate::assets::policy;

fn upper(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

/// Tells whether a variable or secret of this name holds an npm token by convention, in any case of letters.
pub fn is_npm_token(name: &str) -> bool {
    let upper = upper(name);
    let names = &policy().token_names;
    if names.exact.contains(&upper) {
        return true;
    }
    let has = |words: &[String]| words.iter().any(|word| upper.contains(word.as_str()));
    // Access tokens are called PAT for short, which is the beginning of PATH, PATTERN and others too.
    let holds = || has(&names.holds) || upper.split('_').any(|word| word.ends_with("PAT"));
    let never = || {
        has(&names.never)
            || names
                .never_at_end
                .iter()
                .any(|end| upper.ends_with(end.as_str()))
    };
    has(&names.speaks) && holds() && !never()
}

/// Tells whether a secret of this name is an npm token by convention: some names that are too plain for a variable too.
pub fn is_npm_secret(name: &str) -> bool {
    is_npm_token(name) || policy().token_names.secrets.contains(&upper(name))
}

/// Tells whether a name says that its token only reads, or belongs to another registry.
pub fn is_read_only(name: &str) -> bool {
    let marks = &policy().token_names.read_only_words;
    upper(name)
        .split('_')
        .any(|word| marks.iter().any(|mark| mark == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_npm_tokens() {
        for npm in [
            "NPM_TOKEN",
            "NODE_AUTH_TOKEN",
            "BUN_AUTH_TOKEN",
            "npm-token",
            "NPM_PAT",
            "NPM_PUBLISH_KEY",
            "NPM_PASSWORD",
            "NPM_AUTH",
            "YARN_NPM_AUTH_TOKEN",
            "NPMJS_AUTOMATION_TOKEN",
            "NPM_CONFIG_TOKEN",
            "npm_config__authToken",
            "NPM_CONFIG__AUTH",
        ] {
            assert!(is_npm_token(npm), "{npm}");
        }
        for other in [
            "GITHUB_TOKEN",
            "NPM_ID_TOKEN",
            "NPM_OIDC_TOKEN",
            "NPM_CONFIG_REGISTRY",
            "NPM_CONFIG_AUTH_TYPE",
            "NPM_CONFIG_CACHE",
            "NPM_TOKEN_EXPIRES",
            "NPM_PATH",
            "NPM_PATTERN",
            "TURBO_TOKEN",
            "NPM_CONFIG_PROVENANCE",
            "CARGO_TOKEN",
            "NODE_VERSION",
        ] {
            assert!(!is_npm_token(other), "{other}");
        }
        assert!(is_npm_secret("NPM") && !is_npm_token("NPM"));
        assert!(is_read_only("NPM_FONT_AWESOME_TOKEN") && is_read_only("npm-read-token"));
        assert!(!is_read_only("NPM_TOKEN") && !is_read_only("NPM_THREAD_TOKEN"));
    }
}
