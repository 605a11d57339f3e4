//! The table of the gates: ids, waves, subjects, lanes and the words for each. Knows nothing of facts.
//!
//! Ids stand in session files and never change. A row makes its gate's constant; what looks at the facts for it stands in
//! `super::LOOKS`.

use crate::model::id::Kind;
use crate::model::lane::{Lane, Lanes};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
    /// Nothing here looks yet: a person says so until then.
    pub unwatched: bool,
    /// The command of the decision that answers it; such a gate is not attested.
    pub decision: Option<&'static str>,
}

impl GateSpec {
    /// Tells whether the program can look: a person's word for such a gate stands where an observation could.
    pub fn is_watched(&self) -> bool {
        self.way == Way::Observed && !self.unwatched
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
            lanes: Lanes::NONE,
            advice: true,
            ..PLAIN
        };
        GATES.get(usize::from(self.0)).unwrap_or(&NONE)
    }

    pub fn word(self) -> &'static str {
        self.spec().id
    }

    /// Returns the gate's place in the table.
    pub(super) const fn row(self) -> usize {
        self.0 as usize
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

const T: Lane = Lane::Trusted;
const SO: Lane = Lane::StagedOidc;
const ST: Lane = Lane::StagedToken;
const B: Lane = Lane::Bridge;
const M: Lane = Lane::Manual;
const R: Lane = Lane::Retire;

macro_rules! gates {
    ($($name:ident $id:literal $wave:literal [$($kind:ident),+] [$($lane:ident),*] $way:ident $({$($flag:ident),+})? $asks:literal $next:literal $(=> $decision:literal)?;)+) => {
        /// Every gate, in the order in which a cutover meets them.
        pub static GATES: &[GateSpec] = &[$(
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
                $(decision: Some($decision),)?
                ..PLAIN
            },
        )+];

        /// The rows by name, so that each knows its number.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[derive(Clone, Copy)]
        enum Row { $($name),+ }

        impl GateId {
            $(pub const $name: Self = Self(Row::$name as u8);)+
        }
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
    unwatched: false,
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
    PUBLISHERS_HAVE_2FA "publishers-have-2fa" 0 [Person] [] Observed "Everyone who can publish has two-factor login." "turn on 2FA for this account";
    BACKUP_SECOND_FACTOR "backup-second-factor" 0 [Person] [] Attested "This person has a second factor in reserve." "register a second key or recovery codes";
    COMMANDER_NAMED "commander-named" 0 [Session] [] Attested {team} "One person calls go and no-go." "name the incident commander" => "cutover assign --commander PERSON";
    SECOND_APPROVER_NAMED "second-approver-named" 0 [Session] [] Attested {team} "A second person approves what cannot be undone." "name a second approver" => "cutover assign --second-approver PERSON";
    EMERGENCY_GROUP_READY "emergency-group-ready" 0 [Session] [] Attested "The people who can undo a bad release can be reached." "list who is on call, and when";
    TABLETOP_RUN "tabletop-run" 0 [Session] [] Attested "The team has rehearsed the steps once." "rehearse the steps once with the team";
    POWERS_COMPLETE "powers-complete" 0 [Package, Secret, Token] [] Observed "Somebody present can administer this." "name someone who can administer it";
    OWNER_NAMED "owner-named" 0 [Repo] [] Attested "The repository has an owner for the weekend." "assign an owner" => "cutover assign REPO --owner PERSON";
    REVIEWER_NAMED "reviewer-named" 0 [Repo] [] Attested {team} "Somebody other than the owner reviews the change." "assign a reviewer" => "cutover assign REPO --reviewer PERSON";
    SECRET_TOKEN_KNOWN "secret-token-known" 0 [Secret] [] Observed "The token that this secret holds is known." "confirm which token this secret holds" => "cutover edge TOKEN SECRET --holds` or `--not";
    PATHS_FOUND "paths-found" 1 [Repo] [] Observed "Every ref that can publish has been scanned." "scan the checkout";
    CREDENTIAL_CLASSIFIED "credential-classified" 1 [Path] [] Observed "The credential that this path publishes with is known." "find the credential of this publish job";
    PACKAGES_MAPPED "packages-mapped" 1 [Path] [] Observed "The packages that this path publishes are known." "name the packages this job publishes";
    TOKEN_USES_LISTED "token-uses-listed" 1 [Repo] [] Observed "Everything else that needs a token is listed." "scan the checkout";
    PACKAGES_ACCOUNTED "packages-accounted" 1 [Session] [] Observed "Every package of the organisation has a path, and every path a package." "match npm's packages to publish paths";
    UNMATCHED_ANSWERED "unmatched-publishers-answered" 1 [Package] [] Observed "No version came from an unknown machine." "ask who published these versions";
    SECRET_COPIES_LISTED "secret-copies-listed" 1 [Secret] [] Observed "Every store that holds a copy of this secret is known." "list every store that holds this secret";
    TOKENS_IDENTIFIED "tokens-identified" 1 [Token] [] Observed "The secrets that hold this token are known." "confirm which secrets hold this token";
    SPRAWL_HUNTED "sprawl-hunted" 1 [Token] [] Attested "Images, bots, hosting and laptops were searched for this token." "search bots and laptops for this token";
    OUTSIDE_CONSUMERS_ASKED "outside-consumers-asked" 1 [Token] [] Attested "Partners and vendors were asked whether they use this token." "ask partners whether they use this token";
    LANE_CHOSEN "lane-chosen" 1 [Path] [] Attested "A lane is chosen for this path." "choose a lane for this path" => "cutover lane PATH --lane LANE";
    TRUST_DECIDED "trust-decided" 2 [Package] [T, SO] Observed "The trusted publisher is decided: repository, top-level workflow, environment, action, and who registers it." "decide the trusted publisher's details";
    RELEASE_ENVIRONMENT_EXISTS "release-environment-exists" 2 [Path] [T, SO] Observed "The publish job runs in a release environment." "put the publish job in an environment";
    VALIDATION_PLANNED "validation-planned" 2 [Config] [T, SO] Attested "The publish that validates the trusted publisher in time is planned." "plan the publish that validates trust" => "cutover plan TARGET --by canary";
    TOKEN_LEAST_PRIVILEGE "token-least-privilege" 2 [Token] [ST, B] Observed "The token can write only what this path publishes." "narrow the token to these packages";
    TOKEN_LIFETIME "token-lifetime" 2 [Token] [ST, B] Observed "The token ends within the allowed days." "recreate the token with an earlier end";
    BYPASS_2FA_DECIDED "bypass-2fa-decided" 2 [Token] [ST, B] Observed "It is decided whether the token bypasses 2FA." "decide whether the token bypasses 2FA";
    TOKEN_ADDRESS_BOUND "token-address-bound" 2 [Token] [ST, B] Observed {advice} "The token works from known addresses only." "bind the token to the runners' addresses";
    END_DATE_SET "end-date-set" 2 [Path] [B, M] Attested {said} "The lane has an end date." "set an end date for this path" => "cutover lane PATH --until DAY";
    APPROVERS_TWO "approvers-two" 2 [Package] [SO, ST] Attested {team} "Two people can approve stages of this package." "give a second person approval rights";
    APPROVAL_LOAD_ACCEPTED "approval-load-accepted" 2 [Package] [SO, ST] Attested "The people who approve stages know how many there will be." "agree the approval load with approvers";
    LOCAL_PATH_DOCUMENTED "local-path-documented" 2 [Path] [M] Attested "How people publish by hand is documented." "document how to publish by hand";
    TWO_PEOPLE_ABLE "two-people-able" 2 [Path] [M] Attested {team} "Two people can publish by hand." "give a second person publish rights";
    INSTALL_TOKEN_READ_ONLY "install-token-read-only" 2 [Secret] [] Observed "A token that only installs cannot write." "make the install token read-only";
    WORKFLOW_REWIRED "workflow-rewired" 3 [PathRef] [T, SO, ST, B] Observed {said} "The workflow of this ref publishes the way its lane says." "rewire the workflow to its lane";
    PUBLISH_REMOVED "publish-removed" 3 [Path] [R] Observed {said} "The publish is gone from the workflow." "remove the workflow's publish step";
    ENVIRONMENT_PROTECTED "environment-protected" 3 [Repo] [] Observed "The release environment has rules." "protect the release environment";
    ACTIONS_PINNED "actions-pinned" 3 [Repo] [] Observed "Actions of publish jobs are pinned by commit." "pin the publish job's actions by commit";
    WORKFLOW_OWNED "workflow-owned" 3 [Repo] [] Observed "Changes to the publish workflow need its owners." "require owner review of the workflow";
    REPOSITORY_URL_MATCHES "repository-url-matches" 3 [Package] [T, SO] Observed "package.json names this repository, letter by letter." "correct repository.url in package.json";
    FAILS_CLOSED "fails-closed" 3 [Path] [T, SO, ST, B] Observed "A publish that fails, fails the run." "make a failed publish fail the run";
    PREFLIGHT_PRESENT "preflight-present" 3 [Path] [ST, B] Observed {unwatched} "A preflight checks the token before the publish." "add a preflight step before the publish";
    FLIP_BACK_REHEARSED "flip-back-rehearsed" 3 [Session] [] Attested "Flipping back to the token was rehearsed once." "rehearse flipping back to the token";
    OLD_SECRET_KEPT "old-secret-kept" 3 [Secret] [] Observed {latches} "The old secret is still there for the way back." "keep the old secret until the rehearsal";
    ARMED "armed" 4 [Config] [T, SO] Observed {latches} "The trusted publisher was registered in time for a planned publish." "register the trusted publisher at npm";
    EXCHANGE_PROBED "exchange-probed" 4 [Config] [T, SO] Observed {latches, said} "A probe exchanged an OIDC token for this config." "run an OIDC exchange probe in CI";
    CANARY_PUBLISHED "canary-published" 4 [Path] [T, SO, ST, B, M] Observed {latches, said} "A canary was published the new way." "publish a canary from CI";
    PUBLISHED_BY_OIDC "published-by-oidc" 4 [Config] [T] Observed {latches} "The registry names this config as publisher." "check the canary's publisher at npm";
    STAGED_BY_THIS_RUN "staged-by-this-run" 4 [Package] [SO, ST] Observed {latches} "The stage came from this run and was approved." "check the stage against its run";
    DIST_TAGS_CORRECT "dist-tags-correct" 4 [Package] [] Observed {latches} "The canary tag is set and latest has not moved." "check the package's dist-tags";
    INSTALLS_CLEAN "installs-clean" 4 [Package] [] Observed {latches, unwatched} "The canary installs." "install the canary in an empty folder";
    PROVENANCE_VERIFIED "provenance-verified" 4 [Package] [T, SO] Observed {latches} "The canary's provenance names this repository, workflow and commit." "verify the canary's provenance";
    SBOM_KEPT "sbom-kept" 4 [Package] [] Attested {advice} "Where there was a bill of materials, there still is." "compare the SBOM with the last release";
    CANARY_CLEANED "canary-cleaned" 4 [Package] [] Observed {latches} "The canary tag is gone." "remove the canary tag";
    CHAIN_COMPLETE "chain-complete" 5 [Token] [] Observed "Every edge from this token to a package is known and released." "resolve the token's open links";
    SCREAM_TEST_HELD "scream-test-held" 5 [Token] [] Attested {latches} "Tokens were disallowed or narrowed first, and nothing broke during the hold." "narrow the token's use, then hold";
    TOKENS_QUIET "tokens-quiet" 5 [Token] [] Observed {advice} "The token has not been used since the cutover." "import a fresh token list";
    TOKENS_REVOKED "tokens-revoked" 5 [Token] [] Observed {latches, said} "The token is gone: in one listing, absent in two later ones." "revoke the token and record it";
    SECRETS_DELETED "secrets-deleted" 5 [Secret] [] Observed {said} "No store holds the secret." "delete the secret from every store";
    FALLBACK_REMOVED "fallback-removed" 5 [Path] [T, SO, M, R] Observed "Flag, variable and secret name are gone from the workflow." "remove the token fallback from its file";
    TOKEN_PUBLISHING_DISALLOWED "token-publishing-disallowed" 5 [Package] [T, M, R] Observed {unwatched} "The package refuses publishing with tokens." "disallow token publishing at npm";
    WRITERS_TRIMMED "writers-trimmed" 5 [Package] [] Attested "Only those who need it can write." "remove maintainers who need not publish";
    POLICY_CHECK_ON "policy-check-on" 5 [Repo] [] Observed {unwatched} "Pull requests are checked against the policy." "add the policy check to pull requests";
    DOCS_UPDATED "docs-updated" 5 [Repo] [] Attested "The release documentation describes the new way." "update the release documentation";
    FIRST_REAL_RELEASE "first-real-release" 6 [Path] [] Observed {latches, said} "A real release went out after the revocation." "confirm the first real release";
}
