//! Addresses of Git objects: refs, trees, blobs, commits, contents of files.
//! Must not change the world.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Context, Refusal, body, message, not_found};
use crate::tabletop::clock::iso;
use crate::tabletop::server::{Answer, Hall};
use crate::tabletop::world::{Commit, Oid, Repo, Tree};

/// The direct children of a folder: name, whether it is a folder, id, and size of a file.
pub struct Entry {
    pub name: String,
    pub folder: bool,
    pub oid: Oid,
    pub size: usize,
}

/// Gives a tree's files from a path on.
pub fn below<'a>(tree: &'a Tree, from: &str) -> impl Iterator<Item = (&'a Arc<str>, &'a Oid)> {
    tree.range::<str, _>((Bound::Included(from), Bound::Unbounded))
}

/// Gives the id of a folder's tree: it depends on what is in it.
pub fn folder_oid(commit: &Commit, folder: &str) -> Oid {
    let prefix = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    let mut text = String::new();
    for (path, oid) in below(&commit.tree, &prefix) {
        let Some(rest) = path.strip_prefix(prefix.as_str()) else {
            break;
        };
        text.push_str(&format!("{rest} {oid}\n"));
    }
    Oid::of("tree", text.as_bytes())
}

/// Lists a folder; none where there is no such folder.
pub fn children(hall: &Hall, commit: &Commit, folder: &str) -> Option<Vec<Entry>> {
    let prefix = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    let mut found: BTreeMap<String, Entry> = BTreeMap::new();
    for (path, oid) in below(&commit.tree, &prefix) {
        let Some(rest) = path.strip_prefix(prefix.as_str()) else {
            break;
        };
        match rest.split_once('/') {
            None => {
                let size = hall.world.blobs.get(oid).map_or(0, |text| text.len());
                found.insert(
                    rest.to_owned(),
                    Entry {
                        name: rest.to_owned(),
                        folder: false,
                        oid: *oid,
                        size,
                    },
                );
            }
            Some((name, _)) if !found.contains_key(name) => {
                let oid = folder_oid(commit, &format!("{prefix}{name}"));
                found.insert(
                    name.to_owned(),
                    Entry {
                        name: name.to_owned(),
                        folder: true,
                        oid,
                        size: 0,
                    },
                );
            }
            Some(_) => {}
        }
    }
    (!found.is_empty()).then(|| found.into_values().collect())
}

/// `GET /repos/{owner}/{repo}/git/…`
pub fn read(context: &mut Context<'_>, at: usize, rest: &[&str]) -> Result<Answer, Refusal> {
    context.need("contents", "read")?;
    let (hall, repo) = (&*context.hall, context.get(at)?);
    match rest {
        ["ref", name @ ..] => {
            let full = format!("refs/{}", name.join("/"));
            let oid = repo.refs.get(&full).ok_or_else(not_found)?;
            Ok(Answer::json(200, &ref_json(hall, repo, &full, *oid)))
        }
        ["matching-refs", name @ ..] => {
            let prefix = format!("refs/{}", name.join("/"));
            let all = repo
                .refs
                .iter()
                .filter(|(full, _)| full.starts_with(&prefix));
            Ok(context.list(
                all.map(|(full, oid)| ref_json(hall, repo, full, *oid))
                    .collect(),
            ))
        }
        ["trees", which] => tree(context, repo, which),
        ["blobs", sha] => {
            let oid = Oid::parse(sha).ok_or_else(not_found)?;
            let text = hall.world.blobs.get(&oid).ok_or_else(not_found)?;
            let url = format!("{}/git/blobs/{sha}", body::address(hall, repo));
            if context
                .request
                .header("accept")
                .is_some_and(|accept| accept.contains("raw"))
            {
                return Ok(Answer::text(200, text.to_string()));
            }
            Ok(Answer::json(
                200,
                &json!({
                    "sha": sha, "node_id": format!("B_tt{sha}"), "size": text.len(), "url": url,
                    "content": BASE64.encode(text.as_bytes()), "encoding": "base64",
                }),
            ))
        }
        ["commits", sha] => {
            let oid = Oid::parse(sha).ok_or_else(not_found)?;
            let commit = repo.commits.get(&oid).ok_or_else(not_found)?;
            Ok(Answer::json(200, &git_commit(hall, repo, commit)))
        }
        _ => Err(not_found()),
    }
}

