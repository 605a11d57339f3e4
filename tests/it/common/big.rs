//! Writes big session files for benches and tests: any number of repositories, writers and decisions, from one seed.
//!
//! Lines are made and chained here, without the journal's syncs: 200,000 of them in about a second.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    dead_code
)]

use cutover::journal::line::{Previous, finish};
use cutover::journal::{Draft, EventId, SessionId, WriterId};
use cutover::model::event::{Observation, SessionCreated, WriterJoined, policy_digest};
use cutover::model::fact::{
    Answer, CredentialFact, FindingFact, InventoryFact, ListingFact, PackageFact, PathFact,
    PurposeFact, RegistryFact, RepoFact, RunnerFact, TokenFact, ToolFact, UseFact,
};
use cutover::model::id::Subject;
use cutover::model::policy::Policy;
use cutover::model::time::Ts;
use serde_json::{Value as Json, json};
use std::io::{BufWriter, Write};
use std::path::Path;

const FORGE: &str = "forge.example";
const REGISTRY: &str = "registry.example";
const PEOPLE: [&str; 8] = ["rosa", "ken", "mia", "tom", "ada", "lin", "omar", "zoe"];

/// What the file is to hold.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub repos: usize,
    pub paths_per_repo: usize,
    /// All events; what is not an observation is a decision or a note.
    pub events: usize,
    pub tokens: usize,
}

/// 10,000 repositories and 200,000 events.
pub const BIG: Size = Size {
    repos: 10_000,
    paths_per_repo: 2,
    events: 200_000,
    tokens: 24,
};

/// 10,000 repositories with 50,000 paths.
pub const MANY_PATHS: Size = Size {
    repos: 10_000,
    paths_per_repo: 5,
    events: 200_000,
    tokens: 24,
};

/// The instant that the last event was written before.
pub fn after() -> Ts {
    Ts::parse("2026-12-07T09:00:00Z").unwrap()
}

struct Chain {
    id: WriterId,
    seq: u64,
    previous: Previous,
}

struct Out<W: Write> {
    to: BufWriter<W>,
    chains: Vec<Chain>,
    tick: u64,
    written: usize,
    all: usize,
}

impl<W: Write> Out<W> {
    /// Writes one line of a writer and gives its name.
    fn line(
        &mut self,
        writer: usize,
        kind: &str,
        about: Subject,
        over: &[EventId],
        data: &str,
    ) -> EventId {
        let spec = cutover::model::event::spec(kind).expect("a kind of the table");
        // Two days of work, evenly.
        let start = Ts::parse("2026-12-05T09:00:00Z").unwrap();
        let second = self.written * 170_000 / self.all.max(1);
        let at = start.plus(second as i64).to_string();
        let draft = Draft {
            at: &at,
            kind,
            about: &about.to_string(),
            crit: spec.crit,
            over,
            data,
        };
        self.tick += 1;
        self.written += 1;
        let chain = &mut self.chains[writer];
        let id = EventId {
            writer: chain.id,
            seq: chain.seq,
        };
        let body = draft.body(id, self.tick).expect("a body");
        let (text, hash) = finish(body, None, &chain.previous).expect("a line");
        chain.seq += 1;
        chain.previous = Previous::Line(hash);
        self.to.write_all(text.as_bytes()).unwrap();
        self.to.write_all(b"\n").unwrap();
        id
    }

    fn seen(&mut self, writer: usize, about: Subject, answer: Answer) {
        let as_of = Ts::parse("2026-12-05T08:00:00Z")
            .unwrap()
            .plus(self.written as i64 % 3_600);
        let data = serde_json::to_string(&Observation { as_of, answer }).unwrap();
        self.line(writer, "observed", about, &[], &data);
    }

    fn decided(
        &mut self,
        writer: usize,
        kind: &str,
        about: Subject,
        over: &[EventId],
        data: &Json,
    ) -> EventId {
        self.line(writer, kind, about, over, &data.to_string())
    }
}

