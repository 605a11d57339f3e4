#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::*;

const SCOPES: [Scope; 6] = [
    Scope::Board,
    Scope::Repo,
    Scope::Tokens,
    Scope::Token,
    Scope::Log,
    Scope::Session,
];

#[test]
fn a_key_means_one_thing_on_a_screen() {
    for scope in SCOPES {
        let mut seen = std::collections::BTreeMap::new();
        for action in ACTIONS.iter().filter(|action| action.applies(scope)) {
            for key in action.keys {
                if let Some(other) = seen.insert(*key, action.id) {
                    panic!("{key} on {scope:?}: {other:?} and {:?}", action.id);
                }
            }
        }
    }
}

#[test]
fn ids_are_unique_and_words_are_complete() {
    for (index, action) in ACTIONS.iter().enumerate() {
        assert!(
            ACTIONS[index + 1..]
                .iter()
                .all(|other| other.id != action.id && other.word != action.word)
        );
        assert!(!action.keys.is_empty() && action.help.ends_with('.') && !action.word.is_empty());
        assert_eq!(of(action.id).unwrap().word, action.word);
    }
}

#[test]
fn keys_are_found_by_screen() {
    assert_eq!(
        on(Key::Char('x'), Scope::Tokens).unwrap().id,
        Id::RecordRevocation
    );
    assert!(on(Key::Char('x'), Scope::Board).is_none());
    assert_eq!(on(Key::Down, Scope::Log).unwrap().id, Id::Down);
}

#[test]
fn the_palette_finds_by_fuzzy_words() {
    assert_eq!(search("revo", Scope::Tokens)[0].id, Id::RecordRevocation);
    assert_eq!(search("thm", Scope::Board)[0].id, Id::NextTheme);
    assert_eq!(search("wai", Scope::Board)[0].id, Id::Waive);
    assert!(search("zzzz", Scope::Board).is_empty());
    assert!(
        search("", Scope::Log)
            .iter()
            .all(|action| action.applies(Scope::Log))
    );
}

#[test]
fn only_decisions_are_refused_when_reading() {
    assert!(of(Id::Attest).unwrap().decides && of(Id::Undo).unwrap().decides);
    assert!(!of(Id::ShowCommand).unwrap().decides && !of(Id::Sort).unwrap().decides);
}
