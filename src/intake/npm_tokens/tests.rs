#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::*;

fn read(text: &str) -> Result<TokenList, IntakeError> {
    TokenList::read("alice", text.as_bytes())
}

const GRANULAR: &str = r#"[
  {"name": "ci", "description": null, "expiry": "2027-01-10T00:00:00.000Z",
   "key": "0f0e0d0c-1111-4222-8333-444455556666", "token": "npm_aBcD...7890", "readonly": false,
   "bypass_2fa": true, "cidr": ["10.0.0.0/8"], "revoked": null, "created": "2026-10-12T08:00:00.000Z",
   "updated": "2026-10-12T08:00:00.000Z", "accessed": null,
   "permissions": [{"name": "package", "action": "write"}, {"name": "org", "action": "read"}],
   "scopes": [{"type": "package", "name": "@acme/ui"}, {"type": "org", "name": "acme"}],
   "publish_policy": "stage_only", "new_field": {"deep": [1]}}
]"#;

#[test]
fn granular_tokens_have_all_fields() {
    let list = read(GRANULAR).unwrap();
    let row = &list.rows[0];
    assert_eq!(row.line, 2);
    assert_eq!(row.redacted.as_deref(), Some("npm_aBcD...7890"));
    assert_eq!(row.bypass_2fa, Some(true));
    assert_eq!(
        row.expires.value().unwrap().to_rfc3339(),
        "2027-01-10T00:00:00+00:00"
    );
    assert_eq!(row.last_used, Told::None);
    assert_eq!(row.revoked, Told::None);
    assert_eq!(row.permissions, ["package:write", "org:read"]);
    assert_eq!(
        row.scopes[0],
        Scope {
            kind: "package".to_owned(),
            name: "@acme/ui".to_owned()
        }
    );
    assert_eq!(row.cidr, ["10.0.0.0/8"]);
    assert_eq!(row.publish_policy.as_deref(), Some("stage_only"));
    assert_eq!(list.complete, None, "npm prints no total");
}

#[test]
fn classic_tokens_leave_out_what_they_leave_out() {
    let text = r#"[{"user": "alice", "token": "eyJhb...FYdvE", "key": "a1b2c3", "cidr": [], "readonly": true,
        "created": 1764000000000, "id": "x"},
        {"token": "a1b2c3", "key": "deadbeef", "cidr_whitelist": null, "readonly": false,
        "created": "2019-04-01T00:00:00.000Z"}]"#;
    let list = read(text).unwrap();
    let row = &list.rows[0];
    assert_eq!(row.bypass_2fa, None);
    assert_eq!(
        (row.expires, row.last_used, row.revoked),
        (Told::NotListed, Told::NotListed, Told::NotListed)
    );
    assert_eq!(row.created.unwrap().timestamp(), 1_764_000_000);
    assert_eq!(row.readonly, Some(true));
    assert_eq!(list.rows[1].redacted.as_deref(), Some("a1b2c3"));
}

fn page(keys: &[&str], total: u64, next: &str) -> String {
    let objects: Vec<String> = keys
        .iter()
        .map(|k| format!("{{\"key\": \"{k}\", \"token\": \"npm_aB...90\"}}"))
        .collect();
    format!(
        "{{\"objects\": [{}], \"total\": {total}, \"urls\": {{{next}}}}}",
        objects.join(",")
    )
}

#[test]
fn completeness_needs_the_count_and_the_last_page() {
    let next = "\"next\": \"/-/npm/v1/tokens?page=1\"";
    let cases = [
        (page(&["a", "b"], 2, ""), Some(true)),
        (page(&["a", "b"], 2, "\"next\": null"), Some(true)),
        (page(&["a", "b"], 3, ""), Some(false)),
        (page(&["a", "b"], 2, next), Some(false)),
        (
            format!("{}\n{}", page(&["a"], 2, next), page(&["b"], 2, "")),
            Some(true),
        ),
        (
            format!("{}\n{}", page(&["a"], 2, next), page(&["a"], 2, "")),
            Some(false),
        ),
        (page(&[], 0, ""), Some(true)),
        ("{\"objects\": []}".to_owned(), None),
        ("{\"objects\": [], \"total\": 0}".to_owned(), None),
        ("[]".to_owned(), None),
        ("{\"key\": \"a\"}\n{\"key\": \"b\"}\n".to_owned(), None),
    ];
    for (text, complete) in cases {
        assert_eq!(read(&text).unwrap().complete, complete, "{text}");
    }
    assert_eq!(
        read("{\"key\": \"a\"}\n{\"key\": \"b\"}\n").unwrap().rows[1].line,
        2
    );
}

