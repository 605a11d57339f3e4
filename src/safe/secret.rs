//! A value that can be used but neither printed, logged, compared by accident nor serialised.
//! Must not grow a `Display`, a `Serialize` or a `PartialEq`; the memory is wiped on drop.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// Holds a credential: `Debug` shows a fixed word, the memory is wiped on drop.
///
/// ```compile_fail
/// let secret = cutover::safe::secret::Secret::new(String::from("a"));
/// println!("{secret}");
/// ```
/// ```compile_fail
/// let secret = cutover::safe::secret::Secret::new(String::from("a"));
/// let _ = serde_json::to_string(&secret);
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the value over. Cut surrounding white space before: it is not done here.
    pub fn new(value: String) -> Self {
        // `String::into` may copy when it shrinks; `SecretString` wipes what it holds, the copy is the allocator's.
        Self(SecretString::from(value))
    }

    /// Gives the value for the one place that sends it. Never format the result.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Tells whether nothing is in it (an empty variable is "deliberately none", not a secret).
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_print_the_value() {
        let secret = Secret::new("hunter2-hunter2".to_owned());
        assert_eq!(
            format!("{secret:?} {:#?}", Some(&secret)),
            "Secret(not shown) Some(\n    Secret(not shown),\n)"
        );
        assert_eq!(secret.expose(), "hunter2-hunter2");
        assert!(!secret.is_empty() && Secret::new(String::new()).is_empty());
    }
}
