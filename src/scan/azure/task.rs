//! Azure's own tasks, as far as they run scripts or npm: their inputs in the words of a step.
//!
//! Walks no template and judges no credential.

use super::super::job::{Known, Lines, Step};
use super::super::yaml::Node;
use super::super::{Credential, Tool};
use super::Walk;
use super::frame::Frame;

impl<'d, 's> Walk<'d, 's> {
    /// The tasks that run scripts, or npm itself.
    pub(super) fn task(
        &self,
        task: &str,
        inputs: Option<Node<'d, 's>>,
        frame: &Frame<'d, 's>,
        same_file: bool,
        step: &mut Step<'d, 's>,
    ) {
        let node = |key: &str| input(inputs?, key);
        let text = |key: &str| node(key).and_then(Node::as_str).map(|t| frame.fill(t));
        let name = task.split('@').next().unwrap_or(task).to_ascii_lowercase();
        let name = name.rsplit('.').next().unwrap_or(&name);
        let endpoint = || {
            text("publishEndpoint")
                .or_else(|| text("customEndpoint"))
                .or_else(|| text("npmRegistryEndpoint"))
        };
        if let Some(dir) = text("workingDir")
            .or_else(|| text("workingDirectory"))
            .or_else(|| text("projectDirectory"))
        {
            step.dir = Some(relative_dir(&dir));
        }
        match name {
            "npm" => {
                let command = text("command").unwrap_or_default();
                let custom = text("customCommand")
                    .or_else(|| text("arguments"))
                    .unwrap_or_default();
                match command.as_str() {
                    "publish" => step.known = Some(npm_task(text("publishRegistry"), endpoint())),
                    "custom" => {
                        step.text = format!("npm {custom}");
                        step.grants = endpoint();
                    }
                    "" => {}
                    other => step.text = format!("npm {other} {custom}"),
                }
            }
            "npmauthenticate" => step.grants = endpoint(),
            "yarn" => step.text = format!("yarn {}", text("arguments").unwrap_or_default()),
            "bash" | "cmdline" | "powershell" | "shellscript" | "batchscript" | "azurecli"
            | "azurepowershell" => {
                let body = ["script", "inlineScript", "Inline"]
                    .into_iter()
                    .find_map(node);
                if let Some(body) = body {
                    step.text = frame.fill(body.as_str().unwrap_or_default());
                    if same_file {
                        step.lines = Lines::Of(body);
                    }
                } else if let Some(file) = text("filePath").or_else(|| text("scriptPath")) {
                    let file = file
                        .replace("$(Build.SourcesDirectory)/", "./")
                        .replace("$(System.DefaultWorkingDirectory)/", "./");
                    step.text = format!("{file} {}", text("arguments").unwrap_or_default());
                }
            }
            // Microsoft's own release service takes npm packages by their kind.
            "esrprelease" if text("contenttype").is_some_and(|t| t.eq_ignore_ascii_case("npm")) => {
                step.known = Some(release_service(task));
            }
            _ => {}
        }
    }
}

/// An input of a task or template; their names are read whatever the case.
pub(super) fn input<'d, 's>(inputs: Node<'d, 's>, key: &str) -> Option<Node<'d, 's>> {
    let mut entries = inputs.entries().into_iter();
    entries
        .find(|(k, _)| k.as_str().is_some_and(|k| k.eq_ignore_ascii_case(key)))
        .map(|(_, value)| value)
}

/// A company's release service that publishes with credentials of its own.
pub(super) fn release_service(command: &str) -> Known {
    Known {
        tool: Tool::Other,
        version: None,
        credential: Credential::NoneVisible,
        secret: None,
        registry_url: None,
        command: command.to_owned(),
    }
}

pub(super) fn npm_task(registry: Option<String>, endpoint: Option<String>) -> Known {
    let feed = registry.is_some_and(|r| r.eq_ignore_ascii_case("useFeed"));
    Known {
        tool: Tool::Npm,
        version: None,
        credential: Credential::Token,
        secret: endpoint,
        // A feed of the same organisation: any host that is not npm's says the same.
        registry_url: feed.then(|| "azure-artifacts-feed".to_owned()),
        command: "Npm publish task".to_owned(),
    }
}

pub(super) fn node_tool<'d>(task: &str, inputs: Option<Node<'d, '_>>) -> Option<&'d str> {
    let name = task.split('@').next()?.to_ascii_lowercase();
    let inputs = inputs?;
    match name.as_str() {
        "nodetool" => inputs.get("versionSpec")?.as_str(),
        "usenode" => inputs.get("version")?.as_str(),
        _ => None,
    }
}

/// A working directory relative to the checkout, where the predefined variables say so.
pub(super) fn relative_dir(dir: &str) -> String {
    let mut dir = dir;
    for root in [
        "$(Build.SourcesDirectory)",
        "$(System.DefaultWorkingDirectory)",
        "$(Build.Repository.LocalPath)",
    ] {
        dir = dir.strip_prefix(root).unwrap_or(dir);
    }
    dir.trim_matches(['/', '\\']).replace('\\', "/")
}
