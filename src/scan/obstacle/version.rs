//! Versions: of Node, of npm, of the tool that publishes, of the actions that set them up.
//!
//! What is not stated is not judged. A range counts as its newest version, as npm installs it.

use super::{At, Obstacle, Publishing, image, tool_rule};
use crate::assets::policy;
use crate::assets::policy::OidcSupport;
use crate::model::semver::{Stated, Version};
use crate::scan::Tool;
use crate::scan::package::{Manager, Packages};

/// The versions that a job states.
#[derive(Debug, Clone, Copy, Default)]
pub struct Versions<'a> {
    /// Of the tool itself.
    pub tool: Option<&'a str>,
    /// Of the part of it that talks to the registry, where that is another package or the package manager.
    pub part: Option<&'a str>,
    /// The package manager of the folder, which tools that start one follow.
    pub manager: Option<Manager>,
    pub node: Option<&'a str>,
    pub npm: Option<&'a str>,
    /// True where the tool runs an npm that it brings along.
    pub own_npm: bool,
}

impl<'a> Versions<'a> {
    /// Fills what the manifests say about a tool started in a folder by a command.
    pub fn of(packages: &'a Packages, dir: &str, tool: Tool, command: &str) -> Self {
        let manager = packages.manager(dir);
        let part = tool_rule(tool).and_then(|rule| rule.part.as_deref());
        // Its plugin depends on an npm of its own and prefers it, where npx or a package manager started it: an action
        // and a global installation run the machine's (@semantic-release/npm, lib/publish.js: `preferLocal`).
        let machine = ["uses:", "semantic-release"];
        let own_npm = tool == Tool::SemanticRelease
            && !machine
                .iter()
                .any(|start| command.trim_start().starts_with(start));
        let starts = match tool {
            Tool::YarnBerry => Some(Manager::YarnBerry),
            Tool::Pnpm => Some(Manager::Pnpm),
            _ if follows(tool) => Some(Manager::Pnpm),
            _ => None,
        };
        Self {
            part: match part {
                Some(part) => packages.tool_version(dir, part),
                None => manager
                    .filter(|(manager, _)| Some(*manager) == starts)
                    .and_then(|(_, version)| version),
            },
            manager: manager.map(|(manager, _)| manager),
            own_npm,
            ..Self::default()
        }
    }
}

fn is_manager(tool: Tool) -> bool {
    matches!(tool, Tool::Pnpm | Tool::YarnBerry)
}

/// Tells whether a tool starts the package manager of the folder.
fn follows(tool: Tool) -> bool {
    tool_rule(tool).is_some_and(|rule| rule.oidc == OidcSupport::ByClient)
}

/// Reads a version of Node as CI files state it, names of its long-term lines included. `latest`, `lts/*` and
/// expressions say nothing that could be too old.
pub fn node(text: &str) -> Option<Stated> {
    let lower = text.trim().to_ascii_lowercase();
    match lower.strip_prefix("lts/") {
        Some(name) => policy().node_names.get(name).cloned().map(Stated::from),
        None => Stated::parse(text),
    }
}

/// Tells whether an action's ref names a version below another; a commit and a branch name none.
pub(super) fn is_action_below(uses: &str, least: &Version) -> bool {
    action_version(uses).is_some_and(|stated| stated.is_all_below(least))
}

/// Reads the version in an action's ref (`owner/name@v4`).
pub fn action_version(uses: &str) -> Option<Stated> {
    let at = uses.rsplit_once('@')?.1;
    // Hexadecimal commits may begin with digits.
    (at.len() < 20).then(|| Stated::parse(at))?
}

pub(super) fn judge(publishing: &Publishing<'_>, found: &mut Vec<Obstacle>) {
    tool(publishing, found);
    node_and_npm(publishing, found);
}

