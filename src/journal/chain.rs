//! The chains of a session: one per writer, each line hashed over the one before.
//!
//! Owns the rules about a line's place (seq, tick, first lines) and what follows from `heads_seen`: a line that
//! somebody saw and that is gone. Works on ids and hashes only; reads no file.

use super::line::{EventId, LineHash, Opening, Previous, SessionId, WriterId};
use super::reason::Reason;
use super::spec::MAX_WRITERS;
use serde::Deserialize;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Furthest that a tick may stand above every tick before it in the file.
pub(super) const MAX_LEAP: u64 = 1_000_000;
/// Most claims that are kept for lines that are not there.
const MAX_PENDING: usize = 100_000;

/// The end of a chain as its lines state it, verified or not.
#[derive(Debug, Clone, Copy)]
struct Tip {
    id: EventId,
    tick: u64,
    hash: LineHash,
}

/// Gives every line its predecessor, in file order. Trusts what lines state: their hashes are checked later.
#[derive(Debug)]
pub(super) struct Linker {
    session: SessionId,
    tips: HashMap<WriterId, Tip>,
    highest: u64,
}

impl Linker {
    pub(super) fn new(session: SessionId) -> Self {
        Self {
            session,
            tips: HashMap::new(),
            highest: 0,
        }
    }

    /// Returns what the line's hash is chained to.
    pub(super) fn link(&mut self, opening: &Opening, hash: LineHash) -> Result<Previous, Reason> {
        let EventId { writer, seq } = opening.id;
        let found = opening.tick;
        let full = self.tips.len() >= MAX_WRITERS;
        let slot = self.tips.entry(writer);
        let tip = match &slot {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(_) => None,
        };
        let expected = tip.map_or(0, |tip| tip.id.seq + 1);
        if seq < expected {
            return Err(Reason::Again {
                expected,
                found: seq,
            });
        }
        if tip.is_none() && full {
            return Err(Reason::TooManyWriters);
        }
        slot.insert_entry(Tip {
            id: opening.id,
            tick: found,
            hash,
        });
        let highest = self.highest;
        if found > highest.saturating_add(MAX_LEAP) {
            return Err(Reason::TickLeaps { highest, found });
        }
        self.highest = highest.max(found);
        if seq > expected {
            return Err(Reason::Gap {
                expected,
                found: seq,
            });
        }
        match tip {
            Some(tip) if found <= tip.tick => Err(Reason::TickFalls {
                previous: tip.tick,
                found,
            }),
            Some(tip) => Ok(Previous::Line(tip.hash)),
            None => Ok(Previous::Session(self.session)),
        }
    }
}

/// One writer's verified lines.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Seq of the last line.
    pub seq: u64,
    pub hash: LineHash,
    pub tick: u64,
    /// The first 128 bits of every line's hash, by seq.
    shorts: Vec<u128>,
}

impl Chain {
    /// The first 128 bits of the hash of the line `seq`.
    #[must_use]
    pub fn short(&self, seq: u64) -> Option<u128> {
        usize::try_from(seq)
            .ok()
            .and_then(|seq| self.shorts.get(seq))
            .copied()
    }

    /// The first seq at which two chains hold different lines.
    #[must_use]
    pub fn parts_from(&self, other: &Self) -> Option<u64> {
        let at = self
            .shorts
            .iter()
            .zip(&other.shorts)
            .position(|(a, b)| a != b)?;
        u64::try_from(at).ok()
    }
}

/// Every writer's verified lines, with what others say they saw.
#[derive(Debug, Clone, Default)]
pub struct Chains {
    chains: BTreeMap<WriterId, Chain>,
    /// Writers with a damaged line: what follows it is not counted.
    broken: BTreeSet<WriterId>,
    /// Claims about lines that were not there when the claim was read: first claimant per line and writer.
    pending: BTreeMap<(WriterId, u64, u128), BTreeMap<WriterId, EventId>>,
    pending_count: usize,
    /// Highest tick of a verified line.
    pub tick: u64,
}

impl Chains {
    /// Adds a verified line, in chain order; `short` is that of `hash`.
    pub(super) fn add(&mut self, id: EventId, tick: u64, hash: LineHash, short: u128) {
        self.tick = self.tick.max(tick);
        if self.broken.contains(&id.writer) {
            return;
        }
        let chain = self.chains.entry(id.writer).or_insert_with(|| Chain {
            seq: id.seq,
            hash,
            tick,
            shorts: Vec::new(),
        });
        (chain.seq, chain.hash, chain.tick) = (id.seq, hash, tick);
        chain.shorts.push(short);
    }

