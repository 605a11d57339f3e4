//! Every connection in full: what its state means, when the next try is, what is left of each budget and what an hour
//! will use of it. The line of screens has room for the most pressing only.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::{text, time};
use crate::engine::live::{Budget, Link, LinkState};
use crate::safe::shown::counted;
use crate::tui::state::State;
use crate::tui::theme::Theme;

/// The furthest line that the panel can begin with.
pub fn last_top(state: &State) -> usize {
    text::last_top(&words(state), state.size)
}

/// Draws the panel.
pub fn draw(buffer: &mut Buffer, state: &State, top: usize, theme: &Theme) -> Option<Position> {
    text::draw(buffer, "Connections", &words(state), top, text::READ, theme)
}

fn words(state: &State) -> Vec<String> {
    let live = &state.snapshot.live;
    if !live.connected() {
        return vec![
            "Nothing is connected: this session was opened without a network, and what it shows was seen before."
                .to_owned(),
            String::new(),
            "Leave with q and open it with --live to look at GitHub and npm.".to_owned(),
        ];
    }
    let mut lines: Vec<String> = live.links.iter().map(|one| link(one, state)).collect();
    lines.push(String::new());
    if live.budgets.is_empty() {
        lines.push("No rate-limit data yet.".to_owned());
    }
    lines.extend(live.budgets.iter().map(|one| budget(one, state)));
    let (due, out) = live.waiting;
    lines.push(format!("{} under way, {due} due", counted(out, "question")));
    if let Some((held, until)) = live.held {
        let seconds = until.0.saturating_sub(state.now.0).max(0);
        let why = if seconds > 60 {
            "what is left of the hour's budget is kept for what runs"
        } else {
            "GitHub's per-minute limit is reached"
        };
        lines.push(format!(
            "{held} of them wait {}: {why}",
            time::took(seconds)
        ));
    }
    for window in live.windows.iter().filter(|open| open.ends > state.now) {
        let left = time::took(window.ends.0 - state.now.0);
        lines.push(format!(
            "npm asks {} for no second factor: {left} left",
            window.account
        ));
    }
    if !live.notes.is_empty() {
        lines.push(String::new());
        lines.extend(live.notes.iter().map(ToString::to_string));
    }
    lines
}

fn link(link: &Link, state: &State) -> String {
    let now = state.now;
    let words = match &link.state {
        LinkState::Connecting => "not asked yet".to_owned(),
        LinkState::Live { heard } => match time::ago(*heard, now).as_str() {
            "now" => "live, heard just now".to_owned(),
            ago => format!("live, heard {ago} ago"),
        },
        LinkState::Limited { until, why } => {
            format!(
                "limited for {}: {why}",
                time::took(until.0.saturating_sub(now.0))
            )
        }
        LinkState::Unauthorised { why } => format!("unauthorised: {why}"),
        LinkState::Offline { why, next } => {
            let wait = time::took(next.0.saturating_sub(now.0));
            format!("offline, next try in {wait}: {why}")
        }
    };
    format!("{:<16}  {words}", link.group)
}

fn budget(budget: &Budget, state: &State) -> String {
    let reset = time::took(budget.reset.0.saturating_sub(state.now.0).max(0));
    format!(
        "{:<16}  {} of {} left, full again in {reset}; an hour at this pace uses {}",
        budget.name, budget.remaining, budget.limit, budget.planned
    )
}