fn tool(publishing: &Publishing<'_>, found: &mut Vec<Obstacle>) {
    let Some(rule) = tool_rule(publishing.tool).filter(|rule| rule.oidc != OidcSupport::Never)
    else {
        return;
    };
    let versions = &publishing.versions;
    let by_part = rule.part.is_some() || is_manager(publishing.tool);
    let stated = if by_part {
        versions.part
    } else {
        versions.tool
    };
    let parsed = stated.and_then(Stated::parse);
    let own = |stated: &Stated| {
        rule.own_from
            .as_ref()
            .is_none_or(|from| stated.is_all_from(from))
    };
    let old = match (&parsed, &rule.since) {
        // npm's own version is judged with Node's.
        _ if publishing.tool == Tool::Npm => false,
        (Some(stated), Some(since)) => own(stated) && stated.is_all_below(since),
        _ => false,
    };
    // A tool brings its part along: the first with OIDC came with this one.
    let bundled = stated.is_none()
        && rule.bundled_since.as_ref().is_some_and(|since| {
            versions
                .tool
                .and_then(Stated::parse)
                .is_some_and(|has| has.is_all_below(since))
        });
    if old || bundled {
        let shown = stated.or(versions.tool).unwrap_or_default();
        let since = rule
            .since
            .as_ref()
            .map(|since| format!("; OIDC since {since}"))
            .unwrap_or_default();
        let detail = format!("{} {shown}{since}: {}", rule.id, rule.note);
        found.push(Obstacle::new("tool-too-old", At::Publish, detail));
    }
}

/// Tells whether the machine's npm does the upload.
fn runs_npm(publishing: &Publishing<'_>) -> bool {
    let versions = &publishing.versions;
    let Some(rule) = tool_rule(publishing.tool) else {
        return false;
    };
    let by_pnpm = || {
        let from = tool_rule(Tool::Pnpm).and_then(|pnpm| pnpm.own_from.as_ref());
        let stated = versions.part.and_then(Stated::parse);
        stated
            .zip(from)
            .is_some_and(|(stated, from)| stated.is_all_below(from))
    };
    match rule.oidc {
        _ if publishing.tool == Tool::Npm => true,
        _ if publishing.tool == Tool::SemanticRelease => !versions.own_npm,
        _ if publishing.tool == Tool::Pnpm => by_pnpm(),
        OidcSupport::ByNpm => true,
        OidcSupport::ByClient => match versions.manager {
            Some(Manager::Pnpm) => by_pnpm(),
            Some(Manager::YarnBerry | Manager::Bun) => false,
            _ => true,
        },
        OidcSupport::Own | OidcSupport::Never => false,
    }
}

fn node_and_npm(publishing: &Publishing<'_>, found: &mut Vec<Obstacle>) {
    let minimum = &policy().minimum;
    let Versions {
        node: written, npm, ..
    } = publishing.versions;
    let stated = written.and_then(node);
    let shown = written.unwrap_or_default();
    if stated
        .as_ref()
        .is_some_and(|node| node.is_all_below(&minimum.node_oidc_publish))
    {
        found.push(Obstacle::new(
            "node-too-old",
            At::Setup,
            format!("Node {shown}"),
        ));
    }
    if let Some(node) = &stated
        && npm.is_some_and(is_latest)
        && node.is_outside(&policy().npm_latest.node)
    {
        found.push(Obstacle::new(
            "npm-latest-refuses-node",
            At::Setup,
            format!("Node {shown}"),
        ));
    }
    if !runs_npm(publishing) {
        return;
    }
    let (least, rule) = match publishing.staged {
        true => (&minimum.npm_stage, "npm-cannot-stage"),
        false => (&minimum.npm_oidc_publish, "npm-too-old"),
    };
    match npm {
        Some(npm) if Stated::parse(npm).is_some_and(|npm| npm.is_all_below(least)) => {
            found.push(Obstacle::new(rule, At::Publish, format!("npm {npm}")));
        }
        Some(_) => {}
        None => {
            let brings = stated.or_else(|| image_node(publishing));
            let old = brings.filter(|node| node.is_all_below(&minimum.node_with_npm_oidc));
            let from = match publishing.image.filter(|_| written.is_none()) {
                Some(label) => format!("the Node of {label}"),
                None => format!("Node {shown}"),
            };
            if old.is_some() {
                found.push(Obstacle::new(
                    rule,
                    At::Setup,
                    format!("{from} brings an older one"),
                ));
            }
        }
    }
}

/// Gives the Node of the runner's image on the day of the scan; none while a label moves from one to another.
fn image_node(publishing: &Publishing<'_>) -> Option<Stated> {
    let image = image(publishing.image)?;
    let node = match &image.before {
        Some(before) if publishing.today < before.moves_from => &before.node,
        Some(before) if publishing.today < before.moved_by => return None,
        _ => &image.node,
    };
    Stated::parse(&node.to_string())
}

/// Tells whether what is asked of the registry is the newest npm.
fn is_latest(npm: &str) -> bool {
    let npm = npm.trim();
    let only = |stated: Stated| {
        stated.is_all_from(&Version::from((
            policy().npm_latest.version.major(),
            0_u64,
            0_u64,
        )))
    };
    npm == "latest" || Stated::parse(npm).is_some_and(only)
}
