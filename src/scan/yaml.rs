//! YAML as a span tree: every scalar, mapping and sequence with its byte span, line and column.
//!
//! Duplicate keys are kept and reported; aliases share their target and every reading is charged to a budget, so an
//! alias bomb ends in an error and not in a full memory. Knows nothing of any CI system.

use std::borrow::Cow;
use std::cell::Cell;

use granit_parser::{Event, Parser, ScalarStyle};

use super::Place;

/// Most nodes one file may hold, and most that one reading may visit through aliases.
const NODE_CAP: u32 = 400_000;
const VISIT_CAP: u32 = 4_000_000;

/// Why a text is not YAML that can be used.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum YamlError {
    #[error("is not valid YAML at line {line}, column {column}: {reason}")]
    Syntax {
        line: u32,
        column: u32,
        reason: String,
    },
    #[error("holds more than {NODE_CAP} YAML nodes; split it")]
    TooManyNodes,
}

/// A thing in a YAML text that readers of CI files disagree about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    /// Keys from the top to the mapping that has the problem.
    pub path: Vec<String>,
    pub key: String,
    pub line: u32,
    pub column: u32,
    pub span: (u32, u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    DuplicateKey,
    MergeKey,
    /// An alias inside the node it names.
    CyclicAlias,
}

#[derive(Debug)]
enum Kind<'s> {
    Scalar(Cow<'s, str>, ScalarStyle),
    /// Where its children stand in [`Yaml::children`], key and value in turn.
    Map(Children),
    Seq(Children),
    Alias(u32),
}

/// A range of [`Yaml::children`].
#[derive(Debug, Clone, Copy, Default)]
struct Children {
    start: u32,
    end: u32,
}

#[derive(Debug)]
struct Data<'s> {
    kind: Kind<'s>,
    span: (u32, u32),
    line: u32,
    column: u32,
    tag: Option<Box<str>>,
}

/// One YAML text, parsed: its documents and what is odd in them.
#[derive(Debug)]
pub struct Yaml<'s> {
    text: &'s str,
    nodes: Vec<Data<'s>>,
    /// Ids of the nodes inside mappings and sequences, those of one beside each other.
    children: Vec<u32>,
    documents: Vec<u32>,
    merge: bool,
    visits: Cell<u32>,
    pub problems: Vec<Problem>,
}

/// One node of a [`Yaml`]; aliases read as their target.
#[derive(Clone, Copy)]
pub struct Node<'d, 's> {
    yaml: &'d Yaml<'s>,
    id: u32,
    /// Where the node is used: an alias keeps its own place.
    at: u32,
}

impl<'s> Yaml<'s> {
    /// Parses a text. With `merge`, `<<` brings in the keys of another mapping (GitLab, CircleCI); else it is a plain key.
    ///
    /// # Errors
    /// The first syntax error with its place, or a text with too many nodes.
    pub fn parse(text: &'s str, merge: bool) -> Result<Self, YamlError> {
        let mut options = granit_parser::Options::default();
        options.set_emit_comments(false);
        let mut build = Builder::new(text, merge);
        for next in Parser::new_from_str_with_options(text, options) {
            let (event, span) = next.map_err(|e| YamlError::Syntax {
                line: cast(e.marker().line()),
                column: cast(e.marker().col()).saturating_add(1),
                reason: e.info(),
            })?;
            build.take(event, &span)?;
        }
        Ok(build.yaml)
    }

    /// Gives the first document's top node.
    pub fn root(&self) -> Option<Node<'_, 's>> {
        self.documents.first().map(|&id| self.node(id))
    }

    /// Gives every document's top node.
    pub fn documents(&self) -> impl Iterator<Item = Node<'_, 's>> {
        self.documents.iter().map(|&id| self.node(id))
    }

    /// Tells whether reading went through more nodes than the budget allows: what was read is then incomplete.
    pub fn exhausted(&self) -> bool {
        self.visits.get() >= VISIT_CAP
    }

