#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::*;

const DEPTHS: [Depth; 4] = [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True];

#[test]
fn every_theme_has_every_role_at_every_depth() {
    for name in NAMES {
        for depth in DEPTHS {
            let theme = Theme::named(name, depth, Glyphs::Unicode).unwrap();
            assert_eq!(theme.name, name);
            for (index, (role, word)) in ROLES.iter().enumerate() {
                assert_eq!(*role as usize, index, "order of {word}");
                let style = theme.style(*role);
                if depth == Depth::None {
                    assert_eq!((style.fg, style.bg), (None, None), "{name} {word}");
                }
            }
            // What must stand out without colour does.
            assert!(
                depth != Depth::None
                    || theme
                        .style(Role::Cursor)
                        .add_modifier
                        .contains(Modifier::REVERSED)
            );
        }
    }
}

#[test]
fn the_ladder_follows_the_environment() {
    let cases = [
        (true, Some("truecolor"), Some("xterm-256color"), Depth::None),
        (false, Some("truecolor"), Some("xterm"), Depth::True),
        (false, None, Some("tmux-256color"), Depth::Indexed),
        (false, None, Some("linux"), Depth::Sixteen),
        (false, None, None, Depth::Sixteen),
        (false, None, Some("dumb"), Depth::None),
    ];
    for (no_color, colorterm, term, depth) in cases {
        assert_eq!(
            Depth::of(no_color, colorterm, term),
            depth,
            "{no_color} {colorterm:?} {term:?}"
        );
    }
}

#[test]
fn a_wrong_theme_says_what_is_wrong() {
    let cases = [
        ("name = 1", "invalid type"),
        ("name = \"x\"\n[roles]", "role `text` is missing"),
        (
            "name = \"x\"\n[roles]\ntext = { fg = \"nope\" }",
            "`nope` is no colour",
        ),
        (
            "name = \"x\"\n[roles]\ntext = { add = [\"blink\"] }",
            "`blink` is none of",
        ),
    ];
    for (text, expected) in cases {
        let error = Theme::parse(text, Depth::True, Glyphs::Ascii)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn nearest_hits_exact_palette_entries() {
    for (rgb, index) in [
        ((0, 0, 0), 16),
        ((255, 255, 255), 231),
        ((95, 135, 175), 67),
        ((128, 128, 128), 244),
    ] {
        assert_eq!(nearest(rgb.0, rgb.1, rgb.2), index);
    }
}

#[test]
fn verdict_signs_differ_and_are_one_cell() {
    use Glyph::{
        Attested, Blocked, Contested, CouldNotLook, NotApplicable, NotLooked, Partly, Passed,
        Waived,
    };
    let all = [
        Passed,
        Attested,
        Partly,
        Blocked,
        CouldNotLook,
        NotLooked,
        Waived,
        NotApplicable,
        Contested,
    ];
    for set in [Glyphs::Unicode, Glyphs::Ascii] {
        let mut signs: Vec<_> = all.iter().map(|glyph| set.sign(*glyph)).collect();
        assert!(
            signs
                .iter()
                .all(|sign| unicode_width::UnicodeWidthStr::width(*sign) == 1)
        );
        assert!(set == Glyphs::Unicode || signs.iter().all(|sign| sign.is_ascii()));
        signs.sort_unstable();
        signs.dedup();
        assert_eq!(signs.len(), all.len());
    }
}
