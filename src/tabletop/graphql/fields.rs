//! The types and fields of GitHub's graph that this world has, and what they answer.
//! Names and types are those of GitHub's public schema; must not invent a field.

use std::cmp::Reverse;

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use crate::tabletop::clock::iso;
use crate::tabletop::github::{
    Context, below, children, folder_oid, run_node, run_state, run_updated, workflow_node,
};
use crate::tabletop::server::Hall;
use crate::tabletop::world::{Commit, Oid, Repo, Run, World};

/// Texts over so many bytes come back cut.
const TEXT_CAP: usize = 512 * 1024;

/// An object of the graph.
#[derive(Debug, Clone)]
pub enum Node {
    Query,
    Organization,
    /// A person, by login.
    User(String),
    Repository(usize),
    /// Repository, full name.
    Ref(usize, String),
    Commit(usize, Oid),
    /// Repository, commit, folder.
    Tree(usize, Oid, String),
    /// Repository, commit, path.
    TreeEntry(usize, Oid, String),
    Blob(Oid),
    /// Repository, place in its list.
    Workflow(usize, usize),
    Run(usize),
    RunFile(usize),
    CheckSuite(usize),
    Connection(Box<Connection>),
    /// A type's name and its fields as they are.
    Json(&'static str, Value),
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Connection {
    kind: &'static str,
    nodes: Vec<Node>,
    total: usize,
    skip: usize,
}

/// A field that is asked for.
pub struct Asked<'a> {
    pub name: &'a str,
    pub args: Map<String, Value>,
}

/// What a field gives.
pub enum Out {
    Leaf(Value),
    Node(Node),
    List(Vec<Option<Node>>),
    Missing(String),
    MissingSome(Vec<Option<Node>>, Vec<String>),
    Forbidden,
    Undefined,
    Invalid(&'static str, String),
}

impl Asked<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.args.get(name)?.as_str()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.args.get(name)?.as_bool()
    }

    /// Makes a page of a list, as `first` and `after` ask.
    fn page<T>(&self, kind: &'static str, all: Vec<T>, make: impl Fn(T) -> Node) -> Out {
        let number = |name: &str| self.args.get(name).and_then(Value::as_u64);
        let Some(size) = number("first").or_else(|| number("last")) else {
            let words = format!(
                "You must provide a `first` or `last` value to properly paginate the `{}` connection.",
                self.name
            );
            return Out::Invalid("MISSING_PAGINATION_BOUNDARIES", words);
        };
        if size > 100 {
            let words = format!(
                "Requesting {size} records on the `{}` connection exceeds the `first` limit of 100 records.",
                self.name
            );
            return Out::Invalid("EXCESSIVE_PAGINATION", words);
        }
        let after = self.text("after").and_then(read_cursor);
        if self.text("after").is_some() && after.is_none() {
            return Out::Invalid(
                "INVALID_CURSOR_ARGUMENTS",
                "`after` does not appear to be a valid cursor.".to_owned(),
            );
        }
        let (total, size) = (all.len(), size as usize);
        let skip = if self.args.contains_key("last") {
            total.saturating_sub(size)
        } else {
            after.unwrap_or(0)
        };
        let nodes = all.into_iter().skip(skip).take(size).map(make).collect();
        Out::Node(Node::Connection(Box::new(Connection {
            kind,
            nodes,
            total,
            skip,
        })))
    }
}

fn cursor(place: usize) -> String {
    BASE64.encode(format!("cursor:v2:{place}").as_bytes())
}

fn read_cursor(text: &str) -> Option<usize> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    std::str::from_utf8(&bytes)
        .ok()?
        .strip_prefix("cursor:v2:")?
        .parse()
        .ok()
}

fn leaf(value: impl Into<Value>) -> Out {
    Out::Leaf(value.into())
}

fn null() -> Out {
    Out::Leaf(Value::Null)
}

fn maybe(node: Option<Node>) -> Out {
    node.map_or_else(null, Out::Node)
}

