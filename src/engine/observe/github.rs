//! What each question to GitHub means: which calls it takes, what facts come of it, and what becomes worth asking next.
//!
//! Keeps in memory only what saves calls: ids of workflows, folders that were scanned, causes that were read, tags of
//! the run that is followed. Judges nothing and never touches the session.

mod files;
mod trouble;

use super::{QueryResult, RepoTarget, Report, Targets, dated};
use crate::engine::cache::{Cache, Ids, Learned, Scanned, digest};
use crate::engine::live::OpenRun;
use crate::engine::schedule::{Batch, Query, RUNNING, Urgency};
use crate::github::discover::{Choice, Found};
use crate::github::org::OrgStore;
use crate::github::{GitHub, GithubError, LiveRun, ReleaseWorkflow};
use crate::model::fact::{Answer, CauseFact, CausesFact, LiveSource, RunFact};
use crate::model::id::Subject;
use crate::model::name::{Login, RepoName};
use crate::model::time::Ts;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Seconds after a release run was seen to have ended in which its packages are looked at again.
const AFTER_PUBLISH: i64 = 5;

/// In the place of a log's cause: GitHub keeps the log no longer.
pub const LOG_GONE: &str = "log-gone";
/// In the place of a log's cause: the job ended before the step that publishes.
pub const STOPPED: &str = "stopped-before-publish";
/// In the place of a log's cause: it could not be read.
pub const LOG_HIDDEN: &str = "log-not-readable";

/// Seconds for which the stores of an organisation need not be asked again.
const STORES_FRESH: i64 = 3_600;

/// One GitHub and what is remembered of it.
pub struct Github {
    pub api: GitHub,
    choice: Choice,
    /// The registry's origin, for the ids of packages.
    registry: Box<str>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// Release workflows by repository.
    workflows: HashMap<Subject, Vec<ReleaseWorkflow>>,
    /// What was scanned whole, now or in an earlier start.
    scanned: HashMap<Subject, Scanned>,
    known: HashMap<Subject, Known>,
    /// Workflow folders of other refs that were scanned, as far as refs still have them: by repository and folder id.
    others: HashMap<Subject, HashMap<Box<str>, files::FolderPaths>>,
    /// A discovery was answered: what it did not tell of, it will not.
    discovered: bool,
    /// Who asks, once GitHub said so.
    login: Option<Box<str>>,
    /// Found, and to be scanned.
    pending: HashMap<Subject, Found>,
    /// An organisation's own stores: the same for all of its repositories.
    stores: HashMap<Login, (Ts, Vec<OrgStore>)>,
    /// Finished runs as last told, with what was found out about them.
    runs: HashMap<Subject, Vec<RunFact>>,
    causes: HashMap<(Subject, u64), Told>,
    /// Repositories that had open runs when last asked.
    open: HashSet<Subject>,
    followed: Option<trouble::Followed>,
}

/// What a discovery told of a repository that other questions need.
#[derive(Clone)]
struct Known {
    node_id: Box<str>,
    branch: Box<str>,
    owners: Option<Box<str>>,
    workflows: Option<Box<str>>,
}

/// The discovery that tells of it has not come.
struct NotYet;

/// What was found out about one finished run.
#[derive(Clone)]
struct Told {
    updated: Ts,
    step: Option<Box<str>>,
    cause: Box<str>,
}

