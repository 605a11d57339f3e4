//! Everything that the console knows: which screen, where the cursors stand, what is open on top, what was typed.
//!
//! Changed by `update` alone; views read it. No ratatui, no clock, no channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use tui_input::Input;

use super::action::Scope;
use super::form::{Form, Kind, Target};
use super::layout::Size;
use super::list::{Context, Item, List, Rows};
use super::page::Page;
use super::rows::board::{Row, repo_target};
use super::rows::log::LogRow;
use super::rows::packages::{PackageRow, package_target};
use super::rows::runs::RunRow;
use super::rows::tokens::{Stamp, TokenRow, token_target};
use crate::engine::snapshot::{Focus, Snapshot};
use crate::model::id::{Kind as Subjects, Subject};
use crate::model::time::Ts;
use crate::session::decide::Action;

/// The screens that a number key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Board,
    Pipelines,
    Tokens,
    Packages,
    Log,
}

/// Does the same with the list of whichever screen is open: the one place that knows which list that is.
macro_rules! with_list {
    (mut $state:expr, $list:ident => $act:expr) => {
        match $state.tab {
            $crate::tui::state::Tab::Board => {
                let $list = &mut $state.board;
                $act
            }
            $crate::tui::state::Tab::Pipelines => {
                let $list = &mut $state.runs;
                $act
            }
            $crate::tui::state::Tab::Tokens => {
                let $list = &mut $state.tokens;
                $act
            }
            $crate::tui::state::Tab::Packages => {
                let $list = &mut $state.packages;
                $act
            }
            $crate::tui::state::Tab::Log => {
                let $list = &mut $state.log;
                $act
            }
        }
    };
    ($state:expr, $list:ident => $act:expr) => {
        match $state.tab {
            $crate::tui::state::Tab::Board => {
                let $list = &$state.board;
                $act
            }
            $crate::tui::state::Tab::Pipelines => {
                let $list = &$state.runs;
                $act
            }
            $crate::tui::state::Tab::Tokens => {
                let $list = &$state.tokens;
                $act
            }
            $crate::tui::state::Tab::Packages => {
                let $list = &$state.packages;
                $act
            }
            $crate::tui::state::Tab::Log => {
                let $list = &$state.log;
                $act
            }
        }
    };
}
pub(in crate::tui) use with_list;

impl Tab {
    /// Every screen with its number: numbers stay though screens between them are not built.
    pub const ALL: [(Self, char, &'static str); 5] = [
        (Self::Board, '1', "Board"),
        (Self::Pipelines, '2', "Pipelines"),
        (Self::Tokens, '3', "Tokens"),
        (Self::Packages, '4', "Packages"),
        (Self::Log, '6', "Log"),
    ];

    /// The screen `by` places on, around the ends.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let at = Self::ALL
            .iter()
            .position(|(tab, ..)| *tab == self)
            .unwrap_or(0);
        let count = isize::try_from(Self::ALL.len()).unwrap_or(1);
        let next = (isize::try_from(at).unwrap_or(0) + by).rem_euclid(count);
        Self::ALL
            .get(next.unsigned_abs())
            .map_or(self, |(tab, ..)| *tab)
    }
}

/// What lies on top of the screen and takes the keys.
#[derive(Debug, Clone)]
pub enum Overlay {
    Help {
        top: usize,
    },
    Palette {
        input: Input,
        cursor: usize,
    },
    Form(Box<Form>),
    Confirm(Box<Confirm>),
    Columns {
        cursor: usize,
    },
    /// One run: its steps, its log's end, and why it failed.
    Run {
        repo: Subject,
        run: u64,
        top: usize,
    },
    /// Every connection and budget in full.
    Connections {
        top: usize,
    },
    /// A reading that costs a second factor: what it costs, then how it goes.
    Factor {
        packages: Vec<Subject>,
        begun: bool,
    },
    /// A text to read: the command that would do the same, or what a gate asks.
    Text {
        title: String,
        lines: Vec<String>,
        top: usize,
    },
}

