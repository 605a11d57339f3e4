//! A run on GitHub, by its address: which jobs failed, and what their logs say.
//!
//! Only the forge that is meant is asked: an address of another host is refused before anything is sent.

use super::{Format, explain, heading};
use crate::commands::Exit;
use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::commands::live::outside;
use crate::diagnose::{self, Diagnosis, Outcome};
use crate::github::run::JobLog;
use crate::github::{EtagMap, GitHub, GithubError, Job, LiveRun, Place, Polled};
use crate::http::{Options, Proxies, World};
use crate::model::name::RepoName;
use crate::safe::json::write_json;
use crate::safe::shown::visible;
use serde_json::json;
use std::sync::Arc;
use url::Url;

/// Most bytes of a job's log that are read.
const LOG_CAP: usize = 32 * 1024 * 1024;
/// Failed jobs that are read, at most.
const JOBS: usize = 20;

/// A run, as its address names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAddress {
    pub repo: RepoName,
    pub run: u64,
    /// One job of it, where the address is a job's.
    pub job: Option<u64>,
}

/// Tells whether an argument is an address rather than a file.
pub fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// Reads an address such as `https://github.com/OWNER/REPO/actions/runs/ID`.
///
/// # Errors
/// It is of another host than the place's, or names no run.
pub fn parse(text: &str, place: &Place) -> Result<RunAddress, CommandError> {
    let no_run = || {
        CommandError::usage(format!("`{}` is not the address of a run", visible(text)))
            .hint("for example https://github.com/OWNER/REPO/actions/runs/ID")
    };
    let url = Url::parse(text).map_err(|error| {
        tracing::debug!("no address: {error}");
        no_run()
    })?;
    let host = match (url.host_str(), url.port()) {
        (Some(host), None) => host.to_owned(),
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (None, _) => return Err(no_run()),
    };
    let named = !url.username().is_empty() || url.password().is_some();
    if url.scheme() != "https" || named || host != place.forge() {
        return Err(CommandError::usage(format!(
            "`{}` is not https on {}, so it is not queried",
            visible(&host),
            place.forge()
        ))
        .hint("for a GitHub Enterprise Server add --github-url https://HOST"));
    }
    let parts: Vec<&str> = url
        .path_segments()
        .map(Iterator::collect)
        .unwrap_or_default();
    let (owner, repo, run, rest) = match parts.as_slice() {
        [owner, repo, "actions", "runs", run, rest @ ..] => (owner, repo, run, rest),
        _ => return Err(no_run()),
    };
    let Ok(name) = RepoName::parse(&format!("{owner}/{repo}")) else {
        return Err(no_run());
    };
    let job = match rest {
        ["job" | "jobs", job, ..] => Some(job.parse().ok().ok_or_else(no_run)?),
        _ => None,
    };
    Ok(RunAddress {
        repo: name,
        run: run.parse().ok().ok_or_else(no_run)?,
        job,
    })
}

/// Asks GitHub for a run and explains why it failed.
///
/// # Errors
/// There is no token, the address is another host's, or GitHub does not show the run.
pub fn of_address(
    text: &str,
    flags: Option<&str>,
    format: Format,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let place = Place::parse(flags.unwrap_or(crate::github::place::DOTCOM))
        .map_err(|error| CommandError::usage(format!("--github-url: {error}")))?;
    let address = parse(text, &place)?;
    let credential = outside::github_credential(&place, context)?.map_err(|why| {
        CommandError::config(why).hint(
            "GitHub shows logs only to a login: set GH_TOKEN, or save the log and name the file",
        )
    })?;
    let mut options = Options::new(World::Real, Arc::clone(&context.now));
    let variable = Arc::clone(&context.variable);
    options.proxies = Proxies::from_env(&|name| variable(name));
    let api = GitHub::open(place, Some(credential), options, Arc::new(|_, _| ()))
        .map_err(|error| CommandError::user(error.to_string()))?;
    of_run(&api, &address, format, context)
}

/// What a job's log told, or why it tells nothing.
struct Read {
    job: Job,
    told: Result<Diagnosis, String>,
}

/// Explains a run that `api` shows.
///
/// # Errors
/// GitHub does not show the run or its jobs; the output cannot be written.
pub fn of_run(
    api: &GitHub,
    address: &RunAddress,
    format: Format,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::internal(format!("GitHub cannot be asked: {error}")))?;
    let asked = context
        .out
        .slow("asking GitHub", || runtime.block_on(read(api, address)));
    let (run, jobs) = asked.map_err(|error| CommandError::user(error.to_string()))?;
    if !run.ended() {
        context
            .out
            .say("The run goes on: jobs that fail later are not in here.");
    }
    match format {
        Format::Json => print_json(address, &run, &jobs, context)?,
        Format::Table => print_table(&run, &jobs, context)?,
    }
    let found = |one: &Read| {
        one.told
            .as_ref()
            .is_ok_and(|told| told.outcome == Outcome::Found)
    };
    Ok(match jobs.iter().any(found) {
        true => Exit::Done,
        false => Exit::NothingFound,
    })
}