    /// Marks a writer whose chain has a hole from here on.
    pub(super) fn break_off(&mut self, writer: WriterId) {
        self.broken.insert(writer);
    }

    /// Remembers what the event `by` says it saw.
    pub(super) fn claim(&mut self, by: EventId, seen: &HeadSeen) {
        let known = self
            .get(seen.id.writer)
            .and_then(|chain| chain.short(seen.id.seq));
        let short = seen.hash.short();
        if known == Some(short) || self.pending_count >= MAX_PENDING {
            return;
        }
        let claimants = self
            .pending
            .entry((seen.id.writer, seen.id.seq, short))
            .or_default();
        if claimants.insert(by.writer, by).is_none() {
            self.pending_count += 1;
        }
    }

    #[must_use]
    pub fn get(&self, writer: WriterId) -> Option<&Chain> {
        self.chains.get(&writer)
    }

    pub fn iter(&self) -> impl Iterator<Item = (WriterId, &Chain)> {
        self.chains.iter().map(|(writer, chain)| (*writer, chain))
    }

    /// Number of writers with at least one verified line.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chains.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    /// The `data` of a `heads_seen` event: every writer's last line as known here.
    #[must_use]
    pub fn heads_data(&self) -> String {
        let heads = self.iter();
        let heads =
            heads.map(|(writer, chain)| format!("[\"{writer}\",{},\"{}\"]", chain.seq, chain.hash));
        format!("{{\"heads\":[{}]}}", heads.collect::<Vec<_>>().join(","))
    }

    /// What somebody saw and what is not here (any more). One finding per writer, witness and way.
    ///
    /// Writers with damaged lines are left out: the damage is reported already.
    #[must_use]
    pub fn cuts(&self) -> Vec<Cut> {
        let mut worst: BTreeMap<(WriterId, WriterId, bool), Cut> = BTreeMap::new();
        for ((writer, seq, short), claimants) in &self.pending {
            let chain = self.get(*writer);
            let known = chain.and_then(|chain| chain.short(*seq));
            if known == Some(*short) || self.broken.contains(writer) {
                continue;
            }
            for by in claimants.values() {
                let seen = EventId {
                    writer: *writer,
                    seq: *seq,
                };
                let cut = Cut {
                    by: *by,
                    seen,
                    last: chain.map(|chain| chain.seq),
                    replaced: known.is_some(),
                };
                // Ascending seq: the last one missing says all; of the replaced ones the first says where it began.
                let slot = worst.entry((*writer, by.writer, cut.replaced));
                if cut.replaced {
                    slot.or_insert(cut)
                } else {
                    slot.insert_entry(cut).into_mut()
                };
            }
        }
        worst.into_values().collect()
    }
}

/// A line that a witness saw and that is not in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The event that says so; its writer is the witness.
    pub by: EventId,
    /// The line that is missing, or that another line stands for.
    pub seen: EventId,
    /// Last seq of that writer in the file, none if the writer is unknown.
    pub last: Option<u64>,
    /// True if a line stands at that seq, but another one: the chain was written anew.
    pub replaced: bool,
}

/// One entry of `heads_seen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadSeen {
    pub id: EventId,
    pub hash: LineHash,
}

#[derive(Deserialize)]
struct HeadsIn<'a> {
    #[serde(borrow)]
    heads: Vec<(&'a str, u64, &'a str)>,
}