    /// Gives the text that was parsed.
    pub fn text(&self) -> &'s str {
        self.text
    }

    fn node(&self, id: u32) -> Node<'_, 's> {
        let mut target = id;
        // An alias names a node that is no alias itself, so one step is enough; a second would be a bug of ours.
        if let Some(Data {
            kind: Kind::Alias(to),
            ..
        }) = self.nodes.get(id as usize)
        {
            target = *to;
        }
        Node {
            yaml: self,
            id: target,
            at: id,
        }
    }

    fn inside(&self, children: Children) -> &[u32] {
        let range = children.start as usize..children.end as usize;
        self.children.get(range).unwrap_or_default()
    }

    /// Lists a mapping's own pairs of (key, value) node ids.
    fn pairs(&self, children: Children) -> impl DoubleEndedIterator<Item = (u32, u32)> {
        let (pairs, _) = self.inside(children).as_chunks::<2>();
        pairs.iter().map(|&[key, value]| (key, value))
    }

    fn charge(&self, count: usize) -> bool {
        let now = self.visits.get().saturating_add(cast(count));
        self.visits.set(now);
        now < VISIT_CAP
    }
}

impl<'d, 's> Node<'d, 's> {
    fn data(self) -> Option<&'d Data<'s>> {
        self.yaml.nodes.get(self.id as usize)
    }

    fn place_data(self) -> Option<&'d Data<'s>> {
        self.yaml.nodes.get(self.at as usize)
    }

    /// Gives a scalar's text (quotes and escapes resolved); `None` for mappings and sequences.
    pub fn as_str(self) -> Option<&'d str> {
        match &self.data()?.kind {
            Kind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// Tells whether this is an empty or null plain scalar (`key:`, `~`, `null`).
    pub fn is_null(self) -> bool {
        matches!(self.data().map(|d| &d.kind), Some(Kind::Scalar(t, ScalarStyle::Plain)) if matches!(t.as_ref(), "" | "~" | "null"))
    }

    /// Reads a boolean as YAML 1.2 does.
    pub fn as_bool(self) -> Option<bool> {
        match self.as_str()? {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        }
    }

    pub fn is_map(self) -> bool {
        matches!(self.data().map(|d| &d.kind), Some(Kind::Map(_)))
    }

    pub fn is_seq(self) -> bool {
        matches!(self.data().map(|d| &d.kind), Some(Kind::Seq(_)))
    }

    /// Tells whether the scalar is a `|` or `>` block.
    pub fn is_block(self) -> bool {
        matches!(
            self.data().map(|d| &d.kind),
            Some(Kind::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded))
        )
    }

