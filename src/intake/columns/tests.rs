#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::likeness::edits;
use super::*;

fn map(columns: &[&str], given: &[&str]) -> Result<Mapping, IntakeError> {
    let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
    let given: Result<Vec<_>, _> = given.iter().map(|g| Override::parse(g)).collect();
    Mapping::of(&columns, &given?)
}

fn field(mapping: &Mapping, column: &str) -> Option<(Field, How)> {
    mapping
        .matches
        .iter()
        .find(|m| m.column == column)
        .map(|m| (m.field, m.how))
}

#[test]
fn the_template_matches_itself_exactly() {
    let columns: Vec<&str> = Field::ALL.iter().map(|f| f.name()).collect();
    let mapping = map(&columns, &[]).unwrap();
    assert_eq!(mapping.matches.len(), 18);
    assert!(mapping.matches.iter().all(|m| m.how == How::Exact));
    assert!(!mapping.needs_yes());
}

#[test]
fn no_synonym_stands_twice_or_is_a_field_of_another() {
    let mut seen = std::collections::HashMap::new();
    for field in Field::ALL {
        for name in field
            .synonyms()
            .iter()
            .copied()
            .chain([plain(field.name()).as_str()])
        {
            assert_eq!(plain(name), name, "synonyms are written plain");
            assert_eq!(seen.insert(name.to_owned(), field), None, "{name}");
        }
    }
}

#[test]
fn case_punctuation_synonyms_and_slips() {
    let mapping = map(
        &[
            "Repository",
            "Token Expires",
            "tokenScopes",
            "Maintainer",
            "Enviroment",
            "Secret Nmae",
            "Lanes",
        ],
        &[],
    )
    .unwrap();
    let want = [
        ("Repository", Field::Repo, How::Synonym),
        ("Token Expires", Field::TokenExpires, How::Exact),
        ("tokenScopes", Field::TokenScopes, How::Exact),
        ("Maintainer", Field::Owner, How::Synonym),
        ("Enviroment", Field::Environment, How::Likeness),
        ("Secret Nmae", Field::SecretName, How::Likeness),
        ("Lanes", Field::Lane, How::Likeness),
    ];
    for (column, f, how) in want {
        assert_eq!(field(&mapping, column), Some((f, how)), "{column}");
    }
    assert!(mapping.needs_yes());
}

#[test]
fn two_columns_for_one_field_and_one_column_for_two() {
    let mapping = map(&["repo", "expires", "expiry", "Notes"], &[]).unwrap();
    assert_eq!(mapping.ambiguous.len(), 2);
    assert_eq!(mapping.unmatched, ["Notes"]);
    let mapping = map(&["repo", "owner", "Ownr"], &[]).unwrap();
    assert_eq!(field(&mapping, "owner"), Some((Field::Owner, How::Exact)));
    assert_eq!(mapping.unmatched, ["Ownr"]);
    let mapping = map(&["repo", "secret name or store"], &[]).unwrap();
    assert!(mapping.matches.len() == 1, "{mapping:?}");
}

#[test]
fn overrides_win_and_are_checked() {
    let mapping = map(
        &["Where is it", "Who", "repo"],
        &["Where is it=repo", "repo=-", "who=owner"],
    )
    .unwrap();
    assert_eq!(
        field(&mapping, "Where is it"),
        Some((Field::Repo, How::Given))
    );
    assert_eq!(field(&mapping, "Who"), Some((Field::Owner, How::Given)));
    assert_eq!(mapping.unmatched, ["repo"]);
    assert!(
        map(&["repo"], &["Nope=owner"])
            .unwrap_err()
            .to_string()
            .contains("`repo`")
    );
    assert!(
        map(&["repo"], &["repo=nope"])
            .unwrap_err()
            .to_string()
            .contains("secret_store")
    );
    assert!(map(&["repo"], &["repo"]).is_err());
    assert!(map(&["repo", "a", "b"], &["a=owner", "b=owner"]).is_err());
}

#[test]
fn a_sheet_without_repositories_says_what_it_saw() {
    let said = map(&["Team", "Budget"], &[]).unwrap_err().to_string();
    assert!(said.contains("`Team`") && said.contains("--map"));
}

#[test]
fn the_table_shows_foreign_names_visibly() {
    let mapping = map(&["repo", "evil\u{202e}\u{1b}]0;x"], &[]).unwrap();
    let table = mapping.table();
    assert!(table.contains("left out"));
    assert!(table.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(!table.contains('\u{202e}'));
}

#[test]
fn distance_is_symmetric_and_right() {
    let chars = |s: &str| s.chars().collect::<Vec<_>>();
    for (a, b, d) in [
        ("kitten", "sitting", 3),
        ("", "abc", 3),
        ("repo", "repo", 0),
    ] {
        assert_eq!(edits(&chars(a), &chars(b)), d);
        assert_eq!(edits(&chars(b), &chars(a)), d);
    }
}

#[test]
fn a_longer_header_that_holds_one_field_is_like_it() {
    let mapping = map(
        &[
            "Repository",
            "Team Owner",
            "Code Reviewer",
            "Publishing Lane",
        ],
        &[],
    )
    .unwrap();
    for (column, wanted) in [
        ("Team Owner", Field::Owner),
        ("Code Reviewer", Field::Reviewer),
        ("Publishing Lane", Field::Lane),
    ] {
        assert_eq!(
            field(&mapping, column),
            Some((wanted, How::Likeness)),
            "{column}"
        );
    }
    assert!(mapping.needs_yes());
    // Two fields in one header: neither.
    let mapping = map(&["repo", "owner or lane of it"], &[]).unwrap();
    assert_eq!(field(&mapping, "owner or lane of it"), None);
}
