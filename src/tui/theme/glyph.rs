//! The signs of the screen, in Unicode and in plain ASCII. Meaning never rests on colour: every state has its own sign.

/// Which signs are drawn: Unicode, or plain ASCII for terminals and fonts without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    Unicode,
    Ascii,
}

/// A sign that both sets have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    Passed,
    Attested,
    Partly,
    Blocked,
    CouldNotLook,
    NotLooked,
    /// Does not hold yet, and is not in the way: a later wave mends it.
    Later,
    Waived,
    NotApplicable,
    Contested,
    Running,
    Queued,
    /// Mark of a row that is part of the selection.
    Chosen,
    /// Bar at the row under the cursor.
    Bar,
    More,
    Up,
    Down,
    AtLeast,
    Ellipsis,
    Arrow,
    Rule,
    Dash,
}

impl Glyphs {
    /// Decides from the locale's variables, first set first: Unicode where they name UTF-8.
    #[must_use]
    pub fn of(locale: Option<&str>) -> Self {
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") {
            Self::Unicode
        } else {
            Self::Ascii
        }
    }

    /// The sign, one cell wide (two for `AtLeast` and `Arrow` in ASCII, three for the dots).
    #[must_use]
    pub fn sign(self, glyph: Glyph) -> &'static str {
        let (unicode, ascii) = match glyph {
            Glyph::Passed => ("●", "#"),
            Glyph::Attested => ("◎", "@"),
            Glyph::Partly => ("◐", "o"),
            Glyph::Blocked => ("✗", "X"),
            Glyph::CouldNotLook => ("?", "?"),
            Glyph::NotLooked => ("·", "."),
            Glyph::Later => ("×", "x"),
            Glyph::Waived => ("~", "w"),
            Glyph::NotApplicable => ("–", "-"),
            Glyph::Contested => ("≠", "%"),
            Glyph::Running => ("▶", "*"),
            Glyph::Queued => ("◌", ":"),
            Glyph::Chosen => ("✓", "+"),
            Glyph::Bar => ("▏", ">"),
            Glyph::More => ("…", "~"),
            Glyph::Up => ("▲", "^"),
            Glyph::Down => ("▼", "v"),
            Glyph::AtLeast => ("≥", ">="),
            Glyph::Ellipsis => ("…", "..."),
            Glyph::Arrow => ("→", "->"),
            Glyph::Rule => ("─", "-"),
            Glyph::Dash => ("—", "-"),
        };
        match self {
            Self::Unicode => unicode,
            Self::Ascii => ascii,
        }
    }
}