impl Node {
    /// Gives the name of its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Query => "Query",
            Self::Organization => "Organization",
            Self::User(_) => "User",
            Self::Repository(_) => "Repository",
            Self::Ref(..) => "Ref",
            Self::Commit(..) => "Commit",
            Self::Tree(..) => "Tree",
            Self::TreeEntry(..) => "TreeEntry",
            Self::Blob(_) => "Blob",
            Self::Workflow(..) => "Workflow",
            Self::Run(_) => "WorkflowRun",
            Self::RunFile(_) => "WorkflowRunFile",
            Self::CheckSuite(_) => "CheckSuite",
            Self::Connection(one) => one.kind,
            Self::Json(kind, _) => kind,
        }
    }

    /// Tells whether it is of a type or has an interface.
    pub fn is(&self, kind: &str) -> bool {
        match kind {
            "GitObject" => matches!(self, Self::Commit(..) | Self::Tree(..) | Self::Blob(_)),
            "Actor" | "RepositoryOwner" | "ProfileOwner" => {
                matches!(self, Self::Organization | Self::User(_))
            }
            "Node" => !matches!(
                self,
                Self::Query | Self::TreeEntry(..) | Self::Connection(_)
            ),
            other => self.kind() == other,
        }
    }

    /// Answers a field.
    pub fn field(&self, context: &Context<'_>, asked: &Asked<'_>) -> Out {
        let world = &context.hall.world;
        match self {
            Self::Query => query(context, asked),
            Self::Organization => organization(context, asked),
            Self::User(login) => user(context, login, asked),
            Self::Repository(at) => match world.repos.get(*at) {
                Some(repo) => repository(context, *at, repo, asked),
                None => null(),
            },
            Self::Ref(at, name) => git_ref(world, *at, name, asked),
            Self::Commit(at, oid) => commit(context, *at, *oid, asked),
            Self::Tree(at, oid, folder) => tree(context.hall, *at, *oid, folder, asked),
            Self::TreeEntry(at, oid, path) => tree_entry(context.hall, *at, *oid, path, asked),
            Self::Blob(oid) => blob(world, *oid, asked),
            Self::Workflow(at, place) => workflow(world, *at, *place, asked),
            Self::Run(place) => world
                .runs
                .get(*place)
                .map_or_else(null, |run| workflow_run(world, *place, run, asked)),
            Self::RunFile(place) => world
                .runs
                .get(*place)
                .map_or_else(null, |run| run_file(world, *place, run, asked)),
            Self::CheckSuite(place) => world
                .runs
                .get(*place)
                .map_or_else(null, |run| check_suite(world, *place, run, asked)),
            Self::Connection(one) => one.field(asked),
            Self::Json(_, value) => value
                .get(asked.name)
                .cloned()
                .map_or(Out::Undefined, Out::Leaf),
        }
    }
}

impl Connection {
    fn field(&self, asked: &Asked<'_>) -> Out {
        match asked.name {
            "totalCount" => leaf(self.total),
            "nodes" => Out::List(self.nodes.iter().cloned().map(Some).collect()),
            "pageInfo" => {
                let end = self.skip + self.nodes.len();
                Out::Node(Node::Json(
                    "PageInfo",
                    json!({
                        "hasNextPage": end < self.total,
                        "hasPreviousPage": self.skip > 0,
                        "startCursor": (!self.nodes.is_empty()).then(|| cursor(self.skip)),
                        "endCursor": (!self.nodes.is_empty()).then(|| cursor(end)),
                    }),
                ))
            }
            _ => Out::Undefined,
        }
    }
}

fn seen(context: &Context<'_>, repo: &Repo) -> bool {
    context
        .hall
        .world
        .role(repo, &context.token.login)
        .is_some()
}

