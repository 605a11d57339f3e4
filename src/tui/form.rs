//! Forms: the fields of one decision, what may stand in them, and the decision that they make.
//!
//! Pure, no ratatui. A form never loses typed work: what was typed stays until the decision is on disk.

mod fields;

use chrono::NaiveDate;
use tui_input::Input;

use crate::model::decision::ValidationPlan;
use crate::model::event::EvidenceForm;
use crate::model::gate::GateId;
use crate::model::id::Subject;
use crate::model::lane::Lane;
use crate::session::decide::{
    Action, Assign, GateAction, LaneAction, NoteAction, PlanAction, RevocationAction, Role,
};

/// What a form decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Owner,
    Reviewer,
    Commander,
    SecondApprover,
    Lane,
    EndDate,
    Plan,
    CarryOver,
    Attest,
    Waive,
    Edge,
    FollowUp,
    Note,
    Evidence,
    RecordRevocation,
}

impl Kind {
    /// What the form does, for its title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Owner => "Assign the owner",
            Self::Reviewer => "Assign the reviewer",
            Self::Commander => "Name the incident commander",
            Self::SecondApprover => "Name the second approver",
            Self::Lane => "Choose the lane",
            Self::EndDate => "Set the end date",
            Self::Plan => "Plan how trust is validated",
            Self::CarryOver => "Carry over",
            Self::Attest => "Attest a gate",
            Self::Waive => "Waive a gate",
            Self::Edge => "Say whether the secret holds the token",
            Self::FollowUp => "Date a follow-up",
            Self::Note => "Add a note",
            Self::Evidence => "Attach evidence",
            Self::RecordRevocation => "Record a revocation",
        }
    }
}

/// What a decision is about: the subject, and its name as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub subject: Subject,
    pub name: String,
}

/// One line of a form.
#[derive(Debug, Clone)]
pub struct Field {
    pub label: &'static str,
    /// What to write, shown while the field is empty.
    pub hint: &'static str,
    pub input: Input,
    /// What can be completed to; with `strict` nothing else may stand here.
    pub options: Vec<String>,
    pub strict: bool,
    pub required: bool,
}

impl Field {
    fn new(label: &'static str, hint: &'static str) -> Self {
        Self {
            label,
            hint,
            input: Input::default(),
            options: Vec::new(),
            strict: false,
            required: true,
        }
    }

    fn optional(self) -> Self {
        Self {
            required: false,
            ..self
        }
    }

    fn one_of(self, options: Vec<String>) -> Self {
        Self {
            options,
            strict: true,
            ..self
        }
    }

    fn suggest(self, options: Vec<String>) -> Self {
        Self { options, ..self }
    }

    fn value(self, text: &str) -> Self {
        Self {
            input: text.into(),
            ..self
        }
    }

    /// The options that hold what was typed; all of them while nothing was.
    #[must_use]
    pub fn matching(&self) -> Vec<&str> {
        let typed = self.input.value().trim().to_lowercase();
        self.options
            .iter()
            .map(String::as_str)
            .filter(|option| option.to_lowercase().contains(&typed))
            .collect()
    }

    /// True where what was typed is one of the options.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.options
            .iter()
            .any(|option| option == self.input.value().trim())
    }

    fn text(&self) -> String {
        self.input.value().trim().to_owned()
    }
}

/// An open form.
#[derive(Debug, Clone)]
pub struct Form {
    pub kind: Kind,
    pub targets: Vec<Target>,
    pub fields: Vec<Field>,
    pub focus: usize,
    /// Option under the cursor while completing.
    pub picked: usize,
    /// What is wrong, in words; typed work stays.
    pub error: Option<String>,
    /// True from sending until the answer.
    pub sending: bool,
    /// It was said that there is no way back: sent again, it is meant.
    pub agreed: bool,
}

/// What a form starts from.
#[derive(Debug, Clone, Default)]
pub struct Start {
    pub people: Vec<String>,
    pub gate: Option<GateId>,
    /// What the open page is about.
    pub page: Option<Subject>,
    pub me: String,
    pub today: NaiveDate,
    /// Last day before the first possible day of the January cut-off.
    pub last_bridge_day: Option<NaiveDate>,
}

