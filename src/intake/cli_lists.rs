//! What `npm trust list --json`, `gh secret list --json` and `npm access list packages --json` printed.
//!
//! Owns that a failed command is no empty list. An error that the command printed, a text of another shape and a part
//! of a document refuse the whole list.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::sheet::{Format, said, saturate};
use super::{IntakeError, has_secret, text};
use crate::model::fact::{NamedFact, TrustConfigFact};
use crate::model::name::{PackageName, SecretName};
use crate::model::time::Ts;
use crate::safe::shown::visible;

/// Reads the trust configs of one package: JSON documents one after another. No document means no config, which is
/// what npm prints; where it fails it prints its error as a document.
///
/// # Errors
/// Not JSON, npm's error instead of a list, or a document that is no trust config.
pub fn trust(bytes: &[u8]) -> Result<Vec<TrustConfigFact>, IntakeError> {
    const COMMAND: &str = "npm trust list PACKAGE --json";
    let documents = documents(bytes, COMMAND)?;
    let config = |one: &Value| {
        let field = |name: &str| one.get(name).and_then(Value::as_str).map(Box::<str>::from);
        let permissions = one.get("permissions").and_then(Value::as_array);
        let permissions = permissions.into_iter().flatten().filter_map(Value::as_str);
        Some(TrustConfigFact {
            id: field("id")?,
            provider: field("type")?,
            repository: field("repository")
                .or_else(|| field("project"))
                .or_else(|| field("vcsOrigin"))
                .unwrap_or_default(),
            file: field("file").unwrap_or_default(),
            environment: field("environment"),
            permissions: permissions.map(Into::into).collect(),
            ..TrustConfigFact::default()
        })
    };
    let configs: Option<Vec<TrustConfigFact>> = documents.iter().map(config).collect();
    configs.ok_or_else(|| other_shape(COMMAND))
}

/// Reads the names of one store's secrets and when each last changed.
///
/// # Errors
/// Not JSON, empty, or anything but a list of objects with `name`, and `updatedAt` a time where it is there.
pub fn secrets(bytes: &[u8]) -> Result<Vec<NamedFact>, IntakeError> {
    const COMMAND: &str = "gh secret list --json name,updatedAt";
    let documents = documents(bytes, COMMAND)?;
    let [Value::Array(list)] = documents.as_slice() else {
        return Err(other_shape(COMMAND));
    };
    let secret = |one: &Value| {
        let name = one.get("name")?.as_str()?;
        SecretName::parse(name).ok()?;
        let updated = match one.get("updatedAt").and_then(Value::as_str) {
            None | Some("") => None,
            Some(text) => Some(Ts::parse(text)?),
        };
        Some(NamedFact {
            name: name.into(),
            updated,
        })
    };
    let names: Option<Vec<NamedFact>> = list.iter().map(secret).collect();
    names.ok_or_else(|| other_shape(COMMAND))
}

/// Reads the names of the packages that an account or organisation has rights to.
///
/// # Errors
/// Not JSON, empty, npm's error instead of a list, or a name that no package can have.
pub fn packages(bytes: &[u8]) -> Result<BTreeSet<Box<str>>, IntakeError> {
    const COMMAND: &str = "npm access list packages ACCOUNT --json";
    let documents = documents(bytes, COMMAND)?;
    let [Value::Object(map)] = documents.as_slice() else {
        return Err(other_shape(COMMAND));
    };
    let package = |(name, right): (&String, &Value)| {
        PackageName::parse(name).ok()?;
        right.as_str()?;
        Some(name.as_str().into())
    };
    let names: Option<BTreeSet<Box<str>>> = map.iter().map(package).collect();
    names.ok_or_else(|| other_shape(COMMAND))
}