fn query(context: &Context<'_>, asked: &Asked<'_>) -> Out {
    let world = &context.hall.world;
    let ours = |login: &str| login.eq_ignore_ascii_case(&world.org.login);
    let login = asked.text("login").unwrap_or_default();
    let missing = |kind: &str| {
        Out::Missing(format!(
            "Could not resolve to {kind} with the login of '{login}'."
        ))
    };
    match asked.name {
        "viewer" => Out::Node(Node::User(context.token.login.to_string())),
        "organization" if ours(login) => Out::Node(Node::Organization),
        "organization" => missing("an Organization"),
        "user" => match world.person(login) {
            Some(_) => Out::Node(Node::User(login.to_owned())),
            None => missing("a User"),
        },
        "repositoryOwner" if ours(login) => Out::Node(Node::Organization),
        "repositoryOwner" => maybe(world.person(login).map(|_| Node::User(login.to_owned()))),
        "repository" => {
            let (owner, name) = (
                asked.text("owner").unwrap_or_default(),
                asked.text("name").unwrap_or_default(),
            );
            let found = world
                .repo(name)
                .filter(|(_, repo)| ours(owner) && seen(context, repo));
            match found {
                Some((at, _)) => Out::Node(Node::Repository(at)),
                None => Out::Missing(format!(
                    "Could not resolve to a Repository with the name '{owner}/{name}'."
                )),
            }
        }
        "node" => match asked.text("id").and_then(|id| by_id(context, id)) {
            Some(node) => Out::Node(node),
            None => Out::Missing("Could not resolve to a node with the global id.".to_owned()),
        },
        "nodes" => {
            let ids: Vec<&str> = match asked.args.get("ids").and_then(Value::as_array) {
                Some(ids) => ids.iter().filter_map(Value::as_str).collect(),
                None => {
                    return Out::Invalid(
                        "missingRequiredArguments",
                        "Field 'nodes' is missing required arguments: ids".to_owned(),
                    );
                }
            };
            if ids.len() > 100 {
                return Out::Invalid(
                    "ARGUMENT_LIMIT",
                    format!(
                        "You may not provide more than 100 node ids; you provided {}.",
                        ids.len()
                    ),
                );
            }
            let mut missing = Vec::new();
            let all = ids.iter().map(|id| {
                let found = by_id(context, id);
                if found.is_none() {
                    missing.push(format!(
                        "Could not resolve to a node with the global id of '{id}'"
                    ));
                }
                found
            });
            let all = all.collect();
            Out::MissingSome(all, missing)
        }
        _ => Out::Undefined,
    }
}

/// Finds a node by its global id, if the caller may see it.
fn by_id(context: &Context<'_>, id: &str) -> Option<Node> {
    let world = &context.hall.world;
    let number = |start: &str| u64::from_str_radix(id.strip_prefix(start)?, 16).ok();
    let (at, node) = if let Some(id) = number("R_tt") {
        let at = world.repos.iter().position(|repo| repo.id == id)?;
        (at, Node::Repository(at))
    } else if let Some(id) = number("W_tt") {
        world.repos.iter().enumerate().find_map(|(at, repo)| {
            let place = repo.workflows.iter().position(|one| one.id == id)?;
            Some((at, Node::Workflow(at, place)))
        })?
    } else {
        let (place, run) = world.run(number("WFR_tt")?)?;
        (run.repo, Node::Run(place))
    };
    seen(context, world.repos.get(at)?).then_some(node)
}

fn organization(context: &Context<'_>, asked: &Asked<'_>) -> Out {
    let org = &context.hall.world.org;
    match asked.name {
        "id" => leaf(format!("O_tt{:x}", org.id)),
        "databaseId" => leaf(org.id),
        "login" => leaf(&*org.login),
        "name" => leaf(org.name.as_str()),
        "createdAt" => leaf(iso(org.created)),
        "url" => leaf(format!("https://github.com/{}", org.login)),
        "repositories" => repositories(context, asked),
        "repository" => {
            let name = asked.text("name").unwrap_or_default();
            let found = context
                .hall
                .world
                .repo(name)
                .filter(|(_, repo)| seen(context, repo));
            maybe(found.map(|(at, _)| Node::Repository(at)))
        }
        _ => Out::Undefined,
    }
}

fn user(context: &Context<'_>, login: &str, asked: &Asked<'_>) -> Out {
    let Some(one) = context.hall.world.person(login) else {
        return null();
    };
    match asked.name {
        "id" => leaf(format!("U_tt{:x}", one.id)),
        "databaseId" => leaf(one.id),
        "login" => leaf(&*one.login),
        "name" => leaf(one.name.as_str()),
        "email" => leaf(one.email.as_str()),
        "url" => leaf(format!("https://github.com/{}", one.login)),
        "avatarUrl" => leaf(format!(
            "https://avatars.githubusercontent.com/u/{}?v=4",
            one.id
        )),
        // People of this world own no repositories themselves.
        "repositories" => asked.page(
            "RepositoryConnection",
            Vec::<usize>::new(),
            Node::Repository,
        ),
        _ => Out::Undefined,
    }
}

