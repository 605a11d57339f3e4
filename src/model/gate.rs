//! The gates: what the facts say of each, and what people decided over it.
//!
//! The table of ids and words is `gate/table.rs`, which stands below the facts. What a gate finds is judged in
//! `gate/wave0.rs` to `gate/after.rs`, from the facts alone.

mod accounts;
mod after;
mod copies;
pub(in crate::model) mod judge;
pub mod look;
mod powers;
pub mod publish;
pub mod read;
pub mod table;
pub mod verdict;
pub mod view;
pub mod wave0;
pub mod wave1;
pub mod wave2;
pub mod wave3;
pub mod wave4;
pub mod wave5;

use judge::{Look, judge_by};
pub use table::{GATES, GateId, GateSpec, Way};
pub use verdict::{Met, State, Verdict};
pub use view::View;

/// The gates at which the program can look.
const LOOKS: &[(GateId, Look)] = &[
    (GateId::PUBLISHERS_HAVE_2FA, wave0::publishers_have_2fa),
    (GateId::COMMANDER_NAMED, wave0::commander_named),
    (GateId::SECOND_APPROVER_NAMED, wave0::second_approver_named),
    (GateId::POWERS_COMPLETE, powers::powers_complete),
    (GateId::OWNER_NAMED, wave0::owner_named),
    (GateId::REVIEWER_NAMED, wave0::reviewer_named),
    (GateId::SECRET_TOKEN_KNOWN, wave0::secret_token_known),
    (GateId::PATHS_FOUND, wave1::paths_found),
    (GateId::CREDENTIAL_CLASSIFIED, wave1::credential_classified),
    (GateId::PACKAGES_MAPPED, wave1::packages_mapped),
    (GateId::TOKEN_USES_LISTED, wave1::token_uses_listed),
    (GateId::PACKAGES_ACCOUNTED, accounts::packages_accounted),
    (
        GateId::UNMATCHED_ANSWERED,
        wave1::unmatched_publishers_answered,
    ),
    (GateId::SECRET_COPIES_LISTED, wave1::secret_copies_listed),
    (GateId::TOKENS_IDENTIFIED, wave1::tokens_identified),
    (GateId::LANE_CHOSEN, wave1::lane_chosen),
    (GateId::TRUST_DECIDED, wave2::trust_decided),
    (
        GateId::RELEASE_ENVIRONMENT_EXISTS,
        wave2::release_environment_exists,
    ),
    (GateId::VALIDATION_PLANNED, wave2::validation_planned),
    (GateId::TOKEN_LEAST_PRIVILEGE, wave2::token_least_privilege),
    (GateId::TOKEN_LIFETIME, wave2::token_lifetime),
    (GateId::BYPASS_2FA_DECIDED, wave2::bypass_2fa_decided),
    (GateId::TOKEN_ADDRESS_BOUND, wave2::token_address_bound),
    (GateId::END_DATE_SET, wave2::end_date_set),
    (
        GateId::INSTALL_TOKEN_READ_ONLY,
        wave2::install_token_read_only,
    ),
    (GateId::WORKFLOW_REWIRED, wave3::workflow_rewired),
    (GateId::PUBLISH_REMOVED, wave3::publish_removed),
    (GateId::ENVIRONMENT_PROTECTED, wave3::environment_protected),
    (GateId::ACTIONS_PINNED, wave3::actions_pinned),
    (GateId::WORKFLOW_OWNED, wave3::workflow_owned),
    (
        GateId::REPOSITORY_URL_MATCHES,
        wave3::repository_url_matches,
    ),
    (GateId::FAILS_CLOSED, wave3::fails_closed),
    (GateId::OLD_SECRET_KEPT, wave3::old_secret_kept),
    (GateId::ARMED, wave4::armed),
    (GateId::EXCHANGE_PROBED, wave4::exchange_probed),
    (GateId::CANARY_PUBLISHED, wave4::canary_published),
    (GateId::PUBLISHED_BY_OIDC, wave4::published_by_oidc),
    (GateId::STAGED_BY_THIS_RUN, wave4::staged_by_this_run),
    (GateId::DIST_TAGS_CORRECT, wave4::dist_tags_correct),
    (GateId::PROVENANCE_VERIFIED, wave4::provenance_verified),
    (GateId::CANARY_CLEANED, wave4::canary_cleaned),
    (GateId::CHAIN_COMPLETE, wave5::chain_complete),
    (GateId::SCREAM_TEST_HELD, wave5::displaced),
    (GateId::TOKENS_QUIET, wave5::tokens_quiet),
    (GateId::TOKENS_REVOKED, wave5::tokens_revoked),
    (GateId::SECRETS_DELETED, wave5::secrets_deleted),
    (GateId::FALLBACK_REMOVED, wave5::fallback_removed),
    (GateId::DOCS_UPDATED, wave5::docs_updated),
    (GateId::FIRST_REAL_RELEASE, after::first_real_release),
];

/// The same by the gate's row: every verdict asks.
static BY_ROW: [Option<Look>; 128] = by_row();

#[expect(
    clippy::indexing_slicing,
    reason = "runs while compiling only, and within both lengths"
)]
const fn by_row() -> [Option<Look>; 128] {
    let mut all: [Option<Look>; 128] = [None; 128];
    let mut at = 0;
    while at < LOOKS.len() {
        all[LOOKS[at].0.row()] = Some(LOOKS[at].1);
        at += 1;
    }
    all
}

fn look_of(gate: GateId) -> Option<Look> {
    BY_ROW.get(gate.row()).copied().flatten()
}

/// Judges one gate of one subject: the facts first, then what people decided.
pub fn judge(view: &View<'_>, gate: GateId) -> Verdict {
    judge_by(view, gate, look_of(gate))
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
        assert!(GATES.len() <= BY_ROW.len(), "a set of gates is a u128");
    }
    #[test]
    fn something_looks_at_each_gate_that_says_so() {
        for gate in GateId::all() {
            let observed = gate.spec().way == Way::Observed;
            let looks = look_of(gate).is_some();
            assert!(
                !observed || looks != gate.spec().unwatched,
                "{}",
                gate.word()
            );
        }
    }
}
