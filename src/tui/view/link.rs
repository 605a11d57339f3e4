//! How the connections stand, at the right of the line of screens: what npm waits for and trouble first, then what is
//! left of the budgets.

use crate::engine::live::{FactorState, Link, LinkState, Live, OpenWindow};
use crate::model::time::Ts;
use crate::tui::theme::Role;

/// Seconds without an answer after which the age is shown: younger is live, since nothing is asked more often than it
/// has to be, and everything within five minutes.
const FRESH: i64 = 330;

/// Questions that are due before it is said how many: a few always are.
const MANY: usize = 20;

/// One piece of the line.
pub struct Piece {
    pub words: String,
    pub role: Role,
}

/// The pieces, most pressing first. Nothing where nothing is connected.
pub fn pieces(live: &Live, now: Ts) -> Vec<Piece> {
    let mut all: Vec<Piece> = factor(live, now);
    all.extend(live.links.iter().filter_map(|link| trouble(link, now)));
    let note = |role| {
        live.notes.first().map(|note| Piece {
            words: note.to_string(),
            role,
        })
    };
    if live.warnings > 0 {
        all.extend(note(Role::Warning));
    }
    let connecting = live
        .links
        .iter()
        .filter(|link| link.state == LinkState::Connecting)
        .count();
    let link = match live.heard() {
        Some(heard) => Some(live_piece(heard, now)),
        None if connecting > 0 => Some(Piece {
            words: "connecting".to_owned(),
            role: Role::Faint,
        }),
        None => None,
    };
    // A narrow line has room for one piece: a wait comes before what goes well, and after what is old.
    let waits = to_ask(live, now);
    match link {
        Some(old) if old.role == Role::Warning => all.extend([old].into_iter().chain(waits)),
        link => all.extend(waits.into_iter().chain(link)),
    }
    for budget in &live.budgets {
        let low = budget.remaining < budget.limit / 10;
        all.push(Piece {
            words: format!(
                "{} {}/{}",
                budget.name,
                grouped(budget.remaining),
                grouped(budget.limit)
            ),
            role: if low { Role::Warning } else { Role::Faint },
        });
    }
    if live.warnings == 0 {
        all.extend(note(Role::Faint));
    }
    all
}

/// The second factor: that npm waits for it, else how long it asks for none.
fn factor(live: &Live, now: Ts) -> Vec<Piece> {
    if let Some(factor) = &live.factor
        && matches!(factor.state, FactorState::Asked(_))
    {
        return vec![Piece {
            words: format!("npm asks {} for a second factor: 4, then t", factor.account),
            role: Role::Warning,
        }];
    }
    let open = live.windows.iter().filter(|open| open.ends > now);
    let several = open.clone().count() > 1;
    let piece = |open: &OpenWindow| {
        let left = super::time::took(open.ends.0 - now.0);
        let words = match several {
            true => format!("npm 2FA {} {left}", open.account),
            false => format!("npm 2FA {left}"),
        };
        Piece {
            words,
            role: Role::Passed,
        }
    };
    open.map(piece).collect()
}

/// How much of a long look is still to come, and when it goes on where it has to wait.
fn to_ask(live: &Live, now: Ts) -> Option<Piece> {
    let due = live.waiting.0;
    let more = live.held.map_or(String::new(), |(_, until)| {
        let wait = super::time::took(until.0.saturating_sub(now.0).max(0));
        format!(", paused {wait}")
    });
    let count = grouped(u32::try_from(due).unwrap_or(u32::MAX));
    (due >= MANY).then(|| Piece {
        words: format!("{count} lookups left{more}"),
        role: Role::Faint,
    })
}

fn live_piece(heard: Ts, now: Ts) -> Piece {
    let age = now.0.saturating_sub(heard.0);
    if age < FRESH {
        Piece {
            words: "live".to_owned(),
            role: Role::Passed,
        }
    } else {
        Piece {
            words: format!("last heard {} ago", super::time::ago(heard, now)),
            role: Role::Warning,
        }
    }
}

/// What is wrong with a group, with the next try; never less than what the observers know.
fn trouble(link: &Link, now: Ts) -> Option<Piece> {
    let in_a_while = |at: Ts| super::time::took(at.0.saturating_sub(now.0));
    let (words, role) = match &link.state {
        LinkState::Connecting | LinkState::Live { .. } => return None,
        LinkState::Limited { until, why } => (
            format!("{} limited {}: {why}", link.group, in_a_while(*until)),
            Role::Warning,
        ),
        LinkState::Unauthorised { why } => {
            (format!("{} unauthorised: {why}", link.group), Role::Blocked)
        }
        LinkState::Offline { why, next } => (
            format!(
                "{} offline, next try {}: {why}",
                link.group,
                in_a_while(*next)
            ),
            Role::Blocked,
        ),
    };
    Some(Piece { words, role })
}

