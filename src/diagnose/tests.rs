#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;
use crate::assets::fill;
use proptest::prelude::*;
use stories::{LOGS, STORIES};

mod stories;

fn told(log: &str) -> Diagnosis {
    diagnose(fill(log).as_bytes(), &Context::default())
}

#[test]
fn every_signature_is_named_from_its_log() {
    let mut named = BTreeSet::new();
    for (id, log) in LOGS {
        let told = told(log);
        assert_eq!(told.outcome, Outcome::Found, "{id}: {told:?}");
        let ids: Vec<&str> = told.causes.iter().map(|cause| cause.id).collect();
        assert_eq!(ids, [*id], "{log}");
        let cause = &told.causes[0];
        assert!(!cause.evidence.is_empty());
        if log.contains("@acme%2fui") {
            assert_eq!(cause.package.as_deref(), Some("@acme/ui"), "{id}");
        }
        named.insert(*id);
    }
    for (ids, _) in STORIES {
        named.extend(*ids);
    }
    // The others need to be told something or are noise; they have tests of their own.
    for apart in [
        "rerun-of-old-commit",
        "run-from-old-ref",
        "install-could-not-read-pnpm",
        "noise",
    ] {
        assert!(named.insert(apart), "{apart}");
    }
    for known in &table().all {
        assert!(
            named.contains(&*known.signature.id),
            "{}",
            known.signature.id
        );
    }
}

/// Gives a story with its hosts.
fn story(log: &str) -> String {
    let mut hosts = crate::assets::registries().hosts.iter();
    let alias = hosts.find(|host| host.host.contains("yarn")).unwrap();
    fill(&log.replace("{{alias}}", &alias.host)).into_owned()
}

#[test]
fn each_story_has_its_causes_and_no_others() {
    for (ids, log) in STORIES {
        let stamped: String = log
            .lines()
            .map(|line| format!("publish\tUNKNOWN STEP\t2026-11-22T10:00:00.1234567Z {line}\n"))
            .collect();
        for log in [(*log).to_owned(), stamped] {
            let told = diagnose(story(&log).as_bytes(), &Context::default());
            let found: BTreeSet<&str> = told.causes.iter().map(|cause| cause.id).collect();
            assert_eq!(found, ids.iter().copied().collect(), "{log}");
            assert!(told.causes.iter().all(|cause| !cause.evidence.is_empty()));
        }
    }
}

#[test]
fn two_facts_that_are_certain_are_both_said_and_shown() {
    let told = told(
        "GITHUB_TOKEN Permissions\n  Contents: read\nnpm: 11.4.2\nnpm error code ENEEDAUTH\nnpm error need auth This command requires you to be logged in to https://{{registry}}/\n",
    );
    let shown = |id: &str| {
        let cause = told.causes.iter().find(|cause| cause.id == id).unwrap();
        assert_eq!(cause.certainty, Certainty::Known);
        cause.evidence[0].text.clone()
    };
    assert!(shown("id-token-not-granted").contains("GITHUB_TOKEN Permissions"));
    assert_eq!(shown("npm-too-old"), "npm: 11.4.2");
    assert!(!told.causes.iter().any(|cause| cause.id == "no-credential"));
}

#[test]
fn facts_of_one_job_or_step_are_not_those_of_another() {
    let line =
        |job: &str, text: &str| format!("{job}\tUNKNOWN STEP\t2026-11-22T10:00:00.1Z {text}\n");
    let log = [
        line("test", "npm: 10.8.2"),
        line("test", "GITHUB_TOKEN Permissions"),
        line("test", "Contents: read"),
        line("publish", "##[group]Run npm publish"),
        line("publish", "npm error code ENEEDAUTH"),
    ]
    .concat();
    assert_eq!(told(&log).cause(), Some("no-credential"));
    // Another step's token is not what this one sent.
    let log = "##[group]Run npm ci\n  NODE_AUTH_TOKEN: ***\n##[group]Run npm publish\nnpm: 10.8.2\nnpm error code ENEEDAUTH\n";
    assert_eq!(told(log).cause(), Some("npm-too-old"));
}

#[test]
fn a_step_that_is_not_npms_counts_only_where_it_failed() {
    let refused = "error: failed to push some refs to 'https://github.com/acme/ui'\n";
    let failed = "##[error]Process completed with exit code 1.\n";
    let ids = |log: &str| -> Vec<&str> { told(log).causes.iter().map(|cause| cause.id).collect() };
    assert_eq!(
        ids(&format!("Run ./push\n{refused}{failed}")),
        ["push-refused"]
    );
    let other = format!("Run ./push\n{refused}Run npm publish\nnpm error code E413\n{failed}");
    assert_eq!(ids(&other), ["too-large"]);
    let well = format!("Run ./push\n{refused}+ acme@1.0.0\nCleaning up orphan processes\n");
    assert_eq!(told(&well).outcome, Outcome::NoFailure);
    let unknown = told(&format!(
        "##[group]Run ./odd.sh\n##[endgroup]\nError: odd\n{failed}"
    ));
    assert_eq!(unknown.outcome, Outcome::Unknown);
    assert_eq!(unknown.failed_step.as_deref(), Some("./odd.sh"));
    assert_eq!(unknown.unknown[0].text, "Error: odd");
}

