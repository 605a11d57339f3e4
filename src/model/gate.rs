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
pub use verdict::{State, Verdict};
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
    /// What it asks, in one sentence.
    pub asks: &'static str,
    /// What to do about it, in one sentence.
    pub next: &'static str,
    /// What the facts alone say; decisions of people are laid over it in `judge`.
    looks: fn(&View<'_>) -> Verdict,
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
            asks: "",
            next: "",
            looks: nobody_looks,
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
    if view.waits_for_lane(spec) {
        return Verdict::not_looked("choose a lane first");
    }
    let base = (spec.looks)(view);
    match base.state {
        State::Passed | State::Attested | State::NotApplicable => base,
        State::Blocked => view.waived(gate).unwrap_or(base),
        _ => view
            .waived(gate)
            .or_else(|| view.attested(gate, base.since))
            .unwrap_or(base),
    }
}

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

macro_rules! gates {
    ($($id:literal $wave:literal [$($kind:ident),+] [$($lane:ident),*] $way:ident $({$($flag:ident),+})? $asks:literal $next:literal $(=> $looks:path)?;)+) => {
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
                $(looks: $looks,)?
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
    asks: "",
    next: "",
    looks: nobody_looks,
};

fn nobody_looks(_: &View<'_>) -> Verdict {
    Verdict::unwatched("nothing here can look at this: a person may attest it")
}

const fn lanes(some: &[Lane]) -> Lanes {
    if some.is_empty() {
        Lanes::ALL
    } else {
        Lanes::of(some)
    }
}

gates! {
    "publishers-have-2fa" 0 [Person] [] Observed "Everyone who can publish has two-factor login." "have this person turn on 2FA, then attest it" => wave0::publishers_have_2fa;
    "backup-second-factor" 0 [Person] [] Attested "This person has a second factor in reserve." "register a second key or keep recovery codes, then attest it";
    "commander-named" 0 [Session] [] Attested {team} "One person calls go and no-go." "name the commander" => wave0::commander_named;
    "second-approver-named" 0 [Session] [] Attested {team} "A second person approves what cannot be undone." "name a second approver who is not the commander" => wave0::second_approver_named;
    "emergency-group-ready" 0 [Session] [] Attested "The people who can undo a bad release can be reached." "write down who is reachable when, then attest it";
    "tabletop-run" 0 [Session] [] Attested "The team has walked through the steps once." "walk through the steps together, then attest it";
    "powers-complete" 0 [Package, Secret, Token] [] Observed "Somebody present can administer this." "find who can administer it and attest their name" => powers::powers_complete;
    "owner-named" 0 [Repo] [] Attested "The repository has an owner for the weekend." "assign an owner" => wave0::owner_named;
    "reviewer-named" 0 [Repo] [] Attested {team} "Somebody other than the owner reviews the change." "assign a reviewer" => wave0::reviewer_named;
    "paths-found" 1 [Repo] [] Observed "Every ref that can publish has been read." "scan the checkout" => wave1::paths_found;
    "credential-classified" 1 [Path] [] Observed "It is known what this path shows to the registry." "find where the credential comes from and attest it" => wave1::credential_classified;
    "packages-mapped" 1 [Path] [] Observed "It is known which packages this path publishes." "find which packages it publishes and attest them" => wave1::packages_mapped;
    "token-uses-listed" 1 [Repo] [] Observed "Everything else that needs a token is listed." "scan the checkout" => wave1::token_uses_listed;
    "packages-accounted" 1 [Session] [] Observed "Every package of the organisation has a path, and every path a package." "give each orphan a path or take it off the list; without the list, compare by hand and attest it" => accounts::packages_accounted;
    "unmatched-publishers-answered" 1 [Package] [] Observed "No version came from an unknown machine." "ask who published the versions that fit no run, and attest the answer" => wave1::unmatched_publishers_answered;
    "secret-copies-listed" 1 [Secret] [] Observed "Every store that holds a copy is known." "look into repository, organisation, environment, dependabot and codespaces secrets, then attest it" => wave1::secret_copies_listed;
    "tokens-identified" 1 [Token] [] Observed "It is known which secrets hold this token." "attest for each secret whether it holds this token" => wave1::tokens_identified;
    "sprawl-hunted" 1 [Token] [] Attested "Images, bots, hosting and laptops were searched for this token." "search them, then attest it";
    "outside-consumers-asked" 1 [Token] [] Attested "Partners and vendors were asked whether they use this token." "ask them, then attest it";
    "lane-chosen" 1 [Path] [] Attested "A lane is chosen for this path." "choose a lane" => wave1::lane_chosen;
    "trust-decided" 2 [Package] [T, SO] Observed "The trust config is decided: repository, top-level workflow, environment, action, registrar." "decide the config and attest who registers it" => wave2::trust_decided;
    "release-environment-exists" 2 [Path] [T, SO] Observed "The publish job runs in a release environment." "give the publish job an environment and create it on the forge" => wave2::release_environment_exists;
    "validation-planned" 2 [Config] [T, SO] Attested "It is planned which publish validates the config within 48 hours." "plan a release, a canary or on-demand" => wave2::validation_planned;
    "token-least-privilege" 2 [Token] [ST, B] Observed "The token can write only what this path publishes." "narrow the token's packages and scopes" => wave2::token_least_privilege;
    "token-lifetime" 2 [Token] [ST, B] Observed "The token ends within the allowed days." "create it anew with an end within the allowed days" => wave2::token_lifetime;
    "bypass-2fa-decided" 2 [Token] [ST, B] Observed "It is decided whether the token bypasses 2FA." "prefer a stage-only token; attest the decision" => wave2::bypass_2fa_decided;
    "token-address-bound" 2 [Token] [ST, B] Observed {advice} "The token works from known addresses only." "bind it to the runners' addresses where they are fixed" => wave2::token_address_bound;
    "end-date-set" 2 [Path] [B, M] Attested "The lane has an end date." "set an end date; a bridge ends before the first possible day of the January cut-off" => wave2::end_date_set;
    "approvers-two" 2 [Package] [SO, ST] Attested {team} "Two people can approve stages of this package." "give a second person the right, then attest it";
    "approval-load-accepted" 2 [Package] [SO, ST] Attested "The people who approve stages know how many there will be." "count the releases, ask the approvers, then attest it";
    "local-path-documented" 2 [Path] [M] Attested "It is written down how people publish by hand." "write it down and attest the link";
    "two-people-able" 2 [Path] [M] Attested {team} "Two people can publish by hand." "give a second person the right, then attest it";
    "install-token-read-only" 2 [Secret] [] Observed "A token that only installs cannot write." "replace it by a read-only token in the install step" => wave2::install_token_read_only;
    "workflow-rewired" 3 [PathRef] [T, SO, ST, B] Observed "The workflow of this ref publishes the way its lane says." "change the workflow file of this ref" => wave3::workflow_rewired;
    "publish-removed" 3 [Path] [R] Observed "The publish is gone from the workflow." "remove the publish step, then scan again" => wave3::publish_removed;
    "environment-protected" 3 [Repo] [] Observed "The release environment has rules." "give the environment reviewers or a branch rule; attest the rules where nothing here can look" => wave3::environment_protected;
    "actions-pinned" 3 [Repo] [] Observed "Actions of publish jobs are pinned by commit." "pin each action by its full commit id" => wave3::actions_pinned;
    "workflow-owned" 3 [Repo] [] Observed "Changes to the publish workflow need its owners." "protect the workflow file by code owners and a required review; attest it where nothing here can look" => wave3::workflow_owned;
    "repository-url-matches" 3 [Package] [T, SO] Observed "package.json names this repository, letter by letter." "set repository.url in package.json" => wave3::repository_url_matches;
    "fails-closed" 3 [Path] [T, SO, ST, B] Observed "A publish that fails, fails the run." "remove continue-on-error and `|| true`" => wave3::fails_closed;
    "preflight-present" 3 [Path] [ST, B] Observed "A preflight checks the token before the publish." "add a preflight step and attest it";
    "flip-back-rehearsed" 3 [Session] [] Attested "The way back was walked once." "walk it, then attest it";
    "old-secret-kept" 3 [Secret] [] Observed {latches} "The old secret is still there for the way back." "do not delete it before rehearsal; attest that it is there" => wave3::old_secret_kept;
    "armed" 4 [Config] [T, SO] Observed {latches} "The config was created at most 48 hours before a planned publish." "register the config within 48 hours of its publish, or attest when" => wave4::armed;
    "exchange-probed" 4 [Config] [T, SO] Observed {latches} "A probe exchanged an OIDC token for this config." "run a probe, read its exchange lines (never the exit code) and attest the run" => wave4::exchange_probed;
    "canary-published" 4 [Path] [T, SO, ST, B, M] Observed {latches} "A canary went out by the new way." "publish a canary under a canary tag and attest the version" => wave4::canary_published;
    "published-by-oidc" 4 [Config] [T] Observed {latches} "The registry names this config as publisher." "look at the version's publisher on the registry and attest it" => wave4::published_by_oidc;
    "staged-by-this-run" 4 [Package] [SO, ST] Observed {latches} "The stage came from this run and was approved." "compare stage id, shasum and approver, then attest it" => wave4::staged_by_this_run;
    "dist-tags-correct" 4 [Package] [] Observed {latches} "The canary tag is set and latest has not moved." "look at the dist-tags and attest them" => wave4::dist_tags_correct;
    "installs-clean" 4 [Package] [] Observed {latches} "The canary installs." "install it in an empty folder and attest it";
    "provenance-verified" 4 [Package] [T, SO] Observed {latches} "The canary's provenance names this repository, workflow and commit." "verify it and attest the result" => wave4::provenance_verified;
    "sbom-kept" 4 [Package] [] Attested {advice} "Where there was a bill of materials, there still is." "compare with the release before";
    "canary-cleaned" 4 [Package] [] Observed {latches} "The canary tag is gone." "remove the canary tag and attest it" => wave4::canary_cleaned;
    "chain-complete" 5 [Token] [] Observed "Every edge from this token to a package is known and released." "see the token's page: edge by edge" => wave5::chain_complete;
    "scream-test-held" 5 [Token] [] Attested {latches} "Tokens were disallowed or narrowed first, and nobody screamed for the hold." "narrow first, hold, then attest it" => wave5::displaced;
    "tokens-quiet" 5 [Token] [] Observed {advice} "The token has not been used since the cutover." "import a fresh token list" => wave5::tokens_quiet;
    "tokens-revoked" 5 [Token] [] Observed {latches} "The token is gone: in one listing, absent in two later ones." "revoke it, record it, and import later token lists" => wave5::tokens_revoked;
    "secrets-deleted" 5 [Secret] [] Observed "No store holds the secret." "delete it in every store and attest it" => wave5::secrets_deleted;
    "fallback-removed" 5 [Path] [T, SO, M, R] Observed "Flag, variable and secret name are gone from the workflow." "remove them, then scan again" => wave5::fallback_removed;
    "token-publishing-disallowed" 5 [Package] [T, M, R] Observed "The package refuses publishing with tokens." "set it on the registry and attest it";
    "writers-trimmed" 5 [Package] [] Attested "Only those who need it can write." "trim the maintainers and attest it";
    "policy-check-on" 5 [Repo] [] Observed "Pull requests are checked against the policy." "add the check workflow and attest it";
    "docs-updated" 5 [Repo] [] Attested "The release documentation says how it is now." "update it and attest the link" => wave5::docs_updated;
    "first-real-release" 6 [Path] [] Observed {latches} "A real release went out after the revocation." "attest the version and its run" => after::first_real_release;
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
