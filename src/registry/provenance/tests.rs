//! Real npm provenance and minted one: what holds is taken, and whatever is wrong in one point is refused by that point.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use data_encoding::{BASE64, HEXLOWER};

use super::*;

/// npm's own bundle of `sigstore` 2.0.0, signed and logged by the public instance in August 2023.
const REAL: &str = include_str!("../../../tests/fixtures/provenance/npm-sigstore-2.0.0.json");
const REAL_SHA512: &str = "46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c";
/// The roots of a certificate authority and a log of our own, against which the npm CLI minted the bundles below.
const MINTED_ROOT: &str = include_str!("../../../tests/fixtures/provenance/minted-root.json");
const TARBALL: &[u8] = include_bytes!("../../../tests/fixtures/provenance/demo-10.0.1.tgz");

macro_rules! minted {
    ($name:literal) => {
        include_str!(concat!(
            "../../../tests/fixtures/provenance/minted-",
            $name,
            ".json"
        ))
    };
}

fn demo() -> Expected<'static> {
    Expected {
        package: "@acme/demo",
        version: "10.0.1",
        tarball: TARBALL,
        repository: "acme/demo",
        repository_id: 1,
        owner_id: 2,
        file: "publish.yml",
        git_ref: "refs/heads/main",
        commit: "aa218f56b14c9653891f9e74264a383fa43fefbd",
        run: 3,
        attempt: 1,
    }
}

fn real() -> Expected<'static> {
    Expected {
        package: "sigstore",
        version: "2.0.0",
        tarball: b"",
        repository: "sigstore/sigstore-js",
        repository_id: 495_574_555,
        owner_id: 71_096_353,
        file: "release.yml",
        git_ref: "refs/heads/main",
        commit: "f0b49a04e5a62250e0f60fb128004a73110fe311",
        run: 5_904_696_764,
        attempt: 1,
    }
}

/// Checks a bundle by the digest of a tarball that is not here.
fn by_digest(
    bundle: &str,
    hex: &str,
    expected: &Expected<'_>,
    roots: &Roots,
) -> Result<Verified, Refused> {
    let digest = HEXLOWER.decode(hex.as_bytes()).unwrap();
    let (claims, logged) = signed(bundle, expected.package, expected.version, &digest, roots)?;
    claims.check(expected)?;
    Ok(claims.verified(logged))
}

/// Changes a bundle's statement without signing it anew.
fn restated(bundle: &str, from: &str, to: &str) -> String {
    let mut value: Value = serde_json::from_str(bundle).unwrap();
    let payload = value.pointer_mut("/dsseEnvelope/payload").unwrap();
    let text =
        String::from_utf8(BASE64.decode(payload.as_str().unwrap().as_bytes()).unwrap()).unwrap();
    assert!(text.contains(from), "{text}");
    *payload = BASE64.encode(text.replace(from, to).as_bytes()).into();
    value.to_string()
}

#[test]
fn real_npm_provenance_holds_without_network() {
    let roots = Roots::embedded().unwrap();
    let verified = by_digest(REAL, REAL_SHA512, &real(), roots).unwrap();
    assert_eq!(
        &*verified.workflow,
        "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main"
    );
    assert_eq!(
        &*verified.run,
        "https://github.com/sigstore/sigstore-js/actions/runs/5904696764/attempts/1"
    );
    assert_eq!(verified.logged.unwrap().day().to_string(), "2023-08-18");
    assert!(
        roots.newest().unwrap() >= Ts::parse("2025-01-01").unwrap(),
        "{roots:?}"
    );
    let fact = fact("2.0.0", &Ok(verified));
    assert!(fact.verified && fact.why.is_none());
}