/// One repository of the file.
pub struct Repo {
    pub id: Subject,
    pub paths: Vec<Subject>,
    pub packages: Vec<Subject>,
}

/// Names repository `n`.
pub fn repo_name(n: usize) -> String {
    format!("acme/service-{n:05}")
}

/// Makes the ids of repository `n`.
pub fn repo(n: usize, size: Size) -> Repo {
    let id = Subject::repo(FORGE, &repo_name(n));
    let packages = 1 + n % 3;
    Repo {
        id,
        paths: (0..size.paths_per_repo)
            .map(|at| Subject::path(id, &file(at), "publish", 0))
            .collect(),
        packages: (0..packages)
            .map(|at| Subject::package(REGISTRY, &package_name(n, at)))
            .collect(),
    }
}

fn file(at: usize) -> String {
    match at {
        0 => ".github/workflows/release.yml".to_owned(),
        1 => ".github/workflows/canary.yml".to_owned(),
        more => format!(".github/workflows/publish-{more}.yml"),
    }
}

fn package_name(n: usize, at: usize) -> String {
    format!("@acme/service-{n:05}-part-{at}")
}

/// Writes a session file; the same size gives the same bytes.
pub fn write(path: &Path, size: Size) {
    let mut half = [0; 8];
    let mut chains = Vec::new();
    let session = SessionId::from_random([9; 16]);
    for (at, _) in PEOPLE.iter().enumerate() {
        half[0] = at as u8 + 1;
        chains.push(Chain {
            id: WriterId::from_random(half),
            seq: 0,
            previous: Previous::Session(session),
        });
    }
    let mut out = Out {
        to: BufWriter::new(std::fs::File::create(path).unwrap()),
        chains,
        tick: 0,
        written: 0,
        all: size.events,
    };
    found(&mut out, session);
    let repos: Vec<Repo> = (0..size.repos).map(|n| repo(n, size)).collect();
    for (n, one) in repos.iter().enumerate() {
        for (about, answer) in answers(n, one) {
            out.seen(n % 3, about, answer);
        }
    }
    tokens(&mut out, size);
    decide(&mut out, &repos, size);
    out.to.flush().unwrap();
}

fn found<W: Write>(out: &mut Out<W>, session: SessionId) {
    let created = SessionCreated {
        session: session.as_str().into(),
        forge: FORGE.into(),
        registry: REGISTRY.into(),
        organisations: vec!["acme".into()],
        name: "acme-big".into(),
        ..SessionCreated::default()
    };
    let data = serde_json::to_string(&created).unwrap();
    out.line(0, "session_created", Subject::SESSION, &[], &data);
    for (at, person) in PEOPLE.iter().enumerate() {
        let joined = WriterJoined {
            person: (*person).into(),
            device: format!("laptop-{person}").into(),
            program: "cutover bench".into(),
        };
        let data = serde_json::to_string(&joined).unwrap();
        out.line(at, "writer_joined", Subject::SESSION, &[], &data);
    }
    let policy = json!(Policy::default());
    let data = json!({"digest": policy_digest(&policy.to_string()), "policy": policy});
    out.decided(0, "policy_adopted", Subject::SESSION, &[], &data);
}