/// The instant at which the line says something else by itself.
pub fn next_change(live: &Live, now: Ts) -> Option<Ts> {
    let counts = live.links.iter().any(|link| {
        matches!(
            link.state,
            LinkState::Limited { .. } | LinkState::Offline { .. }
        )
    });
    let window = live.windows.iter().any(|open| open.ends > now);
    let held = live.held.is_some() && live.waiting.0 >= MANY;
    if counts || window || held {
        return Some(now.plus(1));
    }
    let heard = live.heard()?;
    let age = now.0.saturating_sub(heard.0);
    Some(if age < FRESH {
        heard.plus(FRESH)
    } else {
        now.plus(60 - age.rem_euclid(60))
    })
}

/// 4211 as 4,211.
fn grouped(count: u32) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use crate::engine::live::Budget;

    fn with(links: Vec<Link>) -> Live {
        Live {
            links,
            ..Live::default()
        }
    }

    fn words(live: &Live, now: i64) -> Vec<String> {
        let pieces = pieces(live, Ts(now));
        pieces.into_iter().map(|piece| piece.words).collect()
    }

    #[test]
    fn one_group_down_is_said_while_another_is_live() {
        let live = with(vec![
            Link {
                group: "GitHub logs",
                state: LinkState::Offline {
                    why: "reset".into(),
                    next: Ts(105),
                },
            },
            Link {
                group: "GitHub GraphQL",
                state: LinkState::Live { heard: Ts(95) },
            },
        ]);
        assert_eq!(
            words(&live, 100),
            ["GitHub logs offline, next try 00:05: reset", "live"]
        );
        assert_eq!(next_change(&live, Ts(100)), Some(Ts(101)));
    }

    #[test]
    fn what_was_not_heard_for_long_says_how_long() {
        let live = with(vec![Link {
            group: "GitHub GraphQL",
            state: LinkState::Live { heard: Ts(0) },
        }]);
        assert_eq!(words(&live, 329), ["live"]);
        assert_eq!(next_change(&live, Ts(1)), Some(Ts(330)));
        assert_eq!(words(&live, 330), ["last heard 5m ago"]);
        assert_eq!(next_change(&live, Ts(330)), Some(Ts(360)));
    }

    #[test]
    fn nothing_connected_says_nothing() {
        assert!(words(&Live::default(), 5).is_empty());
        assert_eq!(next_change(&Live::default(), Ts(5)), None);
    }

    #[test]
    fn a_warning_comes_before_what_goes_well_and_a_note_after() {
        let mut live = with(vec![Link {
            group: "npm read",
            state: LinkState::Live { heard: Ts(0) },
        }]);
        live.notes = vec!["clocks disagree".into()];
        assert_eq!(words(&live, 0), ["live", "clocks disagree"]);
        live.warnings = 1;
        assert_eq!(words(&live, 0), ["clocks disagree", "live"]);
    }

    #[test]
    fn a_first_look_says_how_much_is_left_of_it() {
        let mut live = Live {
            waiting: (19, 8),
            ..Live::default()
        };
        assert!(words(&live, 0).is_empty());
        live.waiting.0 = 5_136;
        assert_eq!(words(&live, 0), ["5,136 lookups left"]);
        live.held = Some((5_000, Ts(41)));
        assert_eq!(words(&live, 0), ["5,136 lookups left, paused 00:41"]);
        live.links = vec![Link {
            group: "GitHub GraphQL",
            state: LinkState::Live { heard: Ts(0) },
        }];
        assert_eq!(
            words(&live, 0),
            ["5,136 lookups left, paused 00:41", "live"]
        );
        assert_eq!(
            words(&live, 330),
            ["last heard 5m ago", "5,136 lookups left, paused 00:00"]
        );
    }

    #[test]
    fn budgets_are_grouped_by_thousands() {
        let live = Live {
            budgets: vec![Budget {
                name: "GitHub",
                remaining: 4_211,
                limit: 5_000,
                reset: Ts(0),
                planned: 0,
            }],
            ..Live::default()
        };
        assert_eq!(words(&live, 0), ["GitHub 4,211/5,000"]);
        assert_eq!([grouped(7), grouped(1_234_567)], ["7", "1,234,567"]);
    }
}
