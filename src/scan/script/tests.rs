#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::*;

fn texts(script: &str) -> Vec<String> {
    commands(script)
        .iter()
        .filter(|c| !c.words.is_empty())
        .map(Command::text)
        .collect()
}

#[test]
fn commands_of_many_forms() {
    let table: &[(&str, &[&str])] = &[
        ("npm ci && npm publish", &["npm ci", "npm publish"]),
        ("npm publish # --dry-run", &["npm publish"]),
        ("echo \"npm publish\"", &["echo npm publish"]),
        (
            "npm publish \\\n  --tag next\n",
            &["npm publish --tag next"],
        ),
        (
            "if [ -n \"$X\" ]; then npm publish; fi",
            &["[ -n $X ]", "npm publish"],
        ),
        (
            "for p in npm/*; do\n cd $p;\n npm publish;\ndone",
            &["cd $p", "npm publish"],
        ),
        ("(cd a && npm publish)", &["cd a", "npm publish"]),
        ("A=1 B='x y' npm publish", &["npm publish"]),
        (
            "x=$(npm view a version)\nnpm publish",
            &["npm view a version", "npm publish"],
        ),
        (
            "npm publish --tag ${{ github.ref == 'a' && 'x' || 'y' }}",
            &["npm publish --tag ${{ github.ref == 'a' && 'x' || 'y' }}"],
        ),
        (
            "case $x in\n a|b) npm publish ;;\n *) echo no ;;\nesac",
            &["npm publish", "echo no"],
        ),
        (
            "publish() {\n npm publish\n}\npublish",
            &["npm publish", "publish"],
        ),
        ("cat <<EOF > .npmrc\nnpm publish\nEOF\nls", &["cat", "ls"]),
        ("npm publish 2>&1 | tee log", &["npm publish", "tee log"]),
        (
            "`npm bin`/lerna publish",
            &["$(npm bin)/lerna publish", "npm bin"],
        ),
    ];
    for (script, want) in table {
        assert_eq!(&texts(script), want, "{script}");
    }
}

#[test]
fn details() {
    let all =
        commands("set -e\ncd wasm\nNODE_AUTH_TOKEN=$T npm publish || true\ncd ..\nnpm publish");
    assert_eq!(
        all[2].env,
        [("NODE_AUTH_TOKEN".to_owned(), "$T".to_owned())]
    );
    assert_eq!(
        (all[2].line, all[2].failure_ignored, all[2].dir.as_deref()),
        (2, true, Some("wasm"))
    );
    assert_eq!(
        (all[5].failure_ignored, all[5].dir.as_deref()),
        (false, Some(""))
    );
    let all = commands("echo //h/:_authToken=${NPM_TOKEN} > ~/.npmrc");
    assert_eq!(
        all[0].redirects,
        [Redirect {
            append: false,
            target: "~/.npmrc".to_owned()
        }]
    );
    let all = commands("cat > .npmrc <<EOF\n//h/:_authToken=$T\nEOF\nnpm publish");
    assert_eq!(all[0].input.as_deref(), Some("//h/:_authToken=$T\n"));
    assert_eq!(all[1].line, 3);
    let all = commands("cat <<'EOF' >> $HOME/.npmrc\nx\nEOF\n");
    assert_eq!(
        (all[0].input.as_deref(), all[0].redirects.len()),
        (Some("x\n"), 1)
    );
    let all = commands("echo $T | npm login");
    assert_eq!(
        all[1].piped_from.as_deref(),
        Some(&["echo".to_owned(), "$T".to_owned()][..])
    );
    assert!(commands("if npm publish; then echo; fi")[0].failure_ignored);
    assert!(!commands("npm publish || exit 1")[0].failure_ignored);
    assert!(!commands("npm publish || { echo no; exit 1; }")[0].failure_ignored);
}

#[test]
fn comparisons_are_no_commands() {
    let table: &[(&str, &[&str])] = &[
        (
            "if [[ \"$a\" < \"$b\" || \"$a\" == \"$b\" ]]; then npm publish; fi",
            &["[[ $a < $b || $a == $b ]]", "npm publish"],
        ),
        (
            "[[ a > b && ( c == d ) ]] && npm publish > log",
            &["[[ a > b && ( c == d ) ]]", "npm publish"],
        ),
        (
            "if [[ -n $a &&\n  -n $b ]]; then\n npm publish\nfi",
            &["[[ -n $a &&", "-n $b ]]", "npm publish"],
        ),
        (
            "[[ never closed\nnpm publish > log",
            &["[[ never closed", "npm publish"],
        ),
        (
            "printf $'a\\n\\'b\\x41\\101' && npm publish",
            &["printf a\n'bAA", "npm publish"],
        ),
    ];
    for (script, want) in table {
        assert_eq!(&texts(script), want, "{script}");
    }
    assert_eq!(commands("[[ a > b ]]")[0].redirects, []);
}

#[test]
fn a_failure_that_ends_the_script_after_all_is_not_ignored() {
    let table = [
        (
            "for i in 1 2; do if npm publish; then exit 0; fi; sleep 2; done\nexit 1",
            false,
        ),
        ("if ! npm publish; then echo no; exit 1; fi", false),
        ("if npm publish; then echo; else echo no; exit 2; fi", false),
        (
            "until npm publish; do n=$((n+1)); if [ $n -gt 3 ]; then exit 1; fi; sleep 5; done",
            false,
        ),
        (
            "try() { for i in 1 2; do if npm publish; then return 0; fi; done; return 1; }; try",
            false,
        ),
        (
            "if npm publish; then :; elif true; then :; fi\nexit 1",
            false,
        ),
        ("if npm publish; then exit 0; fi", true),
        ("if npm publish; then exit 0; fi\nexit 0\nexit 1", true),
        (
            "if npm publish; then exit 0; fi\nif [ $x ]; then exit 1; fi",
            true,
        ),
        ("if npm publish; then exit 0; fi\n[ $x ] && exit 1", true),
        (
            "if npm publish; then exit 0; fi\n[ $x ] || { exit 1; }",
            true,
        ),
        ("if npm publish; then exit 1; fi", true),
        ("if npm publish; then :; else echo; fi", true),
        (
            "until npm publish; do if [ $n -gt 3 ]; then break; fi; done",
            true,
        ),
        ("while npm publish; do :; done", true),
        ("a() { if npm publish; then return 0; fi; }\nexit 1", true),
        ("if npm publish || true; then exit 0; fi; exit 1", true),
        ("set +e\nif npm publish; then exit 0; fi; exit 1", true),
    ];
    for (script, ignored) in table {
        let all = commands(script);
        let publish = all.iter().find(|c| c.text() == "npm publish").unwrap();
        assert_eq!(publish.failure_ignored, ignored, "{script}");
    }
}

#[test]
fn folders_that_only_get_deeper_are_given_up() {
    let all = commands(&"cd a/../b\n".repeat(1_000));
    assert!(
        all.iter()
            .all(|c| c.dir.as_ref().is_none_or(|d| d.len() <= 512))
    );
    assert_eq!(all.last().unwrap().dir, None);
}

proptest::proptest! {
    #[test]
    fn any_text_ends(text in "[a-z $(){}'\"`\\\\\n;|&<>=#-]{0,80}") {
        let _ = commands(&text);
    }

    #[test]
    fn any_unicode_ends(text in "\\PC{0,60}") {
        let _ = commands(&text);
    }
}
