//! The gates: one table of ids, waves, subjects and lanes, and the words for each.
//!
//! Ids stand in session files and never change. What a gate finds is judged in `gate/wave0.rs` to `gate/after.rs`,
//! from the facts alone.

mod accounts;
mod after;
mod copies;
pub mod look;
mod powers;
pub mod publish;
pub mod verdict;
pub mod view;
pub mod wave0;
pub mod wave1;
pub mod wave2;
pub mod wave3;
pub mod wave4;
pub mod wave5;

use super::id::Kind;
use super::lane::{Lane, Lanes};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
pub use verdict::{Met, State, Verdict};
pub use view::View;

/// How a gate can be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The program looks; a person may attest while the observer is not connected.
    Observed,
    /// Only a person can say so.
    Attested,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct GateSpec {
    pub id: &'static str,
    pub wave: u8,
    pub subjects: &'static [Kind],
    /// Lanes in which it holds; of repos and sessions, a gate holds in every lane.
    pub lanes: Lanes,
    pub way: Way,
    /// Only for teams; in `solo` it does not apply.
    pub team: bool,
    /// Advice: shown, never counted as missing.
    pub advice: bool,
    /// About an event: once met it stays met, unless contradicted.
    pub latches: bool,
    /// An end state says it: a waiver skips the work, it does not make the words true.
    pub said: bool,
    /// What it asks, in one sentence.
    pub asks: &'static str,
    /// What to do about it, in one sentence.
    pub next: &'static str,
    /// What the facts alone say; decisions of people are laid over it in `judge`. None where nothing here can look.
    looks: Option<fn(&View<'_>) -> Verdict>,
    /// The command of the decision that answers it; such a gate is not attested.
    pub decision: Option<&'static str>,
}

impl GateSpec {
    /// Tells whether the program can look: a person's word for such a gate stands where an observation could.
    pub fn is_watched(&self) -> bool {
        self.way == Way::Observed && self.looks.is_some()
    }
}

/// A gate by its row number: small enough to stand in every decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GateId(u8);

impl GateId {
    /// Reads the id as files and people write it.
    pub fn parse(id: &str) -> Option<Self> {
        // Sorted by id: a large session names a gate in every second line.
        static BY_ID: std::sync::OnceLock<Vec<(&str, GateId)>> = std::sync::OnceLock::new();
        let table = BY_ID.get_or_init(|| {
            let mut table: Vec<_> = Self::all().map(|gate| (gate.word(), gate)).collect();
            table.sort_unstable();
            table
        });
        let at = table.binary_search_by_key(&id, |(known, _)| *known);
        at.ok().and_then(|at| table.get(at)).map(|(_, gate)| *gate)
    }

    /// Gives the gate's row. Every value of this type was made from a row.
    pub fn spec(self) -> &'static GateSpec {
        static NONE: GateSpec = GateSpec {
            id: "",
            wave: 0,
            subjects: &[],
            lanes: Lanes::NONE,
            way: Way::Attested,
            team: false,
            advice: true,
            latches: false,
            said: false,
            asks: "",
            next: "",
            looks: None,
            decision: None,
        };
        GATES.get(usize::from(self.0)).unwrap_or(&NONE)
    }

    pub fn word(self) -> &'static str {
        self.spec().id
    }

    /// Gives this gate's own bit in a set of gates.
    pub fn bit(self) -> u128 {
        1_u128.checked_shl(u32::from(self.0)).unwrap_or(0)
    }

    /// Gives every gate, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..GATES.len()).filter_map(|row| u8::try_from(row).ok().map(Self))
    }

    /// Gives the gates that a subject of this kind can have, in the order of the waves.
    pub fn of_kind(kind: Kind) -> &'static [Self] {
        static BY_KIND: std::sync::OnceLock<Vec<Vec<GateId>>> = std::sync::OnceLock::new();
        let table = BY_KIND.get_or_init(|| {
            Kind::ALL
                .iter()
                .map(|kind| {
                    GateId::all()
                        .filter(|gate| gate.spec().subjects.contains(kind))
                        .collect()
                })
                .collect()
        });
        table.get(kind as usize).map_or(&[], Vec::as_slice)
    }
}

