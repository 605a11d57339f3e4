//! Release tools that are data: which of their calls publish to npm stands in `assets/scan/release-tools.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Project;
use super::dispatch::Args;

/// Where a repository names release tools of its own, beside what its pull requests may not bring in.
pub const OWN: &str = ".github/cutover.toml";

/// One tool of the table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseTool {
    /// The tool's own program, as a command line names it.
    pub program: String,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    dry: Vec<String>,
    #[serde(default)]
    configs: Vec<String>,
    holds: Option<String>,
    #[allow(
        dead_code,
        reason = "for whoever edits the table; the tests hold that it is there"
    )]
    source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    tool: Vec<ReleaseTool>,
}

#[expect(clippy::expect_used, reason = "an embedded file that the tests read")]
static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(crate::assets::release_tools()).expect("release-tools.toml"));

/// The part of a repository's file that is about its tools; the rest is `check`'s.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Own {
    #[serde(rename = "release-tool")]
    tools: Vec<ReleaseTool>,
}

/// Reads the tools that a repository names.
///
/// # Errors
/// The text is no TOML, or a tool is not as the table wants it; the words say what is wrong.
pub fn own_tools(text: &str) -> Result<Vec<ReleaseTool>, String> {
    let read = toml::from_str::<Own>(text);
    read.map(|own| own.tools)
        .map_err(|error| error.message().to_owned())
}

/// Returns a tool of the table by its program's name.
pub(super) fn tool(program: &str) -> Option<&'static ReleaseTool> {
    TABLE.tool.iter().find(|tool| tool.program == program)
}

impl ReleaseTool {
    /// Tells whether a call of the tool publishes in this checkout.
    pub(super) fn publishes(&self, args: &Args, project: &Project<'_>) -> bool {
        let said = self.words.is_empty() || self.words.iter().any(|word| word == args.first());
        let asked = self.flags.is_empty() || self.flags.iter().any(|flag| args.on(&[flag]));
        let dry = args.on(&["--no-publish"]) || self.dry.iter().any(|flag| has(args, flag));
        said && asked && !dry && self.is_configured(project)
    }

    fn is_configured(&self, project: &Project<'_>) -> bool {
        let mut texts = self.configs.iter().filter_map(|path| project.read(path));
        match &self.holds {
            None => self.configs.is_empty() || texts.next().is_some(),
            Some(holds) => {
                texts.any(|text| text.lines().any(|line| line.starts_with(holds.as_str())))
            }
        }
    }
}

/// Tells whether a call has a flag, or `--flag=value` with the value alone, in a list, or as the next word.
fn has(args: &Args, flag: &str) -> bool {
    let Some((name, wanted)) = flag.split_once('=') else {
        return args.on(&[flag]);
    };
    args.flags.iter().any(|(given, value)| {
        given == name
            && match value {
                Some(value) => value.split(',').any(|one| one == wanted),
                None => args
                    .positional
                    .iter()
                    .any(|word| word.split(',').any(|one| one == wanted)),
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_each_tool_has_a_source() {
        assert!(TABLE.tool.is_sorted_by_key(|tool| &tool.program));
        for tool in &TABLE.tool {
            assert!(
                tool.source
                    .as_deref()
                    .is_some_and(|page| page.starts_with("https://")),
                "{}",
                tool.program
            );
            let holds = tool.holds.is_none() || !tool.configs.is_empty();
            assert!(holds, "{}", tool.program);
        }
    }
}
