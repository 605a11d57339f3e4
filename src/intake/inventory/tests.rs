#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::*;

fn csv(text: &str) -> Result<Inventory, IntakeError> {
    Inventory::read(text.as_bytes(), Format::Csv, &[])
}

const FULL: &str = "\
repo,packages,owner,reviewer,lane,token_scopes,token_expires,bypass_2fa,secret_name,secret_store,environment,\
canary_date,canary_tag,revoked_token_id,revoked_on,provenance_verified,dist_tags_correct,docs_updated
acme/ui-kit,@acme/ui @acme/icons,rosa,ken,trusted,@acme;@acme-labs,2026-12-20T00:00:00Z,yes,NPM_TOKEN,GitHub org,npm,\
2026-12-05,canary,1b2c,2026-12-06,yes,no,x
acme/cli,,,,,,,,,,,,,,,,,
";

#[test]
fn a_full_row_and_an_empty_one() {
    let inventory = csv(FULL).unwrap();
    assert!(!inventory.mapping.needs_yes());
    let row = &inventory.rows[0];
    assert_eq!(row.line, 2);
    assert_eq!(row.repo.value, "acme/ui-kit");
    assert_eq!(
        row.packages.as_ref().unwrap().value,
        ["@acme/ui", "@acme/icons"]
    );
    assert_eq!(
        row.lane.as_ref().unwrap().value,
        LaneWord::One(crate::model::lane::Lane::Trusted)
    );
    assert_eq!(
        row.token_scopes.as_ref().unwrap().value,
        ["@acme", "@acme-labs"]
    );
    assert!(row.token_expires.as_ref().unwrap().value.at.is_some());
    assert!(row.bypass_2fa.as_ref().unwrap().value);
    assert_eq!(row.secret_store.as_ref().unwrap().value, "GitHub org");
    assert_eq!(
        row.canary_date.as_ref().unwrap().value.date.to_string(),
        "2026-12-05"
    );
    assert!(!row.dist_tags_correct.as_ref().unwrap().value);
    assert!(row.docs_updated.as_ref().unwrap().value);
    let fact = row.fact("repos.csv");
    assert_eq!(&*fact.from, "repos.csv:2");
    assert_eq!(fact.secret_name.as_deref(), Some("NPM_TOKEN"));
    assert_eq!(fact.token_expires.unwrap().to_string(), "2026-12-20");
    let empty = &inventory.rows[1];
    assert_eq!((empty.line, empty.repo.value.as_str()), (3, "acme/cli"));
    assert!(empty.owner.is_none() && empty.bypass_2fa.is_none() && empty.packages.is_none());
}

#[test]
fn every_bad_cell_is_named_at_once() {
    let error =
        csv("Repo,Token Expires,lane,bypass 2fa\nacme/a,05/12/2026,oidc,maybe\n,2026-12-05,,\n")
            .unwrap_err();
    let IntakeError::Cells(problems) = &error else {
        panic!("{error}")
    };
    let places: Vec<(u32, &str)> = problems
        .iter()
        .map(|p| (p.line, p.column.as_str()))
        .collect();
    assert_eq!(
        places,
        [
            (2, "column `lane`"),
            (2, "column `Token Expires`"),
            (2, "column `bypass 2fa`"),
            (3, "column `Repo`"),
        ]
    );
    let said = error.to_string();
    assert!(
        said.contains("05/12/2026") && said.contains("2026-12-05T10:00:00Z"),
        "{said}"
    );
}

#[test]
fn yaml_and_toml_values_keep_their_lines() {
    let yaml = "repos:\n  - repo: acme/a\n    bypass_2fa: no\n    packages:\n      - '@acme/a'\n      - '@acme/b'\n    token_expires: 2026-12-05\n";
    let inventory = Inventory::read(yaml.as_bytes(), Format::Yaml, &[]).unwrap();
    let row = &inventory.rows[0];
    assert_eq!(
        row.bypass_2fa,
        Some(Sourced {
            value: false,
            line: 3
        })
    );
    assert_eq!(row.packages.as_ref().unwrap().value.len(), 2);
    assert_eq!(row.token_expires.as_ref().unwrap().line, 7);
    let toml = "[[repo]]\nrepo = \"acme/a\"\nbypass_2fa = false\ntoken_expires = 2026-12-05\nrevoked_on = 2026-12-05T10:00:00Z\n";
    let inventory = Inventory::read(toml.as_bytes(), Format::Toml, &[]).unwrap();
    let row = &inventory.rows[0];
    assert_eq!(
        row.bypass_2fa,
        Some(Sourced {
            value: false,
            line: 3
        })
    );
    assert_eq!(row.token_expires.as_ref().unwrap().value.at, None);
    assert!(row.revoked_on.as_ref().unwrap().value.at.is_some());
}

#[test]
fn wrong_headers_are_told() {
    let said = csv("Team,Cost\nweb,3\n").unwrap_err().to_string();
    assert!(
        said.contains("`Team`; `Cost`") && said.contains("--map \"COLUMN=repo\""),
        "{said}"
    );
    let given = [Override::parse("Team=repo").unwrap()];
    let inventory = Inventory::read(b"Team,Cost\nweb,3\n", Format::Csv, &given).unwrap();
    assert_eq!(inventory.rows[0].repo.value, "web");
    assert_eq!(inventory.mapping.unmatched, ["Cost"]);
}

#[test]
fn hostile_text_is_shown_or_refused_but_never_raw() {
    let error = csv("repo,lane\nacme/a,\u{1b}]0;x\u{7}\u{202e}\n")
        .unwrap_err()
        .to_string();
    assert!(
        !error.contains('\u{1b}') && !error.contains('\u{202e}'),
        "{error:?}"
    );
    let kept = csv("repo,owner\nacme/a,=cmd|' /C calc'!A0\n").unwrap();
    assert_eq!(
        kept.rows[0].owner.as_ref().unwrap().value,
        "=cmd|' /C calc'!A0"
    );
}
