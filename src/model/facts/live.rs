//! How live answers are linked: what an answer touches beyond its own subject, and the reverse of rights and edges.
//!
//! Every link is rebuilt from the answers, so that any order of them gives the same links. Judges nothing.

use super::Facts;
use super::dated::Dated;
use super::seen::Seen;
use crate::model::decision::{Decision, Slot, Standing, Value};
use crate::model::fact::{Answer, LiveSource, RefFact};
use crate::model::id::{Kind, Subject};
use crate::model::time::Ts;

/// What taking in a live answer changed.
#[derive(Debug, Default)]
pub struct Linked {
    pub changed: bool,
    /// Subjects beyond the answer's own whose gates look at it.
    pub touched: Vec<Subject>,
    /// Every token: a store's dates can exclude any of them from a secret that nobody has spoken about.
    pub tokens: bool,
    /// A repository whose links have to be built anew.
    pub relink: Option<Subject>,
    /// A secret whose edge to the answer's token has to be built anew.
    pub edge: Option<Subject>,
}

impl Facts {
    /// Takes a live answer in and gives what hangs on it.
    pub fn see(&mut self, about: Subject, new: Dated<Answer>) -> Linked {
        let mut linked = Linked::default();
        let Some(source) = new.value.live() else {
            return linked;
        };
        let before = match &new.value {
            Answer::Rights(_) => Some(self.admin_of(about)),
            _ => None,
        };
        match &new.value {
            Answer::Ref(fact) => linked.relink = self.see_ref(about, fact),
            Answer::Edge(edge) => {
                linked.edge = edge.secret;
                if let Some(secret) = edge.secret {
                    self.compared.entry(secret).or_default().insert(about);
                }
            }
            // A secret that changed is not what a job once compared.
            Answer::Secrets(_) => linked.relink = Some(about),
            Answer::Profile(fact) => {
                self.name_person(about, &fact.account);
                // Before anybody was logged in, nothing could be said of any package or token.
                let first = self.logged_in.is_empty();
                if self.logged_in.insert(about) {
                    linked.touched.extend(self.arrived(about));
                    linked.tokens = first;
                    if first {
                        linked.touched.extend(self.packages.keys());
                    }
                }
            }
            Answer::Rights(fact) => self.name_person(about, &fact.login),
            Answer::Owned(_) => {
                self.listed.insert(about);
            }
            _ => {}
        }
        linked.changed = self.seen.entry(about).or_default().take(new);
        if linked.changed {
            if let Some(before) = before {
                self.rate(about, &before);
            }
            self.hangs(about, source, &mut linked);
        }
        linked
    }

    /// Notes that a source gave the same answer again at this instant; for looks that succeeded only. No file holds it.
    ///
    /// Where the answer had gone stale in between, it has changed, and what hangs on it is given.
    pub fn checked(&mut self, about: Subject, source: LiveSource, at: Ts) -> Linked {
        let fresh = i64::from(self.policy.freshness_hours) * 3600;
        let mut linked = Linked::default();
        let Some(seen) = self.seen.get_mut(&about) else {
            return linked;
        };
        let trouble = seen.trouble(source).is_some();
        let before = seen.check(source, at);
        linked.changed = before.is_some_and(|before| trouble || before.plus(fresh) <= at);
        if linked.changed {
            self.hangs(about, source, &mut linked);
        }
        linked
    }

    /// Gives what looks at one source of one subject, beyond what hangs on the subject itself.
    fn hangs(&self, about: Subject, source: LiveSource, linked: &mut Linked) {
        match source {
            LiveSource::Rights => linked.touched.extend(self.secrets.keys()),
            LiveSource::Owned => linked.touched.push(Subject::SESSION),
            // Which run published a version is worked out from both answers.
            LiveSource::Runs => {
                let row = self.repos.get(&about);
                linked
                    .touched
                    .extend(row.into_iter().flat_map(|row| &row.packages));
            }
            LiveSource::Secrets => {
                let row = self.repos.get(&about);
                let secrets = row.map_or(&[][..], |row| &row.secrets);
                linked.tokens |= secrets.iter().any(|one| self.unclaimed.contains(one));
            }
            _ => {}
        }
    }

