//! What the format fixes: the kinds that frame a file, and its limits.

/// The kind of a file's first line, and of no other.
pub const SESSION_CREATED: &str = "session_created";
/// The kind of a writer's first line; for the founder, of the second.
pub const WRITER_JOINED: &str = "writer_joined";
/// The kind that lists every writer's last line as known to the one who writes it.
pub const HEADS_SEEN: &str = "heads_seen";
/// The kind that closes a session with a digest over its canonical order.
pub const SEALED: &str = "sealed";
/// Largest session file that is opened, in bytes.
pub const MAX_FILE: u64 = 1 << 30;
/// Most writers in one session.
pub const MAX_WRITERS: usize = 10_000;
