//! Provenance of one version, verified on this machine: signature, log, certificate, and every claim that matters.
//!
//! Owns the list of what must agree; a bundle that is wrong in one point is refused with that point. The claims are
//! those of the certificate, which the certificate authority wrote, not those of the statement, which a job could.
//! Fields of the certificate: <https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>.

use std::sync::OnceLock;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha512};
use sigstore_verify::crypto::CertificateInfo;
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::types::{ArtifactDigest, Bundle, DigestBytes, HashAlgorithm};
use sigstore_verify::{VerificationPolicy, Verifier};

use crate::model::fact::ProvenanceFact;
use crate::model::time::Ts;
use crate::safe::shown::visible;

/// The issuer of GitHub's workflow identities.
const ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The forge whose workflows have that issuer.
const FORGE: &str = "https://github.com";
/// The runner that npm accepts.
const HOSTED: &str = "github-hosted";

/// One attestation as the registry hands it out, unverified.
#[derive(Debug, Clone, Deserialize)]
pub struct Attestation {
    #[serde(rename = "predicateType")]
    pub predicate_type: Box<str>,
    bundle: Box<RawValue>,
}

impl Attestation {
    /// Tells whether it says how the version was built, rather than that the registry took it.
    pub fn is_provenance(&self) -> bool {
        self.predicate_type
            .starts_with("https://slsa.dev/provenance/")
    }

    /// Gives the bundle as JSON.
    pub fn bundle(&self) -> &str {
        self.bundle.get()
    }
}

/// Whose signatures are trusted: Sigstore's roots as they were when this program was built.
pub struct Roots {
    verifier: Verifier,
    newest: Option<Ts>,
}

impl std::fmt::Debug for Roots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Roots(newest key from {:?})", self.newest)
    }
}

impl Roots {
    /// Gives the embedded roots of the public Sigstore instance.
    ///
    /// # Errors
    /// When they cannot be read, which the tests exclude.
    pub fn embedded() -> Result<&'static Self, Refused> {
        static ROOTS: OnceLock<Result<Roots, Refused>> = OnceLock::new();
        let roots = ROOTS.get_or_init(|| Self::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT));
        roots.as_ref().map_err(Clone::clone)
    }

    /// Reads a trusted root file.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_json(json: &str) -> Result<Self, Refused> {
        let bad =
            |error: &dyn std::fmt::Display| Refused::Roots(visible(&error.to_string()).into());
        let root = TrustedRoot::from_json(json).map_err(|error| bad(&error))?;
        let verifier = Verifier::new(&root).map_err(|error| bad(&error))?;
        let value: Value = serde_json::from_str(json).map_err(|error| bad(&error))?;
        Ok(Self {
            verifier,
            newest: newest_start(&value),
        })
    }

    /// Gives the day from which the newest of its keys is valid: the roots are at least of that age.
    pub fn newest(&self) -> Option<Ts> {
        self.newest
    }
}

fn newest_start(value: &Value) -> Option<Ts> {
    let own = value
        .pointer("/validFor/start")
        .and_then(Value::as_str)
        .and_then(Ts::parse);
    let inner = match value {
        Value::Object(map) => map.values().filter_map(newest_start).max(),
        Value::Array(all) => all.iter().filter_map(newest_start).max(),
        _ => None,
    };
    own.max(inner)
}

/// What the provenance of a version must say: as at inventory, and as the run that was started.
#[derive(Debug, Clone)]
pub struct Expected<'a> {
    pub package: &'a str,
    pub version: &'a str,
    /// The bytes of the tarball, as downloaded.
    pub tarball: &'a [u8],
    /// `owner/name`.
    pub repository: &'a str,
    pub repository_id: u64,
    pub owner_id: u64,
    /// File name of the top-level workflow, below `.github/workflows/`.
    pub file: &'a str,
    /// Full ref, such as `refs/heads/main`.
    pub git_ref: &'a str,
    pub commit: &'a str,
    pub run: u64,
    pub attempt: u32,
}