    /// An account that answered here is a person, though no list or decision names it.
    fn name_person(&mut self, about: Subject, login: &str) {
        if about == Subject::person(login) {
            let row = self.persons.entry(about).or_default();
            if row.login.is_empty() {
                row.login = login.into();
            }
        }
    }

    /// Takes in what another ref holds. Gives the repository to link anew.
    fn see_ref(&mut self, about: Subject, fact: &RefFact) -> Option<Subject> {
        let path = fact.path?;
        // The id says which path and ref it is: a file that says otherwise is not believed.
        if about != Subject::path_ref(path, &fact.git_ref) {
            return None;
        }
        self.path_refs.insert(about, path);
        let found = fact.fact.as_ref()?;
        let repo = found.repo?;
        // A path that only another ref has can be decided on too.
        self.paths.entry(path).or_default();
        self.other_refs.entry(repo).or_default().insert(about);
        self.ref_repos.insert(path, repo);
        if let Some(secret) = &found.secret
            && Self::in_scope(found)
        {
            let row = self.repos.entry(repo).or_default();
            row.name_secret(secret);
        }
        Some(repo)
    }

    fn admin_of(&self, person: Subject) -> Vec<Subject> {
        let rights = self.seen.get(&person).and_then(Seen::rights);
        rights.map_or_else(Vec::new, |(fact, _)| fact.admin.clone())
    }

    /// Rebuilds who administers what after a person's rights were looked at.
    fn rate(&mut self, person: Subject, before: &[Subject]) {
        for repo in before {
            if let Some(people) = self.admins.get_mut(repo) {
                people.remove(&person);
            }
        }
        for repo in self.admin_of(person) {
            self.admins.entry(repo).or_default().insert(person);
        }
        self.rated.insert(person);
    }

    /// Tells whether a person is one of us: a device of theirs writes here, or their account answers here.
    pub fn is_present(&self, person: Subject) -> bool {
        let row = self.persons.get(&person);
        row.is_some_and(|row| row.joined) || self.is_logged_in(person)
    }

    /// Tells whether an account of the registry has shown its own profile here.
    pub fn is_logged_in(&self, person: Subject) -> bool {
        self.logged_in.contains(&person)
    }

    /// Gives what has to be judged again once a person turns out to be present.
    pub fn arrived(&self, person: Subject) -> Vec<Subject> {
        let is = |login: &str| Subject::person(login) == person;
        let packages = self.seen.iter().filter(|(about, seen)| {
            about.kind == Kind::Package
                && (seen
                    .published()
                    .is_some_and(|(fact, _)| fact.maintainers.iter().any(|login| is(login)))
                    || seen
                        .access()
                        .is_some_and(|(fact, _)| fact.people.keys().any(|login| is(login))))
        });
        let tokens = self.tokens.iter().filter(|(_, row)| {
            row.fact
                .as_ref()
                .is_some_and(|fact| is(&fact.value.account))
        });
        packages
            .map(|(package, _)| *package)
            .chain(tokens.map(|(token, _)| *token))
            .collect()
    }

    /// Tells whether a token is the value of a secret: as a job showed, else as somebody said.
    pub fn holds(&self, token: Subject, secret: Subject) -> bool {
        match self.shown_edge(token, secret) {
            Some((edge, _)) => edge.holds,
            None => matches!(
                self.standing(token, Slot::Edge(secret)),
                Standing::One(Decision {
                    value: Value::Holds(true),
                    ..
                })
            ),
        }
    }

    /// Rebuilds the reverse of every edge to a secret that a job showed: it may have changed since.
    pub fn compare_again(&mut self, secret: Subject) -> bool {
        let Some(tokens) = self.compared.get(&secret).cloned() else {
            return false;
        };
        let mut changed = false;
        for token in tokens {
            changed |= self.set_holder(token, secret);
        }
        changed
    }

    /// Rebuilds the reverse of one edge. Tells whether that changed.
    pub fn set_holder(&mut self, token: Subject, secret: Subject) -> bool {
        let holds = self.holds(token, secret);
        let holders = self.holders.entry(secret).or_default();
        if holds {
            holders.insert(token)
        } else {
            holders.remove(&token)
        }
    }
}
