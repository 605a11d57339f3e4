//! How to meet a gate of one subject: the commands of the guide, filled in with the session's own names.
//!
//! Only names that need no quoting in any shell are filled in: whatever else somebody called a thing stays a word in
//! capitals, so a copied line never runs more than it shows.

use crate::assets::guide::guide;
use crate::model::fact::PathFact;
use crate::model::facts::Facts;
use crate::model::gate::GateId;
use crate::model::id::{Kind, Subject};
use crate::model::lane::Lane;

use super::name::label;

/// The way to meet one gate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HowTo {
    /// Commands in order; a line that begins with `#` is done on a page or in a file.
    pub steps: Vec<String>,
    /// The rule's own documentation.
    pub docs: Option<&'static str>,
}

/// Returns how a gate is met, filled in for a subject; nothing for a gate without a guide.
pub fn how_to(facts: &Facts, about: Subject, gate: GateId) -> HowTo {
    fill(gate.word(), &names(facts, about))
}

/// Returns how a gate is met anywhere, with words in capitals for what a session knows.
pub fn how_to_anywhere(gate: &str) -> HowTo {
    fill(gate, &Names::default())
}

/// What a guide can name.
#[derive(Default)]
struct Names {
    package: Option<String>,
    repo: Option<String>,
    path: Option<String>,
    workflow: Option<String>,
    environment: Option<String>,
    secret: Option<String>,
    token: Option<String>,
    account: Option<String>,
    lane: Option<&'static str>,
}

impl Names {
    /// Returns each placeholder with its name and the word that stands for an unknown one.
    fn pairs(&self) -> [(&'static str, Option<&str>, &'static str); 11] {
        let owner = self.repo.as_deref().and_then(|repo| repo.split_once('/'));
        [
            ("{package}", self.package.as_deref(), "PACKAGE"),
            ("{repo}", self.repo.as_deref(), "OWNER/REPO"),
            ("{owner}", owner.map(|(owner, _)| owner), "OWNER"),
            ("{path}", self.path.as_deref(), "PATH"),
            ("{workflow}", self.workflow.as_deref(), "WORKFLOW.yml"),
            ("{environment}", self.environment.as_deref(), "ENVIRONMENT"),
            ("{secret}", self.secret.as_deref(), "SECRET"),
            ("{token}", self.token.as_deref(), "ACCOUNT/TOKEN"),
            ("{account}", self.account.as_deref(), "ACCOUNT"),
            ("{lane}", self.lane, "LANE"),
            ("{branch}", None, "BRANCH"),
        ]
    }
}

fn fill(gate: &str, names: &Names) -> HowTo {
    let Some(guide) = guide(gate) else {
        return HowTo::default();
    };
    let of_lane = names.lane.and_then(|lane| guide.lanes.get(lane));
    let steps = of_lane.unwrap_or(&guide.how).iter().map(|step| {
        names
            .pairs()
            .iter()
            .fold(step.clone(), |step, (slot, name, unknown)| {
                step.replace(slot, name.filter(|name| is_plain(name)).unwrap_or(unknown))
            })
    });
    HowTo {
        steps: steps.collect(),
        docs: guide.docs.as_deref(),
    }
}

/// Tells whether a name means itself in every shell, and is no flag.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@/._:#-".contains(&byte);
    !name.is_empty() && !name.starts_with(['-', '#']) && name.bytes().all(plain)
}

fn names(facts: &Facts, about: Subject) -> Names {
    match about.kind {
        Kind::Session => Names::default(),
        Kind::Person => Names {
            account: facts.persons.get(&about).map(|row| row.login.to_string()),
            ..Names::default()
        },
        Kind::Repo => {
            let paths = facts.repos.get(&about).map_or(&[][..], |row| row.paths());
            match paths {
                [only] => of_path(facts, *only),
                _ => of_repo(facts, Some(about)),
            }
        }
        Kind::Path => of_path(facts, about),
        Kind::PathRef => match facts.path_refs.get(&about) {
            Some(path) => of_path(facts, *path),
            None => Names::default(),
        },
        Kind::Package => {
            let row = facts.packages.get(&about);
            let path = row.and_then(|row| row.paths.iter().next().copied());
            let repo = row.and_then(|row| row.repos.iter().next().copied());
            Names {
                package: row.map(|row| row.name.to_string()),
                ..path.map_or_else(|| of_repo(facts, repo), |path| of_path(facts, path))
            }
        }
        Kind::Config => match facts.configs.get(&about) {
            Some(config) => Names {
                package: Some(label(facts, config.package)),
                ..of_path(facts, config.path)
            },
            None => Names::default(),
        },
        Kind::Secret => of_secret(facts, about),
        Kind::Token => {
            let secret = facts.secrets_of(about).first().copied();
            let token = facts.tokens.get(&about).and_then(|row| row.fact.as_ref());
            Names {
                token: Some(label(facts, about)),
                account: token.map(|fact| fact.value.account.to_string()),
                ..secret.map_or_else(Names::default, |secret| of_secret(facts, secret))
            }
        }
    }
}

fn of_repo(facts: &Facts, repo: Option<Subject>) -> Names {
    Names {
        repo: repo.map(|repo| label(facts, repo)),
        ..Names::default()
    }
}

fn of_secret(facts: &Facts, secret: Subject) -> Names {
    let row = facts.secrets.get(&secret);
    let repo = row.and_then(|row| row.repos.iter().next().copied());
    Names {
        secret: row.map(|row| row.name.to_string()),
        ..of_repo(facts, repo)
    }
}

fn of_path(facts: &Facts, path: Subject) -> Names {
    let Some(fact) = facts.path(path) else {
        return Names::default();
    };
    let package = fact.packages.first();
    Names {
        package: package.map(|package| label(facts, *package)),
        path: Some(label(facts, path)),
        workflow: Some(file_name(fact)),
        environment: fact.environment.as_deref().map(str::to_owned),
        secret: fact.secret.as_deref().map(str::to_owned),
        lane: facts.lane(path).map(Lane::word),
        ..of_repo(facts, fact.repo)
    }
}

/// npm trusts a bare file name: <https://docs.npmjs.com/trusted-publishers>.
fn file_name(fact: &PathFact) -> String {
    fact.file.rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::guide::guided;

    #[test]
    fn every_gate_has_a_guide_and_every_guide_a_gate() {
        for gate in GateId::all() {
            let how = how_to_anywhere(gate.word());
            assert!(!how.steps.is_empty(), "{}", gate.word());
            assert!(
                how.steps.iter().all(|step| !step.contains(['{', '}'])),
                "{how:?}"
            );
        }
        for gate in guided() {
            assert!(GateId::parse(gate).is_some(), "{gate}");
            for lane in guide(gate).into_iter().flat_map(|one| one.lanes.keys()) {
                assert!(Lane::parse(lane).is_some(), "{gate}: {lane}");
            }
        }
    }

    #[test]
    fn a_name_that_needs_quoting_is_not_filled_in() {
        let names = |package: &str| Names {
            package: Some(package.to_owned()),
            ..Names::default()
        };
        let line = |package: &str| fill("dist-tags-correct", &names(package)).steps.join("\n");
        assert_eq!(line("@acme/ui"), "npm dist-tag ls @acme/ui");
        for hostile in [
            "a;rm -rf ~",
            "$(id)",
            "--registry=x",
            "#x",
            "a b",
            "",
            "\u{202e}x",
        ] {
            assert_eq!(line(hostile), "npm dist-tag ls PACKAGE", "{hostile:?}");
        }
    }
}