async fn read(api: &GitHub, address: &RunAddress) -> Result<(LiveRun, Vec<Read>), GithubError> {
    let odd = || GithubError::UnexpectedAnswer {
        what: format!("run {} of {}", address.run, address.repo).into(),
        why: "an answer that is new",
    };
    // No tag is sent, so nothing can be "as before".
    let none = EtagMap::default();
    let Polled::New { value: run, .. } = api.run(&address.repo, address.run, &none).await? else {
        return Err(odd());
    };
    let Polled::New { value: jobs, .. } = api.jobs(&address.repo, address.run, &none).await? else {
        return Err(odd());
    };
    let wanted = |job: &Job| match address.job {
        Some(id) => job.id == id,
        None => job.failed(),
    };
    let mut all = Vec::new();
    for job in jobs.into_iter().filter(wanted).take(JOBS) {
        let told = match api.job_log(&address.repo, job.id, LOG_CAP).await {
            Ok(JobLog::Text(log)) => {
                let context = diagnose::Context {
                    run_attempt: run.attempt,
                    head_sha: Some(&run.sha),
                    branch: Some(&*run.branch).filter(|branch| !branch.is_empty()),
                    ..diagnose::Context::default()
                };
                Ok(diagnose::diagnose(&log, &context))
            }
            Ok(JobLog::Gone) => Err("GitHub no longer has this log".to_owned()),
            Err(error) if error.affects_one_resource() => Err(error.to_string()),
            Err(error) => return Err(error),
        };
        all.push(Read { job, told });
    }
    Ok((run, all))
}

fn print_table(run: &LiveRun, jobs: &[Read], context: &mut Context) -> Result<(), CommandError> {
    let attempt = run
        .attempt
        .filter(|attempt| *attempt > 1)
        .map_or_else(String::new, |attempt| format!(", attempt {attempt}"));
    let title = format!(
        "{} {} #{}{attempt}, {}",
        visible(run.name.as_str()),
        visible(&run.file),
        run.number,
        visible(run.conclusion.as_deref().unwrap_or(&run.status))
    );
    writeln!(context.out.data(), "{title}\n")?;
    if jobs.is_empty() {
        context.out.say("no job of this run has failed");
    }
    for one in jobs {
        let step = one.job.failed_step().map_or_else(String::new, |step| {
            format!(", step {}", visible(&step.name))
        });
        heading(
            &format!("job {}{step}", visible(&one.job.name)),
            &mut context.out,
        )?;
        match &one.told {
            Ok(told) => explain(told, &mut context.out)?,
            Err(why) => context.out.say(format!("its log could not be read: {why}")),
        }
    }
    Ok(())
}

fn print_json(
    address: &RunAddress,
    run: &LiveRun,
    jobs: &[Read],
    context: &mut Context,
) -> Result<(), CommandError> {
    let failed = |error: serde_json::Error| {
        CommandError::internal(format!("the result cannot be written as JSON: {error}"))
    };
    let mut list = Vec::new();
    for one in jobs {
        let (told, lost) = match &one.told {
            Ok(told) => (Some(serde_json::to_value(told).map_err(failed)?), None),
            Err(why) => (None, Some(why)),
        };
        list.push(json!({
            "job": one.job.id, "name": one.job.name, "step": one.job.failed_step().map(|step| &step.name),
            "told": told, "could_not_read": lost,
        }));
    }
    let document = json!({
        "version": 1, "repo": address.repo.as_str(), "run": run.id, "attempt": run.attempt, "file": run.file,
        "branch": run.branch, "sha": run.sha, "status": run.status, "conclusion": run.conclusion, "jobs": list,
    });
    let mut data = context.out.data();
    write_json(&mut data, &document)?;
    writeln!(data)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_runs_of_the_forge_that_is_meant_are_asked() {
        let dotcom = Place::parse("github.com").unwrap();
        let run = |text| parse(text, &dotcom);
        let plain = run("https://github.com/acme/ui-kit/actions/runs/123").unwrap();
        assert_eq!(
            (plain.repo.as_str(), plain.run, plain.job),
            ("acme/ui-kit", 123, None)
        );
        let job = run("https://github.com/acme/ui-kit/actions/runs/123/job/45?pr=1").unwrap();
        assert_eq!(job.job, Some(45));
        for bad in [
            "http://github.com/acme/ui/actions/runs/1",
            "https://github.com.evil.example/acme/ui/actions/runs/1",
            "https://evil.example/acme/ui/actions/runs/1",
            "https://rosa@github.com/acme/ui/actions/runs/1",
            "https://github.com:8443/acme/ui/actions/runs/1",
            "https://github.com/acme/ui/actions/runs/x",
            "https://github.com/acme/ui/actions/runs/1/job/x",
            "https://github.com/acme/ui/pull/1",
            "https://github.com/acme",
            "https://",
        ] {
            assert!(run(bad).is_err(), "{bad}");
        }
        let own = Place::parse("https://git.acme.example").unwrap();
        assert!(parse("https://git.acme.example/acme/ui/actions/runs/1", &own).is_ok());
        assert!(parse("https://github.com/acme/ui/actions/runs/1", &own).is_err());
    }
}
