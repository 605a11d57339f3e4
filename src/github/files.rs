//! Files of a repository at a commit: what a discovery brought, a whole tree by name, and blobs in few calls.
//!
//! Gives paths and bytes; what they mean is for the scanner. Links and submodules are named and never followed. What is
//! missing is said: a tree that GitHub cut, a text that came shortened, a file over the cap.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde_json::json;

use super::ask::{repo_path, segment, split};
use super::cost::OBJECTS_A_CALL;
use super::graph::{self, Content, Entry};
use super::{GitHub, GithubError, wire};
use crate::http::{Call, Group};
use crate::model::name::RepoName;
use crate::model::time::Ts;
use crate::safe::shown::visible;

/// Most bytes of one file; the scanner reads no more.
pub const FILE_CAP: u64 = 2 * 1024 * 1024;
/// Most bytes that one GraphQL call is asked for: with quotes and escapes it stays below the cap of an answer.
const BYTES_A_CALL: u64 = 4 * 1024 * 1024;
/// Texts over this come back cut from GraphQL.
const CUT_OVER: u64 = 512_000;
/// Modes of Git: a link, as GraphQL and as REST write it.
const LINK: (u32, &str) = (0o120_000, "120000");
/// Most decoded bytes of a tree: 100,000 entries are 7 MB by GitHub's own limit, before the JSON around them.
const TREE_CAP: usize = 48 * 1024 * 1024;

/// Some files of a repository at one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutFiles {
    pub repo: RepoName,
    /// None where the repository has no commit.
    pub commit: Option<Box<str>>,
    /// As Git names it, such as `refs/heads/main`.
    pub git_ref: Box<str>,
    /// Path and bytes, each path once.
    pub files: Vec<(Box<str>, Vec<u8>)>,
    /// Links and submodules: there, and not read.
    pub not_regular: Vec<Box<str>>,
    /// Everything that was asked for came. If not, absence proves nothing and `why_not` says what is missing first.
    pub complete: bool,
    pub why_not: Option<Box<str>>,
}

impl CheckoutFiles {
    pub(super) fn new(repo: RepoName, commit: Option<Box<str>>, git_ref: Box<str>) -> Self {
        Self {
            repo,
            commit,
            git_ref,
            files: Vec::new(),
            not_regular: Vec::new(),
            complete: true,
            why_not: None,
        }
    }

    /// Gives one file's bytes.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files
            .iter()
            .find(|(own, _)| &**own == path)
            .map(|(_, bytes)| &**bytes)
    }

    pub(super) fn lacks(&mut self, why: impl Into<Box<str>>) {
        self.complete = false;
        self.why_not.get_or_insert_with(|| why.into());
    }

    pub(super) fn add(&mut self, blobs: Blobs) {
        self.files.extend(blobs.files);
        for (path, why) in blobs.missing {
            self.lacks(format!("{}: {why}", visible(&path)));
        }
    }

    /// Takes the entries of a folder; gives those whose text has to be fetched by itself.
    pub(super) fn take_folder(&mut self, folder: &str, entries: Vec<Entry>) -> Vec<Listed> {
        let mut rest = Vec::new();
        for entry in entries {
            let path: Box<str> = format!("{folder}/{}", entry.name).into();
            if &*entry.kind != "blob" || entry.mode == LINK.0 {
                // A folder below is not read by GitHub either.
                if &*entry.kind != "tree" {
                    self.not_regular.push(path);
                }
                continue;
            }
            rest.extend(self.take_text(path, &entry.oid, entry.object));
        }
        rest
    }

    /// Takes a text if it came whole; otherwise gives what is to be fetched.
    pub(super) fn take_text(
        &mut self,
        path: Box<str>,
        oid: &str,
        content: Option<Content>,
    ) -> Option<Listed> {
        let size = content.as_ref().and_then(|content| content.byte_size);
        match content.and_then(whole) {
            Some(bytes) => {
                self.files.push((path, bytes));
                None
            }
            None => Some(Listed {
                path,
                sha: oid.into(),
                size,
                kind: EntryKind::File,
            }),
        }
    }
}

