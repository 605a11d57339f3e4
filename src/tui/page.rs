//! The page of one subject: its sections on one side, its gates on the other where there is room, one cursor over all.
//!
//! No ratatui here. Scrolling follows the cursor and needs no memory of its own.

use std::sync::Arc;

use super::form::Target;
use super::layout::Size;
use crate::engine::snapshot::{Page as Content, PageLine, Snapshot};
use crate::model::gate::GateId;
use crate::model::id::{Kind, Subject};

/// One line of the page.
#[derive(Debug, Clone, Copy)]
pub enum Line<'a> {
    Title(&'a str),
    Line(&'a PageLine),
}

/// A line by its section and its number in it; none is the section's title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    section: usize,
    line: Option<usize>,
}

/// What tells a line from the others when the page is made anew.
type Key = (Option<Subject>, Option<GateId>, String);

/// An open page. It is empty until the picture that shows it has come.
#[derive(Debug, Clone)]
pub struct Page {
    pub subject: Subject,
    /// Powers and gaps, which are about the session too.
    pub powers: bool,
    /// Name to show until the page is there.
    name: String,
    content: Option<Arc<Content>>,
    places: Vec<Place>,
    /// Index of the first line of the gates.
    split: usize,
    cursor: usize,
    height: usize,
}

impl Page {
    /// Opens the page of a subject; what stands on it comes with the next picture.
    #[must_use]
    pub fn open(target: Target, height: usize) -> Self {
        Self {
            subject: target.subject,
            powers: false,
            name: target.name,
            content: None,
            places: Vec::new(),
            split: 0,
            cursor: 0,
            height,
        }
    }

    /// Opens the page of powers and gaps.
    #[must_use]
    pub fn powers(height: usize) -> Self {
        let target = Target {
            subject: Subject::SESSION,
            name: "Powers and gaps".to_owned(),
        };
        Self {
            powers: true,
            ..Self::open(target, height)
        }
    }

