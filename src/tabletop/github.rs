//! The simulated GitHub: who asks, what they may, how much is left, and which address it is.
//!
//! Strict as the real one: no User-Agent 403, a bad token 401, a missing permission 403 with the header that names it, a
//! private repository 404, pages of at most 100 with `Link`, ETags whose 304 does not count, both rate limits counted on
//! the simulated clock. Sources: GitHub's REST description and its pages on rate limits.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::clock::{HOUR, MINUTE, Ms, SECOND};
use super::random::words;
use super::server::{Answer, Hall, Request};
use super::world::{GithubToken, Power, Repo};

pub use actions::{run_node, run_state, run_updated, workflow_node};
pub use git::{below, children, folder_oid};

mod actions;
mod body;
mod git;
mod repos;
mod secrets;
mod settings;
mod write;

/// Primary limits, in requests or points an hour.
pub const PRIMARY: u64 = 5_000;
/// Secondary limits: points a minute, of which reads count 1 and writes 5
/// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
const SECONDARY: u64 = 900;
const SECONDARY_GRAPHQL: u64 = 2_000;

/// What an answer that says no is.
pub type Refusal = Answer;

/// How much of a limit is used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    pub since: Ms,
    pub points: u64,
}

/// Limits by token and resource.
#[derive(Debug, Default)]
pub struct Limits {
    primary: HashMap<(String, &'static str), Used>,
    secondary: HashMap<(String, &'static str), Used>,
}

impl Limits {
    /// Gives what is used in the running hour.
    pub fn used(&mut self, login: &str, resource: &'static str, now: Ms) -> &mut Used {
        let used = self.primary.entry((login.to_owned(), resource));
        used.or_default().within(HOUR, now)
    }

    fn minute(&mut self, login: &str, resource: &'static str, now: Ms) -> &mut Used {
        let used = self.secondary.entry((login.to_owned(), resource));
        used.or_default().within(MINUTE, now)
    }
}

impl Used {
    /// Begins a new window where the last one is over.
    fn within(&mut self, window: Ms, now: Ms) -> &mut Self {
        if now >= self.since + window {
            *self = Self {
                since: now,
                points: 0,
            };
        }
        self
    }
}

/// A request of somebody who is known.
pub struct Context<'a> {
    pub hall: &'a mut Hall,
    pub request: &'a Request,
    pub token: GithubToken,
    /// Permission that the address asked for, as `x-accepted-github-permissions` says it.
    pub needed: Option<String>,
}

/// Names the endpoint group of a request.
pub fn group(request: &Request) -> &'static str {
    let parts = rest_parts(request);
    match parts.as_slice() {
        ["graphql"] => "graphql",
        ["_logs", ..] => "logs",
        ["repos", _, _, "actions", "jobs", _, "logs"] => "logs",
        ["repos", _, _, "actions", ..] => "actions",
        _ => "rest",
    }
}

/// The parts of an address below the base: GitHub Enterprise Server has its API below `/api/v3`.
fn rest_parts(request: &Request) -> Vec<&str> {
    let parts: Vec<&str> = request.parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["api", "v3", rest @ ..] => rest.to_vec(),
        ["api", "graphql"] => vec!["graphql"],
        _ => parts,
    }
}

/// Answers a request to GitHub.
pub fn answer(hall: &mut Hall, request: &Request) -> Answer {
    let parts = rest_parts(request);
    if let ["_logs", place, signature] = parts.as_slice() {
        return actions::download(hall, request, place, signature);
    }
    if request.header("user-agent").is_none_or(str::is_empty) {
        return Answer::text(
            403,
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.".to_owned(),
        );
    }
    let now = hall.world.now;
    let Some(bearer) = request.bearer() else {
        return message(401, "Requires authentication");
    };
    let known = hall.world.github_token(bearer).cloned();
    let Some(token) = known.filter(|one| !one.revoked && one.expires.is_none_or(|at| at > now))
    else {
        return message(401, "Bad credentials");
    };
    let graphql = parts.as_slice() == ["graphql"];
    let resource = if graphql { "graphql" } else { "core" };
    if let Some(refusal) = limited(hall, request, &token, resource, now) {
        return dressed(hall, &token, resource, refusal);
    }
    let mut context = Context {
        hall,
        request,
        token: token.clone(),
        needed: None,
    };
    let answer = if graphql {
        super::graphql::answer(&mut context)
    } else {
        let answer = route(&mut context, &parts).unwrap_or_else(|refusal| refusal);
        let needed = context.needed.take();
        let free = parts.as_slice() == ["rate_limit"];
        let answer = tagged(context.request, answer);
        counted(context.hall, &token, &answer, free, now);
        match needed {
            Some(needed) => answer.with("x-accepted-github-permissions", needed),
            None => answer,
        }
    };
    dressed(hall, &token, resource, answer)
}