/// Gives every document of a stream. None of them may be an error that the command printed, or hold a credential.
fn documents(bytes: &[u8], command: &str) -> Result<Vec<Value>, IntakeError> {
    let text = text(bytes)?;
    if has_secret(text) {
        return Err(IntakeError::Shape {
            message: "something in it looks like a credential; remove it and read the list again (it was not kept)"
                .to_owned(),
        });
    }
    let failed = |e: serde_json::Error| IntakeError::Syntax {
        format: Format::Json,
        line: saturate(e.line() as u64),
        message: format!(
            "{} (expected the output of `{command}`)",
            said(&e.to_string())
        ),
    };
    let stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let documents: Vec<Value> = stream.collect::<Result<_, _>>().map_err(failed)?;
    match documents
        .iter()
        .filter_map(Value::as_object)
        .find_map(error)
    {
        Some(code) => Err(IntakeError::Shape {
            message: format!(
                "the command printed an error ({}) instead of a list; correct that and run `{command}` again",
                visible(&code)
            ),
        }),
        None => Ok(documents),
    }
}

fn error(document: &Map<String, Value>) -> Option<String> {
    let error = document.get("error")?;
    // A package may be called `error`: its right is text.
    let code = error.as_object()?.get("code").and_then(Value::as_str);
    Some(code.unwrap_or("no code").to_owned())
}

fn other_shape(command: &str) -> IntakeError {
    IntakeError::Shape {
        message: format!(
            "not the list that `{command}` prints; run it again, as it is written here"
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn trust_configs_come_as_documents_with_blank_lines() {
        let text = r#"
{
  "id": "a",
  "type": "github",
  "file": "release.yml",
  "repository": "acme/ui",
  "environment": "npm",
  "permissions": ["createPackage"]
}

{ "id": "b", "type": "gitlab", "file": ".gitlab-ci.yml", "project": "acme/ui" }
"#;
        let configs = trust(text.as_bytes()).unwrap();
        assert_eq!(configs.len(), 2);
        assert_eq!(&*configs[0].file, "release.yml");
        assert_eq!(configs[0].environment.as_deref(), Some("npm"));
        assert_eq!(
            (&*configs[1].repository, &configs[1].environment),
            ("acme/ui", &None)
        );
        assert_eq!(trust(b"\n\n").unwrap(), []);
    }

    #[test]
    fn a_failed_command_is_no_list() {
        let error = br#"{"error": {"code": "EOTP", "summary": "x", "detail": ""}}"#;
        for told in [
            trust(error).unwrap_err().to_string(),
            packages(error).unwrap_err().to_string(),
        ] {
            assert!(told.contains("EOTP") && told.contains("again"), "{told}");
        }
        // What was created and then failed, half a document, words of a person, and nothing where something is printed.
        let both = br#"{"id": "a", "type": "github"} {"error": {"code": "E409"}}"#;
        assert!(trust(both).is_err());
        assert!(trust(br#"{"id": "a", "type": "#).is_err());
        assert!(trust(b"npm error code E401").is_err());
        assert!(trust(b"[]").is_err() && trust(b"{}").is_err());
        assert!(secrets(b"").is_err() && packages(b" \n").is_err());
        assert!(secrets(b"[{\"name\": \"A\", \"updatedAt\": \"soon\"}]").is_err());
        assert!(packages(b"{\"NOT A PACKAGE\": \"read-write\"}").is_err());
    }

    #[test]
    fn secrets_and_packages_are_read() {
        let names = secrets(
            br#"[{"name": "NPM_TOKEN", "updatedAt": "2026-11-01T10:00:00Z"}, {"name": "B"}]"#,
        )
        .unwrap();
        assert_eq!(names[0].updated, Ts::parse("2026-11-01T10:00:00Z"));
        assert_eq!((&*names[1].name, names[1].updated), ("B", None));
        assert_eq!(secrets(b"[]").unwrap(), []);
        let all = packages(br#"{"@acme/ui": "read-write", "b": "read-only"}"#).unwrap();
        assert_eq!(
            all.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
            ["@acme/ui", "b"]
        );
    }
}