impl Github {
    pub fn new(api: GitHub, registry: &str, choice: Choice) -> Self {
        Self {
            api,
            choice,
            registry: registry.into(),
            memory: Mutex::default(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a digest of which GitHub is asked and as whom; none before it said so.
    pub fn who(&self) -> Option<Box<str>> {
        let memory = self.memory();
        let login = memory.login.as_deref()?;
        let place = self.api.place();
        Some(digest(&[&place.origin().to_string(), place.forge(), login]))
    }

    /// Takes up what an earlier start learned. Gives the repositories the ids of whose workflows are known by that.
    pub fn recall(&self, cache: &Cache, aim: &Targets) -> Vec<Subject> {
        let mut memory = self.memory();
        memory.scanned.clone_from(&cache.scanned);
        let known = aim.repos.iter().filter_map(|repo| {
            let release = recalled(repo, cache.ids.get(&repo.id)?)?;
            memory.workflows.insert(repo.id, release);
            Some(repo.id)
        });
        known.collect()
    }

    /// Gives what a discovery told of a repository.
    ///
    /// # Errors
    /// None told of it yet and one is going to: this has to be asked after it.
    fn told(&self, id: Subject, aim: &Targets) -> Result<Option<Known>, NotYet> {
        let memory = self.memory();
        let known = memory.known.get(&id).cloned();
        if known.is_some() || memory.discovered || aim.organisations.is_empty() {
            return Ok(known);
        }
        Err(NotYet)
    }

    /// Asks what a batch is about. What could not be looked at for itself is an answer; an error says to try again.
    pub async fn ask(&self, batch: &Batch, aim: &Targets, now: Ts) -> Result<QueryResult, ()> {
        let first = batch.about.first().copied().unwrap_or(Subject::SESSION);
        let repo = aim.repo(first).map(|repo| RepoName::parse(&repo.name));
        let asked = match (batch.what, repo) {
            (Query::Rights, _) => self.rights().await,
            (Query::Discovery, _) => self.discovery(aim, now).await,
            (Query::Files, _) => self.files(first, now).await,
            (Query::Runs, _) => self.runs(&batch.about, aim, now).await,
            (Query::Refs, _) => self.refs(&batch.about, aim, now).await,
            (Query::Workflows, Some(Ok(repo))) => self.workflows(first, &repo, aim).await,
            (Query::Trouble, Some(Ok(repo))) => self.trouble(first, &repo, now).await,
            (Query::Follow, Some(Ok(repo))) => self.follow(first, &repo, aim, now).await,
            (Query::Settings, Some(Ok(repo))) => self.settings(&repo, aim, now).await,
            (Query::Secrets, Some(Ok(repo))) => self.secrets(&repo, aim, now).await,
            // Gone since it was planned, or a name that GitHub cannot have.
            _ => Ok(QueryResult::default()),
        };
        match asked {
            Ok(brought) => Ok(brought),
            Err(error) if error.affects_one_resource() => Ok(could_not(batch, &error, now)),
            Err(error) => {
                tracing::debug!("{:?} failed: {error}", batch.what);
                Err(())
            }
        }
    }

    async fn rights(&self) -> Result<QueryResult, GithubError> {
        let powers = self.api.powers().await?;
        self.memory().login = Some(powers.login.clone());
        let mut notes: Vec<Box<str>> = Vec::new();
        for need in powers.missing() {
            notes.push(
                format!(
                    "GitHub: this token lacks the scope {} ({})",
                    need.scope,
                    need.gates.join(", ")
                )
                .into(),
            );
        }
        let excess = powers.excess();
        if !excess.is_empty() {
            notes.push(
                format!(
                    "GitHub: this token can do more than is needed: {}",
                    excess.join(", ")
                )
                .into(),
            );
        }
        notes.extend(self.api.place().note().map(Into::into));
        Ok(QueryResult {
            reports: vec![Report::Notes("github", notes)],
            ..QueryResult::default()
        })
    }

    async fn workflows(
        &self,
        id: Subject,
        repo: &RepoName,
        aim: &Targets,
    ) -> Result<QueryResult, GithubError> {
        let all = self.api.workflows(repo).await?;
        let wanted_files = aim.repo(id).map_or(&[][..], |repo| &repo.workflows);
        let release: Vec<ReleaseWorkflow> = all
            .into_iter()
            .filter(|workflow| wanted_files.contains(&workflow.file))
            .collect();
        let mut brought = QueryResult::default();
        let ids = release
            .iter()
            .map(|one| (digest(&[&one.file]), one.node_id.clone()));
        let ids = Ids {
            wanted: wanted(wanted_files),
            ids: ids.collect(),
        };
        brought.learned.push((id, Learned::Ids(ids)));
        if !release.is_empty() {
            brought
                .expedite
                .push(((Query::Runs, id), 0, Urgency::ByAge));
        }
        self.memory().workflows.insert(id, release);
        Ok(brought)
    }

    /// Asks for the last runs of many repositories at once.
    async fn runs(
        &self,
        about: &[Subject],
        aim: &Targets,
        now: Ts,
    ) -> Result<QueryResult, GithubError> {
        let workflows: Vec<ReleaseWorkflow> = {
            let memory = self.memory();
            let of = |repo: &Subject| memory.workflows.get(repo).cloned().unwrap_or_default();
            about.iter().flat_map(of).collect()
        };
        let swept = self.api.sweep(&workflows).await?;
        let at = swept.at.unwrap_or(now);
        let mut open: HashMap<Subject, Vec<OpenRun>> = HashMap::new();
        for run in &swept.live {
            open.entry(run.repo).or_default().push(open_run(run, at));
        }
        let mut brought = QueryResult::default();
        let mut answers = Vec::new();
        {
            let mut memory = self.memory();
            for (repo, answer) in swept.answers {
                let answer = match answer {
                    Answer::Runs(fact) => {
                        memory.learn(repo, aim);
                        if memory.unexplained(repo, &fact.runs).next().is_some() {
                            brought
                                .expedite
                                .push(((Query::Trouble, repo), 0, Urgency::Now));
                        }
                        memory.runs.insert(repo, fact.runs.clone());
                        Answer::Runs(fact)
                    }
                    other => other,
                };
                answers.push(dated(repo, answer, at));
            }
            for repo in about {
                let goes_on = open.contains_key(repo);
                if goes_on {
                    brought.paces.push((*repo, RUNNING, Urgency::Now));
                    memory.open.insert(*repo);
                } else if memory.open.remove(repo) {
                    // It has just ended: what it published appears soon.
                    let packages = aim.repo(*repo).map_or(&[][..], |repo| &repo.packages);
                    let again = |package: &Subject| {
                        ((Query::Packument, *package), AFTER_PUBLISH, Urgency::Now)
                    };
                    brought.expedite.extend(packages.iter().map(again));
                }
            }
        }
        brought.reports.push(Report::Answers(answers));
        let all = about
            .iter()
            .map(|repo| (*repo, open.remove(repo).unwrap_or_default()));
        brought.reports.push(Report::Open(all.collect()));
        Ok(brought)
    }

    async fn settings(
        &self,
        repo: &RepoName,
        aim: &Targets,
        now: Ts,
    ) -> Result<QueryResult, GithubError> {
        let id = self.api.subject(repo.as_str());
        let known = match self.told(id, aim) {
            Ok(known) => known,
            Err(NotYet) => return Ok(QueryResult::deferred()),
        };
        let environments = self.api.environments(repo).await;
        let actions = self.api.actions_settings(repo).await;
        let protection = match &known {
            Some(known) => Some(
                self.api
                    .protection(repo, &known.branch, known.owners.as_deref())
                    .await,
            ),
            // Which branch is the default one comes with the discovery, and none tells of this repository.
            None => None,
        };
        let mut answers = Vec::new();
        for (source, look) in [
            (LiveSource::Environments, Some(environments)),
            (LiveSource::Actions, Some(actions)),
            (LiveSource::Protection, protection),
        ] {
            match look {
                Some(Ok(look)) => {
                    let at = look.at.unwrap_or(now);
                    answers.extend(
                        look.answers
                            .into_iter()
                            .map(|(about, answer)| dated(about, answer, at)),
                    );
                }
                Some(Err(error)) if error.affects_one_resource() => {
                    answers.push(dated(id, error.answer(source), now))
                }
                Some(Err(error)) => return Err(error),
                None => {}
            }
        }
        Ok(QueryResult::answers(answers))
    }

    async fn secrets(
        &self,
        repo: &RepoName,
        aim: &Targets,
        now: Ts,
    ) -> Result<QueryResult, GithubError> {
        let look = self.api.environments(repo).await;
        let environments = match &look {
            Ok(look) => look.answers.iter().find_map(|(_, answer)| match answer {
                Answer::Environments(fact) => crate::github::settings::environment_names(fact),
                _ => None,
            }),
            Err(error) if error.affects_one_resource() => None,
            Err(error) => return Err(error.clone()),
        };
        let owner = repo.as_str().split('/').next().unwrap_or_default();
        let stores = self.org_stores(owner, aim, now).await?;
        let look = self
            .api
            .secrets(repo, environments.as_deref(), &stores)
            .await?;
        let at = look.at.unwrap_or(now);
        let answers = look
            .answers
            .into_iter()
            .map(|(about, answer)| dated(about, answer, at));
        Ok(QueryResult::answers(answers.collect()))
    }

    /// The organisation's own stores for Dependabot, codespaces and agents: a repository does not list those.
    async fn org_stores(
        &self,
        owner: &str,
        aim: &Targets,
        now: Ts,
    ) -> Result<Vec<OrgStore>, GithubError> {
        let Some(login) = aim
            .organisations
            .iter()
            .find(|organisation| organisation.eq_ignore_ascii_case(owner))
            .and_then(|organisation| Login::parse(organisation).ok())
        else {
            return Ok(Vec::new());
        };
        if let Some((at, stores)) = self.memory().stores.get(&login)
            && now.0 - at.0 < STORES_FRESH
        {
            return Ok(stores.clone());
        }
        let stores = match self.api.org_stores(&login).await {
            Ok(stores) => stores,
            Err(error) if error.affects_one_resource() => Vec::new(),
            Err(error) => return Err(error),
        };
        self.memory().stores.insert(login, (now, stores.clone()));
        Ok(stores)
    }
}

impl Memory {
    /// Takes over what the session already knows about finished runs.
    fn learn(&mut self, repo: Subject, aim: &Targets) {
        for known in aim.repo(repo).map_or(&[][..], |repo| &repo.known) {
            let told = Told {
                updated: known.updated,
                step: known.step.clone(),
                cause: known.cause.clone(),
            };
            self.causes.entry((repo, known.id)).or_insert(told);
        }
    }

    /// Gives what was found out about a run, as it last changed.
    fn told(&self, repo: Subject, run: &RunFact) -> Option<&Told> {
        let told = self.causes.get(&(repo, run.id))?;
        (told.updated == run.updated).then_some(told)
    }

    /// Gives why the last runs of a repository failed, as far as that was found out.
    fn causes(&self, repo: Subject) -> CausesFact {
        let runs = self.runs.get(&repo).into_iter().flatten();
        let causes = runs.filter_map(|run| {
            let told = self.told(repo, run)?;
            Some(CauseFact {
                run: run.id,
                updated: told.updated,
                failed_step: told.step.clone(),
                cause: told.cause.clone(),
            })
        });
        CausesFact {
            causes: causes.collect(),
        }
    }

    /// Gives the newest failed run of each workflow whose log was not read yet.
    fn unexplained<'a>(
        &'a self,
        repo: Subject,
        runs: &'a [RunFact],
    ) -> impl Iterator<Item = &'a RunFact> {
        let mut seen: HashSet<&str> = HashSet::new();
        runs.iter().filter(move |run| {
            let failed = matches!(
                run.conclusion.as_deref(),
                Some("failure" | "timed_out" | "startup_failure")
            );
            seen.insert(&run.file) && failed && self.told(repo, run).is_none()
        })
    }
}

/// Gives a digest of the workflow files of a repository whose runs count.
fn wanted(files: &[Box<str>]) -> Box<str> {
    let files: Vec<&str> = files.iter().map(AsRef::as_ref).collect();
    digest(&files)
}

/// Puts names to ids of an earlier start; none where other files are wanted by now.
fn recalled(repo: &RepoTarget, ids: &Ids) -> Option<Vec<ReleaseWorkflow>> {
    let name = RepoName::parse(&repo.name).ok()?;
    if ids.wanted != wanted(&repo.workflows) {
        return None;
    }
    let one = |(file, node_id): &(Box<str>, Box<str>)| {
        let mut files = repo.workflows.iter();
        Some(ReleaseWorkflow {
            repo: name.clone(),
            file: files.find(|known| digest(&[known]) == *file)?.clone(),
            node_id: node_id.clone(),
            state: "".into(),
        })
    };
    ids.ids.iter().map(one).collect()
}

fn open_run(run: &LiveRun, as_of: Ts) -> OpenRun {
    OpenRun {
        run: run.fact(),
        step: None,
        steps: None,
        as_of,
    }
}

/// Says of everything in a batch that it could not be looked at.
fn could_not(batch: &Batch, error: &GithubError, now: Ts) -> QueryResult {
    let source = match batch.what {
        Query::Runs | Query::Workflows | Query::Follow => LiveSource::Runs,
        Query::Trouble => LiveSource::Causes,
        Query::Settings => LiveSource::Environments,
        Query::Secrets => LiveSource::Secrets,
        Query::Refs => LiveSource::Refs,
        Query::Rights | Query::Discovery | Query::Files => LiveSource::Rights,
        _ => return QueryResult::default(),
    };
    let answers = batch
        .about
        .iter()
        .map(|about| dated(*about, error.answer(source), now));
    QueryResult::answers(answers.collect())
}