fn repositories(context: &Context<'_>, asked: &Asked<'_>) -> Out {
    let world = &context.hall.world;
    let mut all: Vec<usize> = (0..world.repos.len())
        .filter(|at| {
            world.repos.get(*at).is_some_and(|repo| {
                seen(context, repo)
                    && asked
                        .flag("isArchived")
                        .is_none_or(|wish| wish == repo.archived)
                    && asked.flag("isFork").is_none_or(|wish| wish == repo.fork)
                    && asked
                        .text("privacy")
                        .is_none_or(|wish| (wish == "PRIVATE") == repo.private)
            })
        })
        .collect();
    let order = asked.args.get("orderBy").and_then(Value::as_object);
    let word = |name: &str| {
        order
            .and_then(|order| order.get(name))
            .and_then(Value::as_str)
    };
    let time = |at: &usize| {
        let repo = world.repos.get(*at);
        repo.map_or(0, |repo| {
            if word("field") == Some("CREATED_AT") {
                repo.created
            } else {
                repo.pushed
            }
        })
    };
    match word("field") {
        None => {}
        Some("NAME") => all.sort_by_key(|at| world.repos.get(*at).map(|repo| repo.name.clone())),
        Some(_) => all.sort_by_key(time),
    }
    if word("direction") == Some("DESC") {
        all.reverse();
    }
    asked.page("RepositoryConnection", all, Node::Repository)
}

fn repository(context: &Context<'_>, at: usize, repo: &Repo, asked: &Asked<'_>) -> Out {
    let world = &context.hall.world;
    let login = &world.org.login;
    match asked.name {
        "id" => leaf(format!("R_tt{:x}", repo.id)),
        "databaseId" => leaf(repo.id),
        "name" => leaf(&*repo.name),
        "nameWithOwner" => leaf(format!("{login}/{}", repo.name)),
        "owner" => Out::Node(Node::Organization),
        "isPrivate" => leaf(repo.private),
        "isFork" => leaf(repo.fork),
        "isArchived" => leaf(repo.archived),
        "isDisabled" | "isEmpty" | "isTemplate" | "isMirror" => leaf(false),
        "visibility" => leaf(if repo.private { "PRIVATE" } else { "PUBLIC" }),
        "createdAt" => leaf(iso(repo.created)),
        "pushedAt" | "updatedAt" => leaf(iso(repo.pushed)),
        "url" => leaf(format!("https://github.com/{login}/{}", repo.name)),
        "description" => leaf(repo.description.as_str()),
        "diskUsage" => leaf(120),
        "viewerPermission" => {
            let role = world.role(repo, &context.token.login);
            leaf(match role {
                Some("admin") => "ADMIN",
                Some("maintain") => "MAINTAIN",
                Some("push") => "WRITE",
                Some("triage") => "TRIAGE",
                _ => "READ",
            })
        }
        "viewerCanAdminister" => leaf(world.role(repo, &context.token.login) == Some("admin")),
        "defaultBranchRef" => {
            let name = format!("refs/heads/{}", repo.default_branch);
            maybe(repo.refs.contains_key(&name).then_some(Node::Ref(at, name)))
        }
        "ref" => {
            let name = asked.text("qualifiedName").unwrap_or_default();
            let full = [
                name.to_owned(),
                format!("refs/heads/{name}"),
                format!("refs/tags/{name}"),
            ];
            let found = full.into_iter().find(|full| repo.refs.contains_key(full));
            maybe(found.map(|full| Node::Ref(at, full)))
        }
        "refs" => refs(at, repo, asked),
        "object" => {
            if !context.may_read("contents") {
                return Out::Forbidden;
            }
            maybe(object(world, at, repo, asked))
        }
        "branchProtectionRules" => {
            let rules = usize::from(repo.rules.pull_request);
            asked.page("BranchProtectionRuleConnection", vec![(); rules], |()| {
                protection(repo)
            })
        }
        _ => Out::Undefined,
    }
}