    /// Gives the tag as written by its suffix, such as `reference` for `!reference`.
    pub fn tag(self) -> Option<&'d str> {
        self.data()?.tag.as_deref()
    }

    /// Gives a mapping's value; the last of duplicate keys wins, as in most loaders.
    pub fn get(self, key: &str) -> Option<Node<'d, 's>> {
        self.get_within(key, 0)
    }

    fn get_within(self, key: &str, depth: u32) -> Option<Node<'d, 's>> {
        let Kind::Map(children) = self.data()?.kind else {
            return None;
        };
        if !self.yaml.charge(1) || depth > 16 {
            return None;
        }
        let own = self
            .yaml
            .pairs(children)
            .rev()
            .find(|(k, _)| self.yaml.node(*k).as_str() == Some(key));
        if let Some((_, value)) = own {
            return Some(self.yaml.node(value));
        }
        if !self.yaml.merge {
            return None;
        }
        self.merged()
            .into_iter()
            .find_map(|m| m.get_within(key, depth + 1))
    }

    fn merged(self) -> Vec<Node<'d, 's>> {
        let Some(Kind::Map(children)) = self.data().map(|d| &d.kind) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for (key, value) in self.yaml.pairs(*children) {
            if self.yaml.node(key).as_str() != Some("<<") {
                continue;
            }
            let value = self.yaml.node(value);
            if value.is_seq() {
                out.extend(value.items());
            } else {
                out.push(value);
            }
        }
        out
    }

    /// Follows several keys, each in the mapping before it.
    pub fn at(self, keys: &[&str]) -> Option<Node<'d, 's>> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Lists a mapping's entries as (key node, value node), duplicates included, merged keys after its own.
    pub fn entries(self) -> Vec<(Node<'d, 's>, Node<'d, 's>)> {
        self.entries_within(0)
    }

    fn entries_within(self, depth: u32) -> Vec<(Node<'d, 's>, Node<'d, 's>)> {
        let Some(Kind::Map(children)) = self.data().map(|d| &d.kind) else {
            return Vec::new();
        };
        let pairs = self.yaml.pairs(*children);
        if !self.yaml.charge(self.yaml.inside(*children).len() / 2) || depth > 16 {
            return Vec::new();
        }
        let mut out: Vec<_> = pairs
            .map(|(k, v)| (self.yaml.node(k), self.yaml.node(v)))
            .collect();
        if self.yaml.merge && out.iter().any(|(k, _)| k.as_str() == Some("<<")) {
            out.retain(|(k, _)| k.as_str() != Some("<<"));
            for other in self.merged() {
                for (key, value) in other.entries_within(depth + 1) {
                    if !out.iter().any(|(k, _)| k.as_str() == key.as_str()) {
                        out.push((key, value));
                    }
                }
            }
        }
        out
    }

    /// Lists a sequence's items.
    pub fn items(self) -> Vec<Node<'d, 's>> {
        let Some(Kind::Seq(children)) = self.data().map(|d| &d.kind) else {
            return Vec::new();
        };
        let items = self.yaml.inside(*children);
        if !self.yaml.charge(items.len()) {
            return Vec::new();
        }
        items.iter().map(|&id| self.yaml.node(id)).collect()
    }

    /// Reads a scalar or a sequence of scalars as a list of texts.
    pub fn strings(self) -> Vec<&'d str> {
        match self.as_str() {
            Some("") => Vec::new(),
            Some(one) => vec![one],
            None => self.items().into_iter().filter_map(Node::as_str).collect(),
        }
    }

    /// Gives the line, from 1, where the node stands (for an alias: where it is used).
    pub fn line(self) -> u32 {
        self.place_data().map_or(0, |d| d.line)
    }

    /// Gives the column, from 1, counted in characters.
    pub fn column(self) -> u32 {
        self.place_data().map_or(0, |d| d.column)
    }

    /// Gives the byte range of the node's own text.
    pub fn span(self) -> (u32, u32) {
        self.place_data().map_or((0, 0), |d| d.span)
    }

    /// Gives the place of the node in the named file.
    pub fn place(self, file: &str) -> Place {
        Place {
            file: file.to_owned(),
            line: self.line(),
            column: self.column(),
            span: self.span(),
        }
    }

    /// Tells two uses of the same node (through aliases) apart from different nodes.
    pub fn same(self, other: Node<'_, '_>) -> bool {
        self.id == other.id
    }

    /// Finds the file's line for line `index` (from 0) of this scalar's value.
    ///
    /// Exact for `|` blocks; elsewhere the first source line at or after that holds `needle`.
    pub fn line_within(self, index: u32, needle: &str) -> u32 {
        let Some(data) = self.data() else { return 0 };
        let Kind::Scalar(_, style) = &data.kind else {
            return data.line;
        };
        let start = data.span.0 as usize;
        if *style == ScalarStyle::Literal {
            return self.first_content_line().saturating_add(index);
        }
        let raw = self
            .yaml
            .text
            .get(start..data.span.1 as usize)
            .unwrap_or_default();
        let skip = raw
            .lines()
            .enumerate()
            .filter(|(i, line)| cast(*i) >= index && line.contains(needle));
        let hit = skip.map(|(i, _)| cast(i)).next();
        data.line.saturating_add(
            hit.or_else(|| raw.lines().position(|l| l.contains(needle)).map(cast))
                .unwrap_or(0),
        )
    }

    /// Finds the column, from 1, of `needle` in a line of the file; the node's own column where it is not there.
    pub fn column_within(self, line: u32, needle: &str) -> u32 {
        let index = line.saturating_sub(self.line()) as usize;
        let start = self.span().0 as usize;
        let head = self
            .yaml
            .text
            .get(..start)
            .and_then(|t| t.rfind('\n'))
            .map_or(0, |at| at + 1);
        let found = self
            .yaml
            .text
            .get(head..)
            .and_then(|rest| rest.lines().nth(index))
            .and_then(|text| {
                let at = text.find(needle)?;
                Some(text.get(..at)?.chars().count())
            });
        found.map_or(self.column(), |at| cast(at).saturating_add(1))
    }

    /// Gives the line of the first content line of a block scalar: the one after its header.
    fn first_content_line(self) -> u32 {
        let Some(data) = self.data() else { return 0 };
        let start = data.span.0 as usize;
        let header = matches!(self.yaml.text.as_bytes().get(start), Some(b'|' | b'>'));
        if header {
            data.line.saturating_add(1)
        } else {
            data.line
        }
    }
}