/// Writes a ref.
pub fn ref_json(hall: &Hall, repo: &Repo, full: &str, oid: Oid) -> Value {
    let base = body::address(hall, repo);
    json!({
        "ref": full,
        "node_id": format!("REF_tt{:x}{}", repo.id, full.replace('/', "_")),
        "url": format!("{base}/git/{full}"),
        "object": { "sha": oid.to_string(), "type": "commit", "url": format!("{base}/git/commits/{oid}") },
    })
}

fn tree(context: &Context<'_>, repo: &Repo, which: &str) -> Result<Answer, Refusal> {
    let hall = &*context.hall;
    // A ref, a commit, or the id of a root tree.
    let by_tree = || {
        Oid::parse(which)
            .and_then(|oid| repo.commits.values().find(|one| folder_oid(one, "") == oid))
    };
    let commit = repo.at(which).or_else(by_tree).ok_or_else(not_found)?;
    let base = body::address(hall, repo);
    let mut all = Vec::new();
    let recursive = context.request.query("recursive").is_some();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in children(hall, commit, &folder).unwrap_or_default() {
            let path = if folder.is_empty() {
                entry.name
            } else {
                format!("{folder}/{}", entry.name)
            };
            let sha = entry.oid.to_string();
            if entry.folder {
                all.push(json!({
                    "path": path, "mode": "040000", "type": "tree", "sha": sha, "url": format!("{base}/git/trees/{sha}"),
                }));
                if recursive {
                    folders.push(path);
                }
            } else {
                all.push(json!({
                    "path": path, "mode": "100644", "type": "blob", "sha": sha, "size": entry.size,
                    "url": format!("{base}/git/blobs/{sha}"),
                }));
            }
        }
    }
    let sha = folder_oid(commit, "").to_string();
    Ok(Answer::json(
        200,
        &json!({ "sha": sha, "url": format!("{base}/git/trees/{sha}"), "tree": all, "truncated": false }),
    ))
}

/// Writes a commit as the Git database has it.
pub fn git_commit(hall: &Hall, repo: &Repo, commit: &Commit) -> Value {
    let base = body::address(hall, repo);
    let (sha, tree) = (commit.oid.to_string(), folder_oid(commit, "").to_string());
    let page = body::page(hall, repo);
    let parents = commit.parents.iter().map(|parent| {
        json!({
            "sha": parent.to_string(), "url": format!("{base}/git/commits/{parent}"),
            "html_url": format!("{page}/commit/{parent}"),
        })
    });
    json!({
        "sha": sha,
        "node_id": format!("C_tt{sha}"),
        "url": format!("{base}/git/commits/{sha}"),
        "html_url": format!("{page}/commit/{sha}"),
        "author": signature(hall, commit),
        "committer": signature(hall, commit),
        "message": &*commit.message,
        "tree": { "sha": tree, "url": format!("{base}/git/trees/{tree}") },
        "parents": parents.collect::<Vec<_>>(),
        "verification": unsigned(),
    })
}