fn protection(repo: &Repo) -> Node {
    Node::Json(
        "BranchProtectionRule",
        json!({
            "id": format!("BPR_tt{:x}", repo.id),
            "pattern": &*repo.default_branch,
            "requiresApprovingReviews": repo.rules.pull_request,
            "requiredApprovingReviewCount": repo.rules.approvals,
            "requiresCodeOwnerReviews": repo.rules.code_owners,
        }),
    )
}

fn refs(at: usize, repo: &Repo, asked: &Asked<'_>) -> Out {
    let Some(prefix) = asked.text("refPrefix") else {
        return Out::Invalid(
            "missingRequiredArguments",
            "Field 'refs' is missing required arguments: refPrefix".to_owned(),
        );
    };
    let wanted = asked.text("query").unwrap_or_default();
    let names = repo
        .refs
        .keys()
        .filter(|name| name.starts_with(prefix) && name.contains(wanted));
    let mut all: Vec<String> = names.cloned().collect();
    let order = asked.args.get("orderBy").and_then(Value::as_object);
    let word = |name: &str| {
        order
            .and_then(|order| order.get(name))
            .and_then(Value::as_str)
    };
    if word("field") == Some("TAG_COMMIT_DATE") {
        all.sort_by_key(|name| repo.at(name).map(|commit| commit.at));
    }
    if word("direction") == Some("DESC") {
        all.reverse();
    }
    asked.page("RefConnection", all, |name| Node::Ref(at, name))
}

/// Finds what `HEAD:path`, `branch:path`, a ref or an id names.
fn object(world: &World, at: usize, repo: &Repo, asked: &Asked<'_>) -> Option<Node> {
    if let Some(text) = asked.text("oid") {
        let oid = Oid::parse(text)?;
        if repo.commits.contains_key(&oid) {
            return Some(Node::Commit(at, oid));
        }
        if world.blobs.contains_key(&oid) {
            return Some(Node::Blob(oid));
        }
        let known = repo.commits.values().find_map(|commit| {
            let folder = ["", ".github/workflows", ".github"]
                .into_iter()
                .find(|one| folder_oid(commit, one) == oid)?;
            Some(Node::Tree(at, commit.oid, folder.to_owned()))
        });
        return known;
    }
    let expression = asked.text("expression")?;
    let (rev, path) = expression
        .split_once(':')
        .map_or((expression, None), |(rev, path)| (rev, Some(path)));
    let commit = repo.at(rev)?;
    match path {
        None => Some(Node::Commit(at, commit.oid)),
        Some(path) => at_path(at, commit, path.trim_matches('/')),
    }
}

fn at_path(at: usize, commit: &Commit, path: &str) -> Option<Node> {
    if let Some(oid) = commit.tree.get(path) {
        return Some(Node::Blob(*oid));
    }
    let prefix = format!("{path}/");
    let folder = path.is_empty()
        || below(&commit.tree, &prefix)
            .next()
            .is_some_and(|(name, _)| name.starts_with(&prefix));
    folder.then(|| Node::Tree(at, commit.oid, path.to_owned()))
}

fn git_ref(world: &World, at: usize, name: &str, asked: &Asked<'_>) -> Out {
    let Some(repo) = world.repos.get(at) else {
        return null();
    };
    let short = name.splitn(3, '/').nth(2).unwrap_or(name);
    let prefix = name.strip_suffix(short).unwrap_or_default();
    match asked.name {
        "id" => leaf(format!("REF_tt{:x}{}", repo.id, name.replace('/', "_"))),
        "name" => leaf(short),
        "prefix" => leaf(prefix),
        "target" => maybe(repo.refs.get(name).map(|oid| Node::Commit(at, *oid))),
        "repository" => Out::Node(Node::Repository(at)),
        "branchProtectionRule" => {
            let held =
                repo.rules.pull_request && name == format!("refs/heads/{}", repo.default_branch);
            maybe(held.then(|| protection(repo)))
        }
        _ => Out::Undefined,
    }
}