/// What a scan and an inventory say of repository `n`.
pub fn answers(n: usize, one: &Repo) -> Vec<(Subject, Answer)> {
    let mut all = Vec::new();
    let commit: String = format!("{:040x}", n as u64 * 0x9e37_79b9);
    for (at, package) in one.packages.iter().enumerate() {
        let fact = PackageFact {
            name: package_name(n, at).into(),
            repo: Some(one.id),
            path: format!("packages/part-{at}").into(),
            restricted: n % 11 == 0,
            repository_url: Some(format!("git+https://{FORGE}/{}.git", repo_name(n)).into()),
            repository_matches: Some(n % 7 != 0),
            ..PackageFact::default()
        };
        all.push((*package, Answer::Package(fact)));
    }
    for (at, path) in one.paths.iter().enumerate() {
        let oidc = (n + at) % 5 == 0;
        let fact = PathFact {
            repo: Some(one.id),
            file: file(at).into(),
            job: Some("publish".into()),
            line: 40 + at as u32,
            tool: [
                ToolFact::Npm,
                ToolFact::Pnpm,
                ToolFact::Changesets,
                ToolFact::YarnBerry,
            ][n % 4],
            tool_version: Some("11.5.1".into()),
            registry: RegistryFact::Npmjs,
            credential: if oidc {
                CredentialFact::Oidc
            } else {
                CredentialFact::Token
            },
            secret: (!oidc).then(|| {
                if n % 10 < 7 {
                    "NPM_TOKEN".into()
                } else {
                    "NPM_AUTOMATION".into()
                }
            }),
            id_token: oidc,
            environment: (n % 2 == 0).then(|| "npm-release".into()),
            runner: if n % 13 == 0 {
                RunnerFact::SelfHosted
            } else {
                RunnerFact::Hosted
            },
            unpinned: n % 6 == 0,
            packages: one.packages.clone(),
            ..PathFact::default()
        };
        all.push((*path, Answer::Path(fact)));
    }
    let finding = |rule: &str, line| FindingFact {
        rule: rule.into(),
        severity: "warning".into(),
        file: file(0).into(),
        line,
    };
    let whole = RepoFact {
        name: repo_name(n).into(),
        commit: Some(commit.into()),
        refs: "this checkout only, other refs not checked".into(),
        paths: one.paths.clone(),
        packages: one.packages.clone(),
        uses: (n % 4 == 0)
            .then(|| UseFact {
                file: file(0).into(),
                line: 22,
                job: Some("test".into()),
                secret: Some("NPM_READ".into()),
                purpose: PurposeFact::Install,
            })
            .into_iter()
            .collect(),
        findings: vec![
            finding("action-unpinned", 12),
            finding("token-where-oidc", 41),
            finding("no-environment", 40),
        ],
        ..RepoFact::default()
    };
    all.push((one.id, Answer::Repo(whole)));
    let row = InventoryFact {
        name: repo_name(n).into(),
        owner: Some(PEOPLE[n % 8].into()),
        secret_name: Some(if n % 10 < 7 {
            "NPM_TOKEN".into()
        } else {
            "NPM_AUTOMATION".into()
        }),
        secret_store: Some(if n % 10 < 7 {
            "organisation".into()
        } else {
            "repository".into()
        }),
        from: format!("inventory.csv row {}", n + 2).into(),
        ..InventoryFact::default()
    };
    all.push((one.id, Answer::Inventory(row)));
    all
}

fn tokens<W: Write>(out: &mut Out<W>, size: Size) {
    let account = |at: usize| format!("acme-bot-{}", at % 9);
    let key = |at: usize| format!("{at:08x}-0000-4000-8000-000000000000");
    for at in 0..size.tokens {
        let fact = TokenFact {
            account: account(at).into(),
            key: key(at).into(),
            name: Some(format!("ci-{at}").into()),
            redacted: Some("abcd…wxyz".into()),
            bypass_2fa: Some(at % 2 == 0),
            readonly: Some(at % 6 == 0),
            created: Ts::parse("2026-10-01T00:00:00Z"),
            expires: Ts::parse("2026-12-20T00:00:00Z").map(|end| end.plus(at as i64 * 86_400)),
            ..TokenFact::default()
        };
        let token = Subject::token(REGISTRY, &account(at), &key(at));
        out.seen(0, token, Answer::Token(fact));
    }
    for who in 0..9.min(size.tokens) {
        let tokens = (0..size.tokens).filter(|at| at % 9 == who);
        let listing = ListingFact {
            account: account(who).into(),
            complete: Some(true),
            tokens: tokens
                .map(|at| Subject::token(REGISTRY, &account(at), &key(at)))
                .collect(),
        };
        out.seen(0, Subject::person(&account(who)), Answer::Listing(listing));
    }
    // The shared secret holds the first token: the chain that 70 % of the organisation hangs on.
    let shared = Subject::secret("org:acme", "NPM_TOKEN");
    let token = Subject::token(REGISTRY, &account(0), &key(0));
    let data = json!({"secret": shared, "holds": true, "note": "made for this secret in spring, see the vault's history"});
    out.decided(0, "secret_edge_attested", token, &[], &data);
}

