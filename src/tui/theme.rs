//! Looks as data: themes (role -> style), glyph sets, and the ladder of colours a terminal can show.
//!
//! A role says what a thing means; no view names a colour. Meaning never rests on colour: every state has a glyph in
//! both sets. The environment is not read here: the caller passes what it found.

mod glyph;

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

pub use glyph::{Glyph, Glyphs};

/// Names of the themes compiled in, in the order the console goes through them.
pub const NAMES: [&str; 3] = ["dark", "light", "colour-blind-safe"];

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no theme `{0}`; choose dark, light or colour-blind-safe")]
    Unknown(String),
    #[error("theme `{name}`: {why}")]
    Parse { name: String, why: String },
    #[error("theme `{name}`: role `{role}` is missing; copy it from the theme `dark`")]
    Missing { name: String, role: &'static str },
}

/// How many colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    None,
    Sixteen,
    Indexed,
    True,
}

impl Depth {
    /// Decides from the environment: `NO_COLOR` set and not empty, `COLORTERM`, `TERM`.
    #[must_use]
    pub fn of(no_color: bool, colorterm: Option<&str>, term: Option<&str>) -> Self {
        let term = term.unwrap_or_default();
        if no_color || term == "dumb" {
            Self::None
        } else if colorterm.is_some_and(|name| name == "truecolor" || name == "24bit")
            || term.ends_with("-direct")
        {
            Self::True
        } else if term.contains("256color") {
            Self::Indexed
        } else {
            Self::Sixteen
        }
    }
}

/// What a piece of the screen means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Text,
    Faint,
    Title,
    Heading,
    Tab,
    Key,
    Cursor,
    Chosen,
    Border,
    Input,
    Passed,
    Attested,
    Partly,
    Blocked,
    Unknown,
    Waived,
    Warning,
    Danger,
}

const ROLES: [(Role, &str); 18] = [
    (Role::Text, "text"),
    (Role::Faint, "faint"),
    (Role::Title, "title"),
    (Role::Heading, "heading"),
    (Role::Tab, "tab"),
    (Role::Key, "key"),
    (Role::Cursor, "cursor"),
    (Role::Chosen, "chosen"),
    (Role::Border, "border"),
    (Role::Input, "input"),
    (Role::Passed, "passed"),
    (Role::Attested, "attested"),
    (Role::Partly, "partly"),
    (Role::Blocked, "blocked"),
    (Role::Unknown, "unknown"),
    (Role::Waived, "waived"),
    (Role::Warning, "warning"),
    (Role::Danger, "danger"),
];

/// A theme brought down to what the terminal can show.
#[derive(Debug, Clone)]
pub struct Theme {
    pub name: String,
    pub glyphs: Glyphs,
    styles: [Style; ROLES.len()],
}

impl Theme {
    /// Reads a theme by name, at a depth; without glyph choice it draws Unicode.
    pub fn named(name: &str, depth: Depth, glyphs: Glyphs) -> Result<Self, Error> {
        let text = match name {
            "dark" => include_str!("../../assets/themes/dark.toml"),
            "light" => include_str!("../../assets/themes/light.toml"),
            "colour-blind-safe" => include_str!("../../assets/themes/colour-blind-safe.toml"),
            other => return Err(Error::Unknown(other.to_owned())),
        };
        Self::parse(text, depth, glyphs)
    }

    /// Reads a theme from the text of its file.
    pub fn parse(text: &str, depth: Depth, glyphs: Glyphs) -> Result<Self, Error> {
        let file: File = toml::from_str(text).map_err(|error| Error::Parse {
            name: "given".to_owned(),
            why: error.message().to_owned(),
        })?;
        let mut styles = [Style::new(); ROLES.len()];
        for ((_, role), slot) in ROLES.iter().zip(styles.iter_mut()) {
            let look = file.roles.get(*role).ok_or_else(|| Error::Missing {
                name: file.name.clone(),
                role,
            })?;
            *slot = look.style(depth).map_err(|why| Error::Parse {
                name: file.name.clone(),
                why: format!("role `{role}`: {why}"),
            })?;
        }
        Ok(Self {
            name: file.name,
            glyphs,
            styles,
        })
    }

    /// The same looks for a picture whose source is damaged: what was met is drawn as unknown.
    #[must_use]
    pub fn in_doubt(&self) -> Self {
        let mut doubting = self.clone();
        for met in [Role::Passed, Role::Attested, Role::Waived] {
            if let Some(style) = doubting.styles.get_mut(met as usize) {
                *style = self.style(Role::Unknown);
            }
        }
        doubting
    }

    /// The style of a role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    roles: BTreeMap<String, Look>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    fg: Option<String>,
    bg: Option<String>,
    fg16: Option<String>,
    bg16: Option<String>,
    #[serde(default)]
    add: Vec<String>,
}

impl Look {
    fn style(&self, depth: Depth) -> Result<Style, String> {
        let mut style = Style::new();
        let (fg, bg) = match depth {
            Depth::None => (None, None),
            Depth::Sixteen => (self.fg16.as_deref(), self.bg16.as_deref()),
            Depth::Indexed | Depth::True => (self.fg.as_deref(), self.bg.as_deref()),
        };
        style.fg = fg.map(|text| color(text, depth)).transpose()?;
        style.bg = bg.map(|text| color(text, depth)).transpose()?;
        for word in &self.add {
            let modifier = match word.as_str() {
                "bold" => Modifier::BOLD,
                "italic" => Modifier::ITALIC,
                "underlined" => Modifier::UNDERLINED,
                // A background says it already where there is one.
                "reversed" if style.bg.is_some() => Modifier::empty(),
                "reversed" => Modifier::REVERSED,
                other => {
                    return Err(format!(
                        "`{other}` is none of bold, italic, underlined, reversed"
                    ));
                }
            };
            style = style.add_modifier(modifier);
        }
        Ok(style)
    }
}

fn color(text: &str, depth: Depth) -> Result<Color, String> {
    let color: Color = text
        .parse()
        .map_err(|_unknown: ratatui::style::ParseColorError| {
            format!("`{}` is no colour", crate::safe::shown::visible(text))
        })?;
    Ok(match (color, depth) {
        (Color::Rgb(r, g, b), Depth::Indexed) => Color::Indexed(nearest(r, g, b)),
        (color, _) => color,
    })
}

/// The nearest of the 216 cube colours and 24 greys of the 256-colour palette.
fn nearest(r: u8, g: u8, b: u8) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let step = |value: u8| {
        (0u8..)
            .zip(STEPS)
            .min_by_key(|(_, step)| step.abs_diff(value))
            .unwrap_or((0, 0))
    };
    let distance = |r2: u8, g2: u8, b2: u8| {
        [(r, r2), (g, g2), (b, b2)]
            .iter()
            .map(|(one, two)| u32::from(one.abs_diff(*two)).pow(2))
            .sum::<u32>()
    };
    let ((ri, rv), (gi, gv), (bi, bv)) = (step(r), step(g), step(b));
    let cube = (distance(rv, gv, bv), 16 + 36 * ri + 6 * gi + bi);
    let grey = (0..24u8)
        .map(|index| {
            let value = 8 + 10 * index;
            (distance(value, value, value), 232 + index)
        })
        .min()
        .unwrap_or(cube);
    cube.min(grey).1
}

#[cfg(test)]
mod tests;