fn commit(context: &Context<'_>, at: usize, oid: Oid, asked: &Asked<'_>) -> Out {
    let world = &context.hall.world;
    let found = world.repos.get(at).and_then(|repo| repo.commits.get(&oid));
    let Some(commit) = found else {
        return if asked.name == "oid" {
            leaf(oid.to_string())
        } else {
            null()
        };
    };
    match asked.name {
        "id" => leaf(format!("C_tt{oid}")),
        "oid" => leaf(oid.to_string()),
        "abbreviatedOid" => leaf(oid.to_string().chars().take(7).collect::<String>()),
        "message" => leaf(&*commit.message),
        "messageHeadline" => leaf(commit.message.lines().next().unwrap_or_default()),
        "committedDate" | "authoredDate" => leaf(iso(commit.at)),
        "repository" => Out::Node(Node::Repository(at)),
        "file" | "tree" if !context.may_read("contents") => Out::Forbidden,
        "tree" => Out::Node(Node::Tree(at, oid, String::new())),
        "file" => {
            let path = asked.text("path").unwrap_or_default();
            let there = at_path(at, commit, path).is_some();
            maybe(there.then(|| Node::TreeEntry(at, oid, path.to_owned())))
        }
        _ => Out::Undefined,
    }
}

fn tree(hall: &Hall, at: usize, oid: Oid, folder: &str, asked: &Asked<'_>) -> Out {
    let found = hall
        .world
        .repos
        .get(at)
        .and_then(|repo| repo.commits.get(&oid));
    let Some(commit) = found else { return null() };
    match asked.name {
        "id" => leaf(format!("T_tt{}", folder_oid(commit, folder))),
        "oid" => leaf(folder_oid(commit, folder).to_string()),
        "entries" => {
            let all = children(hall, commit, folder).unwrap_or_default();
            let path = |name: &str| {
                if folder.is_empty() {
                    name.to_owned()
                } else {
                    format!("{folder}/{name}")
                }
            };
            Out::List(
                all.iter()
                    .map(|entry| Some(Node::TreeEntry(at, oid, path(&entry.name))))
                    .collect(),
            )
        }
        _ => Out::Undefined,
    }
}

fn tree_entry(hall: &Hall, at: usize, oid: Oid, path: &str, asked: &Asked<'_>) -> Out {
    let found = hall
        .world
        .repos
        .get(at)
        .and_then(|repo| repo.commits.get(&oid));
    let Some(commit) = found else { return null() };
    let blob = commit.tree.get(path).copied();
    match asked.name {
        "name" => leaf(path.rsplit('/').next().unwrap_or_default()),
        "path" => leaf(path),
        "extension" => leaf(
            path.rsplit_once('.')
                .map_or(String::new(), |(_, end)| format!(".{end}")),
        ),
        "mode" => leaf(if blob.is_some() { 0o100_644 } else { 0o040_000 }),
        "type" => leaf(if blob.is_some() { "blob" } else { "tree" }),
        "size" => leaf(
            blob.and_then(|oid| hall.world.blobs.get(&oid))
                .map_or(0, |text| text.len()),
        ),
        "oid" => leaf(blob.unwrap_or_else(|| folder_oid(commit, path)).to_string()),
        "object" => maybe(at_path(at, commit, path)),
        "repository" => Out::Node(Node::Repository(at)),
        _ => Out::Undefined,
    }
}

fn blob(world: &World, oid: Oid, asked: &Asked<'_>) -> Out {
    let Some(text) = world.blobs.get(&oid) else {
        return null();
    };
    match asked.name {
        "id" => leaf(format!("B_tt{oid}")),
        "oid" => leaf(oid.to_string()),
        "byteSize" => leaf(text.len()),
        "isBinary" => leaf(false),
        "isTruncated" => leaf(text.len() > TEXT_CAP),
        "text" => {
            let mut end = text.len().min(TEXT_CAP);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            leaf(text.get(..end).unwrap_or_default())
        }
        _ => Out::Undefined,
    }
}

