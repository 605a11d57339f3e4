//! Reads what the identify job printed.
