//! The whole reference as one snapshot: every change of a flag or a word is seen in review.

use super::place::Place;

const VERBS: &[&[&str]] = &[
    &["demo"],
    &["tabletop"],
    &["scan"],
    &["check"],
    &["diagnose"],
    &["preflight"],
    &["init"],
    &["import"],
    &["open"],
    &["refresh"],
    &["watch"],
    &["assign"],
    &["lane"],
    &["plan"],
    &["attest"],
    &["waive"],
    &["note"],
    &["evidence"],
    &["evidence", "add"],
    &["edge"],
    &["identify"],
    &["revocation"],
    &["revocation", "record"],
    &["carry-over"],
    &["follow-up"],
    &["representatives"],
    &["canaries"],
    &["undo"],
    &["key"],
    &["key", "adopt"],
    &["status"],
    &["report"],
    &["explain"],
    &["log"],
    &["log", "list"],
    &["log", "verify"],
    &["log", "head"],
    &["log", "merge"],
    &["log", "seal"],
    &["log", "export"],
    &["completions"],
    &["man"],
];

#[test]
fn the_reference() {
    let place = Place::new();
    let mut text = place.run(&["--help"]).out;
    for verb in VERBS {
        let mut arguments = verb.to_vec();
        arguments.push("--help");
        let ran = place.run(&arguments);
        assert_eq!(ran.code, 0, "{}", ran.text());
        text.push_str(&format!("\n\n# cutover {}\n\n", verb.join(" ")));
        // The options that every verb has are printed once, above.
        text.push_str(
            ran.out
                .split("\nGlobal options:")
                .next()
                .unwrap()
                .trim_end(),
        );
    }
    crate::snapshot!(text);
}

#[test]
fn no_verb_is_missing_from_the_reference() {
    let place = Place::new();
    let help = place.run(&["--help"]).out;
    let commands = help
        .split("Commands:\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let listed: Vec<&str> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(listed.len() > 20, "{listed:?}");
    for verb in listed.into_iter().filter(|verb| *verb != "help") {
        assert!(
            VERBS.iter().any(|known| known[0] == verb),
            "{verb} is not in VERBS"
        );
    }
}

#[test]
fn the_manual_has_verbs_keys_and_codes() {
    let place = Place::new();
    let ran = place.run(&["man"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    for heading in [
        "NAME",
        "SYNOPSIS",
        "VERBS",
        "OPTIONS",
        "\"KEYS OF THE CONSOLE\"",
        "\"EXIT CODES\"",
        "ENVIRONMENT",
        "FILES",
    ] {
        assert!(
            ran.out.contains(&format!(".SH {heading}")),
            "{heading} is not in the manual:\n{}",
            ran.out
        );
    }
    assert!(ran.out.contains("cutover init") && ran.out.contains("the session file is damaged"));
}

#[test]
fn shells_get_completions() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = place.run(&["completions", shell]);
        assert_eq!(ran.code, 0, "{}", ran.text());
        assert!(
            ran.out.contains("carry-over") && ran.out.contains("fail-on"),
            "{shell}"
        );
    }
}

/// Every command of ours that a gate's guide names exists, with each of its flags.
#[test]
fn the_guides_commands_exist() {
    let place = Place::new();
    for gate in cutover::assets::guide::guided() {
        let guide = cutover::assets::guide::guide(gate).unwrap();
        for step in guide
            .how
            .iter()
            .filter_map(|step| step.strip_prefix("cutover "))
        {
            let words: Vec<&str> = step.split(' ').collect();
            let verbs: Vec<&str> = match words.as_slice() {
                ["revocation", verb, ..] => vec!["revocation", *verb, "--help"],
                [verb, ..] => vec![*verb, "--help"],
                [] => continue,
            };
            let help = place.run(&verbs);
            assert_eq!(help.code, 0, "{gate}: cutover {step}");
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                assert!(
                    help.out.contains(&format!("{flag} ")),
                    "{gate}: cutover {step}: {flag}"
                );
            }
        }
    }
}