fn unsigned() -> Value {
    json!({ "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null })
}

/// Writes who made a commit and when.
pub fn signature(hall: &Hall, commit: &Commit) -> Value {
    let person = hall.world.person(&commit.author);
    json!({
        "name": person.map_or(&*commit.author, |one| one.name.as_str()),
        "email": person.map_or("nobody@users.noreply.github.com", |one| one.email.as_str()),
        "date": iso(commit.at),
    })
}

/// Writes a commit as a repository's history has it.
pub fn whole_commit(hall: &Hall, repo: &Repo, commit: &Commit) -> Value {
    let base = body::address(hall, repo);
    let git = git_commit(hall, repo, commit);
    let pick = |name: &str| git.get(name).cloned().unwrap_or_default();
    let sha = commit.oid.to_string();
    json!({
        "sha": sha,
        "node_id": pick("node_id"),
        "commit": {
            "author": pick("author"), "committer": pick("committer"), "message": pick("message"), "tree": pick("tree"),
            "url": pick("url"), "comment_count": 0, "verification": unsigned(),
        },
        "url": format!("{base}/commits/{sha}"),
        "html_url": pick("html_url"),
        "comments_url": format!("{base}/commits/{sha}/comments"),
        "author": body::login(hall, &commit.author),
        "committer": body::login(hall, &commit.author),
        "parents": pick("parents"),
    })
}

/// `GET /repos/{owner}/{repo}/commits…`
pub fn commits(context: &mut Context<'_>, at: usize, rest: &[&str]) -> Result<Answer, Refusal> {
    context.need("contents", "read")?;
    let (hall, repo) = (&*context.hall, context.get(at)?);
    if let [which] = rest {
        let unknown = || message(422, &format!("No commit found for SHA: {which}"));
        let commit = repo.at(which).ok_or_else(unknown)?;
        let mut value = whole_commit(hall, repo, commit);
        if let Some(map) = value.as_object_mut() {
            map.insert(
                "stats".to_owned(),
                json!({ "total": 0, "additions": 0, "deletions": 0 }),
            );
            map.insert("files".to_owned(), json!([]));
        }
        return Ok(Answer::json(200, &value));
    }
    if !rest.is_empty() {
        return Err(not_found());
    }
    let from = context.request.query("sha").unwrap_or("HEAD");
    let mut all = Vec::new();
    let mut next = repo.at(from);
    while let Some(commit) = next {
        all.push(whole_commit(hall, repo, commit));
        next = commit.parents.first().and_then(|oid| repo.commits.get(oid));
    }
    Ok(context.list(all))
}

/// `GET /repos/{owner}/{repo}/contents/{path}`
pub fn contents(context: &mut Context<'_>, at: usize, path: &[&str]) -> Result<Answer, Refusal> {
    context.need("contents", "read")?;
    let (hall, repo) = (&*context.hall, context.get(at)?);
    let which = context.request.query("ref").unwrap_or("HEAD");
    let commit = repo
        .at(which)
        .ok_or_else(|| message(404, &format!("No commit found for the ref {which}")))?;
    let path = path.join("/");
    if let Some(text) = hall.world.file(commit, &path) {
        if context
            .request
            .header("accept")
            .is_some_and(|accept| accept.contains("raw"))
        {
            return Ok(Answer::text(200, text.to_string()));
        }
        let oid = commit
            .tree
            .get(path.as_str())
            .copied()
            .unwrap_or_else(|| Oid::of("blob", b""));
        return Ok(Answer::json(
            200,
            &file_json(hall, repo, which, &path, oid, Some(text)),
        ));
    }
    let list = children(hall, commit, &path).ok_or_else(not_found)?;
    let all = list.iter().map(|entry| {
        let below = if path.is_empty() {
            entry.name.clone()
        } else {
            format!("{path}/{}", entry.name)
        };
        let mut value = file_json(hall, repo, which, &below, entry.oid, None);
        if let Some(map) = value.as_object_mut() {
            map.insert(
                "type".to_owned(),
                json!(if entry.folder { "dir" } else { "file" }),
            );
            map.insert("size".to_owned(), json!(entry.size));
        }
        value
    });
    Ok(Answer::json(200, &Value::Array(all.collect())))
}

/// Writes a file, with its text where it is given.
pub fn file_json(
    hall: &Hall,
    repo: &Repo,
    which: &str,
    path: &str,
    oid: Oid,
    text: Option<&Arc<str>>,
) -> Value {
    let base = body::address(hall, repo);
    let own = format!("{base}/contents/{path}?ref={which}");
    let git = format!("{base}/git/blobs/{oid}");
    let html = format!("{}/blob/{which}/{path}", body::page(hall, repo));
    let mut value = json!({
        "type": "file",
        "size": text.map_or(0, |text| text.len()),
        "name": path.rsplit('/').next().unwrap_or_default(),
        "path": path,
        "sha": oid.to_string(),
        "url": own,
        "git_url": git,
        "html_url": html,
        "download_url": format!("https://raw.githubusercontent.com/{}/{}/{which}/{path}", hall.world.org.login, repo.name),
        "_links": { "git": git, "self": own, "html": html },
    });
    if let (Some(map), Some(text)) = (value.as_object_mut(), text) {
        map.insert("encoding".to_owned(), json!("base64"));
        map.insert("content".to_owned(), json!(BASE64.encode(text.as_bytes())));
    }
    value
}