/// Refuses where a limit is used up.
fn limited(
    hall: &mut Hall,
    request: &Request,
    token: &GithubToken,
    resource: &'static str,
    now: Ms,
) -> Option<Answer> {
    if request
        .parts
        .last()
        .is_some_and(|part| part == "rate_limit")
    {
        return None;
    }
    if let Some(until) = hall.world.github_closed_until.filter(|until| *until > now) {
        let wait = ((until - now) / SECOND + 1).to_string();
        let words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
        return Some(message(403, words).with("retry-after", wait));
    }
    let primary = *hall.limits.used(&token.login, resource, now);
    if primary.points >= PRIMARY {
        let id = hall.world.person(&token.login).map_or(0, |one| one.id);
        return Some(message(
            403,
            &format!("API rate limit exceeded for user ID {id}."),
        ));
    }
    let (cost, most) = match resource {
        "graphql" => (1, SECONDARY_GRAPHQL),
        _ if request.is_read() => (1, SECONDARY),
        _ => (5, SECONDARY),
    };
    let minute = hall.limits.minute(&token.login, resource, now);
    if minute.points + cost > most {
        let wait = ((minute.since + MINUTE - now) / SECOND + 1).to_string();
        let words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
        return Some(message(403, words).with("retry-after", wait));
    }
    minute.points += cost;
    None
}

fn counted(hall: &mut Hall, token: &GithubToken, answer: &Answer, free: bool, now: Ms) {
    if answer.status == 304 {
        hall.counters.unchanged += 1;
    } else if !free {
        hall.counters.rest += 1;
        hall.limits.used(&token.login, "core", now).points += 1;
    }
}

/// Adds the headers that stand on every answer.
fn dressed(hall: &mut Hall, token: &GithubToken, resource: &'static str, answer: Answer) -> Answer {
    let now = hall.world.now;
    let used = *hall.limits.used(&token.login, resource, now);
    let count = hall.counters.requests;
    let answer = answer
        .with("x-ratelimit-limit", PRIMARY.to_string())
        .with(
            "x-ratelimit-remaining",
            PRIMARY.saturating_sub(used.points).to_string(),
        )
        .with("x-ratelimit-used", used.points.to_string())
        .with(
            "x-ratelimit-reset",
            ((used.since + HOUR) / SECOND).to_string(),
        )
        .with("x-ratelimit-resource", resource)
        .with("x-github-media-type", "github.v3; format=json")
        .with("x-github-api-version-selected", "2022-11-28")
        .with("x-github-request-id", format!("7AB1:{count:X}"));
    match &token.power {
        Power::Scopes(scopes) => answer.with("x-oauth-scopes", scopes.join(", ")),
        Power::Fine(_) => answer,
    }
}

/// Puts an ETag on what was read, and answers 304 where the caller has the same already.
fn tagged(request: &Request, answer: Answer) -> Answer {
    if !request.is_read() || answer.status != 200 {
        return answer;
    }
    let accept = request.header("accept").unwrap_or_default();
    let [a, b, ..] = words(&answer.body);
    let [c, ..] = words(accept.as_bytes());
    let tag = format!("W/\"{a:016x}{:016x}\"", b ^ c);
    let same = |given: &str| {
        given
            .split(',')
            .any(|one| one.trim() == tag || one.trim() == tag.trim_start_matches("W/"))
    };
    if request.header("if-none-match").is_some_and(same) {
        let link = answer
            .headers
            .into_iter()
            .filter(|(name, _)| *name == "link")
            .collect();
        return Answer {
            headers: link,
            ..Answer::empty(304)
        }
        .with("etag", tag);
    }
    answer
        .with("etag", tag)
        .with("cache-control", "private, max-age=60, s-maxage=60")
}

/// Writes an error as GitHub does.
pub fn message(status: u16, words: &str) -> Answer {
    Answer::json(
        status,
        &json!({
            "message": words,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string(),
        }),
    )
}

pub fn not_found() -> Refusal {
    message(404, "Not Found")
}

pub fn unprocessable(words: &str) -> Refusal {
    message(422, words)
}

