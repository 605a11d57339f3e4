//! CI files from GitHub to facts: the same scanner as for folders, on the default branch and on the other refs that
//! can publish.

use super::{Github, Known, Memory, NotYet, dated};
use crate::engine::cache::{Learned, Scanned};
use crate::engine::observe::{QueryResult, Report, Targets};
use crate::engine::schedule::{Query, Urgency};
use crate::github::discover::{Found, SkippedRepo};
use crate::github::refs::{RefChoice, RefLooks, RefsAsked};
use crate::github::{CheckoutFiles, GithubError, Patterns};
use crate::model::event::Observation;
use crate::model::fact::{Answer, LiveSource, PathFact, RefFact, RefsFact};
use crate::model::id::Subject;
use crate::model::name::{Login, RepoName};
use crate::model::time::Ts;
use crate::scan::tree::{Memory as Files, kind_of};
use crate::scan::{observe, scan_tree};
use std::collections::HashMap;
use std::sync::Arc;

/// Words without which a workflow has nothing to do with a registry: its repository is not read any deeper.
const HINTS: [&str; 9] = [
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "lerna",
    "changeset",
    "release",
    "publish",
    "NODE_AUTH",
];
/// What a scan of the default branch says that it looked at.
const DEFAULT_ONLY: &str = "default branch";
/// Branches looked at, at most.
const REFS: usize = 100;

/// The publish paths of one workflow folder.
pub(super) type FolderPaths = Arc<[(Subject, PathFact)]>;

