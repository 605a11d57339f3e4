//! The shapes of a log's lines: prefixes of forges and task runners, what tools print as an error, where a step begins.
//!
//! Owns patterns only. What a line means is in `assets/policy/log-signatures.toml`.

use std::sync::LazyLock;

use regex::Regex;

#[expect(
    clippy::expect_used,
    reason = "constant patterns; the tests compile them"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

macro_rules! patterns {
    ($($name:ident = $text:expr;)+) => {
        $(pub(super) static $name: LazyLock<Regex> = LazyLock::new(|| pattern($text));)+
    };
}

patterns! {
    // The forge's own prefix: job and step where `gh run view --log` put them, then a timestamp.
    STAMP = r"^(?:([^\t]{1,200})\t([^\t]{0,200})\t)?\u{feff}?\[?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\]?(?: \d\d[OE]\+?)? ?";
    // Task runners: turbo, yarn workspaces foreach, pnpm -r.
    TASK = r"^(?:((?:@[a-z0-9._~-]+/)?[a-z0-9][a-z0-9._~-]*):[a-z][\w:-]*: |\[((?:@[\w.-]+/)?[\w.-]+)\]: |((?:[\w@.-]+(?:/[\w@.-]+)+|\.) [\w:-]+)(?:\$|:) )";
    // What npm, pnpm, lerna, changesets, semantic-release, release-it and yarn print before an error; and a
    // registry's answer with the request that it is to, whoever prints it.
    ERROR = r"(?x)
        (?:^|\W)npm\ (?:error|ERR!)(?:\s|$)
        | lerna(?:-lite)?\ ERR! | 🦋\s*error\b | \bERR_PNPM_ | \[semantic-release\].*[✘✖] | ^error\ | ^ERROR\ (?:Not|npm|Command)
        | (?:^|\W)(?:[45]\d\d\ [A-Z][A-Za-z\ -]{2,40}|Not\ Found|Unauthorized|Forbidden|Conflict|Unprocessable\ Entity)\ -\ (?:GET|PUT|POST|DELETE)\ https?://
        | ^(?:error:\ )?[45]\d\d\ [A-Z][A-Za-z\ ]{2,40}:\ https?://
        | ^\ *(?:npm\ publish\ error:|Error:\ (?:Command\ failed:|Call\ to)\ .{0,40}\bpublish\b)
        | \bThis\ command\ requires\ you\ to\ be\ logged\ in | \bThis\ operation\ requires\ a\ one-time\ password
        | \bUnknown\ command:\ \W?(?:stage|trust)\b";
    // Yarn numbers every line; most numbers are no errors.
    YARN = r"\bYN(\d{4}):(.*)";
    FAILED = r"##\[error\]|Process completed with exit code [1-9]|ERROR: Job failed|Exited with code exit status [1-9]|\bELIFECYCLE\b|[Cc]ommand failed with exit code [1-9]|exited with code [1-9]";
    // A job, or the log of one, that ended as it should.
    WELL = r"^Cleaning up orphan processes|^Job succeeded|^CircleCI received exit code 0|^Finishing: |exit code 0\b|^Post job cleanup";
    // Anything that reads like an error: shown where nothing better explains a failure.
    SUSPECT = r"(?x)^\W{0,4}(?i:errors?|fatal|fail(?:ed|ure)?|panic)\b | \b[A-Z]\w*Error:\ | ^\s*(?:✖|✘|×|✗|❌) | \bfailed\ (?:to|with)\b | ^Invalid\ ";
    HEAD = r"npm (?:error|ERR!) code \S|lerna ERR! E[A-Z0-9_]+\b|an error occurred while publishing|\bERR_PNPM_[A-Z_]+|\bEINVALIDNPM(?:TOKEN|AUTH)\b|\bENONPMTOKEN\b|npm publish error:|YN00(?:33|41|91):";
    END = r"A complete log of this run can be found in";
    CODE = r"\bE(?:\d{3}|[A-Z][A-Z0-9_]{2,})\b|\b(?:MODULE_NOT_FOUND|ERR_SOCKET_TIMEOUT|CERT_HAS_EXPIRED|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)\b";
    STATUS = r"npm (?:error|ERR!) (\d{3}) |ERR_PNPM_\w+.*?\b(?:status:? |\()(\d{3})\b|Response Code: (\d{3})\b|\b([45]\d\d) [A-Z][A-Za-z -]{2,40} - (?:GET|PUT|POST|DELETE) |^(?:error: )?([45]\d\d) [A-Z][A-Za-z ]{2,40}: https?://|ERR_PNPM_FETCH_(\d{3})\b";
    REASON = r"\b(Not Found|Unauthorized|Forbidden|Conflict|Unprocessable Entity) - (?:GET|PUT|POST|DELETE) https?://";
    NEED_AUTH = r"This command requires you to be logged in";
    NEED_OTP = r"This operation requires a one-time password";
    // The registry of a request, or the one that a publish names.
    ADDRESS = r"\b(?:GET|PUT|POST|DELETE) (?:\d{3} )?(https?://[^\s/]+/\S*)|Publishing to (https?://\S+)|logged in to (https?://\S+)|Request URL: (https?://\S+)|^(?:error: )?[45]\d\d [A-Z][A-Za-z ]{2,40}: (https?://\S+)|^Registry: (https?://\S+)";
    PUBLISHED = r"^\+ ((?:@[^\s/@]+/)?[^\s/@]+@\d\S*)\s*$|lerna success published (\S+) (\d\S*)|^ *Published ((?:@[^\s/@]+/)?[^\s/@]+@\d\S*)";
    WRITTEN = r"\bPUT (?:\d{3} )?https?://[^\s/]+/(\S+)|/oidc/token/exchange/package/([^\s/]+)|/-/package/([^\s/]+)/|^(?:error: )?[45]\d\d [A-Z][A-Za-z ]{2,40}: https?://[^\s/]+/(\S+)|Request URL: https?://[^\s/]+/(\S+)|\bGET (?:\d{3} )?https?://[^\s/]+/((?:@[^\s/]+(?:/|%2[fF]))?[a-z0-9][^\s/]*)(?:\s|$)";
    NAMED = r#"while publishing ((?:@[^\s/@:]+/)?[^\s/@:]+)|Failed to publish (?:package )?((?:@[^\s/@]+/)?[^\s/@]+)@\d|Package failed to publish: ((?:@[^\s/@:]+/)?[^\s/@:]+)|'((?:@[^\s/@']+/)?[^\s/@']+)@\d[^']*' (?:is not in|does not exist in) this registry|npm notice (?:📦\s+|package: )((?:@[^\s/@]+/)?[^\s/@]+)@\d|Publishing "((?:@[^\s/@"]+/)?[^\s/@"]+)" at|No matching version found for ((?:@[^\s/@]+/)?[^\s/@]+)@\d|npm trust \w+ ((?:@[^\s/@]+/)?[a-z0-9][^\s/@]*) "#;
    // A step of a forge, and the scripts that it repeats before it runs them.
    STEP = r"^(?:##\[group\]|##\[section\])?Run ([A-Za-z./$@][^\n]*[^.\s])$|^##\[group\]Run (.*)";
    // A command that a step runs: as a shell, GitLab, npm, pnpm and yarn print it.
    COMMAND = r"^(?:\$ (\S.*)|> (\S.*)|\++ ((?:npm|pnpm|yarn|bun|bunx|npx|node|git|gh|lerna|nx|corepack|sh|bash)\b.*)|(?:yarn|bun) (publish) v\d)";
}

