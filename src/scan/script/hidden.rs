//! Text whose commands stand nowhere: decoded, fetched or put together before a shell or an interpreter runs it.
//!
//! Nobody who reads such a text knows what it does with a credential in its reach.

use std::sync::LazyLock;

use regex::Regex;

static HIDES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let shell = r"(?:sudo\s+(?:-\S+\s+)*)?(?:/\S+/)?(?:(?:ba|z|da|k|a)?sh|pwsh|node|deno|bun|python3?|perl|ruby)";
    Regex::new(&format!(
        r#"(?im)(?:^|[\s;&|({{])(?:eval\b|iex\b|invoke-expression\b)|\bbase64\s+(?:-\w*d|--decode)|\bxxd\s+-\w*r|\bopenssl\s+(?:enc|base64)\b.*\s-d\b|\|\s*{shell}(?:\s+-\S*)*\s*(?:$|[;&|)])|(?:^|[\s;&|]){shell}\s+(?:-\S+\s+)*(?:<\(|-\w*c\s+["']?[$`])|(?:^|[\s;&|])(?:source|\.)\s+(?:<\(|/dev/stdin)|^\s*(?:\$\(|`)"#
    ))
    .ok()
});

/// Tools that print what a shell is to take over: what they print is known.
static KNOWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"eval\s+"?(?:\$\(|`)\s*(?:\S*/)?(?:ssh-agent|fnm env|brew shellenv|(?:node|rb|py|go)env init|mise activate|direnv)[^)`]*[)`]"?"#).ok()
});

/// Tells whether a text decodes, fetches or computes something that it then runs.
pub fn hides_what_it_runs(text: &str) -> bool {
    let plain = match KNOWN.as_ref() {
        Some(known) => known.replace_all(text, ""),
        None => text.into(),
    };
    HIDES.as_ref().is_some_and(|hides| hides.is_match(&plain))
}

#[cfg(test)]
mod tests {
    use super::hides_what_it_runs;

    #[test]
    fn what_cannot_be_read() {
        for text in [
            "eval \"$(echo $BLOB | base64 -d)\"",
            "echo $BLOB | base64 --decode | sh",
            "bash -c \"$COMMAND\"",
            "source <(tool env)",
            "$(cat plan)",
        ] {
            assert!(hides_what_it_runs(text), "{text}");
        }
        for text in [
            "npm publish",
            "eval \"$(ssh-agent -s)\"",
            "bash scripts/release.sh",
            "cat list | sort",
        ] {
            assert!(!hides_what_it_runs(text), "{text}");
        }
    }
}