#[test]
fn a_log_in_utf_16_is_read() {
    let log = "npm error code EOTP\r\nnpm error This operation requires a one-time password.\r\n";
    let units: Vec<u16> = std::iter::once(0xfeff).chain(log.encode_utf16()).collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for log in [little, big] {
        let told = diagnose(&log, &Context::default());
        assert_eq!((told.cause(), told.lines), (Some("one-time-password"), 2));
    }
}

/// As other tools and other npms print the same.
#[test]
fn other_prefixes_make_no_difference() {
    for (id, log) in LOGS {
        let older = log.replace("npm error", "npm ERR!");
        let stamped: String = log
            .lines()
            .map(|line| format!("2026-11-22T10:00:00.1234567Z \u{1b}[31m{line}\u{1b}[39m\r\n"))
            .collect();
        let turbo: String = log
            .lines()
            .map(|line| format!("@acme/ui:publish: {line}\n"))
            .collect();
        for log in [older, stamped, turbo] {
            assert_eq!(told(&log).cause(), Some(*id), "{log}");
        }
    }
    for (id, log) in [
        (
            "token-dead",
            "npm notice Access token expired or revoked.\nlerna http fetch PUT 404 https://{{registry}}/@acme%2fui 89ms\nlerna ERR! E404 Not found",
        ),
        (
            "token-dead",
            "🦋  error an error occurred while publishing @acme/ui: E404 Not Found - PUT https://{{registry}}/@acme%2fui - Not found\n🦋  error npm notice Access token expired or revoked.",
        ),
        (
            "token-dead",
            "npm notice Access token expired or revoked.\n[ERR_PNPM_FAILED_TO_PUBLISH] Failed to publish package @acme/ui@1.2.3 (status 404 Not Found): nope",
        ),
        ("one-time-password", "lerna ERR! EOTP undefined"),
        (
            "no-credential",
            "lerna ERR! ENEEDAUTH You need to authorize this machine using `npm adduser`",
        ),
        (
            "rate-limited",
            "🦋  error an error occurred while publishing @acme/ui: E429 Too Many Requests",
        ),
    ] {
        assert_eq!(told(log).cause(), Some(id), "{log}");
    }
}

#[test]
fn near_misses_are_not_taken() {
    for (not, log) in [
        // A read, not a write.
        (
            "token-dead",
            "npm notice Access token expired or revoked.\nnpm error code E404\nnpm error 404 Not Found - GET https://{{registry}}/@acme%2fui - Not found",
        ),
        (
            "exchange-fell-back",
            "env:\n  NODE_AUTH_TOKEN: ***\nnpm notice publish Signed provenance statement\nnpm error code E404\nnpm error 404 Not Found - PUT https://{{registry}}/@acme%2fui",
        ),
        (
            "not-visible-yet",
            "npm error code ETARGET\nnpm error notarget No matching version found for left-pad@9.9.9.",
        ),
        (
            "repository-url-mismatch",
            "npm error code E422\nnpm error 422 Unprocessable Entity - PUT https://{{registry}}/@acme%2fui - bad readme",
        ),
        (
            "packument-conflict",
            "npm error code E409\nnpm error 409 Conflict - PUT https://{{registry}}/@acme%2fui - something else",
        ),
        (
            "two-factor-or-bypass-required",
            "npm error code E403\nnpm error 403 403 Forbidden - PUT https://{{registry}}/@acme%2fui - no",
        ),
        (
            "provenance-unsupported-provider",
            "npm error code EUSAGE\nnpm error Usage: npm publish",
        ),
        ("no-credential", "the word ENEEDAUTH in a text"),
        ("one-time-password", "see EOTP in the manual"),
        (
            "stage-required",
            "npm notice E_STAGE_REQUIRED is explained in the docs",
        ),
        (
            "rekor-equivalent-entry",
            "npm error code TLOG_CREATE_ENTRY_ERROR\nnpm error (500) internal",
        ),
        (
            "trust-exists",
            "npm http fetch POST 409 https://{{registry}}/-/package/@acme%2fui/other 1ms",
        ),
        ("rate-limited", "npm error code E4290"),
        (
            "exchange-not-found",
            "npm http fetch POST 201 https://{{registry}}/-/npm/v1/oidc/token/exchange/package/@acme%2fui 210ms",
        ),
    ] {
        let ids: Vec<&str> = told(log).causes.iter().map(|cause| cause.id).collect();
        assert!(!ids.contains(&not), "{not}: {ids:?} from {log}");
    }
}

