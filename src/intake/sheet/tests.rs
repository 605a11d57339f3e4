#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::*;

fn read(text: &str, format: Format) -> Result<Sheet, IntakeError> {
    Sheet::read(text.as_bytes(), format)
}

/// Column and values of every cell, record by record, sorted by column.
fn cells(sheet: &Sheet) -> Vec<Vec<(&str, &[String])>> {
    let mut all = Vec::new();
    for record in &sheet.records {
        let mut cells: Vec<(&str, &[String])> = Vec::new();
        for cell in &record.cells {
            cells.push((&sheet.columns[cell.column], &cell.values));
        }
        cells.sort();
        all.push(cells);
    }
    all
}

fn fake_token() -> String {
    format!("npm_{}", "x9".repeat(18))
}

#[test]
fn the_four_formats_say_the_same() {
    let csv = "repo,lane,docs\n\nacme/a,no,1.10\n\"acme/b\",\"bri\nge\",\n";
    let toml = "[[repos]]\nrepo = \"acme/a\"\nlane = \"no\"\ndocs = 1.10\n[[repos]]\nrepo = \"acme/b\"\nlane = \"bri\\nge\"\n";
    let json = "{\"version\": 1, \"repos\": [\n{\"repo\": \"acme/a\", \"lane\": \"no\", \"docs\": 1.10},\n{\"repo\": \"acme/b\",\n \"lane\": \"bri\\nge\", \"docs\": null}]}";
    let yaml = "version: 1\nrepos:\n- repo: acme/a\n  lane: no\n  docs: 1.10\n- repo: acme/b\n  lane: \"bri\\nge\"\n  docs:\n";
    for (text, format) in [
        (csv, Format::Csv),
        (toml, Format::Toml),
        (json, Format::Json),
        (yaml, Format::Yaml),
    ] {
        let sheet = read(text, format).unwrap();
        let values: Vec<Vec<(&str, Vec<&str>)>> = cells(&sheet)
            .into_iter()
            .map(|r| {
                r.into_iter()
                    .map(|(c, v)| (c, v.iter().map(String::as_str).collect()))
                    .collect()
            })
            .collect();
        assert_eq!(
            values,
            [
                vec![
                    ("docs", vec!["1.10"]),
                    ("lane", vec!["no"]),
                    ("repo", vec!["acme/a"])
                ],
                vec![("lane", vec!["bri\nge"]), ("repo", vec!["acme/b"])],
            ],
            "{format}"
        );
    }
}

#[test]
fn lines_are_those_of_the_file() {
    let line = |text: &str, format| -> Vec<(u32, Vec<u32>)> {
        let sheet = read(text, format).unwrap();
        sheet
            .records
            .iter()
            .map(|r| (r.line, r.cells.iter().map(|c| c.line).collect()))
            .collect()
    };
    assert_eq!(
        line("\u{feff}repo,owner\r\na/b,x\r\n\r\nc/d,y\r\n", Format::Csv),
        [(2, vec![2, 2]), (4, vec![4, 4])]
    );
    assert_eq!(
        line("# x\n[[r]]\nrepo = \"a/b\"\nowner = \"x\"\n", Format::Toml),
        [(3, vec![3, 4])]
    );
    assert_eq!(
        line(
            "[\n {\"repo\": \"a/b\",\n  \"owner\":\n   \"x\"}\n]",
            Format::Json
        ),
        [(2, vec![2, 4])]
    );
    assert_eq!(
        line("# x\n- repo: a/b\n  owner: x\n", Format::Yaml),
        [(2, vec![2, 3])]
    );
}

#[test]
fn shapes_that_people_write() {
    let repos = |text: &str, format| -> Vec<String> {
        let sheet = read(text, format).unwrap();
        let at = sheet.columns.iter().position(|c| c == "repo").unwrap();
        sheet
            .records
            .iter()
            .map(|r| r.cells.iter().find(|c| c.column == at).unwrap().values[0].clone())
            .collect()
    };
    assert_eq!(
        repos(
            "[repos.\"a/b\"]\nowner = \"x\"\n[repos.\"c/d\"]\nowner = \"y\"\n",
            Format::Toml
        ),
        ["a/b", "c/d"]
    );
    assert_eq!(
        repos("a/b:\n  owner: x\nc/d:\n  owner: y\n", Format::Yaml),
        ["a/b", "c/d"]
    );
    assert_eq!(
        repos("repo: a/b\nowner: x\n---\nrepo: c/d\n", Format::Yaml),
        ["a/b", "c/d"]
    );
    assert_eq!(
        repos(
            "{\"repo\": \"a/b\", \"token\": {\"scopes\": [\"@a\"]}}",
            Format::Json
        ),
        ["a/b"]
    );
    let nested = read(
        "{\"repo\": \"a/b\", \"token\": {\"scopes\": [\"@a\"]}}",
        Format::Json,
    )
    .unwrap();
    assert_eq!(nested.columns, ["repo", "token.scopes"]);
    assert_eq!(repos("repo;owner\na/b;x, y\n", Format::Csv), ["a/b"]);
    assert_eq!(repos("repo\towner\na/b\tx\n", Format::Csv), ["a/b"]);
}