impl Form {
    /// Opens a form about these targets, which are of one kind.
    #[must_use]
    pub fn new(kind: Kind, targets: Vec<Target>, start: &Start) -> Self {
        let fields = fields::fields(kind, &targets, start);
        let focus = fields
            .iter()
            .position(|field| field.input.value().is_empty())
            .unwrap_or(0);
        Self {
            kind,
            targets,
            fields,
            focus,
            picked: 0,
            error: None,
            sending: false,
            agreed: false,
        }
    }

    /// True where the form has no gate, or this one.
    #[must_use]
    pub fn is_about(&self, gate: GateId) -> bool {
        !matches!(self.kind, Kind::Attest | Kind::Waive) || self.at(0) == gate.word()
    }

    /// The field that is being typed into.
    #[must_use]
    pub fn focused(&self) -> Option<&Field> {
        self.fields.get(self.focus)
    }

    /// Moves to another field, around the ends.
    pub fn move_focus(&mut self, by: isize) {
        let count = isize::try_from(self.fields.len().max(1)).unwrap_or(1);
        let at = isize::try_from(self.focus).unwrap_or(0);
        self.focus = (at + by).rem_euclid(count).unsigned_abs();
        self.picked = 0;
    }

    /// Moves among the options of the field; false where it has none to move among.
    pub fn move_pick(&mut self, by: isize) -> bool {
        let count = self.focused().map_or(0, |field| {
            if field.is_complete() {
                0
            } else {
                field.matching().len()
            }
        });
        if count == 0 {
            return false;
        }
        self.picked = self.picked.saturating_add_signed(by).min(count - 1);
        true
    }

    /// Completes the field to the option under the cursor; false where there is nothing to complete.
    pub fn complete(&mut self) -> bool {
        let picked = self.picked;
        let Some(field) = self.fields.get_mut(self.focus) else {
            return false;
        };
        if field.is_complete()
            || (!field.strict && (field.input.value().is_empty() || picked == 0 && !field.required))
        {
            return false;
        }
        let Some(option) = field
            .matching()
            .get(picked)
            .map(|option| (*option).to_owned())
        else {
            return false;
        };
        // A free field takes what was typed unless an option was moved to.
        if !field.strict
            && picked == 0
            && !option
                .to_lowercase()
                .starts_with(&field.input.value().trim().to_lowercase())
        {
            return false;
        }
        field.input = option.into();
        self.picked = 0;
        true
    }

    /// Makes the decisions, or says what is missing and moves there.
    pub fn decide(&mut self, start: &Start) -> Option<Vec<Action>> {
        let missing = self.fields.iter().position(|field| {
            let text = field.input.value().trim();
            (field.required && text.is_empty())
                || (field.strict && !text.is_empty() && !field.is_complete())
        });
        if let Some(at) = missing {
            let field = self.fields.get(at)?;
            self.error = Some(if field.input.value().trim().is_empty() {
                format!("{}: {}", field.label.to_lowercase(), field.hint)
            } else {
                format!("{}: choose one of the list", field.label.to_lowercase())
            });
            self.focus = at;
            return None;
        }
        match self.read(start) {
            Ok(actions) => {
                self.error = None;
                Some(actions)
            }
            Err((at, words)) => {
                self.focus = at;
                self.error = Some(words);
                None
            }
        }
    }

    /// What stands in a field, trimmed.
    #[must_use]
    pub fn at(&self, index: usize) -> String {
        self.fields.get(index).map(Field::text).unwrap_or_default()
    }

    fn day(&self, index: usize, start: &Start) -> Result<NaiveDate, Wrong> {
        fields::day(&self.at(index), start.today)
            .ok_or_else(|| (index, "a day: 2026-12-31, +14d or +6w".to_owned()))
    }

    fn gate(&self, index: usize) -> Result<GateId, Wrong> {
        GateId::parse(&self.at(index)).ok_or_else(|| choose(index, "gate"))
    }

    fn link(&self, index: usize) -> Result<Option<String>, Wrong> {
        let link = self.at(index);
        if link.is_empty() || link.starts_with("https://") {
            Ok(Some(link).filter(|link| !link.is_empty()))
        } else {
            Err((index, "link: starts with https://".to_owned()))
        }
    }

    /// The person of the first field; a dash is nobody.
    fn person(&self) -> Option<String> {
        Some(self.at(0)).filter(|person| person != "-")
    }