impl Context<'_> {
    fn may(&self, permission: &str, level: &str) -> bool {
        match &self.token.power {
            Power::Fine(have) => {
                let have = have.get(permission).map(String::as_str);
                permission == "metadata"
                    || have == Some(level)
                    || (level == "read" && have == Some("write"))
            }
            Power::Scopes(scopes) => {
                let has = |scope: &str| scopes.iter().any(|one| one == scope);
                match permission {
                    "workflows" => has("workflow"),
                    "members" => has("read:org") || has("admin:org"),
                    _ if permission.starts_with("organization_") => has("admin:org"),
                    _ => has("repo"),
                }
            }
        }
    }

    /// Tells whether the token may read something, without asking for it.
    pub fn may_read(&self, permission: &str) -> bool {
        self.may(permission, "read")
    }

    pub fn now(&self) -> Ms {
        self.hall.world.now
    }

    /// Asks for a permission of the token: `actions`, `read`; several of which one is enough are tried by the caller.
    ///
    /// # Errors
    /// The refusal, where the token does not have it.
    pub fn need(&mut self, permission: &str, level: &str) -> Result<(), Refusal> {
        self.needed = Some(format!("{permission}={level}"));
        let enough = self.may(permission, level);
        if enough {
            return Ok(());
        }
        Err(match self.token.power {
            Power::Fine(_) => message(403, "Resource not accessible by personal access token"),
            // What a classic token's scopes do not cover is hidden.
            Power::Scopes(_) => not_found(),
        })
    }

    /// Finds a repository that the caller may see.
    ///
    /// # Errors
    /// 404 where there is none, or where it is private and not theirs.
    pub fn repo(&self, owner: &str, name: &str) -> Result<usize, Refusal> {
        let world = &self.hall.world;
        if !owner.eq_ignore_ascii_case(&world.org.login) {
            return Err(not_found());
        }
        let (at, repo) = world.repo(name).ok_or_else(not_found)?;
        if world.role(repo, &self.token.login).is_none() {
            return Err(not_found());
        }
        Ok(at)
    }

    pub fn get(&self, at: usize) -> Result<&Repo, Refusal> {
        self.hall.world.repos.get(at).ok_or_else(not_found)
    }

    pub fn get_mut(&mut self, at: usize) -> Result<&mut Repo, Refusal> {
        self.hall.world.repos.get_mut(at).ok_or_else(not_found)
    }

    /// Asks for a role of the caller in a repository: `push` or `admin`.
    ///
    /// # Errors
    /// The refusal, in GitHub's words.
    pub fn role(&self, at: usize, least: &str) -> Result<(), Refusal> {
        let role = self
            .hall
            .world
            .role(self.get(at)?, &self.token.login)
            .unwrap_or_default();
        let enough = match least {
            "admin" => role == "admin",
            _ => matches!(role, "admin" | "maintain" | "push"),
        };
        match (enough, least) {
            (true, _) => Ok(()),
            (false, "admin") => Err(message(403, "Must have admin rights to Repository.")),
            (false, _) => Err(message(
                403,
                "Resource not accessible by personal access token",
            )),
        }
    }

    /// Asks for the role of an owner of the organisation.
    ///
    /// # Errors
    /// 403 for everybody else.
    pub fn owner(&self, organisation: &str) -> Result<(), Refusal> {
        let world = &self.hall.world;
        if !organisation.eq_ignore_ascii_case(&world.org.login) {
            return Err(not_found());
        }
        let owner = world
            .person(&self.token.login)
            .is_some_and(|one| one.role.as_deref() == Some("owner"));
        if owner {
            Ok(())
        } else {
            Err(message(
                403,
                "You must be an org admin to perform this action.",
            ))
        }
    }

    /// Gives which items of a list are asked for: the first, and how many.
    pub fn page(&self) -> (usize, usize) {
        let number = |name: &str| {
            self.request
                .query(name)
                .and_then(|text| text.parse::<usize>().ok())
        };
        let per = number("per_page").unwrap_or(30).clamp(1, 100);
        let page = number("page").unwrap_or(1).max(1);
        ((page - 1) * per, per)
    }

    /// Adds the `Link` header of a page of a list.
    pub fn linked(&self, answer: Answer, total: usize) -> Answer {
        let (skip, per) = self.page();
        let (page, last) = (skip / per + 1, total.div_ceil(per).max(1));
        let mut links = Vec::new();
        let mut link = |page: usize, rel: &str| {
            links.push(format!("<{}>; rel=\"{rel}\"", self.page_address(page)))
        };
        if page > 1 {
            link(page - 1, "prev");
        }
        if page < last {
            link(page + 1, "next");
            link(last, "last");
        }
        if page > 1 {
            link(1, "first");
        }
        if links.is_empty() {
            answer
        } else {
            answer.with("link", links.join(", "))
        }
    }

    fn page_address(&self, page: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in self.request.query.iter().filter(|(key, _)| key != "page") {
            query.append_pair(key, value);
        }
        query.append_pair("page", &page.to_string());
        format!(
            "{}{}?{}",
            self.hall.github,
            self.request.path,
            query.finish()
        )
    }

    /// Answers one page of a bare list.
    pub fn list(&self, all: Vec<Value>) -> Answer {
        let (skip, per) = self.page();
        let total = all.len();
        let shown: Vec<Value> = all.into_iter().skip(skip).take(per).collect();
        self.linked(Answer::json(200, &Value::Array(shown)), total)
    }

    /// Answers one page of a list that stands under a name, with its total.
    pub fn counted_list(&self, name: &str, all: Vec<Value>) -> Answer {
        let (skip, per) = self.page();
        let total = all.len();
        let shown: Vec<Value> = all.into_iter().skip(skip).take(per).collect();
        self.linked(
            Answer::json(200, &json!({ "total_count": total, name: shown })),
            total,
        )
    }
}