#[test]
fn yaml_scalars_stay_as_written() {
    let text = "- {repo: a/b, w1: yes, w2: 007, w3: 1_000, w4: 12e4, w5: on, w6: 0x1F, w7: true, w8: 2026-12-05}\n";
    let sheet = read(text, Format::Yaml).unwrap();
    let values: Vec<&str> = sheet.records[0]
        .cells
        .iter()
        .map(|c| c.values[0].as_str())
        .collect();
    assert_eq!(
        values,
        [
            "a/b",
            "yes",
            "007",
            "1_000",
            "12e4",
            "on",
            "0x1F",
            "true",
            "2026-12-05"
        ]
    );
}

#[test]
fn secrets_are_named_by_place_and_never_said() {
    let token = fake_token();
    let lists = [
        (
            format!("repo,notes\na/b,x\nc/d,see {token}\n"),
            Format::Csv,
            "line 3, column `notes`",
        ),
        (
            format!("repo,{token}\na/b,x\n"),
            Format::Csv,
            "the heading of column 2",
        ),
        (
            format!("- repo: a/b\n  deep:\n    notes: [\"{token}\"]\n"),
            Format::Yaml,
            "line 3, column `deep.notes`",
        ),
        (
            format!("{{\"{token}\": {{\"owner\": \"x\"}}}}"),
            Format::Json,
            "line 1, column `repo`",
        ),
        (
            format!("[[r]]\nrepo = \"a/b\"\n\"{token}\" = 1\n"),
            Format::Toml,
            "heading of column 2",
        ),
    ];
    for (text, format, place) in lists {
        let error = read(&text, format).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(said.contains(place), "{said}");
        assert!(!said.contains(&token), "{format}");
    }
}

#[test]
fn parser_messages_never_quote_a_secret() {
    let token = fake_token();
    let lists = [
        (format!("{token}: 1\n{token}: 2\n"), Format::Yaml),
        (format!("repo: a\n*{token}\n"), Format::Yaml),
        (format!("\"{token}\" = 1\n\"{token}\" = 2\n"), Format::Toml),
        (format!("a = {token}\n"), Format::Toml),
        (format!("[\"{token}"), Format::Json),
        (format!("{{\"{token}\": 1, \"{token}\": 2}}"), Format::Json),
        (format!("{token},{token}\n1,2\n"), Format::Csv),
        (token.clone(), Format::Csv),
    ];
    for (text, format) in lists {
        let error = read(&text, format).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(!said.contains(&token), "{format}: {said}");
    }
}

#[test]
fn bad_lists_give_one_clear_error() {
    let syntax = |text: &str, format| match read(text, format) {
        Err(IntakeError::Syntax { line, .. }) => line,
        other => panic!("{other:?}"),
    };
    assert_eq!(syntax("[\n{\"repo\": }]", Format::Json), 2);
    assert_eq!(syntax("a = 1\nb = = 2\n", Format::Toml), 2);
    assert_eq!(syntax("a: b\n c: [\n", Format::Yaml), 2);
    assert_eq!(syntax("- repo: a\n  repo: b\n", Format::Yaml), 2);
    assert_eq!(syntax("[{\"repo\": 1, \"repo\": 2}]", Format::Json), 1);

    let shape = |text: &str, format| match read(text, format) {
        Err(IntakeError::Shape { message }) => message,
        other => panic!("{other:?}"),
    };
    assert!(shape("repo,owner\na/b,x,y\n", Format::Csv).contains("column 3"));
    assert!(shape("repo,repo\na/b,x\n", Format::Csv).contains("two columns"));
    assert!(shape("repo,owner\n", Format::Csv).contains("no records"));
    assert!(shape("", Format::Yaml).contains("no records"));
    assert!(shape("\"just text\"", Format::Json).contains("single value"));
    assert!(shape("[1, 2]", Format::Json).contains("expected"));
    let open = format!("repo,owner\na/b,\"x{}", "\nc/d,y".repeat(4000));
    assert!(shape(&open, Format::Csv).contains("quote"));
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert!(shape(&deep, Format::Json).contains("nested"));
    assert!(matches!(
        Sheet::read(b"\x00\xff\xfe", Format::Yaml),
        Err(IntakeError::NotText { .. })
    ));
}

#[test]
fn alias_bombs_run_out_of_budget() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let refs = vec![format!("*a{}", i - 1); 10].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
    }
    bomb.push_str("repo: *a11\n");
    assert!(matches!(
        read(&bomb, Format::Yaml),
        Err(IntakeError::Syntax { .. })
    ));
    let quadratic = format!(
        "a: &a \"{}\"\nb: [{}]\n",
        "x".repeat(10_000),
        vec!["*a"; 20_000].join(",")
    );
    assert!(read(&quadratic, Format::Yaml).is_err());
}

proptest::proptest! {
    #[test]
    fn no_input_panics(text in "\\PC{0,200}", soup in "[\\[\\]{}:,&*\\-\"'\n a-c=#]{0,80}") {
        for format in [Format::Csv, Format::Toml, Format::Json, Format::Yaml] {
            let _ = read(&text, format);
            let _ = read(&soup, format);
        }
    }
}