/// Yarn's numbers that are no errors: progress, notes and what it found to fetch or build.
const YARN_NOTES: &[u32] = &[
    0, 2, 5, 6, 7, 8, 13, 14, 19, 60, 61, 65, 68, 76, 85, 86, 87, 88, 89,
];

/// Tells whether a known tool prints a line as an error.
pub(super) fn is_error(text: &str) -> bool {
    // pnpm says by a code of its errors that it goes on without OIDC: that is no failure yet.
    if text.contains("Skipped OIDC") {
        return false;
    }
    let yarn = YARN.captures(text).is_some_and(|found| {
        let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
        let note = part(1)
            .parse()
            .is_ok_and(|number| YARN_NOTES.contains(&number));
        !note || part(2).contains("Failed with errors") || part(2).contains("Error:")
    });
    yarn || ERROR.is_match(text)
}

/// Gives the error codes that stand on an error's line, and those that its words or its status stand for.
pub(super) fn codes(text: &str) -> Vec<Box<str>> {
    let mut codes: Vec<Box<str>> = CODE
        .find_iter(text)
        .take(8)
        .map(|code| code.as_str().into())
        .collect();
    let status = STATUS
        .captures(text)
        .and_then(|found| Some(found.iter().skip(1).flatten().next()?.as_str().to_owned()));
    let reason = REASON.captures(text).and_then(|found| {
        Some(match found.get(1)?.as_str() {
            "Unauthorized" => "401",
            "Forbidden" => "403",
            "Not Found" => "404",
            "Conflict" => "409",
            _ => "422",
        })
    });
    let status = status.or_else(|| reason.map(str::to_owned));
    codes.extend(status.map(|status| format!("E{status}").into_boxed_str()));
    for (words, code) in [(&NEED_AUTH, "ENEEDAUTH"), (&NEED_OTP, "EOTP")] {
        if words.is_match(text) {
            codes.push(code.into());
        }
    }
    codes
}
