#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use super::*;

fn fact(key: &str, id: &str, created: i64, name: &str) -> TokenFact {
    let some = |text: &str| (!text.is_empty()).then(|| text.into());
    TokenFact {
        account: "bot".into(),
        key: key.into(),
        id: some(id),
        created: (created > 0).then_some(Ts(created)),
        name: some(name),
        ..TokenFact::default()
    }
}

#[test]
fn two_rows_are_one_token_where_nothing_in_them_differs() {
    for (one, other, same) in [
        // The whole key decides.
        (
            fact("b3f08d71", "", 1, "a"),
            fact("b3f08d71", "", 2, "b"),
            true,
        ),
        (
            fact("b3f08d71", "", 1, "a"),
            fact("b3f08d72", "", 1, "a"),
            false,
        ),
        // A masked row beside a whole key, and two masked ones with ids of different length.
        (
            fact("b3f08d71", "", 1, "a"),
            fact("***", "b3f08d", 1, "a"),
            true,
        ),
        (
            fact("b3f08d71", "", 1, "a"),
            fact("***", "b3f08d", 2, "a"),
            false,
        ),
        (
            fact("b3f08d71", "", 1, "a"),
            fact("***", "c3f08d", 1, "a"),
            false,
        ),
        (
            fact("", "b3f08d", 1, "a"),
            fact("***", "b3f08d71", 1, "a"),
            true,
        ),
        (
            fact("", "b3f08d71", 1, "a"),
            fact("", "b3f08d72", 1, "a"),
            false,
        ),
        // A key that is shorter than the id does not start with it.
        (fact("b3f0", "", 1, "a"), fact("", "b3f08d", 1, "a"), false),
        // Without an instant the name has to agree, and without anything nothing does.
        (fact("", "b3f08d", 0, "a"), fact("", "b3f08d", 0, "a"), true),
        (
            fact("", "b3f08d", 0, "a"),
            fact("", "b3f08d", 0, "b"),
            false,
        ),
        (fact("***", "", 1, "a"), fact("", "b3f08d", 1, "a"), true),
        (fact("***", "", 1, "a"), fact("***", "", 1, "b"), false),
        (fact("***", "", 0, ""), fact("***", "", 0, ""), false),
    ] {
        for (a, b) in [(&one, &other), (&other, &one)] {
            assert_eq!(
                Identity::of(a).may_be(&Identity::of(b)),
                same,
                "{a:?} {b:?}"
            );
        }
    }
}

#[test]
fn another_account_has_another_token() {
    let one = fact("b3f08d71", "", 1, "a");
    let other = TokenFact {
        account: "mia".into(),
        ..one.clone()
    };
    assert!(!Identity::of(&one).may_be(&Identity::of(&other)));
}

#[test]
fn masked_rows_get_ids_of_their_own() {
    let registry = "https://registry.example";
    let rows = [
        fact("***", "b3f08d", 1, "a"),
        fact("***", "c3f08d", 1, "a"),
        fact("***", "b3f08d", 2, "a"),
        fact("***", "b3f08d", 1, "b"),
        fact("b3f08d", "", 1, "a"),
    ];
    let mut ids: Vec<Subject> = rows.iter().map(|row| row.subject(registry)).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rows.len());
    // What 0.1.0 minted by key stays.
    assert_eq!(
        rows[4].subject(registry),
        Subject::token(registry, "bot", "b3f08d")
    );
}
