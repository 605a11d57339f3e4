//! The clock and the randomness of the program: the only file that asks the system for either.

use crate::model::time::Ts;
use chrono::Utc;
use std::io;
use std::sync::Arc;

/// Gives the system's clock, or one that stands still.
pub fn clock(fixed: Option<Ts>) -> Arc<dyn Fn() -> Ts + Send + Sync> {
    Arc::new(move || fixed.unwrap_or_else(|| Ts(Utc::now().timestamp())))
}

/// Gives 16 fresh random bytes of the system.
///
/// # Errors
/// The system has none to give.
pub fn random() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}
