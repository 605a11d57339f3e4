//! What an answer is by its status, headers and content type: a reply to be read, or a trouble. Pure.
//!
//! The signs of GitHub's limits are those of
//! <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>.

use chrono::DateTime;
use reqwest::header::HeaderMap;

use super::call::{Accept, Call, Reply};
use super::fault::{Fault, RequestError};
use super::seen::{Rate, Seen};
use crate::model::time::{DAY, Ts};
use crate::safe::shown::visible;

/// Seconds to stay away after a limit without a time of its own, as GitHub asks.
const WITHOUT_TIME: i64 = 60;

/// Reads the head of an answer that arrived at `now` by our clock.
pub(super) fn seen(status: u16, headers: &HeaderMap, now: Ts) -> Seen {
    let date = text(headers, "date").and_then(http_date);
    Seen {
        status: Some(status),
        date,
        skew: date.map(|date| date.0 - now.0),
        rate: rate(headers),
        retry_after: retry_after(headers, date.unwrap_or(now)),
    }
}

/// Tells whether a body is worth reading to its cap: otherwise only its beginning is, for the service's words.
pub(super) fn is_read(call: &Call, status: u16) -> bool {
    (200..300).contains(&status) || call.reads.contains(&status)
}

/// Tells from the head alone that the content is not what was due; none where the body may be read.
pub(super) fn wrong_content(call: &Call, status: u16, headers: &HeaderMap) -> Option<Fault> {
    let kind = text(headers, "content-type")
        .unwrap_or_default()
        .to_ascii_lowercase();
    if !(200..300).contains(&status) || status == 204 {
        return None;
    }
    if is_page(&kind) {
        return Some(Fault::CaptivePortal);
    }
    let json = kind.is_empty() || kind.contains("json");
    (call.accept == Accept::Json && !json).then(|| Fault::NotJson {
        why: format!("content type {}", visible(&kind)).into(),
    })
}

/// Judges a whole answer.
pub(super) fn judge(
    call: &Call,
    seen: Seen,
    headers: HeaderMap,
    body: Vec<u8>,
    now: Ts,
) -> Result<Reply, RequestError> {
    let status = seen.status.unwrap_or_default();
    let trouble = |fault, seen| Err(RequestError::answered(call.group, fault, seen));
    let says = if is_read(call, status) {
        "".into()
    } else {
        says(&headers, &body)
    };
    // A limit counts also where the caller reads its status: 403 is a limit or a missing right.
    if let Some(fault) = limit(status, &seen, &body, now) {
        return trouble(fault, seen);
    }
    if is_read(call, status) {
        return Ok(Reply {
            status,
            headers,
            body,
            seen,
            group: call.group,
        });
    }
    let page = is_page(text(&headers, "content-type").unwrap_or_default());
    let fault = match status {
        300..=399 => Fault::Redirected {
            to: visible(text(&headers, "location").unwrap_or("an unnamed place")).into(),
        },
        407 => Fault::ProxyAuth,
        500.. => Fault::ServerError { status },
        401 | 403 if page => Fault::EdgePage { status },
        401 => Fault::Unauthorised { says },
        403 => Fault::Forbidden {
            needs: needs(&headers),
            says,
        },
        404 => Fault::NotFound,
        _ => Fault::UnexpectedStatus { status, says },
    };
    trouble(fault, seen)
}

fn is_page(kind: &str) -> bool {
    kind.trim_start()
        .to_ascii_lowercase()
        .starts_with("text/html")
}

fn limit(status: u16, seen: &Seen, body: &[u8], now: Ts) -> Option<Fault> {
    let used_up = seen.rate.as_ref().filter(|rate| rate.remaining == 0);
    let told = || {
        let says = message(body).unwrap_or_default().to_ascii_lowercase();
        says.contains("secondary rate limit") || says.contains("abuse detection")
    };
    let limited = status == 429
        || status == 403 && (used_up.is_some() || seen.retry_after.is_some() || told());
    let until = match (seen.retry_after, used_up) {
        (Some(seconds), _) => now.plus(i64::from(seconds)),
        // The reset is by the server's clock; a minute of grace and a day as the longest keep nonsense out.
        (None, Some(rate)) => {
            let ours = rate.reset.0.saturating_sub(seen.skew.unwrap_or_default());
            Ts(ours.clamp(now.0.saturating_add(1), now.0.saturating_add(DAY)))
        }
        (None, None) => now.plus(WITHOUT_TIME),
    };
    limited.then_some(Fault::Limited {
        until,
        secondary: used_up.is_none(),
    })
}

/// Gives what the service says would have been needed: fine-grained permissions, else classic scopes.
fn needs(headers: &HeaderMap) -> Option<Box<str>> {
    let named = ["x-accepted-github-permissions", "x-accepted-oauth-scopes"];
    let value = named
        .iter()
        .find_map(|name| text(headers, name).filter(|value| !value.trim().is_empty()))?;
    Some(visible(value).into())
}

/// Gives the service's own words about a failure, fit to be shown; empty where there are none.
fn says(headers: &HeaderMap, body: &[u8]) -> Box<str> {
    let kind = text(headers, "content-type").unwrap_or_default();
    let words = if is_page(kind) { None } else { message(body) };
    let notice = || text(headers, "npm-notice").map(str::to_owned);
    visible(&words.or_else(notice).unwrap_or_default()).into()
}

/// Finds the message in an error body: npm writes `error` or `message`, GitHub `message`.
fn message(body: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    ["error", "message"]
        .iter()
        .find_map(|key| value.get(key)?.as_str().map(str::to_owned))
}

fn rate(headers: &HeaderMap) -> Option<Rate> {
    let number = |name: &str| text(headers, name)?.trim().parse::<u64>().ok();
    Some(Rate {
        limit: number("x-ratelimit-limit")?,
        remaining: number("x-ratelimit-remaining")?,
        used: number("x-ratelimit-used").unwrap_or_default(),
        reset: Ts(i64::try_from(number("x-ratelimit-reset")?).ok()?),
        resource: visible(text(headers, "x-ratelimit-resource").unwrap_or_default()).into(),
    })
}

/// Reads `Retry-After`: seconds, or a date by the server's clock. At most a day.
fn retry_after(headers: &HeaderMap, server_now: Ts) -> Option<u32> {
    let value = text(headers, "retry-after")?.trim();
    let seconds = match value.parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => http_date(value)?.0 - server_now.0,
    };
    u32::try_from(seconds.clamp(0, DAY)).ok()
}

fn http_date(text: &str) -> Option<Ts> {
    DateTime::parse_from_rfc2822(text.trim())
        .ok()
        .map(|at| Ts(at.timestamp()))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
