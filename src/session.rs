//! A session: the facts of one cutover, judged, with the file behind them.
pub mod decide;
pub mod fold;
pub mod judge;