impl std::fmt::Debug for Node<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({}:{})", self.line(), self.column())
    }
}

/// Builds the tree from parser events with an explicit stack, so that depth cannot overflow ours.
struct Builder<'s> {
    yaml: Yaml<'s>,
    /// Open collections: node id, and where its children begin in `waiting`.
    open: Vec<(u32, usize)>,
    /// Children of the open collections, innermost last.
    waiting: Vec<u32>,
    anchors: std::collections::HashMap<usize, u32>,
}

impl<'s> Builder<'s> {
    fn new(text: &'s str, merge: bool) -> Self {
        // Workflows have a node every 20 bytes or so.
        let nodes = text.len() / 20;
        let yaml = Yaml {
            text,
            nodes: Vec::with_capacity(nodes),
            children: Vec::with_capacity(nodes),
            documents: Vec::new(),
            merge,
            visits: Cell::new(0),
            problems: Vec::new(),
        };
        Self {
            yaml,
            open: Vec::new(),
            waiting: Vec::new(),
            anchors: std::collections::HashMap::new(),
        }
    }

    fn take(&mut self, event: Event<'s>, span: &granit_parser::Span) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let id = self.add(Kind::Scalar(text, style), span, tag.as_deref())?;
                self.anchor(anchor, id);
                self.attach(id);
            }
            Event::MappingStart(_, anchor, tag) => {
                let id = self.add(Kind::Map(Children::default()), span, tag.as_deref())?;
                self.anchor(anchor, id);
                self.open.push((id, self.waiting.len()));
            }
            Event::SequenceStart(_, anchor, tag) => {
                let id = self.add(Kind::Seq(Children::default()), span, tag.as_deref())?;
                self.anchor(anchor, id);
                self.open.push((id, self.waiting.len()));
            }
            Event::MappingEnd | Event::SequenceEnd => self.close(span),
            Event::Alias(anchor) => self.alias(anchor, span)?,
            Event::DocumentStart(..) => {
                self.anchors.clear();
                self.open.clear();
                self.waiting.clear();
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends the innermost collection: its children get their place in the tree.
    fn close(&mut self, span: &granit_parser::Span) {
        let Some((id, first)) = self.open.pop() else {
            return;
        };
        let start = cast(self.yaml.children.len());
        self.yaml.children.extend(self.waiting.drain(first..));
        let inside = Children {
            start,
            end: cast(self.yaml.children.len()),
        };
        let end = cast(span.end.byte_offset().unwrap_or(0));
        if let Some(data) = self.yaml.nodes.get_mut(id as usize) {
            data.span.1 = data.span.1.max(end);
            if let Kind::Map(children) | Kind::Seq(children) = &mut data.kind {
                *children = inside;
            }
        }
        self.attach(id);
    }

    fn alias(&mut self, anchor: usize, span: &granit_parser::Span) -> Result<(), YamlError> {
        let target = self.anchors.get(&anchor).copied();
        let cyclic = target.is_some_and(|t| self.open.iter().any(|(id, _)| *id == t));
        let id = match target {
            Some(target) if !cyclic => self.add(Kind::Alias(target), span, None)?,
            _ => self.add(
                Kind::Scalar(Cow::Borrowed(""), ScalarStyle::Plain),
                span,
                None,
            )?,
        };
        if cyclic {
            self.problem(ProblemKind::CyclicAlias, "", id);
        }
        self.attach(id);
        Ok(())
    }

    fn add(
        &mut self,
        kind: Kind<'s>,
        span: &granit_parser::Span,
        tag: Option<&granit_parser::Tag>,
    ) -> Result<u32, YamlError> {
        let id = cast(self.yaml.nodes.len());
        if id >= NODE_CAP {
            return Err(YamlError::TooManyNodes);
        }
        let bytes = span.byte_range().unwrap_or(0..0);
        self.yaml.nodes.push(Data {
            kind,
            span: (cast(bytes.start), cast(bytes.end)),
            line: cast(span.start.line()),
            column: cast(span.start.col()).saturating_add(1),
            tag: tag.map(|t| t.suffix().into()),
        });
        Ok(id)
    }

    fn anchor(&mut self, anchor: usize, id: u32) {
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
    }

    fn attach(&mut self, id: u32) {
        let Some((parent, first)) = self.open.last().copied() else {
            self.yaml.documents.push(id);
            return;
        };
        let is_map = matches!(self.kind(parent), Some(Kind::Map(_)));
        if is_map && (self.waiting.len() - first).is_multiple_of(2) {
            self.check_key(first, id);
        }
        self.waiting.push(id);
    }

    fn kind(&self, id: u32) -> Option<&Kind<'s>> {
        self.yaml.nodes.get(id as usize).map(|data| &data.kind)
    }