#[test]
fn whole_tokens_are_refused_by_place() {
    let long = format!("npm_{}", "aB3".repeat(12));
    let uuid = format!("{}-1111-4222-8333-{}", "0a1b2c3d", "4e5f60718293");
    let jwt = format!(
        "eyJ{}.eyJ{}.{}",
        "a".repeat(20),
        "b".repeat(20),
        "c".repeat(20)
    );
    let cases = [
        (
            format!("[\n{{\"key\": \"k\", \"token\": \"{long}\"}}]"),
            "line 2, field `token`",
        ),
        (
            format!("[{{\"key\": \"k\", \"token\": \"{uuid}\"}}]"),
            "field `token`",
        ),
        (
            format!("[{{\"key\": \"k\", \"token\": \"{jwt}\"}}]"),
            "field `token`",
        ),
        (
            format!("[{{\"key\": \"k\", \"token\": \"{long}...\"}}]"),
            "field `token`",
        ),
        (
            format!("[{{\"key\": \"k\", \"name\": \"old {long}\"}}]"),
            "field `name`",
        ),
        (
            format!("[{{\"key\": \"k\", \"x\": [{{\"{long}\": 1}}]}}]"),
            "field `x`",
        ),
    ];
    for (text, place) in cases {
        let error = read(&text).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(told.contains(place), "{told}");
        for secret in [&long, &uuid, &jwt] {
            assert!(!told.contains(secret.as_str()));
        }
    }
}

#[test]
fn what_is_no_list_says_what_to_do() {
    let told = |text: &str| read(text).unwrap_err().to_string();
    assert!(told("").contains("not a list of no tokens"));
    assert!(told("\n  ").contains("not a list of no tokens"));
    assert!(told("id\ttoken\tcreated\n").contains("npm token list --json"));
    assert!(told("{\"error\": {\"code\": \"E401\", \"summary\": \"x\"}}").contains("E401"));
    assert!(told("{\"hello\": 1}").contains("npm token list --json"));
    assert!(told("[1]").contains("not a token"));
    assert!(told("[{\"token\": \"npm_aB...90\"}]").contains("line 1: a token without key, id"));
    assert!(told("[{\"key\": \"k\", \"user\": \"bob\"}]").contains("bob=FILE"));
    assert!(told("[{\"key\": \"k\", \"expiry\": \"soon\"}]").contains("expiry"));
    assert!(told("[{\"key\": \"k\", \"bypass_2fa\": 3}]").contains("bypass_2fa"));
}

#[test]
fn a_revocation_may_be_a_time_or_a_flag() {
    let row = |text: &str| read(text).unwrap().rows[0].clone();
    assert_eq!(
        row("[{\"key\": \"k\", \"revoked\": false}]").revoked,
        Told::None
    );
    let at = row("[{\"key\": \"k\", \"revoked\": \"2026-12-06T01:00:00Z\"}]").revoked;
    assert!(matches!(at, Told::Is(Some(_))));
    let flag = row("[{\"key\": \"k\", \"revoked\": true}]").revoked;
    assert_eq!(flag, Told::Is(None));
}

proptest::proptest! {
    #[test]
    fn no_listing_panics(text in "[\\[\\]{}:,\"a-z0-9 \n]{0,120}") {
        let _ = read(&text);
    }
}

/// One row as npm 11.19 and later print it: the key is masked, its start is the id.
fn masked(id: &str, name: &str, created: &str) -> String {
    format!(
        r#"{{"key": "***", "token": "npm_aBcD...7890", "name": "{name}", "created": "{created}", "id": "{id}"}}"#
    )
}

#[test]
fn masked_keys_leave_the_rows_apart() {
    const DAY: &str = "2026-09-11T19:22:41.087Z";
    const NEXT: &str = "2026-09-12T19:22:41.087Z";
    for rows in [
        [masked("b3f08d", "ci", DAY), masked("c4a19e", "ci", DAY)],
        [masked("b3f08d71", "ci", DAY), masked("b3f08d72", "ci", DAY)],
        [masked("b3f08d", "ci", DAY), masked("b3f08d", "ci", NEXT)],
        [masked("***", "ci", DAY), masked("***", "docs", DAY)],
    ] {
        let text = format!("[{}]", rows.join(",\n"));
        let list = read(&text).unwrap();
        assert!(list.rows.iter().all(|row| row.key.is_none()), "{text}");
        let tokens: Vec<_> = list
            .rows
            .iter()
            .map(|row| row.fact().subject("r"))
            .collect();
        assert!(tokens.len() == 2 && tokens[0] != tokens[1], "{text}");
    }
}

#[test]
fn rows_that_nothing_tells_apart_are_refused_by_line() {
    let row = masked("b3f08d", "ci", "2026-09-11T19:22:41.087Z");
    let text = format!("[\n{row},\n{},\n{row}]", masked("c4a19e", "ci", ""));
    let told = read(&text).unwrap_err().to_string();
    assert!(told.contains("lines 2 and 4"), "{told}");
    let bare = r#"[{"key": "***", "token": "npm_aB...90", "id": "***", "name": ""}]"#;
    let told = read(bare).unwrap_err().to_string();
    assert!(
        told.contains("line 1") && told.contains("nothing tells it"),
        "{told}"
    );
}

#[test]
fn a_key_that_is_shown_counts_before_its_start() {
    let row = read(r#"[{"key": "aabbccddeeff", "id": "aabbcc"}]"#)
        .unwrap()
        .rows
        .remove(0);
    assert_eq!((row.key.as_deref(), row.id), (Some("aabbccddeeff"), None));
    // A list of another make names the whole key `id`.
    let row = read(r#"[{"id": "aabbccddeeff"}]"#).unwrap().rows.remove(0);
    assert_eq!(row.key.as_deref(), Some("aabbccddeeff"));
}
