//! Session policy: the numbers that judge gates. It stands in the session file; a local file never judges.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Who works on the cutover: several people, or one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Gates about a second person hold.
    #[default]
    Team,
    /// Gates about a second person do not apply; irreversible steps cool off instead.
    Solo,
}

/// The policy of one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// First possible day of npm's end of direct publishing with tokens that bypass 2FA.
    /// Source: <https://gh.io/bypass-2fa-tokens-no-longer-publish>
    pub cutoff_earliest: NaiveDate,
    /// Hours an observation about a state holds, unless it rests on a commit.
    pub freshness_hours: u32,
    /// Hours of cooling off before an irreversible step, for `solo`.
    pub cooling_off_hours: u32,
    /// Longest life in days of a token that can write.
    pub token_days: u32,
    /// Days after its creation when a bridge token's rotation is due.
    pub rotation_days: u32,
    /// Days between narrowing a token's reach and its revocation.
    pub hold_days: u32,
}

impl Default for Policy {
    fn default() -> Self {
        let npm = crate::assets::policy();
        Self {
            cutoff_earliest: npm.cutoff.earliest,
            freshness_hours: 24,
            cooling_off_hours: 24,
            token_days: npm.write_token.max_days,
            rotation_days: npm.write_token.rotate_after_days,
            hold_days: 1,
        }
    }
}