fn workflow(world: &World, at: usize, place: usize, asked: &Asked<'_>) -> Out {
    let Some(repo) = world.repos.get(at) else {
        return null();
    };
    let Some(one) = repo.workflows.get(place) else {
        return null();
    };
    match asked.name {
        "id" => leaf(workflow_node(one)),
        "databaseId" => leaf(one.id),
        "name" => leaf(&*one.name),
        "state" => leaf(one.state.to_ascii_uppercase()),
        "createdAt" => leaf(iso(one.created)),
        "updatedAt" => leaf(iso(one.updated)),
        "resourcePath" => leaf(format!(
            "/{}/{}/actions/workflows/{}",
            world.org.login,
            repo.name,
            file_name(&one.path)
        )),
        "url" => leaf(format!(
            "https://github.com/{}/{}/actions/workflows/{}",
            world.org.login,
            repo.name,
            file_name(&one.path)
        )),
        "runs" => {
            let all = repo.runs.iter().copied();
            let mut all: Vec<usize> = all
                .filter(|run| {
                    world
                        .runs
                        .get(*run)
                        .is_some_and(|run| run.workflow == place)
                })
                .collect();
            all.sort_by_key(|run| world.runs.get(*run).map(|run| Reverse(run.created)));
            asked.page("WorkflowRunConnection", all, Node::Run)
        }
        _ => Out::Undefined,
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn run_url(world: &World, run: &Run) -> String {
    let name = world.repos.get(run.repo).map_or("", |repo| &*repo.name);
    format!(
        "https://github.com/{}/{name}/actions/runs/{}",
        world.org.login, run.id
    )
}

fn workflow_run(world: &World, place: usize, run: &Run, asked: &Asked<'_>) -> Out {
    match asked.name {
        "id" => leaf(run_node(run)),
        "databaseId" => leaf(run.id),
        "runNumber" => leaf(run.number),
        "event" => leaf(&*run.event),
        "createdAt" => leaf(iso(run.created)),
        "updatedAt" => leaf(iso(run_updated(run, world.now))),
        "url" => leaf(run_url(world, run)),
        "file" => Out::Node(Node::RunFile(place)),
        "checkSuite" => Out::Node(Node::CheckSuite(place)),
        "workflow" => Out::Node(Node::Workflow(run.repo, run.workflow)),
        _ => Out::Undefined,
    }
}

fn run_file(world: &World, place: usize, run: &Run, asked: &Asked<'_>) -> Out {
    let path = world
        .repos
        .get(run.repo)
        .and_then(|repo| repo.workflows.get(run.workflow))
        .map(|one| &*one.path);
    let path = path.unwrap_or_default();
    match asked.name {
        "id" => leaf(format!("WRF_tt{:x}", run.id)),
        "path" => leaf(path),
        "url" => leaf(format!("{}/workflow", run_url(world, run))),
        "run" => Out::Node(Node::Run(place)),
        _ => Out::Undefined,
    }
}

fn check_suite(world: &World, place: usize, run: &Run, asked: &Asked<'_>) -> Out {
    let (status, conclusion) = run_state(run, world.now);
    match asked.name {
        "id" => leaf(format!("CS_tt{:x}", run.id + 11)),
        "databaseId" => leaf(run.id + 11),
        "status" => leaf(status.to_ascii_uppercase()),
        "conclusion" => Out::Leaf(json!(conclusion.map(str::to_ascii_uppercase))),
        "createdAt" => leaf(iso(run.created)),
        "updatedAt" => leaf(iso(run_updated(run, world.now))),
        "commit" => Out::Node(Node::Commit(run.repo, run.sha)),
        "branch" => {
            let repo = world.repos.get(run.repo);
            let full = ["refs/heads/", "refs/tags/"].map(|start| format!("{start}{}", run.branch));
            let found = full
                .into_iter()
                .find(|full| repo.is_some_and(|repo| repo.refs.contains_key(full)));
            maybe(found.map(|full| Node::Ref(run.repo, full)))
        }
        "creator" => maybe(
            world
                .person(&run.actor)
                .map(|one| Node::User(one.login.to_string())),
        ),
        "repository" => Out::Node(Node::Repository(run.repo)),
        "workflowRun" => Out::Node(Node::Run(place)),
        _ => Out::Undefined,
    }
}
