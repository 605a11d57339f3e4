//! Repositories that are listed and not scanned, and what could still be done from them.
//!
//! An archived repository runs no workflow but keeps its secrets; a fork may publish by itself. What nobody looked at
//! is counted as that.

use super::Facts;

/// Archived repositories, or forks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SkippedSummary {
    /// In order.
    pub names: Vec<Box<str>>,
    /// Those whose workflows publish, and those of which that is not known.
    pub publish: (usize, usize),
    /// Those that hold secrets, and those whose stores were not looked into.
    pub secrets: (usize, usize),
}

impl Facts {
    /// Gives what the forge listed and nobody scanned: archived repositories, and forks.
    pub fn aside(&self) -> [(&'static str, SkippedSummary); 2] {
        let (mut archived, mut forks) = (SkippedSummary::default(), SkippedSummary::default());
        for (repo, seen) in &self.seen {
            let Some((fact, _)) = seen.forge() else {
                continue;
            };
            let scanned = self.repos.get(repo).is_some_and(|row| row.scan.is_some());
            let aside = match fact {
                _ if scanned => continue,
                fact if fact.archived => &mut archived,
                fact if fact.fork => &mut forks,
                _ => continue,
            };
            aside.names.push(fact.name.clone());
            count(&mut aside.publish, fact.publishes);
            let holds = seen.secrets().map(|(fact, _)| {
                let mut stores = fact.stores.iter();
                stores.any(|store| !store.store.contains("vars") && !store.names.is_empty())
            });
            count(&mut aside.secrets, holds);
        }
        archived.names.sort_unstable();
        forks.names.sort_unstable();
        [("archived", archived), ("forks", forks)]
    }
}

fn count((yes, unknown): &mut (usize, usize), is: Option<bool>) {
    *yes += usize::from(is == Some(true));
    *unknown += usize::from(is.is_none());
}

impl SkippedSummary {
    /// Says how many publish and hold secrets, and of how many that was not looked at.
    pub fn words(&self) -> String {
        let say = |(yes, unknown): (usize, usize), verb: &str, what: &str| match unknown {
            0 => format!("{yes} {verb}"),
            all if all == self.names.len() => format!("{what} not looked at"),
            some => format!("{yes} {verb}, {some} not looked at"),
        };
        format!(
            "{}; {}",
            say(self.publish, "with a workflow that publishes", "workflows"),
            say(self.secrets, "with secrets", "secrets")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fact::{Answer, ForgeFact, NamedFact, SecretsFact, StoreFact};
    use crate::model::facts::{Dated, Tie};
    use crate::model::id::Subject;
    use crate::model::time::Ts;

    #[test]
    fn what_is_set_aside_is_counted_and_what_nobody_looked_at_too() {
        let mut facts = Facts::default();
        let mut see = |name: &str, value| {
            let dated = Dated {
                as_of: Ts(1),
                tie: Tie::default(),
                value,
            };
            facts.see(Subject::repo("github.com", name), dated);
        };
        for (name, archived, fork, publishes) in [
            ("acme/b", true, false, Some(true)),
            ("acme/a", true, true, None),
            ("acme/c", false, true, Some(false)),
            ("acme/d", false, false, None),
        ] {
            let fact = ForgeFact {
                name: name.into(),
                archived,
                fork,
                publishes,
                ..ForgeFact::default()
            };
            see(name, Answer::Forge(fact));
        }
        for (name, store) in [("acme/a", "repo"), ("acme/b", "vars")] {
            let store = StoreFact {
                store: store.into(),
                complete: true,
                names: vec![NamedFact::default()],
                ..StoreFact::default()
            };
            see(
                name,
                Answer::Secrets(SecretsFact {
                    stores: vec![store],
                }),
            );
        }
        let [(_, archived), (_, forks)] = facts.aside();
        assert_eq!(archived.names, ["acme/a".into(), "acme/b".into()]);
        assert_eq!(
            archived.words(),
            "1 with a workflow that publishes, 1 not looked at; 1 with secrets"
        );
        assert_eq!(
            forks.words(),
            "0 with a workflow that publishes; secrets not looked at"
        );
    }
}