#[test]
fn every_other_expectation_of_it_is_refused_by_its_name() {
    let roots = Roots::embedded().unwrap();
    let base = real();
    let cases: [(Expected<'_>, &str); 10] = [
        (
            Expected {
                package: "sigst0re",
                ..base.clone()
            },
            "it is about pkg:npm/sigstore@2.0.0, not pkg:npm/sigst0re@2.0.0",
        ),
        (
            Expected {
                version: "2.0.1",
                ..base.clone()
            },
            "not pkg:npm/sigstore@2.0.1",
        ),
        (
            Expected {
                repository: "evil/sigstore-js",
                ..base.clone()
            },
            "the repository is ",
        ),
        (
            Expected {
                repository_id: 1,
                ..base.clone()
            },
            "the repository's id is 495574555, not 1",
        ),
        (
            Expected {
                owner_id: 1,
                ..base.clone()
            },
            "the owner's id is 71096353, not 1",
        ),
        (
            Expected {
                file: "publish.yml",
                ..base.clone()
            },
            "the workflow is ",
        ),
        (
            Expected {
                git_ref: "refs/heads/next",
                ..base.clone()
            },
            "the workflow is ",
        ),
        (
            Expected {
                commit: "0000000000000000000000000000000000000000",
                ..base.clone()
            },
            "the commit is f0b49a",
        ),
        (
            Expected {
                run: 1,
                ..base.clone()
            },
            "the run is ",
        ),
        (
            Expected {
                attempt: 2,
                ..base.clone()
            },
            "the run is ",
        ),
    ];
    for (expected, says) in cases {
        let refused = by_digest(REAL, REAL_SHA512, &expected, roots).unwrap_err();
        assert!(
            refused.to_string().contains(says),
            "{refused} does not say: {says}"
        );
        let fact = fact("2.0.0", &Err(refused));
        assert!(!fact.verified && fact.why.is_some());
    }
    let other = "00".repeat(64);
    assert_eq!(by_digest(REAL, &other, &base, roots), Err(Refused::Tarball));
    // Bytes that are here: they are not those of the real tarball.
    assert_eq!(verify(REAL, &base, roots), Err(Refused::Tarball));
}

#[test]
fn a_changed_statement_or_foreign_roots_do_not_hold() {
    let roots = Roots::embedded().unwrap();
    let commit = real().commit;
    let changed = restated(REAL, commit, &"1".repeat(40));
    assert!(matches!(
        by_digest(&changed, REAL_SHA512, &real(), roots),
        Err(Refused::Signature(_))
    ));
    // A statement that was changed to be about our own tarball is still signed over the old one.
    let ours = HEXLOWER.encode(&Sha512::digest(b"ours"));
    let changed = restated(REAL, REAL_SHA512, &ours);
    let expected = Expected {
        tarball: b"ours",
        ..real()
    };
    assert!(matches!(
        verify(&changed, &expected, roots),
        Err(Refused::Signature(_))
    ));
    let minted = Roots::from_json(MINTED_ROOT).unwrap();
    assert!(matches!(
        by_digest(REAL, REAL_SHA512, &real(), &minted),
        Err(Refused::Signature(_))
    ));
    for nothing in ["", "{}", "[]", "{\"mediaType\": 1}", "<html>"] {
        assert!(
            matches!(
                by_digest(nothing, REAL_SHA512, &real(), roots),
                Err(Refused::Bundle(_))
            ),
            "{nothing}"
        );
    }
}

#[test]
fn minted_provenance_that_is_wrong_in_one_point_is_refused_for_it() {
    let roots = Roots::from_json(MINTED_ROOT).unwrap();
    let verified = verify(minted!("right"), &demo(), &roots).unwrap();
    assert_eq!(&*verified.git_ref, "refs/heads/main");
    // A reusable workflow signs under its own name; what npm trusts, and what counts, is the one that called it.
    assert_eq!(
        verify(minted!("reusable"), &demo(), &roots)
            .unwrap()
            .workflow,
        verified.workflow
    );
    for (bundle, says) in [
        (
            minted!("issuer"),
            "the issuer is https://token.actions.evil.example, not https://token.actions.github",
        ),
        (
            minted!("workflow"),
            "the workflow is https://github.com/acme/demo/.github/workflows/other.yml@refs/heads/main",
        ),
        (minted!("ref"), "publish.yml@refs/heads/evil, not "),
        (
            minted!("repository-id"),
            "the repository's id is 666, not 1",
        ),
        (minted!("owner-id"), "the owner's id is 666, not 2"),
        (minted!("commit"), "the commit is bbbb"),
        (
            minted!("run"),
            "the run is https://github.com/acme/demo/actions/runs/666/attempts/1",
        ),
        (
            minted!("runner"),
            "the runner is self-hosted, not github-hosted",
        ),
    ] {
        let refused = verify(bundle, &demo(), &roots).unwrap_err();
        assert!(
            refused.to_string().contains(says),
            "{refused} does not say: {says}"
        );
    }
    let mut other = TARBALL.to_vec();
    other.push(0);
    let changed = Expected {
        tarball: &other,
        ..demo()
    };
    assert_eq!(
        verify(minted!("right"), &changed, &roots),
        Err(Refused::Tarball)
    );
    // Under the public instance's roots none of it holds.
    let refused = verify(minted!("right"), &demo(), Roots::embedded().unwrap()).unwrap_err();
    assert!(matches!(refused, Refused::Signature(_)), "{refused}");
}

#[test]
fn each_claim_is_compared_and_none_may_be_missing() {
    let expected = real();
    let address = "https://github.com/sigstore/sigstore-js";
    let right = Claims {
        issuer: Some(ISSUER.to_owned()),
        repository: Some(address.to_owned()),
        repository_id: Some("495574555".to_owned()),
        owner_id: Some("71096353".to_owned()),
        workflow: Some(format!(
            "{address}/.github/workflows/release.yml@refs/heads/main"
        )),
        git_ref: Some("refs/heads/main".to_owned()),
        commit: Some(expected.commit.to_owned()),
        run: Some(format!("{address}/actions/runs/5904696764/attempts/1")),
        runner: Some(HOSTED.to_owned()),
    };
    assert_eq!(right.check(&expected), Ok(()));
    type Field = fn(&mut Claims) -> &mut Option<String>;
    let fields: [(&str, Field); 9] = [
        ("issuer", |claims| &mut claims.issuer),
        ("repository", |claims| &mut claims.repository),
        ("repository's id", |claims| &mut claims.repository_id),
        ("owner's id", |claims| &mut claims.owner_id),
        ("workflow", |claims| &mut claims.workflow),
        ("ref", |claims| &mut claims.git_ref),
        ("commit", |claims| &mut claims.commit),
        ("run", |claims| &mut claims.run),
        ("runner", |claims| &mut claims.runner),
    ];
    for (name, field) in fields {
        let mut claims = right.clone();
        *field(&mut claims) = None;
        assert_eq!(claims.check(&expected), Err(Refused::Missing(name)));
        for wrong in ["", "self-hosted", "https://gitlab.com", "refs/heads/main "] {
            *field(&mut claims) = Some(wrong.to_owned());
            assert!(
                matches!(claims.check(&expected), Err(Refused::Differs { what, .. }) if what == name),
                "{name} {wrong}"
            );
        }
    }
}