/// Reads the `heads` of a `heads_seen` or `sealed` event. Data of another shape says nothing.
#[must_use]
pub fn heads_of(data: &str) -> Vec<HeadSeen> {
    let Ok(read) = serde_json::from_str::<HeadsIn<'_>>(data) else {
        return Vec::new();
    };
    let head = |(writer, seq, hash): &(&str, u64, &str)| {
        let id = EventId {
            writer: writer.parse().ok()?,
            seq: *seq,
        };
        Some(HeadSeen {
            id,
            hash: hash.parse().ok()?,
        })
    };
    read.heads.iter().filter_map(head).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    fn writer(letter: char) -> WriterId {
        format!("w{}", letter.to_string().repeat(10))
            .parse()
            .unwrap()
    }

    fn hash(n: u64) -> LineHash {
        format!("{n:064x}")
            .chars()
            .rev()
            .collect::<String>()
            .parse()
            .unwrap()
    }

    fn add(chains: &mut Chains, id: EventId, tick: u64, n: u64) {
        chains.add(id, tick, hash(n), hash(n).short());
    }

    fn opening(w: char, seq: u64, tick: u64) -> Opening {
        Opening {
            id: EventId {
                writer: writer(w),
                seq,
            },
            tick,
            rest: 0,
        }
    }

    #[test]
    fn a_line_stands_after_its_writers_last() {
        let session = SessionId::from_random([1; 16]);
        let mut linker = Linker::new(session);
        assert_eq!(
            linker.link(&opening('a', 0, 0), hash(1)),
            Ok(Previous::Session(session))
        );
        assert_eq!(
            linker.link(&opening('b', 0, 1), hash(2)),
            Ok(Previous::Session(session))
        );
        assert_eq!(
            linker.link(&opening('a', 1, 2), hash(3)),
            Ok(Previous::Line(hash(1)))
        );
        assert_eq!(
            linker.link(&opening('a', 1, 3), hash(4)),
            Err(Reason::Again {
                expected: 2,
                found: 1
            })
        );
        assert_eq!(
            linker.link(&opening('b', 2, 3), hash(5)),
            Err(Reason::Gap {
                expected: 1,
                found: 2
            })
        );
        assert_eq!(
            linker.link(&opening('c', 1, 3), hash(5)),
            Err(Reason::Gap {
                expected: 0,
                found: 1
            })
        );
        assert_eq!(
            linker.link(&opening('a', 2, 2), hash(6)),
            Err(Reason::TickFalls {
                previous: 2,
                found: 2
            })
        );
        assert_eq!(
            linker.link(&opening('d', 0, 1_000_003), hash(7)),
            Ok(Previous::Session(session))
        );
        assert_eq!(
            linker.link(&opening('e', 0, 2_000_004), hash(8)),
            Err(Reason::TickLeaps {
                highest: 1_000_003,
                found: 2_000_004
            })
        );
    }

    #[test]
    fn writers_are_capped() {
        let mut linker = Linker::new(SessionId::from_random([1; 16]));
        let mut results = (0..=MAX_WRITERS as u64).map(|n| {
            let id = EventId {
                writer: WriterId::from_random(n.to_le_bytes()),
                seq: 0,
            };
            linker.link(
                &Opening {
                    id,
                    tick: n,
                    rest: 0,
                },
                hash(n),
            )
        });
        assert!(results.by_ref().take(MAX_WRITERS).all(|r| r.is_ok()));
        assert_eq!(results.next(), Some(Err(Reason::TooManyWriters)));
    }

    #[test]
    fn a_witness_names_what_is_gone() {
        let mut chains = Chains::default();
        let id = |w, seq| EventId {
            writer: writer(w),
            seq,
        };
        add(&mut chains, id('a', 0), 0, 1);
        add(&mut chains, id('a', 1), 1, 2);
        for (w, seq, h) in [
            ('a', 0, 1),
            ('a', 4, 5),
            ('a', 3, 4),
            ('a', 1, 9),
            ('c', 2, 3),
        ] {
            chains.claim(
                id('b', 7),
                &HeadSeen {
                    id: id(w, seq),
                    hash: hash(h),
                },
            );
        }
        let by = id('b', 7);
        assert_eq!(
            chains.cuts(),
            [
                Cut {
                    by,
                    seen: id('a', 4),
                    last: Some(1),
                    replaced: false
                },
                Cut {
                    by,
                    seen: id('a', 1),
                    last: Some(1),
                    replaced: true
                },
                Cut {
                    by,
                    seen: id('c', 2),
                    last: None,
                    replaced: false
                },
            ]
        );
        // What arrives later than the claim is there.
        add(&mut chains, id('a', 2), 2, 3);
        add(&mut chains, id('a', 3), 3, 4);
        add(&mut chains, id('a', 4), 4, 5);
        assert!(
            chains
                .cuts()
                .iter()
                .all(|cut| cut.replaced || cut.seen == id('c', 2))
        );
    }

    #[test]
    fn heads_read_as_they_are_written() {
        let mut chains = Chains::default();
        let first = EventId {
            writer: writer('a'),
            seq: 0,
        };
        add(&mut chains, first, 0, 1);
        let data = chains.heads_data();
        assert_eq!(
            data,
            format!("{{\"heads\":[[\"{}\",0,\"{}\"]]}}", writer('a'), hash(1))
        );
        assert_eq!(
            heads_of(&data),
            [HeadSeen {
                id: EventId {
                    writer: writer('a'),
                    seq: 0
                },
                hash: hash(1)
            }]
        );
        assert!(heads_of("{\"heads\":1}").is_empty());
    }
}
