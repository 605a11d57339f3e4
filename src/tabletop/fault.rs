//! Faults on order: the next answers of an endpoint group go wrong in a chosen way, so many times.
//! Must not touch the world: a fault is between it and whoever asked.

use std::time::Duration;

use serde::Deserialize;

use super::clock::{Ms, SECOND};
use super::server::{Answer, Side};
use serde_json::json;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// This status instead of an answer, with a body as the services write it.
    Status(u16),
    /// 429 or 403 with `retry-after` in seconds; none: without the header.
    Limited {
        status: u16,
        retry_after: Option<u64>,
    },
    /// The work is done, and the connection closes without an answer.
    Drop,
    /// The body stops in the middle.
    Truncate,
    /// The body comes a byte at a time, with so many milliseconds between.
    Slow(u64),
    /// 200 and a sign-in page: a captive portal.
    Portal,
    /// 403 and a page: an edge server that does not like the caller.
    Page,
    /// The `Date` header is off by so many seconds.
    Date(i64),
    /// 200 and a JSON string of so many bytes.
    Huge(usize),
    /// 200 and text that is no JSON.
    Garbage,
    /// 200 and this in the place of the data.
    Json(serde_json::Value),
    /// Moved to another address.
    Redirect(String),
}

/// A fault to come.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `github`, `npm`, or one endpoint group: `rest`, `graphql`, `actions`, `logs`, `read`, `tokens`, `trust`, `stage`,
    /// `search`.
    pub group: String,
    /// Only where the path contains this.
    #[serde(default)]
    pub path: Option<String>,
    pub kind: FaultKind,
    /// How many answers.
    pub times: u32,
}

/// What happens to an answer on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    Cut,
    Half,
    Slow { pause: Duration },
}

/// Faults that wait.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        if fault.times > 0 {
            self.0.push(fault);
        }
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes what is to happen to a request.
    pub fn take(&mut self, side: Side, group: &str, path: &str) -> Option<FaultKind> {
        let whole = if side == Side::Github {
            "github"
        } else {
            "npm"
        };
        let fits = |fault: &Fault| {
            (fault.group == whole || fault.group == group)
                && fault.path.as_deref().is_none_or(|part| path.contains(part))
        };
        let at = self.0.iter().position(fits)?;
        let fault = self.0.get_mut(at)?;
        fault.times -= 1;
        let kind = fault.kind.clone();
        if fault.times == 0 {
            self.0.remove(at);
        }
        Some(kind)
    }
}

impl FaultKind {
    /// Gives what stands in the place of the answer; none: the request is answered first.
    pub fn instead(&self, now: Ms) -> Option<Answer> {
        let _ = now;
        Some(match self {
            Self::Status(status) => {
                Answer::json(*status, &json!({ "message": status_words(*status) }))
            }
            Self::Limited {
                status,
                retry_after,
            } => {
                let words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
                let answer = Answer::json(*status, &json!({ "message": words, "error": words }));
                match retry_after {
                    Some(seconds) => answer.with("retry-after", seconds.to_string()),
                    None => answer,
                }
            }
            Self::Portal => Answer::html(
                200,
                "<!doctype html><title>Guest Wi-Fi</title><p>Accept the terms to go on.",
            ),
            Self::Page => Answer::html(403, "<!doctype html><title>403</title><h1>Forbidden</h1>"),
            Self::Huge(bytes) => {
                let mut body = vec![b'a'; bytes.saturating_sub(2)];
                body.insert(0, b'"');
                body.push(b'"');
                Answer {
                    body,
                    ..Answer::json(200, &json!(""))
                }
            }
            Self::Garbage => Answer {
                body: b"{\"total\": 3, \"obj".to_vec(),
                ..Answer::json(200, &json!(""))
            },
            Self::Json(value) => Answer::json(200, value),
            Self::Redirect(to) => Answer::empty(302).with("location", to.clone()),
            Self::Drop | Self::Truncate | Self::Slow(_) | Self::Date(_) => return None,
        })
    }

    /// Gives what happens to the answer on its way.
    pub fn harm(&self) -> Option<Harm> {
        match self {
            Self::Drop => Some(Harm::Cut),
            Self::Truncate => Some(Harm::Half),
            Self::Slow(pause) => Some(Harm::Slow {
                pause: Duration::from_millis(*pause),
            }),
            _ => None,
        }
    }

    /// Gives by how much the `Date` header is off.
    pub fn skew(&self) -> Ms {
        match self {
            Self::Date(seconds) => seconds * SECOND,
            _ => 0,
        }
    }
}

fn status_words(status: u16) -> &'static str {
    match status {
        401 => "Bad credentials",
        403 => "Resource not accessible by personal access token",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "The tabletop answers so on order",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_its_group_and_ends() {
        let mut faults = Faults::default();
        faults.add(Fault {
            group: "tokens".into(),
            path: None,
            kind: FaultKind::Status(500),
            times: 2,
        });
        faults.add(Fault {
            group: "npm".into(),
            path: Some("/ui".into()),
            kind: FaultKind::Drop,
            times: 1,
        });
        assert_eq!(faults.take(Side::Npm, "read", "/other"), None);
        assert_eq!(
            faults.take(Side::Npm, "tokens", "/x"),
            Some(FaultKind::Status(500))
        );
        assert_eq!(faults.take(Side::Github, "rest", "/ui"), None);
        assert_eq!(faults.take(Side::Npm, "read", "/ui"), Some(FaultKind::Drop));
        assert_eq!(
            faults.take(Side::Npm, "tokens", "/x"),
            Some(FaultKind::Status(500))
        );
        assert_eq!(faults.take(Side::Npm, "tokens", "/x"), None);
    }

    #[test]
    fn faults_are_read_from_json() {
        let text =
            r#"{"group":"rest","kind":{"limited":{"status":403,"retry_after":7}},"times":1}"#;
        let fault: Result<Fault, _> = serde_json::from_str(text);
        assert!(matches!(
            fault,
            Ok(Fault {
                kind: FaultKind::Limited {
                    status: 403,
                    retry_after: Some(7)
                },
                ..
            })
        ));
        let plain: Result<Fault, _> =
            serde_json::from_str(r#"{"group":"npm","kind":"drop","times":1}"#);
        assert!(plain.is_ok_and(|fault| fault.kind == FaultKind::Drop));
    }
}