/// Gives the text if it is the very file: neither cut, nor binary, nor changed by decoding.
fn whole(content: Content) -> Option<Vec<u8>> {
    let text = content
        .text
        .filter(|_| !content.is_truncated && !content.is_binary)?;
    let same = content
        .byte_size
        .is_none_or(|size| size == text.len() as u64);
    same.then(|| text.into_bytes())
}

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Link,
    Folder,
    Module,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub path: Box<str>,
    pub sha: Box<str>,
    pub size: Option<u64>,
    pub kind: EntryKind,
}

/// All paths of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeListing {
    pub entries: Vec<Listed>,
    /// GitHub gave the whole tree. If not, a path that is not here may be there.
    pub complete: bool,
    pub at: Option<Ts>,
}

/// Files that were fetched, and those that were not, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blobs {
    pub files: Vec<(Box<str>, Vec<u8>)>,
    pub missing: Vec<(Box<str>, Box<str>)>,
    pub at: Option<Ts>,
}

impl GitHub {
    /// Lists the whole tree of a ref or commit. One request.
    ///
    /// # Errors
    /// When it could not be listed. A repository without commits has an empty tree.
    pub async fn fetch_tree(
        &self,
        repo: &RepoName,
        git_ref: &str,
    ) -> Result<TreeListing, GithubError> {
        let path = format!(
            "{}/git/trees/{}?recursive=1",
            repo_path(repo)?,
            segment(git_ref)
        );
        let call = self.get(&path).cap(TREE_CAP).reads(&[404, 409]);
        let reply = self.send(Group::GithubRest, call).await?;
        let at = reply.seen.date;
        match reply.status {
            // "Git Repository is empty."
            409 => {
                return Ok(TreeListing {
                    complete: true,
                    at,
                    ..TreeListing::default()
                });
            }
            404 => {
                return Err(GithubError::Hidden {
                    what: format!("the tree of {repo}").into(),
                    needs: None,
                });
            }
            _ => {}
        }
        let tree: wire::Tree = reply.json()?;
        let Some(entries) = tree.tree else {
            return Err(GithubError::UnexpectedAnswer {
                what: format!("the tree of {repo}").into(),
                why: "its entries",
            });
        };
        let entries = entries.into_iter().map(listed).collect();
        Ok(TreeListing {
            entries,
            complete: !tree.truncated,
            at,
        })
    }

