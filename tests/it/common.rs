//! What several tests build on; the benches take single files of it.

pub mod console;
pub mod hostile;
pub mod live;