    /// Takes the page from a picture that shows it; the cursor stays on its line as far as there is one.
    pub fn refresh(&mut self, snapshot: &Snapshot) {
        let Some(content) = snapshot
            .page
            .as_ref()
            .filter(|page| page.about == self.subject && page.powers == self.powers)
        else {
            return;
        };
        if self
            .content
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, content))
        {
            return;
        }
        let first = self.content.is_none();
        let at = self.current().and_then(key);
        self.content = Some(Arc::clone(content));
        self.arrange();
        let found = (0..self.places.len())
            .find(|index| at.is_some() && self.line(*index).and_then(key) == at);
        self.cursor = found
            .unwrap_or(self.cursor)
            .min(self.places.len().saturating_sub(1));
        if first {
            self.step(1);
        }
    }

    /// Orders the sections: those without gates first.
    fn arrange(&mut self) {
        let Some(content) = &self.content else { return };
        let mut order: Vec<(bool, usize)> = content
            .sections
            .iter()
            .enumerate()
            .map(|(index, section)| (section.lines.iter().any(|line| line.gate.is_some()), index))
            .collect();
        order.sort_unstable();
        self.places.clear();
        self.split = 0;
        for (gates, section) in order {
            let lines = content
                .sections
                .get(section)
                .map_or(0, |section| section.lines.len());
            self.places.push(Place {
                section,
                line: None,
            });
            self.places.extend((0..lines).map(|line| Place {
                section,
                line: Some(line),
            }));
            if !gates {
                self.split = self.places.len();
            }
        }
    }

    fn line(&self, index: usize) -> Option<Line<'_>> {
        let place = self.places.get(index)?;
        let section = self.content.as_ref()?.sections.get(place.section)?;
        Some(match place.line {
            None => Line::Title(&section.title),
            Some(line) => Line::Line(section.lines.get(line)?),
        })
    }

    fn is_title(&self, index: usize) -> bool {
        self.places
            .get(index)
            .is_some_and(|place| place.line.is_none())
    }

    /// Its title, the subject's name until the page is there.
    #[must_use]
    pub fn title(&self) -> &str {
        self.content
            .as_ref()
            .map_or(&self.name, |content| &content.title)
    }

    /// True until the picture that shows it has come.
    #[must_use]
    pub fn is_loading(&self) -> bool {
        self.content.is_none()
    }

    /// What the page is about, for a decision.
    #[must_use]
    pub fn target(&self) -> Target {
        Target {
            subject: self.subject,
            name: self.name.clone(),
        }
    }

    /// What the line under the cursor is about, where it is of one of these kinds.
    #[must_use]
    pub fn target_here(&self, kinds: &[Kind]) -> Option<Target> {
        let Some(Line::Line(line)) = self.current() else {
            return None;
        };
        let subject = line.about.filter(|about| kinds.contains(&about.kind))?;
        let name = match subject.kind {
            kind if subject == self.subject => {
                return Some(self.target()).filter(|_| kinds.contains(&kind));
            }
            Kind::Path if line.gate.is_none() => format!("{}: {}", self.name, line.text),
            kind => format!("{} of {}", kind.word(), self.name),
        };
        Some(Target { subject, name })
    }

    /// The line under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<Line<'_>> {
        self.line(self.cursor)
    }

    /// The gate under the cursor, and what it is about.
    #[must_use]
    pub fn gate(&self) -> Option<(GateId, Subject)> {
        match self.current()? {
            Line::Line(line) => Some((line.gate?, line.about.unwrap_or(self.subject))),
            Line::Title(_) => None,
        }
    }

    /// Moves by lines; titles are stepped over.
    pub fn step(&mut self, lines: isize) {
        let last = self.places.len().saturating_sub(1);
        let at = self.cursor.saturating_add_signed(lines).min(last);
        let line = |at: &usize| !self.is_title(*at);
        let (before, after) = ((0..=at).rev().find(line), (at..=last).find(line));
        let found = if lines < 0 {
            before.or(after)
        } else {
            after.or(before)
        };
        self.cursor = found.unwrap_or(0);
    }

    /// Moves to the line that stands at this place of the screen.
    pub fn click(&mut self, line: usize, right: bool, size: Size) {
        let parts = self.parts(size);
        let part = if right { parts.last() } else { parts.first() };
        let Some((start, lines)) = part.copied() else {
            return;
        };
        let at = start + self.top(start, lines) + line;
        if line < self.height && at < start + lines && !self.is_title(at) {
            self.cursor = at;
        }
    }

    /// The parts that stand side by side, as (first line, lines): facts and gates where it is wide, else one.
    fn parts(&self, size: Size) -> Vec<(usize, usize)> {
        if size.wide() && self.split > 0 && self.split < self.places.len() {
            vec![
                (0, self.split),
                (self.split, self.places.len() - self.split),
            ]
        } else {
            vec![(0, self.places.len())]
        }
    }

    /// First line shown of a part: the cursor is kept in the middle, a part without it shows its beginning.
    fn top(&self, start: usize, lines: usize) -> usize {
        let inside = self
            .cursor
            .checked_sub(start)
            .filter(|at| *at < lines)
            .unwrap_or(0);
        inside
            .saturating_sub(self.height / 2)
            .min(lines.saturating_sub(self.height))
    }

    /// The lines on the screen, part by part, each with whether the cursor stands on it.
    #[must_use]
    pub fn windows(&self, size: Size) -> Vec<Vec<(Line<'_>, bool)>> {
        let part = |(start, lines): (usize, usize)| {
            let first = start + self.top(start, lines);
            let end = (first + self.height).min(start + lines);
            (first..end)
                .filter_map(|at| Some((self.line(at)?, at == self.cursor)))
                .collect()
        };
        self.parts(size).into_iter().map(part).collect()
    }

    /// Sets how many lines fit.
    pub fn set_height(&mut self, height: usize) {
        self.height = height.max(1);
    }

    /// Lines that fit.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }
}

fn key(line: Line<'_>) -> Option<Key> {
    match line {
        Line::Title(_) => None,
        // A gate is told by itself: its words change with its verdict.
        Line::Line(line) if line.gate.is_some() => Some((line.about, line.gate, String::new())),
        Line::Line(line) => Some((line.about, None, line.text.clone())),
    }
}