/// What a verified provenance says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    pub repository: Box<str>,
    pub workflow: Box<str>,
    pub git_ref: Box<str>,
    pub commit: Box<str>,
    pub run: Box<str>,
    /// When the public log took it.
    pub logged: Option<Ts>,
}

/// Why a provenance is not taken as proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the trusted roots cannot be read ({0}); build the program anew")]
    Roots(Box<str>),
    #[error("it is no Sigstore bundle with a statement ({0})")]
    Bundle(Box<str>),
    #[error("it is about {is}, not {wanted}")]
    Subject { is: Box<str>, wanted: Box<str> },
    #[error("the tarball as downloaded is not the one it is about (sha512 differs)")]
    Tarball,
    #[error("its signature, certificate or log entry does not hold ({0})")]
    Signature(Box<str>),
    #[error("the certificate does not tell the {0}")]
    Missing(&'static str),
    #[error("the {what} is {is}, not {wanted}")]
    Differs {
        what: &'static str,
        is: Box<str>,
        wanted: Box<str>,
    },
}

/// The claims of a certificate that are compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Claims {
    issuer: Option<String>,
    repository: Option<String>,
    repository_id: Option<String>,
    owner_id: Option<String>,
    workflow: Option<String>,
    git_ref: Option<String>,
    commit: Option<String>,
    run: Option<String>,
    runner: Option<String>,
}

impl Claims {
    fn of(certificate: &CertificateInfo, issuer: Option<&str>) -> Self {
        let all = &certificate.ci_claims;
        Self {
            issuer: issuer.map(str::to_owned),
            repository: all.source_repository_uri.clone(),
            repository_id: all.source_repository_identifier.clone(),
            owner_id: all.source_repository_owner_identifier.clone(),
            // The top-level workflow; the signer's own address is that of a reusable one.
            workflow: all.build_config_uri.clone(),
            git_ref: all.source_repository_ref.clone(),
            commit: all.source_repository_digest.clone(),
            run: all.run_invocation_uri.clone(),
            runner: all.runner_environment.clone(),
        }
    }