fn route(context: &mut Context<'_>, parts: &[&str]) -> Result<Answer, Refusal> {
    let method = match context.request.method.as_str() {
        "HEAD" => "GET",
        other => other,
    };
    match parts {
        ["rate_limit"] if method == "GET" => Ok(settings::rate_limit(context)),
        ["user"] if method == "GET" => Ok(repos::user(context)),
        ["user", "repos"] if method == "GET" => repos::mine(context),
        ["users", login, "repos"] if method == "GET" => repos::of(context, login),
        ["users", login] if method == "GET" => repos::account(context, login),
        ["orgs", org, rest @ ..] => organisation(context, method, org, rest),
        ["repos", owner, name, rest @ ..] => {
            let at = context.repo(owner, name)?;
            repository(context, method, at, rest)
        }
        _ => Err(not_found()),
    }
}

fn organisation(
    context: &mut Context<'_>,
    method: &str,
    org: &str,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    if !org.eq_ignore_ascii_case(&context.hall.world.org.login) {
        return Err(not_found());
    }
    match (method, rest) {
        ("GET", []) => repos::organisation(context),
        ("GET", ["repos"]) => repos::of(context, org),
        ("GET", ["members"]) => repos::members(context),
        (
            _,
            [
                store @ ("actions" | "dependabot" | "codespaces" | "agents"),
                "secrets",
                rest @ ..,
            ],
        ) => secrets::organisation(context, method, org, store, rest),
        ("GET", ["actions", "variables"]) => secrets::org_variables(context, org),
        ("GET", ["actions", rest @ ..]) => settings::org_actions(context, org, rest),
        ("GET", ["rulesets"]) => settings::org_rulesets(context, org),
        _ => Err(not_found()),
    }
}

fn repository(
    context: &mut Context<'_>,
    method: &str,
    at: usize,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    match (method, rest) {
        ("GET", []) => repos::one(context, at),
        ("GET", ["collaborators", rest @ ..]) => repos::collaborators(context, at, rest),
        ("GET", ["branches", rest @ ..]) => settings::branches(context, at, rest),
        ("GET", ["rules", "branches", branch]) => settings::rules(context, at, branch),
        ("GET", ["rulesets"]) => settings::rulesets(context, at),
        ("GET", ["properties", "values"]) => Ok(Answer::json(200, &json!([]))),
        ("GET", ["environments"]) => settings::environments(context, at),
        ("GET", ["environments", name]) => settings::environment(context, at, name),
        ("GET", ["environments", name, "deployment-branch-policies"]) => {
            settings::policies(context, at, name)
        }
        (
            _,
            [
                "environments",
                name,
                what @ ("secrets" | "variables"),
                rest @ ..,
            ],
        ) => secrets::environment(context, method, at, name, what, rest),
        ("GET", ["actions", "permissions", rest @ ..]) => settings::permissions(context, at, rest),
        (_, ["actions", "oidc", "customization", "sub"]) => settings::subject(context, method, at),
        (
            _,
            [
                store @ ("actions" | "dependabot" | "codespaces" | "agents"),
                "secrets",
                rest @ ..,
            ],
        ) => secrets::repository(context, method, at, store, rest),
        ("GET", ["actions", "organization-secrets"]) => secrets::shared(context, at),
        ("GET", ["actions", "organization-variables"]) => secrets::shared_variables(context, at),
        (_, ["actions", "variables", rest @ ..]) => secrets::variables(context, method, at, rest),
        (_, ["actions", rest @ ..]) => actions::route(context, method, at, rest),
        ("GET", ["git", rest @ ..]) => git::read(context, at, rest),
        ("GET", ["contents", path @ ..]) => git::contents(context, at, path),
        ("GET", ["commits", rest @ ..]) => git::commits(context, at, rest),
        ("POST" | "PATCH" | "DELETE", ["git", rest @ ..]) => write::git(context, method, at, rest),
        ("PUT", ["contents", path @ ..]) => write::contents(context, at, path),
        _ => Err(not_found()),
    }
}