/// The panel before what cannot be taken back.
#[derive(Debug, Clone)]
pub struct Confirm {
    pub actions: Vec<Action>,
    pub target: Target,
    /// What will be written and what it cannot undo, line by line.
    pub lines: Vec<String>,
    pub input: Input,
    /// False until the panel has been on the screen: what was typed before counts for nothing.
    pub drawn: bool,
    pub sending: bool,
    pub error: Option<String>,
    /// The facts it rests on, as a stamp: when they change, what was typed is cleared.
    pub basis: Option<Stamp>,
}

impl Confirm {
    /// The name that must be typed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.target.name
    }
}

/// One line of talk at the foot of the screen, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub words: String,
    pub bad: bool,
}

/// What a person set when starting the console.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub read_only: bool,
    /// Times are written in this zone.
    pub utc: bool,
    /// Ids of the board's columns, where a person chose them in the config.
    pub board_columns: Vec<String>,
    /// How the session is named in commands: the path it was opened by.
    pub session: String,
    /// How fast an exercise runs, and what goes wrong in it.
    pub exercise: Option<String>,
}

/// The whole state.
pub struct State {
    pub snapshot: Arc<Snapshot>,
    pub settings: Settings,
    pub now: Ts,
    pub size: Size,
    pub tab: Tab,
    pub page: Option<Page>,
    pub overlay: Option<Overlay>,
    /// True while keys go into the filter.
    pub filtering: bool,
    pub board: List<Row>,
    pub runs: List<RunRow>,
    pub tokens: List<TokenRow>,
    pub packages: List<PackageRow>,
    pub log: List<LogRow>,
    pub notice: Option<Notice>,
    /// Index of the theme in `theme::NAMES`.
    pub theme: usize,
    /// Forms closed with typed work in them, by kind and first target.
    pub drafts: BTreeMap<(Kind, Subject), Form>,
    /// The command that would do what was last done or is open.
    pub last_command: Option<String>,
    /// Number of the request whose answer is awaited.
    pub request: u64,
    /// What was last asked to be shown closer.
    pub asked: Focus,
    rows_revision: Option<u64>,
    /// Runs and packages as last taken.
    taken: (Arc<Vec<RunRow>>, Arc<Vec<PackageRow>>),
}

impl State {
    /// Opens on the board.
    #[must_use]
    pub fn new(snapshot: Arc<Snapshot>, settings: Settings, now: Ts, size: Size) -> Self {
        let mut state = Self {
            snapshot,
            settings,
            now,
            size,
            tab: Tab::Board,
            page: None,
            overlay: None,
            filtering: false,
            board: List::default(),
            runs: List::default(),
            tokens: List::default(),
            packages: List::default(),
            log: List::default(),
            notice: None,
            theme: 0,
            drafts: BTreeMap::new(),
            last_command: None,
            request: 0,
            asked: Focus::default(),
            rows_revision: None,
            taken: Default::default(),
        };
        choose_columns(&mut state.board, &state.settings.board_columns);
        state.take_rows();
        state.fit();
        state
    }

    /// The person at this console.
    #[must_use]
    pub fn me(&self) -> &str {
        &self.snapshot.header.actor
    }