    /// Compares every claim with what it must be.
    fn check(&self, expected: &Expected<'_>) -> Result<(), Refused> {
        let Expected {
            repository,
            file,
            git_ref,
            run,
            attempt,
            ..
        } = expected;
        let address = format!("{FORGE}/{repository}");
        let workflow = format!("{address}/.github/workflows/{file}@{git_ref}");
        let run = format!("{address}/actions/runs/{run}/attempts/{attempt}");
        let (repository_id, owner_id) = (
            expected.repository_id.to_string(),
            expected.owner_id.to_string(),
        );
        let pairs = [
            ("issuer", &self.issuer, ISSUER),
            ("repository", &self.repository, &address),
            ("repository's id", &self.repository_id, &repository_id),
            ("owner's id", &self.owner_id, &owner_id),
            ("workflow", &self.workflow, &workflow),
            ("ref", &self.git_ref, git_ref),
            ("commit", &self.commit, expected.commit),
            ("run", &self.run, &run),
            ("runner", &self.runner, HOSTED),
        ];
        for (what, is, wanted) in pairs {
            match is {
                None => return Err(Refused::Missing(what)),
                Some(is) if is != wanted => {
                    return Err(Refused::Differs {
                        what,
                        is: visible(is).into(),
                        wanted: wanted.into(),
                    });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn verified(self, logged: Option<Ts>) -> Verified {
        let text = |claim: Option<String>| claim.unwrap_or_default().into();
        Verified {
            repository: text(self.repository),
            workflow: text(self.workflow),
            git_ref: text(self.git_ref),
            commit: text(self.commit),
            run: text(self.run),
            logged,
        }
    }
}

/// Verifies a bundle against the tarball's bytes and everything that is expected. Needs no network.
///
/// # Errors
/// The first point in which it fails.
pub fn verify(bundle: &str, expected: &Expected<'_>, roots: &Roots) -> Result<Verified, Refused> {
    let digest = Sha512::digest(expected.tarball);
    let (claims, logged) = signed(bundle, expected.package, expected.version, &digest, roots)?;
    claims.check(expected)?;
    Ok(claims.verified(logged))
}

/// Checks what cryptography can tell: the statement is about this very tarball, and signed by whom the claims say.
fn signed(
    json: &str,
    package: &str,
    version: &str,
    digest: &[u8],
    roots: &Roots,
) -> Result<(Claims, Option<Ts>), Refused> {
    let bad = |error: &dyn std::fmt::Display| Refused::Bundle(visible(&error.to_string()).into());
    let bundle = Bundle::from_json(json).map_err(|error| bad(&error))?;
    about(json, package, version, digest)?;
    let digest = DigestBytes::new(digest.to_vec());
    let digest =
        ArtifactDigest::new(HashAlgorithm::Sha2512, digest).map_err(|error| bad(&error))?;
    // Who may have signed is checked below, claim by claim, so that each refusal has its reason.
    let policy = VerificationPolicy::any_identity();
    let outcome = roots.verifier.verify(digest, &bundle, &policy);
    let outcome =
        outcome.map_err(|error| Refused::Signature(visible(&error.to_string()).into()))?;
    let certificate = outcome.certificate().ok_or(Refused::Missing("signer"))?;
    let logged = outcome.integrated_time().map(|at| Ts(at.as_second()));
    Ok((Claims::of(certificate, outcome.issuer()), logged))
}

/// Checks the statement's subject: one package version, by the sha512 of the tarball.
fn about(json: &str, package: &str, version: &str, digest: &[u8]) -> Result<(), Refused> {
    let bad = |why: &str| Refused::Bundle(visible(why).into());
    let value: Value = serde_json::from_str(json).map_err(|error| bad(&error.to_string()))?;
    let payload = value
        .pointer("/dsseEnvelope/payload")
        .and_then(Value::as_str);
    let payload = payload.ok_or_else(|| bad("no statement"))?;
    let payload = BASE64
        .decode(payload.as_bytes())
        .map_err(|error| bad(&error.to_string()))?;
    let statement: Value =
        serde_json::from_slice(&payload).map_err(|error| bad(&error.to_string()))?;
    let subjects = statement.get("subject").and_then(Value::as_array);
    let [subject] = subjects.map_or(&[][..], Vec::as_slice) else {
        return Err(bad("not exactly one subject"));
    };
    let is = subject
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    // A package address: the scope's sign is encoded, its slash is not.
    let wanted = format!("pkg:npm/{}@{version}", package.replacen('@', "%40", 1));
    if is != wanted {
        return Err(Refused::Subject {
            is: visible(is).into(),
            wanted: visible(&wanted).into(),
        });
    }
    let hex = subject
        .pointer("/digest/sha512")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match HEXLOWER_PERMISSIVE.decode(hex.as_bytes()) {
        Ok(bytes) if bytes == digest => Ok(()),
        _ => Err(Refused::Tarball),
    }
}

/// Makes the fact of a verification.
pub fn fact(version: &str, outcome: &Result<Verified, Refused>) -> ProvenanceFact {
    let version = version.into();
    match outcome {
        Ok(Verified {
            repository,
            workflow,
            git_ref,
            commit,
            run,
            ..
        }) => ProvenanceFact {
            version,
            verified: true,
            why: None,
            repository: repository.clone(),
            workflow: workflow.clone(),
            git_ref: git_ref.clone(),
            commit: commit.clone(),
            run: run.clone(),
        },
        Err(refused) => ProvenanceFact {
            version,
            why: Some(refused.to_string().into()),
            ..ProvenanceFact::default()
        },
    }
}

#[cfg(test)]
mod tests;