    /// Notes a key that was there already, or a merge key; the mapping's pairs so far begin at `first`.
    fn check_key(&mut self, first: usize, key: u32) {
        let Some(Kind::Scalar(name, style)) = self.kind(key) else {
            return;
        };
        let is_merge = name == "<<" && *style == ScalarStyle::Plain;
        let (pairs, _) = self
            .waiting
            .get(first..)
            .unwrap_or_default()
            .as_chunks::<2>();
        // No CI system takes mappings this wide; the cap keeps the comparison from growing with the square.
        let twice = !is_merge
            && pairs.len() < 4096
            && pairs
                .iter()
                .any(|[k, _]| matches!(self.kind(*k), Some(Kind::Scalar(n, _)) if n == name));
        let kind = if is_merge {
            ProblemKind::MergeKey
        } else if twice {
            ProblemKind::DuplicateKey
        } else {
            return;
        };
        let name = name.to_string();
        self.problem(kind, &name, key);
    }

    fn problem(&mut self, kind: ProblemKind, key: &str, id: u32) {
        if self.yaml.problems.len() >= 100 {
            return;
        }
        let path = self.path();
        if let Some(data) = self.yaml.nodes.get(id as usize) {
            let (line, column, span) = (data.line, data.column, data.span);
            self.yaml.problems.push(Problem {
                kind,
                path,
                key: key.to_owned(),
                line,
                column,
                span,
            });
        }
    }

    /// Lists the keys that lead to the innermost collection: of each open mapping the one that waits for its value.
    fn path(&self) -> Vec<String> {
        let ends = self.open.iter().skip(1).map(|(_, first)| *first);
        let ends = ends.chain([self.waiting.len()]);
        let keys = self.open.iter().zip(ends).filter_map(|((id, first), end)| {
            let waits = matches!(self.kind(*id), Some(Kind::Map(_))) && (end - first) % 2 == 1;
            let key = self.waiting.get(end.checked_sub(1)?).filter(|_| waits)?;
            match self.kind(*key) {
                Some(Kind::Scalar(name, _)) => Some(name.to_string()),
                _ => None,
            }
        });
        keys.collect()
    }
}

