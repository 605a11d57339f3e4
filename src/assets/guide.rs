//! How to meet each gate, and what the product's words mean: texts that people read, as data.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// How one gate is met.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guide {
    /// Commands in order, with `{name}` for what a session can fill in; a line that begins with `#` is no command.
    pub how: Vec<String>,
    /// What to do instead on a path of a lane, by the lane's word.
    #[serde(default)]
    pub lanes: BTreeMap<String, Vec<String>>,
    /// Where the owner of the rule documents it.
    pub docs: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Guides {
    gate: BTreeMap<String, Guide>,
}

#[expect(clippy::expect_used, reason = "an embedded file that the tests read")]
static GUIDES: LazyLock<Guides> = LazyLock::new(|| {
    toml::from_str(include_str!("../../assets/guide/gates.toml")).expect("gates.toml")
});

/// Returns how a gate is met, by the gate's id.
pub fn guide(gate: &str) -> Option<&'static Guide> {
    GUIDES.gate.get(gate)
}

/// Returns the ids of all gates that have a guide.
pub fn guided() -> impl Iterator<Item = &'static str> {
    GUIDES.gate.keys().map(String::as_str)
}

/// One word of the product, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    pub word: &'static str,
    pub means: &'static str,
}

impl Term {
    /// Tells whether a name is this word, or one that its meaning ends in: `Also: this, that.` or `Short: this.`
    pub fn is_called(&self, name: &str) -> bool {
        let mut others = ["Also: ", "Short: "]
            .into_iter()
            .filter_map(|label| self.means.rsplit_once(label))
            .flat_map(|(_, list)| list.trim_end_matches('.').split(", "));
        self.word.eq_ignore_ascii_case(name) || others.any(|one| one.eq_ignore_ascii_case(name))
    }
}

/// Returns the words of `docs/glossary.md`, in its order: each is a line `- **word**: meaning`.
pub fn glossary() -> impl Iterator<Item = Term> {
    include_str!("../../docs/glossary.md")
        .lines()
        .filter_map(|line| {
            let (word, means) = line.strip_prefix("- **")?.split_once("**: ")?;
            Some(Term { word, means })
        })
}