/// Fills the file up with what people do: lanes, owners, attestations, waivers, notes.
fn decide<W: Write>(out: &mut Out<W>, repos: &[Repo], size: Size) {
    const NOTE: &str = "looked at this morning's run with the owner: published, visible, dist-tag unmoved, install clean; log in the link";
    let gates_of_repo = [
        "workflow-owned",
        "environment-protected",
        "policy-check-on",
        "docs-updated",
    ];
    let gates_of_path = [
        "release-environment-exists",
        "canary-published",
        "credential-classified",
    ];
    let gates_of_package = [
        "trust-decided",
        "dist-tags-correct",
        "installs-clean",
        "provenance-verified",
    ];
    let mut round = 0;
    while out.written < size.events {
        for (n, one) in repos.iter().enumerate() {
            if out.written >= size.events {
                return;
            }
            let writer = (n + round) % PEOPLE.len();
            let path = one.paths[round % one.paths.len()];
            let package = one.packages[round % one.packages.len()];
            let attest = |gate: &str| json!({"gate": gate, "note": NOTE, "link": format!("https://{FORGE}/{}/actions/runs/{}", repo_name(n), 9_000_000 + n)});
            match round % 12 {
                0 => {
                    let first = out.decided(
                        writer,
                        "owner_assigned",
                        one.id,
                        &[],
                        &json!({"person": PEOPLE[n % 8]}),
                    );
                    if n % 20 == 0 && out.written < size.events {
                        out.decided(
                            writer,
                            "owner_assigned",
                            one.id,
                            &[first],
                            &json!({"person": PEOPLE[(n + 1) % 8]}),
                        );
                    }
                }
                1 | 2 => {
                    let lane = if n % 13 == 0 {
                        "staged-token"
                    } else if n % 9 == 0 {
                        "bridge"
                    } else {
                        "trusted"
                    };
                    out.decided(writer, "lane_chosen", path, &[], &json!({"lane": lane, "reason": "as proposed: hosted runner of a supported CI system"}));
                }
                3 => {
                    out.decided(
                        writer,
                        "reviewer_assigned",
                        one.id,
                        &[],
                        &json!({"person": PEOPLE[(n + 3) % 8]}),
                    );
                }
                4 if n % 9 == 0 => {
                    out.decided(
                        writer,
                        "end_date_set",
                        path,
                        &[],
                        &json!({"on": "2026-12-28"}),
                    );
                }
                5 if n % 8 == 0 => {
                    out.decided(writer, "gate_waived", one.id, &[], &json!({"gate": "actions-pinned", "why": "the vendor's action has no release with a full commit id yet; asked them", "until": "2026-12-22"}));
                }
                6 if n % 3 == 0 => {
                    let text = format!("{NOTE}; {NOTE}; {NOTE}");
                    out.decided(writer, "note_added", one.id, &[], &json!({"text": text}));
                }
                7 | 8 => {
                    let gate = gates_of_path[round % gates_of_path.len()];
                    out.decided(writer, "gate_attested", path, &[], &attest(gate));
                }
                9 | 10 => {
                    let gate = gates_of_package[round % gates_of_package.len()];
                    out.decided(writer, "gate_attested", package, &[], &attest(gate));
                }
                _ => {
                    let gate = gates_of_repo[round % gates_of_repo.len()];
                    out.decided(writer, "gate_attested", one.id, &[], &attest(gate));
                }
            }
        }
        round += 1;
    }
}
