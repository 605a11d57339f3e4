//! The forms in which a repository is named, in package.json and in git's configuration.
//!
//! Pure text; asks nobody whether it exists.

/// Where a repository field points: host and `owner/name`, with case kept since npm compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    pub host: String,
    pub slug: String,
}

/// Reads npm's forms of `repository`: URLs with and without `git+` and `.git`, scp-like addresses, and the
/// shorthands `owner/name`, `github:`, `gitlab:` and `bitbucket:`
/// (<https://docs.npmjs.com/cli/configuring-npm/package-json#repository>).
pub fn repository(text: &str) -> Option<Repository> {
    let text = text.trim();
    let (host, path) = if let Some((_, rest)) = text.split_once("://") {
        // A user and a password may stand before the host; the password is never part of a name.
        let userinfo = rest
            .split('/')
            .next()
            .and_then(|authority| authority.rfind('@'));
        let rest = userinfo.and_then(|at| rest.get(at + 1..)).unwrap_or(rest);
        let (host, path) = rest.split_once(['/', ':'])?;
        // A port stands between host and path.
        let path = match path.split_once('/') {
            Some((port, tail)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
                tail
            }
            _ => path,
        };
        (host.to_ascii_lowercase(), path)
    } else if let Some((prefix, path)) = text.split_once(':') {
        let host = match prefix {
            "github" => "github.com".to_owned(),
            "gitlab" => "gitlab.com".to_owned(),
            "bitbucket" => "bitbucket.org".to_owned(),
            "gist" => return None,
            _ => prefix
                .rsplit_once('@')
                .map_or(prefix, |(_, h)| h)
                .to_ascii_lowercase(),
        };
        (host, path)
    } else {
        ("github.com".to_owned(), text)
    };
    let path = path.split(['#', '?']).next().unwrap_or(path);
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let slug = match host.as_str() {
        "github.com" | "bitbucket.org" => {
            let mut parts = path.split('/');
            let (owner, name) = (parts.next()?, parts.next()?);
            format!("{owner}/{}", name.strip_suffix(".git").unwrap_or(name))
        }
        _ => path.split("/-/").next().unwrap_or(path).to_owned(),
    };
    let plain = slug.contains('/') && !slug.contains(char::is_whitespace) && !host.is_empty();
    plain.then_some(Repository {
        host: host.strip_prefix("www.").unwrap_or(&host).to_owned(),
        slug,
    })
}