#[test]
fn logs_that_match_none_are_unknown_or_no_failure() {
    let clean = "> @acme/ui@1.2.3 build\nnpm notice 📦  @acme/ui@1.2.3\nnpm notice Publishing to https://{{registry}}/\n+ @acme/ui@1.2.3\n";
    let clean_told = told(clean);
    assert_eq!(clean_told.outcome, Outcome::NoFailure);
    assert_eq!(clean_told.published, ["@acme/ui@1.2.3"]);
    assert_eq!(clean_told.cause(), None);
    for log in [
        "",
        "> @acme/ui@1.2.3 build\nnpm notice 📦  @acme/ui@1.2.3\n",
    ] {
        assert_eq!(told(log).outcome, Outcome::Unended);
    }
    for log in [
        "npm error code ELIFECYCLE\nnpm error errno 1",
        "##[error]Process completed with exit code 2.",
    ] {
        let told = told(log);
        assert_eq!(
            (told.outcome, told.cause()),
            (Outcome::Unknown, Some("unknown"))
        );
    }
    let first = &told("x\nnpm error code EWHATEVER\nnpm error more").unknown;
    assert_eq!(first[0].line, 2);
}

#[test]
fn noise_is_known_and_no_cause() {
    let told = told(
        "npm warn Unknown env config \"always-auth\". This will stop working.\nnpm warn EBADDEVENGINES\n+ @acme/ui@1.2.3",
    );
    assert_eq!(told.outcome, Outcome::NoFailure);
    assert_eq!(told.noise.len(), 2);
}

#[test]
fn what_the_log_cannot_say_is_told() {
    let log = LOGS.iter().find(|(id, _)| *id == "token-dead").unwrap().1;
    let log = fill(log);
    let rerun = Context {
        run_attempt: Some(2),
        head_sha: Some("aaa"),
        default_sha: Some("bbb"),
        branch: Some("main"),
        default_branch: Some("main"),
        ..Context::default()
    };
    let cause = |context: &Context<'_>| diagnose(log.as_bytes(), context).cause();
    assert_eq!(cause(&rerun), Some("rerun-of-old-commit"));
    for not in [
        Context {
            run_attempt: Some(1),
            ..rerun
        },
        Context {
            default_sha: Some("aaa"),
            ..rerun
        },
        Context {
            default_sha: None,
            ..rerun
        },
        Context {
            rewired: Some(true),
            ..rerun
        },
        Context {
            lane: Some(Lane::Bridge),
            ..rerun
        },
    ] {
        assert_eq!(cause(&not), Some("token-dead"), "{not:?}");
    }
    let old = Context {
        branch: Some("release/1.x"),
        lane: Some(Lane::Trusted),
        run_attempt: Some(1),
        ..rerun
    };
    assert_eq!(cause(&old), Some("run-from-old-ref"));
    assert_eq!(
        cause(&Context {
            branch: Some("main"),
            ..old
        }),
        Some("token-dead")
    );
    // A failure that has nothing to do with credentials is not blamed on the ref.
    let private = "npm error code EPRIVATE\nnpm error private";
    assert_eq!(
        diagnose(private.as_bytes(), &old).cause(),
        Some("not-a-credential-failure")
    );

    let exchange = LOGS
        .iter()
        .find(|(id, _)| *id == "exchange-not-found")
        .unwrap()
        .1;
    let immutable = Context {
        immutable_subject: Some(true),
        ..Context::default()
    };
    let told = diagnose(fill(exchange).as_bytes(), &immutable);
    assert_eq!(told.cause(), Some("exchange-not-found-immutable"));
    assert_eq!(told.causes[0].certainty, Certainty::Contested);
    assert!(told.causes[0].doubt.is_some());

    let target = "npm error code ETARGET\nnpm error notarget No matching version";
    let after = |minutes| {
        let context = Context {
            published_minutes_ago: Some(minutes),
            ..Context::default()
        };
        diagnose(target.as_bytes(), &context).cause()
    };
    assert_eq!(
        (after(5), after(61)),
        (Some("not-visible-yet"), Some("dependency-not-found"))
    );
}