/// What is said of a gate's id that stands in no row.
pub const UNKNOWN_GATE: &str = "a gate that this version does not know";

impl Serialize for GateId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for GateId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let id = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        Self::parse(&id).ok_or_else(|| D::Error::custom(UNKNOWN_GATE))
    }
}

/// Judges one gate of one subject: the facts first, then what people decided.
///
/// Attesting never overrides a contrary observation; a waiver holds to the end of its last day.
pub fn judge(view: &View<'_>, gate: GateId) -> Verdict {
    let spec = gate.spec();
    if let Some(reason) = view.does_not_apply(spec) {
        return Verdict::not_applicable(reason);
    }
    if view.facts.newer.contains(&view.subject) {
        return Verdict::could_not("written by a newer version of cutover: update to judge it");
    }
    if view.waits_for_path(spec) {
        return Verdict::not_looked("no path of it is known, and not everything was read")
            .only_seen();
    }
    if view.waits_for_lane(spec) {
        return Verdict::not_looked("choose a lane first");
    }
    if view.facts.stands_in(view.subject) {
        return Verdict::could_not(NOT_MAPPED).only_seen();
    }
    let base = match spec.looks {
        Some(looks) => looks(view),
        None => Verdict::unwatched("cutover cannot check this: confirm it by hand"),
    };
    match base.state {
        State::Passed | State::Attested | State::NotApplicable => base,
        State::Blocked => view.waived(gate).unwrap_or(base),
        _ => view
            .waived(gate)
            .or_else(|| view.attested(gate, base.since))
            .unwrap_or(base),
    }
}

/// Why a gate of a package stays open that only stands in for what is not known.
const NOT_MAPPED: &str = "which packages this publishes is not known: name them in an inventory";

/// Words of the waves, by number; the last is after-care.
pub const WAVES: [&str; 7] = [
    "guardrails",
    "inventory",
    "credentials",
    "wiring",
    "rehearsal",
    "revocation",
    "after-care",
];

const T: Lane = Lane::Trusted;
const SO: Lane = Lane::StagedOidc;
const ST: Lane = Lane::StagedToken;
const B: Lane = Lane::Bridge;
const M: Lane = Lane::Manual;
const R: Lane = Lane::Retire;

impl GateId {
    pub const PATHS_FOUND: Self = Self::named("paths-found");
    pub const TOKEN_USES_LISTED: Self = Self::named("token-uses-listed");
    pub const PACKAGES_MAPPED: Self = Self::named("packages-mapped");
    pub const UNMATCHED_ANSWERED: Self = Self::named("unmatched-publishers-answered");
    pub const SECRET_TOKEN_KNOWN: Self = Self::named("secret-token-known");
    pub const WORKFLOW_REWIRED: Self = Self::named("workflow-rewired");
    pub const END_DATE_SET: Self = Self::named("end-date-set");
    pub const PUBLISH_REMOVED: Self = Self::named("publish-removed");
    pub const EXCHANGE_PROBED: Self = Self::named("exchange-probed");
    pub const CANARY_PUBLISHED: Self = Self::named("canary-published");
    pub const PUBLISHED_BY_OIDC: Self = Self::named("published-by-oidc");
    pub const TOKENS_REVOKED: Self = Self::named("tokens-revoked");
    pub const SECRETS_DELETED: Self = Self::named("secrets-deleted");
    pub const FIRST_REAL_RELEASE: Self = Self::named("first-real-release");

    /// Finds a gate of the table while this is compiled: an id that is not in it does not compile.
    #[expect(
        clippy::indexing_slicing,
        reason = "runs while compiling only, and within the length"
    )]
    const fn named(id: &str) -> Self {
        let mut row: u8 = 0;
        while (row as usize) < TABLE.len() {
            if same(TABLE[row as usize].id.as_bytes(), id.as_bytes()) {
                return Self(row);
            }
            row += 1;
        }
        panic!("no gate of that id")
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "runs while compiling only, and within both lengths"
)]
const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

