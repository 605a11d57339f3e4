//! The two clocks by which the engine works, as inputs: the wall's, which people set, and one that nobody does.

use crate::model::time::Ts;
use std::sync::Arc;

/// Tells the time. An input, so that tests and other worlds can have their own.
pub type Now = Arc<dyn Fn() -> Ts + Send + Sync>;

/// Milliseconds of a clock that nobody sets and that stands while the machine sleeps, as fast as the wall's.
pub type Steady = Arc<dyn Fn() -> i64 + Send + Sync>;

/// One reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    pub wall: Ts,
    /// Milliseconds of a clock that never goes back, from any start.
    pub mono: i64,
}

impl Tick {
    pub fn read(now: &Now, steady: &Steady) -> Self {
        Self {
            wall: now(),
            mono: steady(),
        }
    }
}