#[test]
fn several_packages_in_one_log_are_told_apart() {
    let log = "npm notice 📦  @acme/a@1.0.0
+ @acme/a@1.0.0
npm notice 📦  @acme/b@1.0.0
npm error code E403
npm error 403 403 Forbidden - PUT https://{{registry}}/@acme%2fb - You cannot publish over the previously published versions: 1.0.0.
npm error A complete log of this run can be found in: /x
npm notice 📦  @acme/c@1.0.0
npm error code E422
npm error 422 Unprocessable Entity - PUT https://{{registry}}/@acme%2fc - Error verifying sigstore provenance bundle: package.json: \"repository.url\" is \"\"
npm notice 📦  @acme/d@1.0.0
npm error code ENEEDAUTH
npm error need auth This command requires you to be logged in
🦋  error an error occurred while publishing @acme/e: E429 Too Many Requests
🦋  error an error occurred while publishing @acme/f: E429 Too Many Requests
";
    let told = told(log);
    let of = |cause: &Cause| (cause.id, cause.package.clone().unwrap());
    let found: Vec<_> = told.causes.iter().map(of).collect();
    let expected = [
        ("version-exists", "@acme/b"),
        ("repository-url-mismatch", "@acme/c"),
        ("no-credential", "@acme/d"),
        ("rate-limited", "@acme/e"),
        ("rate-limited", "@acme/f"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(id, name)| (*id, (*name).to_owned()))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(told.published, ["@acme/a@1.0.0"]);
    assert_eq!(told.causes[0].evidence[0].line, 4);
}

#[test]
fn tasks_that_ran_side_by_side_are_told_apart() {
    let log = "@acme/a:publish: npm error code ENEEDAUTH
@acme/b:publish: npm error code E403
@acme/a:publish: npm error need auth This command requires you to be logged in
@acme/b:publish: npm error 403 403 Forbidden - OIDC permission denied for this action
";
    let told = told(log);
    let found: Vec<_> = told
        .causes
        .iter()
        .map(|cause| (cause.id, cause.package.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("no-credential", Some("@acme/a")),
            ("oidc-action-denied", Some("@acme/b"))
        ]
    );
}

#[test]
fn a_repeated_report_counts_once() {
    let one = LOGS
        .iter()
        .find(|(id, _)| *id == "oidc-action-denied")
        .unwrap()
        .1;
    let told = told(&format!("{one}\n{one}\n"));
    assert_eq!(told.causes.len(), 1);
    assert_eq!(told.causes[0].times, 2);
}

#[test]
fn a_publish_that_went_on_with_a_token_says_so() {
    let told = told(
        LOGS.iter()
            .find(|(id, _)| *id == "pnpm-exchange-skipped")
            .unwrap()
            .1,
    );
    assert!(told.causes[0].published);
}

/// Credentials of every form, made at run time.
fn credentials() -> Vec<String> {
    let body = "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5";
    vec![
        format!("npm_{body}"),
        format!("ghp_{body}"),
        format!("glpat-{}", &body[..20]),
        format!(
            "//r.example/:_authToken={}",
            ["7f3c9a10", "52be", "4c1d", "8e77", "0a9b6d5c4e3f"].join("-")
        ),
        format!("eyJ{body}.eyJ{body}.{body}"),
        format!("Authorization: Bearer {body}"),
    ]
}

#[test]
fn no_credential_is_kept_whatever_it_stands_in() {
    for credential in credentials() {
        let secret = &credential[credential.len() - 12..];
        for log in [
            format!("npm error code E401\nnpm error Unable to authenticate, need: {credential}\n"),
            format!("npm error code E401 {credential}\n"),
            format!(
                "npm error \u{1b}[31mUnable to authenticate\u{1b}[0m {}\u{1b}[1m{}\n",
                &credential[..15],
                &credential[15..]
            ),
            format!(
                "2026-11-22T10:00:00Z npm error Unable to authenticate {}\n2026-11-22T10:00:00Z {} npm error code E401\n",
                &credential[..credential.len() - 15],
                &credential[credential.len() - 15..]
            ),
        ] {
            let told = told(&log);
            let kept = format!("{told:?}");
            assert!(!kept.contains(secret), "{kept}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read(log in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        diagnose(&log, &Context::default());
    }

    #[test]
    fn pieces_of_logs_in_any_order_are_read(
        order in proptest::collection::vec((0..LOGS.len(), 0..6usize), 0..12),
        attempt in 0..3u32,
    ) {
        let mut log = String::new();
        for (at, line) in order {
            let text = LOGS[at].1.lines().nth(line).unwrap_or("x");
            log.push_str(&fill(text));
            log.push('\n');
        }
        let context = Context { run_attempt: Some(attempt), ..Context::default() };
        let told = diagnose(log.as_bytes(), &context);
        prop_assert_eq!(told.lines as usize, log.lines().count());
        prop_assert_eq!(told.outcome == Outcome::Found, !told.causes.is_empty());
    }
}
