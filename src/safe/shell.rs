//! Words as a POSIX shell reads them back: for commands that a person copies. Nothing here runs one.

use std::borrow::Cow;

/// Returns a word quoted where a shell would not take it as it is; a NUL, which no argument can hold, is left out.
#[must_use]
pub(crate) fn quote(word: &str) -> String {
    let word = word.replace('\0', "");
    // The only error is a NUL.
    shlex::try_quote(&word).map_or_else(|_| String::new(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them_and_come_back_whole() {
        for plain in ["acme/ui-kit", "+14d", "acme.cutover", "token:rosa/3f2a"] {
            assert_eq!(quote(plain), plain);
        }
        for word in [
            "",
            "two words",
            "it's",
            "$(rm -r .)",
            "a\nb",
            "~",
            "a;b",
            "\"x\" 'y'",
            "é",
            "{a,b}",
        ] {
            let quoted = quote(word);
            assert_ne!(quoted, word);
            assert_eq!(shlex::split(&quoted), Some(vec![word.to_owned()]));
        }
        assert_eq!(quote("a\0b"), "ab");
    }
}
