//! The panel of a reading that costs a second factor: the cost before it begins, then npm's page and how far it is.
//!
//! The only place that shows the page's address; a console that only reads never opens it.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::{text, time};
use crate::engine::live::{FactorPage, FactorState, TwoFactorProgress};
use crate::engine::window::Rules;
use crate::model::event::World;
use crate::safe::shown::counted;
use crate::tui::state::State;
use crate::tui::theme::Theme;

/// Draws the panel.
pub fn draw(
    buffer: &mut Buffer,
    state: &State,
    packages: usize,
    begun: bool,
    theme: &Theme,
) -> Option<Position> {
    let factor = state.snapshot.live.factor.as_deref().filter(|_| begun);
    let exercise = state.snapshot.header.world != World::Real;
    let (lines, keys) = match factor {
        None => (
            cost(packages),
            &[("enter", "begin"), ("esc", "leave it")][..],
        ),
        Some(factor) => (progress(factor, state, exercise), keys(factor, exercise)),
    };
    text::draw(buffer, "Whom the packages trust", &lines, 0, keys, theme)
}

/// What reading so many packages costs, said before it begins.
fn cost(packages: usize) -> Vec<String> {
    let rules = Rules::npm();
    let calls = u32::try_from(packages).unwrap_or(u32::MAX);
    let (pause, minutes) = (rules.pause / 1_000, rules.seconds / 60);
    let takes = time::took(i64::from(calls) * pause);
    vec![
        format!(
            "{} to npm, {pause} s apart: about {takes}.",
            counted(packages, "request")
        ),
        format!(
            "{}: npm asks even before it shows whom a package trusts. One opens {minutes} minutes and up to {} requests, \
             if you tick on npm's page that it shall not ask again for {minutes} minutes. Each account that is needed \
             gives its own.",
            counted(rules.cost(calls) as usize, "second factor"),
            rules.calls,
        ),
        String::new(),
        "It only reads. What comes of it says as of when, and is not read again by itself."
            .to_owned(),
    ]
}

fn progress(factor: &TwoFactorProgress, state: &State, exercise: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if !factor.account.is_empty() {
        lines.push(format!("account    {}", factor.account));
    }
    lines.push("operation  read trust configurations".to_owned());
    let failed = match factor.failed {
        0 => String::new(),
        failed => format!(", {failed} of them could not be read"),
    };
    lines.push(format!(
        "progress   {} of {} asked{failed}, {} waiting",
        factor.done,
        factor.all,
        factor.all.saturating_sub(factor.done)
    ));
    let mut windows = state.snapshot.live.windows.iter();
    if let Some(open) = windows.find(|open| open.account == factor.account) {
        let left = open.ends.0.saturating_sub(state.now.0);
        if left > 0 {
            lines.push(format!(
                "window     {}, {} left",
                counted(open.left as usize, "more request"),
                time::took(left)
            ));
        }
    }
    lines.push(String::new());
    match &factor.state {
        FactorState::Working => lines.push("Reading …".to_owned()),
        FactorState::Ended(words) => lines.push(format!("Ended: {words}.")),
        FactorState::Asked(page) => lines.extend(asked(page, exercise)),
    }
    if factor.challenges > 1 && factor.is_open() {
        lines.push(String::new());
        lines.push(format!(
            "npm has asked {} times: tick on its page that it shall not ask again for five minutes.",
            factor.challenges
        ));
    }
    lines
}

fn asked(page: &FactorPage, exercise: bool) -> Vec<String> {
    if exercise {
        return vec![
            "npm wants the second factor of this account. The tabletop approves it automatically."
                .to_owned(),
        ];
    }
    if !page.accepted {
        return vec![
            format!("npm names a page on {}, which is not its own site.", page.host),
            "Is that your company's login? Then accept the host: it is asked for once and written down. Else stop.".to_owned(),
        ];
    }
    vec![
        "npm wants the second factor of this account, on this page:".to_owned(),
        String::new(),
        page.address.expose().to_owned(),
        String::new(),
        "The address is shown here alone. Whoever opens it acts as this account.".to_owned(),
    ]
}

fn keys(factor: &TwoFactorProgress, exercise: bool) -> &'static [(&'static str, &'static str)] {
    match &factor.state {
        FactorState::Ended(_) => &[("esc", "close")],
        FactorState::Asked(page) if !exercise && page.accepted => &[
            ("o", "open in browser"),
            ("x", "stop"),
            ("esc", "close, goes on"),
        ],
        FactorState::Asked(page) if !exercise && !page.accepted => &[
            ("Y", "accept host"),
            ("x", "stop"),
            ("esc", "close, goes on"),
        ],
        FactorState::Asked(_) | FactorState::Working => &[("x", "stop"), ("esc", "close, goes on")],
    }
}