    /// True where the session file is damaged: what it shows as met is not known to be.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.snapshot.header.damage.is_some()
    }

    /// Why nothing may be decided here, if so.
    #[must_use]
    pub fn read_only(&self) -> Option<&str> {
        match &self.snapshot.header.read_only {
            Some(why) => Some(why),
            None => self
                .settings
                .read_only
                .then_some("started with --read-only"),
        }
    }

    /// What the screen wants more about than the lists hold.
    #[must_use]
    pub fn focus(&self) -> Focus {
        let log = if self.page.is_none() && self.tab == Tab::Log {
            Some(self.log.span().unwrap_or_default())
        } else {
            None
        };
        Focus {
            page: self.page.as_ref().map(|page| page.subject),
            packages: self.page.is_none() && self.tab == Tab::Packages,
            powers: self.page.as_ref().is_some_and(|page| page.powers),
            log,
            run: match self.overlay {
                Some(Overlay::Run { repo, run, .. }) => Some((repo, run)),
                _ => None,
            },
        }
    }

    /// What answers may depend on besides the rows.
    #[must_use]
    pub fn context(&self) -> Context {
        Context {
            now: self.now.0,
            me: Some(self.me().to_lowercase()).filter(|me| !me.is_empty()),
        }
    }

    /// Takes the rows of the snapshot into the lists and the open page.
    pub fn take_rows(&mut self) {
        let context = self.context();
        if self.rows_revision != Some(self.snapshot.rows_revision) {
            self.rows_revision = Some(self.snapshot.rows_revision);
            self.board
                .set_rows(Rows::Chunked(self.snapshot.rows.clone()), &context);
            self.tokens
                .set_rows(Rows::Whole(Arc::clone(&self.snapshot.tokens)), &context);
        }
        let live = Arc::clone(&self.snapshot.live);
        // Ten thousand runs are put in order only for who looks at them.
        if self.tab == Tab::Pipelines && !Arc::ptr_eq(&self.taken.0, &live.runs) {
            self.runs
                .set_rows(Rows::Whole(Arc::clone(&live.runs)), &context);
            self.taken.0 = Arc::clone(&live.runs);
        }
        if let Some(packages) = &live.packages
            && !Arc::ptr_eq(&self.taken.1, packages)
        {
            self.packages
                .set_rows(Rows::Whole(Arc::clone(packages)), &context);
            self.taken.1 = Arc::clone(packages);
        }
        if let Some(log) = &self.snapshot.log {
            self.log.set_rows(Rows::Chunked(log.clone()), &context);
        }
        if let Some(page) = &mut self.page {
            page.refresh(&self.snapshot);
        }
    }

    /// Tells the lists and the page how many rows fit.
    pub fn fit(&mut self) {
        let rows = self.size.list_rows();
        self.board.set_height(rows);
        self.runs.set_height(rows);
        self.tokens.set_height(rows);
        self.packages.set_height(rows);
        self.log.set_height(rows);
        let rows = self.size.page_rows();
        if let Some(page) = &mut self.page {
            page.set_height(rows);
        }
    }

    /// Where actions are looked up.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match (&self.page, self.tab) {
            (Some(page), _) => match page.subject.kind {
                Subjects::Token => Scope::Token,
                Subjects::Session => Scope::Session,
                Subjects::Package => Scope::Package,
                _ => Scope::Repo,
            },
            (None, Tab::Board) => Scope::Board,
            (None, Tab::Pipelines) => Scope::Pipelines,
            (None, Tab::Tokens) => Scope::Tokens,
            (None, Tab::Packages) => Scope::Packages,
            (None, Tab::Log) => Scope::Log,
        }
    }

    /// What a decision made here goes to.
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        if let Some(page) = &self.page {
            return vec![page.target()];
        }
        match self.tab {
            Tab::Board => self.board.targets().into_iter().map(repo_target).collect(),
            Tab::Tokens => self
                .tokens
                .targets()
                .into_iter()
                .map(token_target)
                .collect(),
            Tab::Packages => self
                .packages
                .targets()
                .into_iter()
                .map(package_target)
                .collect(),
            Tab::Pipelines | Tab::Log => Vec::new(),
        }
    }

    /// The text that the filter of this screen holds.
    #[must_use]
    pub fn filter_input(&self) -> &Input {
        with_list!(self, list => &list.input)
    }

    /// Says something at the foot of the screen.
    pub fn say(&mut self, words: impl Into<String>) {
        self.notice = Some(Notice {
            words: words.into(),
            bad: false,
        });
    }

    /// Says that something was refused or went wrong.
    pub fn complain(&mut self, words: impl Into<String>) {
        self.notice = Some(Notice {
            words: words.into(),
            bad: true,
        });
    }
}

/// Takes a choice of columns by id; an empty one leaves the table's own.
fn choose_columns<R: Item>(list: &mut List<R>, ids: &[String]) {
    if !ids.is_empty() {
        list.wanted = R::COLUMNS
            .iter()
            .map(|column| ids.iter().any(|id| id == column.id))
            .collect();
    }
}