macro_rules! gates {
    ($($id:literal $wave:literal [$($kind:ident),+] [$($lane:ident),*] $way:ident $({$($flag:ident),+})? $asks:literal $next:literal $(=> $looks:path $(, $decision:literal)?)?;)+) => {
        /// Every gate, in the order in which a cutover meets them.
        pub static GATES: &[GateSpec] = TABLE;

        const TABLE: &[GateSpec] = &[$(
            #[allow(clippy::needless_update)]
            GateSpec {
                id: $id,
                wave: $wave,
                subjects: &[$(Kind::$kind),+],
                lanes: lanes(&[$($lane),*]),
                way: Way::$way,
                $($($flag: true,)+)?
                asks: $asks,
                next: $next,
                $(looks: Some($looks), $(decision: Some($decision),)?)?
                ..PLAIN
            },
        )+];
    };
}

const PLAIN: GateSpec = GateSpec {
    id: "",
    wave: 0,
    subjects: &[],
    lanes: Lanes::ALL,
    way: Way::Attested,
    team: false,
    advice: false,
    latches: false,
    said: false,
    asks: "",
    next: "",
    looks: None,
    decision: None,
};

const fn lanes(some: &[Lane]) -> Lanes {
    if some.is_empty() {
        Lanes::ALL
    } else {
        Lanes::of(some)
    }
}

