//! What a scan says of itself: that something in reach was not seen.
//!
//! One table of rules. While a finding of one of them stands, a repository's paths and token uses are not all known,
//! and nothing that rests on "there is no other" may pass.

use super::fact::{FindingFact, RepoFact};
use crate::safe::shown::and_more;

/// A rule of the scan by which not everything was seen, and what that was, after its place.
struct Unseen {
    rule: &'static str,
    words: &'static str,
}

/// Rules that mean: there may be more than what is listed.
static UNSEEN: &[Unseen] = &[
    Unseen {
        rule: "ci-not-read",
        words: "is of a system that is not read",
    },
    Unseen {
        rule: "unseen-callee",
        words: "hands over to what this checkout does not hold",
    },
    Unseen {
        rule: "follow-limit",
        words: "leads further than was followed",
    },
    Unseen {
        rule: "token-in-unread-text",
        words: "names a token in text that was not understood",
    },
];

fn unseen(finding: &FindingFact) -> Option<&'static Unseen> {
    UNSEEN.iter().find(|one| *one.rule == *finding.rule)
}

/// Says what a scan did not see; nothing where it saw everything that it looked at.
pub fn not_seen(scan: &RepoFact) -> Option<String> {
    if let Some(first) = scan.unread.first() {
        let more = and_more(scan.unread.len().saturating_sub(1));
        return Some(format!("not everything could be read: {first}{more}"));
    }
    if scan.left_out.is_some_and(|count| count > 0) {
        let words = "the scan found more than one event holds: scan this checkout by itself";
        return Some(words.to_owned());
    }
    let mut found = scan
        .findings
        .iter()
        .filter_map(|finding| Some((finding, unseen(finding)?)));
    let (finding, why) = found.next()?;
    let more = and_more(found.count());
    let FindingFact { file, line, .. } = finding;
    Some(format!("{file}:{line} {}{more}", why.words))
}