impl Github {
    /// Finds the repositories of every organisation, and scans those whose workflows changed.
    pub(super) async fn discovery(
        &self,
        aim: &Targets,
        now: Ts,
    ) -> Result<QueryResult, GithubError> {
        let mut brought = QueryResult::default();
        let mut notes: Vec<Box<str>> = Vec::new();
        for organisation in &aim.organisations {
            let Ok(login) = Login::parse(organisation) else {
                continue;
            };
            let looked = self
                .api
                .discover(&login, &self.choice, &mut |_, _| {})
                .await;
            let mut found = match looked {
                Ok(found) => found,
                // The others are looked at all the same.
                Err(error) if error.affects_one_resource() => {
                    let answer = error.answer(LiveSource::Rights);
                    let answers = vec![dated(Subject::SESSION, answer, now)];
                    brought.reports.push(Report::Answers(answers));
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.look_aside(&mut found.found, now).await;
            let at = found.at.unwrap_or(now);
            let answers = found.answers();
            let facts = answers
                .into_iter()
                .map(|(about, answer)| dated(about, answer, at));
            brought.reports.push(Report::Answers(facts.collect()));
            notes.extend(found.gaps.iter().take(5).cloned());
            let mut memory = self.memory();
            for one in found.found {
                if memory.meet(&one) {
                    brought
                        .expedite
                        .push(((Query::Files, one.repo), 0, Urgency::ByAge));
                    memory.pending.insert(one.repo, one);
                }
            }
        }
        self.memory().discovered = true;
        brought.reports.push(Report::Notes("discovery", notes));
        Ok(brought)
    }

    /// Tells of each repository that is listed and not scanned whether its workflows publish. Their texts are here
    /// already, so nothing is asked.
    async fn look_aside(&self, found: &mut [Found], now: Ts) {
        let aside = found.iter().enumerate().filter(|(_, one)| {
            matches!(one.aside, Some(SkippedRepo::Archived | SkippedRepo::Fork))
        });
        let files: Vec<(usize, CheckoutFiles)> =
            aside.map(|(at, one)| (at, one.files.clone())).collect();
        if files.is_empty() {
            return;
        }
        let (forge, registry) = (self.api.place().forge().to_owned(), self.registry.clone());
        let scanned = tokio::task::spawn_blocking(move || {
            let look = |(at, files): &(usize, CheckoutFiles)| {
                let publishes = hints_at_npm(files)
                    && scan(files, &forge, &registry, DEFAULT_ONLY, now.day())
                        .iter()
                        .any(|(_, answer)| matches!(answer, Answer::Path(_)));
                // What did not come may publish.
                (*at, (publishes || files.complete).then_some(publishes))
            };
            files.iter().map(look).collect::<Vec<_>>()
        });
        // A scan that panics is a defect of the scanner: these stay "not looked at".
        for (at, publishes) in scanned.await.unwrap_or_default() {
            if let Some(one) = found.get_mut(at) {
                one.fact.publishes = publishes;
            }
        }
    }

    /// Scans a repository that a discovery found changed.
    pub(super) async fn files(&self, repo: Subject, now: Ts) -> Result<QueryResult, GithubError> {
        let Some(found) = self.memory().pending.get(&repo).cloned() else {
            return Ok(QueryResult::default());
        };
        let (files, whole) = if hints_at_npm(&found.files) {
            self.deepen(&found).await?
        } else {
            (found.files.clone(), true)
        };
        let whole = whole && files.complete;
        let (forge, registry) = (self.api.place().forge().to_owned(), self.registry.clone());
        let scanned = tokio::task::spawn_blocking(move || {
            scan(&files, &forge, &registry, DEFAULT_ONLY, now.day())
        });
        // A scan that panics is a defect of the scanner: this repository stays "not looked yet".
        let Ok(answers) = scanned.await else {
            return Ok(QueryResult::default());
        };
        let answers = answers
            .into_iter()
            .map(|(about, answer)| dated(about, answer, now));
        let mut brought = QueryResult::answers(answers.collect());
        let mut memory = self.memory();
        memory.pending.remove(&repo);
        if let (true, Some(folder), Some(commit)) = (whole, found.workflows, found.files.commit) {
            let scanned = Scanned { folder, commit };
            memory.scanned.insert(repo, scanned.clone());
            brought.learned.push((repo, Learned::Scanned(scanned)));
        } else {
            // What did not come whole is read again after the next discovery.
            memory.scanned.remove(&repo);
        }
        Ok(brought)
    }

    /// Reads the files that workflows may call: package.json files, local actions, scripts. Tells whether it could.
    async fn deepen(&self, found: &Found) -> Result<(CheckoutFiles, bool), GithubError> {
        let Some(commit) = found.files.commit.as_deref() else {
            return Ok((found.files.clone(), true));
        };
        let checkout = self
            .api
            .checkout(&found.name, &found.files.git_ref, commit, &wanted)
            .await;
        match checkout {
            Ok(files) => Ok((files, true)),
            Err(error) if error.affects_one_resource() => Ok((found.files.clone(), false)),
            Err(error) => Err(error),
        }
    }

    /// Looks at the CI files of the other refs that can publish, of many repositories at once.
    pub(super) async fn refs(
        &self,
        about: &[Subject],
        aim: &Targets,
        now: Ts,
    ) -> Result<QueryResult, GithubError> {
        let mut brought = QueryResult::default();
        let (mut ids, mut asked) = (Vec::new(), Vec::new());
        for id in about {
            let Some(Ok(repo)) = aim.repo(*id).map(|repo| RepoName::parse(&repo.name)) else {
                continue;
            };
            match self.told(*id, aim) {
                Ok(Some(known)) => {
                    let memory = self.memory();
                    let had = memory.others.get(id).into_iter().flat_map(HashMap::keys);
                    let had = had.chain(&known.workflows).cloned().collect();
                    asked.push(RefsAsked {
                        repo,
                        node_id: known.node_id,
                        default: known.branch,
                        known: had,
                    });
                    ids.push((*id, known.workflows));
                }
                // No discovery tells of it, so which branch is its default one is not known.
                Ok(None) => brought.partial.push(*id),
                Err(NotYet) => return Ok(QueryResult::deferred()),
            }
        }
        let choice = RefChoice {
            // A tag that was pushed does not start its workflow again; new ones come from branches.
            branches: Patterns::parse(["**"]).unwrap_or_default(),
            tags: Patterns::default(),
            protected: true,
            cap: REFS,
        };
        let looks = self.api.other_refs(&asked, &choice).await?;
        let mut answers = Vec::new();
        for ((id, own), looks) in ids.into_iter().zip(looks) {
            match looks {
                Ok(looks) => answers.extend(self.of_refs(id, own, looks, now).await),
                Err(error) => answers.push(dated(id, error.answer(LiveSource::Refs), now)),
            }
        }
        brought.reports.push(Report::Answers(answers));
        Ok(brought)
    }

    /// Scans the workflow folders that are new, and gives what each ref can publish; `own` is the default branch's folder.
    async fn of_refs(
        &self,
        id: Subject,
        own: Option<Box<str>>,
        looks: RefLooks,
        now: Ts,
    ) -> Vec<(Subject, Observation)> {
        let at = looks.at.unwrap_or(now);
        let fact = RefsFact {
            refs: looks.refs.iter().map(|look| look.git_ref.clone()).collect(),
            complete: looks.complete,
            why: looks.why_not.clone(),
        };
        let mut answers = vec![dated(id, Answer::Refs(fact), at)];
        let (forge, registry) = (self.api.place().forge().to_owned(), self.registry.clone());
        let scanned = tokio::task::spawn_blocking(move || {
            let paths = |files: &CheckoutFiles| {
                let answers = scan(files, &forge, &registry, "this ref", at.day()).into_iter();
                answers
                    .filter_map(|(about, answer)| match answer {
                        Answer::Path(fact) => Some((about, fact)),
                        _ => None,
                    })
                    .collect()
            };
            let folders = looks.folders.into_iter();
            folders
                .map(|(folder, files)| (folder, files.complete, paths(&files)))
                .collect::<Vec<(Box<str>, bool, FolderPaths)>>()
        });
        // A scan that panics is a defect of the scanner: what is in these folders stays "not looked at".
        let scanned = scanned.await.unwrap_or_default();
        let mut memory = self.memory();
        let before = memory.others.remove(&id).unwrap_or_default();
        let before = before
            .into_iter()
            .map(|(folder, paths)| (folder, (true, paths)));
        let scanned = scanned
            .into_iter()
            .map(|(folder, whole, paths)| (folder, (whole, paths)));
        let folders: HashMap<Box<str>, (bool, FolderPaths)> = before.chain(scanned).collect();
        let mut kept = HashMap::new();
        for look in looks.refs {
            // The same files as on the default branch, or no workflow at all: nothing of its own to say.
            let folder = look.folder.filter(|folder| own.as_ref() != Some(folder));
            let found = folder.and_then(|folder| folders.get_key_value(&folder));
            let Some((folder, (whole, paths))) = found else {
                continue;
            };
            for (path, fact) in paths.iter() {
                let answer = RefFact {
                    git_ref: look.git_ref.clone(),
                    commit: look.commit.clone(),
                    path: Some(*path),
                    fact: Some(fact.clone()),
                };
                let about = Subject::path_ref(*path, &look.git_ref);
                answers.push(dated(about, Answer::Ref(Box::new(answer)), at));
            }
            if *whole {
                kept.insert(folder.clone(), Arc::clone(paths));
            }
        }
        memory.others.insert(id, kept);
        answers
    }
}

impl Memory {
    /// Takes in what a discovery told of a repository. Tells whether its CI files have to be scanned.
    fn meet(&mut self, found: &Found) -> bool {
        let known = Known {
            node_id: found.node_id.clone(),
            branch: found.fact.default_branch.clone(),
            owners: found.owners.clone(),
            workflows: found.workflows.clone(),
        };
        self.known.insert(found.repo, known);
        let (Some(folder), None) = (&found.workflows, found.aside) else {
            return false;
        };
        let Some(before) = self.scanned.get(&found.repo) else {
            return true;
        };
        // A later commit may have changed what the workflows call: a script, a package.json.
        let moved = found.files.commit.as_ref() != Some(&before.commit);
        before.folder != *folder || moved && hints_at_npm(&found.files)
    }
}

/// Tells whether any workflow has a word in it that publishing needs.
fn hints_at_npm(files: &CheckoutFiles) -> bool {
    files.files.iter().any(|(path, bytes)| {
        path.starts_with(".github/workflows/")
            && HINTS
                .iter()
                .any(|hint| memchr::memmem::find(bytes, hint.as_bytes()).is_some())
    })
}

/// Files that the scanner reads or follows.
fn wanted(path: &str) -> bool {
    let script = [".sh", ".bash", ".js", ".mjs", ".cjs", ".ts"]
        .iter()
        .any(|ending| path.ends_with(ending));
    let folder = ["scripts/", ".github/", "tools/", "bin/", "build/", "ci/"]
        .iter()
        .any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")));
    !path.contains("node_modules/")
        && (kind_of(path).is_some() || script && (folder || !path.contains('/')))
}

/// Scans files of one commit; gives nothing for a repository whose name is none.
pub(super) fn scan(
    files: &CheckoutFiles,
    forge: &str,
    registry: &str,
    refs: &str,
    today: chrono::NaiveDate,
) -> Vec<(Subject, Answer)> {
    let texts = files.files.iter().filter_map(|(path, bytes)| {
        let text = std::str::from_utf8(bytes).ok()?;
        Some((path.to_string(), text.to_owned()))
    });
    let tree = Files::new(texts).at(files.commit.as_deref(), refs);
    let name = files.repo.as_str();
    let scan = scan_tree(&tree, Some((forge, name)), name, today);
    let mut answers = observe::answers(&scan, forge, registry);
    if !files.complete {
        // What did not come is not absent: the gates about what was found stay open.
        let why = files
            .why_not
            .as_deref()
            .unwrap_or("some files did not come");
        for (_, answer) in &mut answers {
            if let Answer::Repo(fact) = answer {
                fact.unread.push(why.into());
            }
        }
    }
    answers
}