gates! {
    "publishers-have-2fa" 0 [Person] [] Observed "Everyone who can publish has two-factor login." "turn on 2FA for this account" => wave0::publishers_have_2fa;
    "backup-second-factor" 0 [Person] [] Attested "This person has a second factor in reserve." "register a second key or recovery codes";
    "commander-named" 0 [Session] [] Attested {team} "One person calls go and no-go." "name the incident commander" => wave0::commander_named, "cutover assign --commander PERSON";
    "second-approver-named" 0 [Session] [] Attested {team} "A second person approves what cannot be undone." "name a second approver" => wave0::second_approver_named, "cutover assign --second-approver PERSON";
    "emergency-group-ready" 0 [Session] [] Attested "The people who can undo a bad release can be reached." "list who is on call, and when";
    "tabletop-run" 0 [Session] [] Attested "The team has rehearsed the steps once." "rehearse the steps once with the team";
    "powers-complete" 0 [Package, Secret, Token] [] Observed "Somebody present can administer this." "name someone who can administer it" => powers::powers_complete;
    "owner-named" 0 [Repo] [] Attested "The repository has an owner for the weekend." "assign an owner" => wave0::owner_named, "cutover assign REPO --owner PERSON";
    "reviewer-named" 0 [Repo] [] Attested {team} "Somebody other than the owner reviews the change." "assign a reviewer" => wave0::reviewer_named, "cutover assign REPO --reviewer PERSON";
    "secret-token-known" 0 [Secret] [] Observed "The token that this secret holds is known." "confirm which token this secret holds" => wave0::secret_token_known, "cutover edge TOKEN SECRET --holds` or `--not";
    "paths-found" 1 [Repo] [] Observed "Every ref that can publish has been scanned." "scan the checkout" => wave1::paths_found;
    "credential-classified" 1 [Path] [] Observed "The credential that this path publishes with is known." "find the credential of this publish job" => wave1::credential_classified;
    "packages-mapped" 1 [Path] [] Observed "The packages that this path publishes are known." "name the packages this job publishes" => wave1::packages_mapped;
    "token-uses-listed" 1 [Repo] [] Observed "Everything else that needs a token is listed." "scan the checkout" => wave1::token_uses_listed;
    "packages-accounted" 1 [Session] [] Observed "Every package of the organisation has a path, and every path a package." "match npm's packages to publish paths" => accounts::packages_accounted;
    "unmatched-publishers-answered" 1 [Package] [] Observed "No version came from an unknown machine." "ask who published these versions" => wave1::unmatched_publishers_answered;
    "secret-copies-listed" 1 [Secret] [] Observed "Every store that holds a copy of this secret is known." "list every store that holds this secret" => wave1::secret_copies_listed;
    "tokens-identified" 1 [Token] [] Observed "The secrets that hold this token are known." "confirm which secrets hold this token" => wave1::tokens_identified;
    "sprawl-hunted" 1 [Token] [] Attested "Images, bots, hosting and laptops were searched for this token." "search bots and laptops for this token";
    "outside-consumers-asked" 1 [Token] [] Attested "Partners and vendors were asked whether they use this token." "ask partners whether they use this token";
    "lane-chosen" 1 [Path] [] Attested "A lane is chosen for this path." "choose a lane for this path" => wave1::lane_chosen, "cutover lane PATH --lane LANE";
    "trust-decided" 2 [Package] [T, SO] Observed "The trusted publisher is decided: repository, top-level workflow, environment, action, and who registers it." "decide the trusted publisher's details" => wave2::trust_decided;
    "release-environment-exists" 2 [Path] [T, SO] Observed "The publish job runs in a release environment." "put the publish job in an environment" => wave2::release_environment_exists;
    "validation-planned" 2 [Config] [T, SO] Attested "The publish that validates the trusted publisher in time is planned." "plan the publish that validates trust" => wave2::validation_planned, "cutover plan TARGET --by canary";
    "token-least-privilege" 2 [Token] [ST, B] Observed "The token can write only what this path publishes." "narrow the token to these packages" => wave2::token_least_privilege;
    "token-lifetime" 2 [Token] [ST, B] Observed "The token ends within the allowed days." "recreate the token with an earlier end" => wave2::token_lifetime;
    "bypass-2fa-decided" 2 [Token] [ST, B] Observed "It is decided whether the token bypasses 2FA." "decide whether the token bypasses 2FA" => wave2::bypass_2fa_decided;
    "token-address-bound" 2 [Token] [ST, B] Observed {advice} "The token works from known addresses only." "bind the token to the runners' addresses" => wave2::token_address_bound;
    "end-date-set" 2 [Path] [B, M] Attested {said} "The lane has an end date." "set an end date for this path" => wave2::end_date_set, "cutover lane PATH --until DAY";
    "approvers-two" 2 [Package] [SO, ST] Attested {team} "Two people can approve stages of this package." "give a second person approval rights";
    "approval-load-accepted" 2 [Package] [SO, ST] Attested "The people who approve stages know how many there will be." "agree the approval load with approvers";
    "local-path-documented" 2 [Path] [M] Attested "How people publish by hand is documented." "document how to publish by hand";
    "two-people-able" 2 [Path] [M] Attested {team} "Two people can publish by hand." "give a second person publish rights";
    "install-token-read-only" 2 [Secret] [] Observed "A token that only installs cannot write." "make the install token read-only" => wave2::install_token_read_only;
    "workflow-rewired" 3 [PathRef] [T, SO, ST, B] Observed {said} "The workflow of this ref publishes the way its lane says." "rewire the workflow to its lane" => wave3::workflow_rewired;
    "publish-removed" 3 [Path] [R] Observed {said} "The publish is gone from the workflow." "remove the workflow's publish step" => wave3::publish_removed;
    "environment-protected" 3 [Repo] [] Observed "The release environment has rules." "protect the release environment" => wave3::environment_protected;
    "actions-pinned" 3 [Repo] [] Observed "Actions of publish jobs are pinned by commit." "pin the publish job's actions by commit" => wave3::actions_pinned;
    "workflow-owned" 3 [Repo] [] Observed "Changes to the publish workflow need its owners." "require owner review of the workflow" => wave3::workflow_owned;
    "repository-url-matches" 3 [Package] [T, SO] Observed "package.json names this repository, letter by letter." "correct repository.url in package.json" => wave3::repository_url_matches;
    "fails-closed" 3 [Path] [T, SO, ST, B] Observed "A publish that fails, fails the run." "make a failed publish fail the run" => wave3::fails_closed;
    "preflight-present" 3 [Path] [ST, B] Observed "A preflight checks the token before the publish." "add a preflight step before the publish";
    "flip-back-rehearsed" 3 [Session] [] Attested "Flipping back to the token was rehearsed once." "rehearse flipping back to the token";
    "old-secret-kept" 3 [Secret] [] Observed {latches} "The old secret is still there for the way back." "keep the old secret until the rehearsal" => wave3::old_secret_kept;
    "armed" 4 [Config] [T, SO] Observed {latches} "The trusted publisher was registered in time for a planned publish." "register the trusted publisher at npm" => wave4::armed;
    "exchange-probed" 4 [Config] [T, SO] Observed {latches, said} "A probe exchanged an OIDC token for this config." "run an OIDC exchange probe in CI" => wave4::exchange_probed;
    "canary-published" 4 [Path] [T, SO, ST, B, M] Observed {latches, said} "A canary was published the new way." "publish a canary from CI" => wave4::canary_published;
    "published-by-oidc" 4 [Config] [T] Observed {latches} "The registry names this config as publisher." "check the canary's publisher at npm" => wave4::published_by_oidc;
    "staged-by-this-run" 4 [Package] [SO, ST] Observed {latches} "The stage came from this run and was approved." "check the stage against its run" => wave4::staged_by_this_run;
    "dist-tags-correct" 4 [Package] [] Observed {latches} "The canary tag is set and latest has not moved." "check the package's dist-tags" => wave4::dist_tags_correct;
    "installs-clean" 4 [Package] [] Observed {latches} "The canary installs." "install the canary in an empty folder";
    "provenance-verified" 4 [Package] [T, SO] Observed {latches} "The canary's provenance names this repository, workflow and commit." "verify the canary's provenance" => wave4::provenance_verified;
    "sbom-kept" 4 [Package] [] Attested {advice} "Where there was a bill of materials, there still is." "compare the SBOM with the last release";
    "canary-cleaned" 4 [Package] [] Observed {latches} "The canary tag is gone." "remove the canary tag" => wave4::canary_cleaned;
    "chain-complete" 5 [Token] [] Observed "Every edge from this token to a package is known and released." "resolve the token's open links" => wave5::chain_complete;
    "scream-test-held" 5 [Token] [] Attested {latches} "Tokens were disallowed or narrowed first, and nothing broke during the hold." "narrow the token's use, then hold" => wave5::displaced;
    "tokens-quiet" 5 [Token] [] Observed {advice} "The token has not been used since the cutover." "import a fresh token list" => wave5::tokens_quiet;
    "tokens-revoked" 5 [Token] [] Observed {latches, said} "The token is gone: in one listing, absent in two later ones." "revoke the token and record it" => wave5::tokens_revoked;
    "secrets-deleted" 5 [Secret] [] Observed {said} "No store holds the secret." "delete the secret from every store" => wave5::secrets_deleted;
    "fallback-removed" 5 [Path] [T, SO, M, R] Observed "Flag, variable and secret name are gone from the workflow." "remove the token fallback from its file" => wave5::fallback_removed;
    "token-publishing-disallowed" 5 [Package] [T, M, R] Observed "The package refuses publishing with tokens." "disallow token publishing at npm";
    "writers-trimmed" 5 [Package] [] Attested "Only those who need it can write." "remove maintainers who need not publish";
    "policy-check-on" 5 [Repo] [] Observed "Pull requests are checked against the policy." "add the policy check to pull requests";
    "docs-updated" 5 [Repo] [] Attested "The release documentation describes the new way." "update the release documentation" => wave5::docs_updated;
    "first-real-release" 6 [Path] [] Observed {latches, said} "A real release went out after the revocation." "confirm the first real release" => after::first_real_release;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_waves_rise() {
        for (row, gate) in GATES.iter().enumerate() {
            assert!(
                !GATES.iter().skip(row + 1).any(|other| other.id == gate.id),
                "{} twice",
                gate.id
            );
            assert_eq!(GateId::parse(gate.id).map(GateId::word), Some(gate.id));
            assert!(
                !gate.subjects.is_empty() && gate.asks.ends_with('.') && !gate.next.ends_with('.'),
                "{}",
                gate.id
            );
        }
        assert!(
            GATES
                .windows(2)
                .all(|pair| matches!(pair, [a, b] if a.wave <= b.wave))
        );
        assert!(GATES.len() <= 128, "a set of gates is a u128");
    }
}