fn cast(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn reads_with_places() {
        let text = "on: push\njobs:\n  a:\n    steps:\n      - run: |\n          one\n          npm publish\n      - run: é npm publish\n";
        let yaml = Yaml::parse(text, false).unwrap();
        let root = yaml.root().unwrap();
        assert_eq!(root.get("on").unwrap().as_str(), Some("push"));
        let steps = root.at(&["jobs", "a", "steps"]).unwrap().items();
        let run = steps[0].get("run").unwrap();
        assert_eq!(run.as_str(), Some("one\nnpm publish\n"));
        assert_eq!(run.line_within(1, "npm publish"), 7);
        let second = steps[1].get("run").unwrap();
        assert_eq!((second.line(), second.column()), (8, 14));
        assert_eq!(
            &text[second.span().0 as usize..second.span().1 as usize],
            "é npm publish"
        );
        assert_eq!(second.line_within(0, "npm publish"), 8);
    }

    #[test]
    fn folded_lines_are_found_by_words() {
        let text = "run: >-\n  echo a &&\n  npm publish\n";
        let yaml = Yaml::parse(text, false).unwrap();
        let run = yaml.root().unwrap().get("run").unwrap();
        assert_eq!(run.as_str(), Some("echo a && npm publish"));
        assert_eq!(run.line_within(0, "npm publish"), 3);
    }

    #[test]
    fn duplicates_and_merges_are_reported() {
        let text = "a: &x {k: 1}\nb:\n  <<: *x\n  k: 2\n  k: 3\n";
        let yaml = Yaml::parse(text, false).unwrap();
        let kinds: Vec<_> = yaml
            .problems
            .iter()
            .map(|p| (p.kind, p.path.join("."), p.line))
            .collect();
        assert_eq!(
            kinds,
            [
                (ProblemKind::MergeKey, "b".to_owned(), 3),
                (ProblemKind::DuplicateKey, "b".to_owned(), 5)
            ]
        );
        assert_eq!(
            yaml.root().unwrap().at(&["b", "k"]).unwrap().as_str(),
            Some("3")
        );
    }

    #[test]
    fn merge_is_an_option() {
        let text = "a: &x {k: 1, only: y}\nb:\n  <<: *x\n  k: 2\n";
        let plain = Yaml::parse(text, false).unwrap();
        assert!(plain.root().unwrap().at(&["b", "only"]).is_none());
        let merged = Yaml::parse(text, true).unwrap();
        let b = merged.root().unwrap().get("b").unwrap();
        assert_eq!(b.get("only").unwrap().as_str(), Some("y"));
        assert_eq!(b.get("k").unwrap().as_str(), Some("2"));
        assert_eq!(b.entries().len(), 2);
    }

    #[test]
    fn alias_bombs_stop_at_the_budget() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for i in 1..12 {
            let refs = vec![format!("*a{}", i - 1); 9].join(",");
            text.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
        }
        let yaml = Yaml::parse(&text, false).unwrap();
        fn count(node: Node<'_, '_>) -> u64 {
            1 + node.items().into_iter().map(count).sum::<u64>()
        }
        let seen = count(yaml.root().unwrap().get("a11").unwrap());
        assert!(yaml.exhausted());
        assert!(seen <= u64::from(VISIT_CAP) + 16);
    }

    #[test]
    fn cycles_and_broken_text_end() {
        let yaml = Yaml::parse("a: &a [*a, 1]\n", false).unwrap();
        assert_eq!(yaml.root().unwrap().get("a").unwrap().items().len(), 2);
        assert_eq!(yaml.problems[0].kind, ProblemKind::CyclicAlias);
        assert!(matches!(
            Yaml::parse("a: [1\nb: }", false),
            Err(YamlError::Syntax { .. })
        ));
        assert!(Yaml::parse("", false).unwrap().root().is_none());
    }

    #[test]
    fn several_documents() {
        let yaml = Yaml::parse("---\na: 1\n---\nb: 2\n", false).unwrap();
        assert_eq!(yaml.documents().count(), 2);
    }
}
