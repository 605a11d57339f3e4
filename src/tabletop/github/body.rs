//! JSON of people and repositories as GitHub writes them, with the many addresses that its description requires.
//! Must only write: what may be seen is decided before.

use serde_json::{Map, Value, json};

use crate::tabletop::clock::iso;
use crate::tabletop::server::Hall;
use crate::tabletop::world::{Person, Repo};

/// Writes a person as a simple user.
pub fn person(hall: &Hall, one: &Person) -> Value {
    account(hall, one.id, &one.login, "User")
}

/// Writes a login, known or not.
pub fn login(hall: &Hall, login: &str) -> Value {
    match hall.world.person(login) {
        Some(one) => person(hall, one),
        None => account(hall, 41_898_282, login, "Bot"),
    }
}

fn account(hall: &Hall, id: u64, login: &str, kind: &str) -> Value {
    let base = format!("{}/users/{login}", hall.github);
    json!({
        "login": login,
        "id": id,
        "node_id": format!("U_tt{id:x}"),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
        "gravatar_id": "",
        "url": base,
        "html_url": format!("https://github.com/{login}"),
        "followers_url": format!("{base}/followers"),
        "following_url": format!("{base}/following{{/other_user}}"),
        "gists_url": format!("{base}/gists{{/gist_id}}"),
        "starred_url": format!("{base}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{base}/subscriptions"),
        "organizations_url": format!("{base}/orgs"),
        "repos_url": format!("{base}/repos"),
        "events_url": format!("{base}/events{{/privacy}}"),
        "received_events_url": format!("{base}/received_events"),
        "type": kind,
        "site_admin": false,
    })
}

/// Addresses below a repository: name of the field and what follows the repository's own address.
const BELOW: &[(&str, &str)] = &[
    ("forks_url", "/forks"),
    ("keys_url", "/keys{/key_id}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("teams_url", "/teams"),
    ("hooks_url", "/hooks"),
    ("issue_events_url", "/issues/events{/number}"),
    ("events_url", "/events"),
    ("assignees_url", "/assignees{/user}"),
    ("branches_url", "/branches{/branch}"),
    ("tags_url", "/tags"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("trees_url", "/git/trees{/sha}"),
    ("statuses_url", "/statuses/{sha}"),
    ("languages_url", "/languages"),
    ("stargazers_url", "/stargazers"),
    ("contributors_url", "/contributors"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("commits_url", "/commits{/sha}"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("comments_url", "/comments{/number}"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("contents_url", "/contents/{+path}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("merges_url", "/merges"),
    ("archive_url", "/{archive_format}{/ref}"),
    ("downloads_url", "/downloads"),
    ("issues_url", "/issues{/number}"),
    ("pulls_url", "/pulls{/number}"),
    ("milestones_url", "/milestones{/number}"),
    (
        "notifications_url",
        "/notifications{?since,all,participating}",
    ),
    ("labels_url", "/labels{/name}"),
    ("releases_url", "/releases{/id}"),
    ("deployments_url", "/deployments"),
];

/// Gives the API address of a repository.
pub fn address(hall: &Hall, repo: &Repo) -> String {
    format!(
        "{}/repos/{}/{}",
        hall.github, hall.world.org.login, repo.name
    )
}

/// Gives the address of a repository's page.
pub fn page(hall: &Hall, repo: &Repo) -> String {
    format!("https://github.com/{}/{}", hall.world.org.login, repo.name)
}

/// Writes a repository as lists of them have it, with what the caller may do in it.
pub fn repository(hall: &Hall, repo: &Repo, caller: &str) -> Value {
    let base = address(hall, repo);
    let full = format!("{}/{}", hall.world.org.login, repo.name);
    let mut map = Map::new();
    let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
    put("id", json!(repo.id));
    put("node_id", json!(format!("R_tt{:x}", repo.id)));
    put("name", json!(&*repo.name));
    put("full_name", json!(full));
    put("private", json!(repo.private));
    put(
        "owner",
        account(
            hall,
            hall.world.org.id,
            &hall.world.org.login,
            "Organization",
        ),
    );
    put("html_url", json!(page(hall, repo)));
    put("description", json!(repo.description));
    put("fork", json!(repo.fork));
    put("url", json!(base));
    for (name, tail) in BELOW {
        put(name, json!(format!("{base}{tail}")));
    }
    put("created_at", json!(iso(repo.created)));
    put("updated_at", json!(iso(repo.pushed)));
    put("pushed_at", json!(iso(repo.pushed)));
    put("git_url", json!(format!("git://github.com/{full}.git")));
    put("ssh_url", json!(format!("git@github.com:{full}.git")));
    put("clone_url", json!(format!("https://github.com/{full}.git")));
    put("svn_url", json!(format!("https://github.com/{full}")));
    put("homepage", Value::Null);
    put("size", json!(120));
    for name in [
        "stargazers_count",
        "watchers_count",
        "forks_count",
        "open_issues_count",
        "forks",
        "open_issues",
        "watchers",
    ] {
        put(name, json!(0));
    }
    put("language", json!("TypeScript"));
    for (name, value) in [
        ("has_issues", true),
        ("has_projects", false),
        ("has_downloads", true),
        ("has_wiki", false),
        ("has_pages", false),
        ("has_discussions", false),
        ("allow_forking", true),
        ("is_template", false),
        ("web_commit_signoff_required", false),
    ] {
        put(name, json!(value));
    }
    put("mirror_url", Value::Null);
    put("archived", json!(repo.archived));
    put("disabled", json!(false));
    put("license", Value::Null);
    put("topics", json!([]));
    put(
        "visibility",
        json!(if repo.private { "private" } else { "public" }),
    );
    put("default_branch", json!(&*repo.default_branch));
    let role = hall.world.role(repo, caller).unwrap_or("pull");
    put("permissions", permissions(role));
    put("role_name", json!(role_name(role)));
    Value::Object(map)
}

/// Writes a repository as its own address has it.
pub fn whole_repository(hall: &Hall, repo: &Repo, caller: &str) -> Value {
    let mut value = repository(hall, repo, caller);
    if let Some(map) = value.as_object_mut() {
        map.insert("network_count".to_owned(), json!(0));
        map.insert("subscribers_count".to_owned(), json!(0));
        map.insert(
            "organization".to_owned(),
            account(
                hall,
                hall.world.org.id,
                &hall.world.org.login,
                "Organization",
            ),
        );
        map.remove("role_name");
    }
    value
}

/// Writes what a role may do.
pub fn permissions(role: &str) -> Value {
    let rank = ["pull", "triage", "push", "maintain", "admin"]
        .iter()
        .position(|one| *one == role)
        .unwrap_or(0);
    json!({ "admin": rank >= 4, "maintain": rank >= 3, "push": rank >= 2, "triage": rank >= 1, "pull": true })
}

/// Gives the name of a role where it stands as a role: `push` is `write`, `pull` is `read`.
pub fn role_name(role: &str) -> &str {
    match role {
        "push" => "write",
        "pull" => "read",
        other => other,
    }
}
