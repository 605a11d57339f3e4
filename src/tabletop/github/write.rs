//! Addresses that write Git: blobs, trees, commits, refs, contents of a file. A ref that moves fires workflows.
//! Touching `.github/workflows` asks for the permission for workflows besides the one for contents.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Context, Refusal, body, git, message, not_found, unprocessable};
use crate::tabletop::server::Answer;
use crate::tabletop::world::{Cause, Commit, Oid, Tree};

fn word<'a>(value: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    let missing = || unprocessable(&format!("Invalid request.\n\n\"{name}\" wasn't supplied."));
    value.get(name).and_then(Value::as_str).ok_or_else(missing)
}

fn text_of(content: &str, encoding: &str) -> Result<String, Refusal> {
    if encoding != "base64" {
        return Ok(content.to_owned());
    }
    let packed: String = content.split_whitespace().collect();
    let bytes = BASE64.decode(packed.as_bytes());
    let bytes = bytes
        .ok()
        .ok_or_else(|| unprocessable("content is not valid Base64"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `/repos/{owner}/{repo}/git/…`, writing.
pub fn git(
    context: &mut Context<'_>,
    method: &str,
    at: usize,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    context.need("contents", "write")?;
    context.role(at, "push")?;
    let asked = context.request.json();
    match (method, rest) {
        ("POST", ["blobs"]) => {
            let encoding = asked
                .get("encoding")
                .and_then(Value::as_str)
                .unwrap_or("utf-8");
            let text = text_of(word(&asked, "content")?, encoding)?;
            let oid = context.hall.world.blob(&text);
            let url = format!(
                "{}/git/blobs/{oid}",
                body::address(context.hall, context.get(at)?)
            );
            Ok(Answer::json(
                201,
                &json!({ "url": url, "sha": oid.to_string() }),
            ))
        }
        ("POST", ["trees"]) => make_tree(context, at, &asked),
        ("POST", ["commits"]) => make_commit(context, at, &asked),
        ("POST", ["refs"]) => {
            let full = word(&asked, "ref")?.to_owned();
            let target = target(context, at, &asked)?;
            if !full.starts_with("refs/") || full.split('/').count() < 3 {
                return Err(unprocessable(
                    "Reference name must start with 'refs/' and have at least two slashes",
                ));
            }
            if context.get(at)?.refs.contains_key(&full) {
                return Err(unprocessable("Reference already exists"));
            }
            moved(context, at, &full, target)?;
            Ok(Answer::json(
                201,
                &git::ref_json(context.hall, context.get(at)?, &full, target),
            ))
        }
        ("PATCH", ["refs", name @ ..]) => {
            let full = format!("refs/{}", name.join("/"));
            let target = target(context, at, &asked)?;
            let was = *context
                .get(at)?
                .refs
                .get(&full)
                .ok_or_else(|| unprocessable("Reference does not exist"))?;
            let force = asked.get("force").and_then(Value::as_bool).unwrap_or(false);
            if !force && !descends(context, at, target, was)? {
                return Err(unprocessable("Update is not a fast forward"));
            }
            guarded(context, at, &full)?;
            moved(context, at, &full, target)?;
            Ok(Answer::json(
                200,
                &git::ref_json(context.hall, context.get(at)?, &full, target),
            ))
        }
        ("DELETE", ["refs", name @ ..]) => {
            let full = format!("refs/{}", name.join("/"));
            guarded(context, at, &full)?;
            let gone = context.get_mut(at)?.refs.remove(&full);
            gone.map(|_| Answer::empty(204))
                .ok_or_else(|| unprocessable("Reference does not exist"))
        }
        _ => Err(not_found()),
    }
}

/// A branch that wants pull requests takes no direct push.
fn guarded(context: &Context<'_>, at: usize, full: &str) -> Result<(), Refusal> {
    let repo = context.get(at)?;
    if repo.rules.pull_request && full == format!("refs/heads/{}", repo.default_branch) {
        return Err(message(
            422,
            "Repository rule violations found\n\nChanges must be made through a pull request.",
        ));
    }
    Ok(())
}

fn target(context: &Context<'_>, at: usize, asked: &Value) -> Result<Oid, Refusal> {
    let oid = Oid::parse(word(asked, "sha")?)
        .ok_or_else(|| unprocessable("The sha parameter must be exactly 40 characters"))?;
    let known = context.get(at)?.commits.contains_key(&oid);
    if known {
        Ok(oid)
    } else {
        Err(unprocessable("Object does not exist"))
    }
}

fn descends(context: &Context<'_>, at: usize, from: Oid, ancestor: Oid) -> Result<bool, Refusal> {
    let repo = context.get(at)?;
    let mut next = vec![from];
    while let Some(oid) = next.pop() {
        if oid == ancestor {
            return Ok(true);
        }
        next.extend(
            repo.commits
                .get(&oid)
                .map(|one| one.parents.clone())
                .unwrap_or_default(),
        );
    }
    Ok(false)
}

/// Moves a ref, asks for the permission where workflow files differ, and fires what a push fires.
fn moved(context: &mut Context<'_>, at: usize, full: &str, to: Oid) -> Result<(), Refusal> {
    let repo = context.get(at)?;
    let commit = repo.commits.get(&to).ok_or_else(not_found)?.clone();
    let before = repo
        .at(full)
        .or_else(|| repo.head())
        .map(|one| Arc::clone(&one.tree))
        .unwrap_or_default();
    if workflows(&before) != workflows(&commit.tree) {
        context.need("workflows", "write")?;
    }
    context.get_mut(at)?.refs.insert(full.to_owned(), to);
    let login = context.token.login.to_string();
    let title = commit.message.lines().next().unwrap_or_default().to_owned();
    let cause = Cause {
        event: "push",
        git_ref: full,
        sha: to,
        actor: &login,
        title: &title,
        inputs: BTreeMap::new(),
        version: None,
    };
    context.hall.world.fire(at, &cause);
    Ok(())
}

fn workflows(tree: &Tree) -> Vec<(&str, Oid)> {
    let start = ".github/workflows/";
    let files = git::below(tree, start).take_while(|(path, _)| path.starts_with(start));
    files.map(|(path, oid)| (&**path, *oid)).collect()
}

fn make_tree(context: &mut Context<'_>, at: usize, asked: &Value) -> Result<Answer, Refusal> {
    let mut files: BTreeMap<Arc<str>, Oid> = match asked.get("base_tree").and_then(Value::as_str) {
        None => BTreeMap::new(),
        Some(base) => {
            let oid = Oid::parse(base).ok_or_else(not_found)?;
            let repo = context.get(at)?;
            let commit = repo.commits.get(&oid);
            let commit = commit.or_else(|| {
                repo.commits
                    .values()
                    .find(|one| git::folder_oid(one, "") == oid)
            });
            let loose = || context.hall.trees.get(&oid).cloned();
            let tree = commit.map(|one| Arc::clone(&one.tree)).or_else(loose);
            (*tree.ok_or_else(not_found)?).clone()
        }
    };
    for entry in asked
        .get("tree")
        .and_then(Value::as_array)
        .ok_or_else(|| unprocessable("\"tree\" wasn't supplied."))?
    {
        let path: Arc<str> = Arc::from(word(entry, "path")?);
        if let Some(content) = entry.get("content").and_then(Value::as_str) {
            let oid = context.hall.world.blob(content);
            files.insert(path, oid);
        } else if entry.get("sha").is_some_and(Value::is_null) {
            files.remove(&path);
        } else {
            let oid = Oid::parse(word(entry, "sha")?)
                .filter(|oid| context.hall.world.blobs.contains_key(oid));
            files.insert(
                path,
                oid.ok_or_else(|| unprocessable("tree.sha is not a valid object"))?,
            );
        }
    }
    let commit = loose(Arc::new(files));
    let oid = git::folder_oid(&commit, "");
    context.hall.trees.insert(oid, commit.tree);
    let url = format!(
        "{}/git/trees/{oid}",
        body::address(context.hall, context.get(at)?)
    );
    Ok(Answer::json(
        201,
        &json!({ "sha": oid.to_string(), "url": url, "tree": [], "truncated": false }),
    ))
}

/// A tree that no commit has yet, in the form of one that has.
fn loose(tree: Tree) -> Commit {
    Commit {
        oid: Oid::of("commit", b"loose"),
        parents: Vec::new(),
        tree,
        at: 0,
        author: Arc::from(""),
        message: Arc::from(""),
    }
}

fn make_commit(context: &mut Context<'_>, at: usize, asked: &Value) -> Result<Answer, Refusal> {
    let words = word(asked, "message")?.to_owned();
    let tree =
        Oid::parse(word(asked, "tree")?).ok_or_else(|| unprocessable("Tree SHA does not exist"))?;
    let repo = context.get(at)?;
    let known = repo
        .commits
        .values()
        .find(|one| git::folder_oid(one, "") == tree)
        .map(|one| Arc::clone(&one.tree));
    let found = context.hall.trees.get(&tree).cloned().or(known);
    let files = found.ok_or_else(|| unprocessable("Tree SHA does not exist"))?;
    let parents: Vec<Oid> = asked
        .get("parents")
        .and_then(Value::as_array)
        .map(|all| {
            all.iter()
                .filter_map(Value::as_str)
                .filter_map(Oid::parse)
                .collect()
        })
        .unwrap_or_default();
    if parents
        .iter()
        .any(|parent| !repo.commits.contains_key(parent))
    {
        return Err(unprocessable(
            "Parent SHA does not exist or is not a commit object",
        ));
    }
    let oid = add_commit(context, at, files, parents, &words)?;
    let (hall, repo) = (&*context.hall, context.get(at)?);
    let commit = repo.commits.get(&oid).ok_or_else(not_found)?;
    Ok(Answer::json(201, &git::git_commit(hall, repo, commit)))
}

fn add_commit(
    context: &mut Context<'_>,
    at: usize,
    tree: Tree,
    parents: Vec<Oid>,
    words: &str,
) -> Result<Oid, Refusal> {
    let (now, author) = (context.now(), Arc::clone(&context.token.login));
    let repo = context.get_mut(at)?;
    let mut seed = format!("{} {now} {words} {}", repo.id, repo.commits.len());
    for (path, oid) in tree.iter() {
        seed.push_str(&format!("{path} {oid}\n"));
    }
    let oid = Oid::of("commit", seed.as_bytes());
    let message = Arc::from(words);
    repo.commits.insert(
        oid,
        Commit {
            oid,
            parents,
            tree,
            at: now,
            author,
            message,
        },
    );
    Ok(oid)
}

/// `PUT /repos/{owner}/{repo}/contents/{path}`
pub fn contents(context: &mut Context<'_>, at: usize, path: &[&str]) -> Result<Answer, Refusal> {
    context.need("contents", "write")?;
    context.role(at, "push")?;
    let asked = context.request.json();
    let path = path.join("/");
    let words = word(&asked, "message")?.to_owned();
    let text = text_of(word(&asked, "content")?, "base64")?;
    let repo = context.get(at)?;
    let branch = asked
        .get("branch")
        .and_then(Value::as_str)
        .unwrap_or(&repo.default_branch)
        .to_owned();
    let full = format!("refs/heads/{branch}");
    let head = repo
        .at(&full)
        .ok_or_else(|| message(404, &format!("Branch {branch} not found")))?
        .clone();
    let had = head.tree.get(path.as_str()).copied();
    match (had, asked.get("sha").and_then(Value::as_str)) {
        (Some(_), None) => {
            return Err(unprocessable(
                "Invalid request.\n\n\"sha\" wasn't supplied.",
            ));
        }
        (Some(was), Some(sha)) if was.to_string() != sha => {
            return Err(message(409, &format!("{path} does not match {sha}")));
        }
        _ => {}
    }
    guarded(context, at, &full)?;
    let blob = context.hall.world.blob(&text);
    let mut files = (*head.tree).clone();
    files.insert(Arc::from(path.as_str()), blob);
    let oid = add_commit(context, at, Arc::new(files), vec![head.oid], &words)?;
    moved(context, at, &full, oid)?;
    let (hall, repo) = (&*context.hall, context.get(at)?);
    let commit = repo.commits.get(&oid).ok_or_else(not_found)?;
    let mut content = git::file_json(hall, repo, &branch, &path, blob, None);
    if let Some(map) = content.as_object_mut() {
        map.insert("size".to_owned(), json!(text.len()));
    }
    Ok(Answer::json(
        if had.is_some() { 200 } else { 201 },
        &json!({ "content": content, "commit": git::git_commit(hall, repo, commit) }),
    ))
}