    /// Fetches files by their ids, fifty a call, in calls of at most 4 MiB; large and binary ones by themselves.
    ///
    /// # Errors
    /// When GitHub cannot be asked at all; a file that did not come is named in the answer.
    pub async fn fetch_blobs(
        &self,
        repo: &RepoName,
        wanted: &[Listed],
    ) -> Result<Blobs, GithubError> {
        let mut all = Blobs::default();
        let mut alone = Vec::new();
        let mut work = batches(wanted, &mut alone, &mut all);
        while let Some(batch) = work.pop() {
            match self.batch(repo, &batch, &mut all).await {
                Ok(rest) => alone.extend(rest),
                Err(error) if error.is_too_much() && batch.len() > 1 => {
                    let (left, right) = batch.split_at(batch.len() / 2);
                    work.extend([right.to_vec(), left.to_vec()]);
                }
                Err(error) if error.is_too_much() => alone.extend(batch),
                Err(error) => return Err(error),
            }
        }
        for one in alone {
            match self.blob(repo, one).await {
                Ok(bytes) => all.files.push((one.path.clone(), bytes)),
                Err(error) if error.affects_one_resource() => all
                    .missing
                    .push((one.path.clone(), error.to_string().into())),
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Reads those files of a commit that `wants` takes. One request, and one point for fifty files.
    ///
    /// # Errors
    /// As [`GitHub::fetch_tree`] and [`GitHub::fetch_blobs`].
    pub async fn checkout(
        &self,
        repo: &RepoName,
        git_ref: &str,
        commit: &str,
        wants: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<CheckoutFiles, GithubError> {
        let tree = self.fetch_tree(repo, commit).await?;
        let files = CheckoutFiles::new(repo.clone(), Some(commit.into()), git_ref.into());
        self.gather(files, tree, wants).await
    }

    /// Reads those files of a tree that `wants` takes.
    pub(super) async fn gather(
        &self,
        mut files: CheckoutFiles,
        tree: TreeListing,
        wants: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<CheckoutFiles, GithubError> {
        if !tree.complete {
            files.lacks("the tree is too large: GitHub listed only a part of it");
        }
        let mut wanted = Vec::new();
        for entry in tree.entries.into_iter().filter(|entry| wants(&entry.path)) {
            match entry.kind {
                EntryKind::File => wanted.push(entry),
                EntryKind::Link | EntryKind::Module => files.not_regular.push(entry.path),
                EntryKind::Folder => {}
            }
        }
        let blobs = self.fetch_blobs(&files.repo, &wanted).await?;
        files.add(blobs);
        Ok(files)
    }

    /// Asks for the objects of one batch; gives those that have to be fetched alone.
    async fn batch<'a>(
        &self,
        repo: &RepoName,
        batch: &[&'a Listed],
        all: &mut Blobs,
    ) -> Result<Vec<&'a Listed>, GithubError> {
        let mut objects = self
            .objects(repo, batch.iter().map(|one| &*one.sha), &mut all.at)
            .await?;
        let mut rest = Vec::new();
        for (at, one) in batch.iter().enumerate() {
            match objects.remove(&at).and_then(whole) {
                Some(bytes) => all.files.push((one.path.clone(), bytes)),
                None => rest.push(*one),
            }
        }
        Ok(rest)
    }

    /// Fetches objects by id in one call; gives those that came, by their place in the list.
    pub(super) async fn objects<'a>(
        &self,
        repo: &RepoName,
        ids: impl Iterator<Item = &'a str>,
        at: &mut Option<Ts>,
    ) -> Result<BTreeMap<usize, Content>, GithubError> {
        let (owner, name) = split(repo)?;
        let variables = json!({"owner": owner, "name": name});
        let answer = self
            .graph::<graph::Objects>(&graph::objects(ids), variables)
            .await?;
        *at = (*at).or(answer.at);
        let says = answer.says();
        let Some(found) = answer.data.repository else {
            return Err(match says {
                Some(says) => GithubError::Part {
                    what: repo.as_str().into(),
                    says,
                },
                None => GithubError::Hidden {
                    what: repo.as_str().into(),
                    needs: None,
                },
            });
        };
        let place = |alias: &str| {
            alias
                .strip_prefix('o')
                .and_then(|number| number.parse().ok())
        };
        Ok(found
            .into_iter()
            .filter_map(|(alias, content)| Some((place(&alias)?, content?)))
            .collect())
    }

    /// Fetches one file by REST.
    async fn blob(&self, repo: &RepoName, one: &Listed) -> Result<Vec<u8>, GithubError> {
        let path = format!("{}/git/blobs/{}", repo_path(repo)?, segment(&one.sha));
        let call: Call = self.get(&path);
        let reply = self.send(Group::GithubRest, call).await?;
        if reply.status == 404 {
            return Err(GithubError::Hidden {
                what: visible(&one.path).into(),
                needs: None,
            });
        }
        let blob: wire::Blob = reply.json()?;
        let odd = GithubError::UnexpectedAnswer {
            what: visible(&one.path).into(),
            why: "its content in base64",
        };
        if &*blob.encoding != "base64" {
            return Err(odd);
        }
        let packed: Vec<u8> = blob
            .content
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        BASE64.decode(&packed).map_err(|error| {
            tracing::debug!(%error, "a blob");
            odd
        })
    }
}

fn listed(entry: wire::TreeEntry) -> Listed {
    let kind = match (&*entry.kind, &*entry.mode) {
        ("blob", mode) if mode == LINK.1 => EntryKind::Link,
        ("blob", _) => EntryKind::File,
        ("tree", _) => EntryKind::Folder,
        _ => EntryKind::Module,
    };
    Listed {
        path: entry.path,
        sha: entry.sha,
        size: entry.size,
        kind,
    }
}

/// Splits files into calls; those that GraphQL would cut go to `alone`, those over the cap are missing.
fn batches<'a>(
    wanted: &'a [Listed],
    alone: &mut Vec<&'a Listed>,
    all: &mut Blobs,
) -> Vec<Vec<&'a Listed>> {
    let mut out: Vec<Vec<&Listed>> = Vec::new();
    let mut room = 0;
    for one in wanted {
        // An unknown size counts as the largest that comes uncut.
        let size = one.size.unwrap_or(CUT_OVER);
        if size > FILE_CAP {
            let why = format!(
                "{} KiB, more than the {} that are read",
                size / 1024,
                FILE_CAP / 1024
            );
            all.missing.push((one.path.clone(), why.into()));
        } else if size > CUT_OVER {
            alone.push(one);
        } else {
            match out.last_mut() {
                Some(batch) if batch.len() < OBJECTS_A_CALL as usize && size <= room => {
                    batch.push(one);
                    room -= size;
                }
                _ => {
                    out.push(vec![one]);
                    room = BYTES_A_CALL.saturating_sub(size);
                }
            }
        }
    }
    out.reverse();
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    fn content(text: &str, size: u64) -> Content {
        Content {
            text: Some(text.to_owned()),
            byte_size: Some(size),
            ..Content::default()
        }
    }

    #[test]
    fn only_the_very_file_counts_as_whole() {
        assert_eq!(whole(content("abc", 3)).unwrap(), b"abc");
        assert!(whole(content("abc", 4)).is_none());
        assert!(
            whole(Content {
                is_truncated: true,
                ..content("abc", 3)
            })
            .is_none()
        );
        assert!(
            whole(Content {
                is_binary: true,
                ..content("abc", 3)
            })
            .is_none()
        );
        assert!(whole(Content::default()).is_none());
    }

    #[test]
    fn links_modules_and_folders_are_no_files() {
        let entry = |name: &str, kind: &str, mode| Entry {
            name: name.into(),
            kind: kind.into(),
            mode,
            oid: "ab".into(),
            object: Some(content("x", 1)),
        };
        let repo = RepoName::parse("acme/ui").unwrap();
        let mut files = CheckoutFiles::new(repo, None, "refs/heads/main".into());
        let rest = files.take_folder(
            "w",
            vec![
                entry("a.yml", "blob", 0o100_644),
                entry("l.yml", "blob", 0o120_000),
                entry("m", "commit", 0o160_000),
                entry("d", "tree", 0o040_000),
                Entry {
                    object: Some(content("x", 9)),
                    ..entry("cut.yml", "blob", 0o100_644)
                },
            ],
        );
        assert_eq!(files.file("w/a.yml"), Some(&b"x"[..]));
        assert_eq!(files.not_regular, ["w/l.yml".into(), "w/m".into()]);
        assert_eq!((rest.len(), &*rest[0].path), (1, "w/cut.yml"));
        assert!(files.complete);
    }

    proptest! {
        #[test]
        fn every_file_is_asked_for_once_and_calls_stay_small(sizes in proptest::collection::vec(proptest::option::of(0_u64..3_000_000), 0..200)) {
            let wanted: Vec<Listed> = sizes.iter().enumerate().map(|(at, size)| Listed {
                path: at.to_string().into(), sha: "ab".into(), size: *size, kind: EntryKind::File,
            }).collect();
            let (mut alone, mut all) = (Vec::new(), Blobs::default());
            let calls = batches(&wanted, &mut alone, &mut all);
            let mut seen: Vec<&str> = calls.iter().flatten().chain(&alone).map(|one| &*one.path).chain(all.missing.iter().map(|(path, _)| &**path)).collect();
            seen.sort_by_key(|path| path.parse::<usize>().unwrap());
            prop_assert_eq!(seen, wanted.iter().map(|one| &*one.path).collect::<Vec<_>>());
            for call in calls {
                prop_assert!(call.len() <= 50);
                prop_assert!(call.iter().map(|one| one.size.unwrap_or(CUT_OVER)).sum::<u64>() <= BYTES_A_CALL);
            }
        }
    }
}