    fn read(&self, start: &Start) -> Result<Vec<Action>, Wrong> {
        let about: Vec<Subject> = self.targets.iter().map(|target| target.subject).collect();
        let assign = |role| {
            let (about, person) = (about.clone(), self.person());
            Assign {
                about,
                role,
                person,
            }
            .into()
        };
        let each =
            |make: &dyn Fn(Subject) -> Action| about.iter().map(|subject| make(*subject)).collect();
        Ok(match self.kind {
            Kind::Owner => vec![assign(Role::Owner)],
            Kind::Reviewer => vec![assign(Role::Reviewer)],
            Kind::Commander => vec![assign(Role::Commander)],
            Kind::SecondApprover => vec![assign(Role::SecondApprover)],
            Kind::Lane => self.lane(about, start)?,
            Kind::EndDate => {
                let on = self.day(0, start)?;
                vec![LaneAction::SetEndDate { about, on }.into()]
            }
            Kind::Plan => {
                let plan = ValidationPlan::parse(&self.at(0)).ok_or_else(|| choose(0, "plan"))?;
                vec![
                    PlanAction::Validation {
                        configs: about,
                        plan,
                        note: self.at(1),
                    }
                    .into(),
                ]
            }
            Kind::CarryOver => {
                let until = self.day(1, start)?;
                vec![
                    LaneAction::CarryOver {
                        paths: about,
                        owner: self.at(0),
                        until,
                        why: self.at(2),
                    }
                    .into(),
                ]
            }
            Kind::Attest => {
                let link = self.link(2)?;
                vec![
                    GateAction::Attest {
                        about,
                        gate: self.gate(0)?,
                        note: self.at(1),
                        link,
                        before_rehearsal: self.agreed,
                    }
                    .into(),
                ]
            }
            Kind::Waive => {
                let until = self.day(2, start)?;
                vec![
                    GateAction::Waive {
                        about,
                        gate: self.gate(0)?,
                        why: self.at(1),
                        until,
                    }
                    .into(),
                ]
            }
            Kind::Edge => {
                let token = start
                    .page
                    .ok_or_else(|| (0, "open the page of the token first".to_owned()))?;
                let holds = self.at(0) == "holds";
                each(&|secret| {
                    RevocationAction::AttestEdge {
                        token,
                        secret,
                        holds,
                        note: self.at(1),
                    }
                    .into()
                })
            }
            Kind::FollowUp => {
                let on = self.day(0, start)?;
                each(&|about| {
                    NoteAction::DateFollowUp {
                        about,
                        on,
                        what: self.at(1),
                    }
                    .into()
                })
            }
            Kind::Note => each(&|about| {
                NoteAction::Add {
                    about,
                    text: self.at(0),
                }
                .into()
            }),
            Kind::Evidence => {
                let form = match self.at(0).as_str() {
                    "address" => EvidenceForm::Url,
                    "file" => EvidenceForm::File,
                    _ => EvidenceForm::Text,
                };
                if form == EvidenceForm::Url {
                    self.link(1)?;
                }
                // The digest of a file is taken on the way out: reading is no affair of a form.
                each(&|about| {
                    NoteAction::AddEvidence {
                        about,
                        form,
                        what: self.at(1),
                        digest: None,
                        bytes: None,
                    }
                    .into()
                })
            }
            Kind::RecordRevocation => {
                let (on, token_id, who, proof) =
                    (self.day(1, start)?, self.at(0), self.at(2), self.at(3));
                each(&|token| {
                    RevocationAction::Record {
                        token,
                        token_id: token_id.clone(),
                        on,
                        who: who.clone(),
                        proof: proof.clone(),
                    }
                    .into()
                })
            }
        })
    }

    fn lane(&self, paths: Vec<Subject>, start: &Start) -> Result<Vec<Action>, Wrong> {
        let lane = Lane::parse(&self.at(0)).ok_or_else(|| choose(0, "lane"))?;
        let until = if self.at(1).is_empty() {
            None
        } else {
            Some(self.day(1, start)?)
        };
        if lane == Lane::Bridge && until.is_none() {
            return Err((1, "a bridge needs an end date".to_owned()));
        }
        let choose = LaneAction::Choose {
            paths: paths.clone(),
            lane,
            reason: self.at(2),
        };
        let end = until.map(|on| LaneAction::SetEndDate { about: paths, on });
        Ok([choose].into_iter().chain(end).map(Action::Lane).collect())
    }
}

/// Which field is wrong, and why.
type Wrong = (usize, String);

fn choose(index: usize, word: &str) -> Wrong {
    (index, format!("{word}: choose one of the list"))
}
