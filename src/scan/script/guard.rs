//! Which failures that a script tests for end it after all: `if cmd; then …; fi` before an `exit 1`, loops that try again.
//!
//! Knows the blocks of a script and where each tested command's failure leads; an end that hangs on something else
//! (`if [ "$done" != 1 ]; then exit 1; fi`) is taken for none.

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    If,
    While,
    Until,
    For,
    Case,
    /// `{ … }`, `( … )` or the whole script.
    Group,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Condition,
    Body,
    Else,
}

#[derive(Debug)]
struct Block {
    kind: Kind,
    part: Part,
    negated: bool,
    /// `break` leaves the loop in some case.
    breaks: bool,
    /// Commands of the condition whose failure leads to one side of the block.
    tested: Vec<usize>,
    /// Commands whose failure leads to what comes next in this part.
    open: Vec<usize>,
    /// Commands whose failure leads to what comes after the block.
    after: Vec<usize>,
}

impl Block {
    fn new(kind: Kind) -> Self {
        let tests = matches!(kind, Kind::If | Kind::While | Kind::Until);
        Self {
            kind,
            part: if tests { Part::Condition } else { Part::Body },
            negated: false,
            breaks: false,
            tested: Vec::new(),
            open: Vec::new(),
            after: Vec::new(),
        }
    }

    /// True where this part runs after a tested command failed.
    fn is_failing_side(&self) -> bool {
        self.kind == Kind::If
            && match self.part {
                Part::Condition => false,
                Part::Body => self.negated,
                Part::Else => !self.negated,
            }
    }

    /// True for a loop that ends only when the tested command has succeeded.
    fn repeats_failures(&self) -> bool {
        !self.breaks
            && match self.kind {
                Kind::Until => !self.negated,
                Kind::While => self.negated,
                _ => false,
            }
    }

    /// Gives the commands whose failure is noticed if the script fails here.
    fn noticed(&mut self) -> Vec<usize> {
        let mut out = std::mem::take(&mut self.open);
        if self.is_failing_side() {
            join(&mut out, std::mem::take(&mut self.tested));
        }
        out
    }
}

/// Appends the shorter of two lists to the longer: the order does not matter, and many blocks stay cheap.
fn join(into: &mut Vec<usize>, mut other: Vec<usize>) {
    if other.len() > into.len() {
        std::mem::swap(into, &mut other);
    }
    into.append(&mut other);
}

/// The blocks that are open at one point of a script.
#[derive(Debug)]
pub(super) struct Guards {
    blocks: Vec<Block>,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            blocks: vec![Block::new(Kind::Group)],
        }
    }
}

impl Guards {
    pub fn enter(&mut self, kind: Kind) {
        self.blocks.push(Block::new(kind));
    }

    pub fn negate(&mut self) {
        if let Some(block) = self.blocks.last_mut()
            && block.part == Part::Condition
        {
            block.negated = true;
        }
    }

    /// `then`, `do`: the condition is over.
    pub fn body(&mut self) {
        self.part(Part::Body);
    }

    /// `else`, `elif`, `;;`: another part of the same block.
    pub fn other_part(&mut self, keyword: &str) {
        let next = match keyword {
            "elif" => Part::Condition,
            "else" => Part::Else,
            _ => Part::Body,
        };
        self.part(next);
        if next == Part::Condition
            && let Some(block) = self.blocks.last_mut()
        {
            // Where the first test fails and the next does not, nothing here tells what follows.
            let tested = std::mem::take(&mut block.tested);
            join(&mut block.after, tested);
            block.negated = false;
        }
    }

    fn part(&mut self, next: Part) {
        if let Some(block) = self.blocks.last_mut() {
            let open = std::mem::take(&mut block.open);
            join(&mut block.after, open);
            block.part = next;
        }
    }

    /// Closes the innermost block; gives the commands whose failure it notices. `forget` drops those still open, as
    /// at the end of a function, which may be called anywhere.
    pub fn leave(&mut self, forget: bool) -> Vec<usize> {
        if self.blocks.len() < 2 {
            return Vec::new();
        }
        let Some(mut block) = self.blocks.pop() else {
            return Vec::new();
        };
        let mut noticed = Vec::new();
        if block.repeats_failures() {
            noticed.append(&mut block.tested);
        }
        if let Some(outer) = self.blocks.last_mut().filter(|_| !forget) {
            for list in [block.tested, block.open, block.after] {
                join(&mut outer.open, list);
            }
        }
        noticed
    }

    /// Notes a command whose failure the condition around it takes.
    pub fn test(&mut self, index: usize) {
        if let Some(block) = self.blocks.last_mut() {
            block.tested.push(index);
        }
    }

    /// Takes back that a command is tested: something else takes its failure first, as in `if cmd || true`.
    pub fn forget(&mut self, index: Option<usize>) {
        if let Some(block) = self.blocks.last_mut()
            && block.tested.last().copied() == index
        {
            block.tested.pop();
        }
    }

    /// Takes a command that ends something; gives the commands whose failure is noticed by it.
    pub fn end(&mut self, words: &[String]) -> Vec<usize> {
        let Some((first, rest)) = words.split_first() else {
            return Vec::new();
        };
        match (first.as_str(), rest.first().map(String::as_str)) {
            ("exit" | "return", Some(code)) if code.parse::<u32>().is_ok_and(|c| c != 0) => self
                .blocks
                .last_mut()
                .map(Block::noticed)
                .unwrap_or_default(),
            ("exit" | "return", _) => {
                // It ends well, or nobody knows how: what led here is not noticed.
                self.blocks.last_mut().map(Block::noticed);
                Vec::new()
            }
            ("break", _) => {
                let mut loops = self.blocks.iter_mut().rev();
                let of = |b: &&mut Block| matches!(b.kind, Kind::While | Kind::Until | Kind::For);
                if let Some(around) = loops.find(of) {
                    around.breaks = true;
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}
