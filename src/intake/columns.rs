//! Which column of somebody's sheet is which field of the template.
//!
//! Owns the field names, their synonyms and the likeness of names; the result is a mapping that a person can read and
//! say yes to. Must not guess between two fields: what is ambiguous is listed and left out.

use std::fmt;

use unicode_width::UnicodeWidthStr as _;

mod likeness;

use super::IntakeError;
use super::names;
use crate::safe::shown::visible;
use likeness::{letters, plain, words, words_alike};

/// Least likeness, in percent, at which a name is proposed for a field.
const LEAST_SCORE: u8 = 60;
/// Score of a field whose name is only a part of the column's, in percent: any better likeness wins.
const CONTAINED: u8 = 50;
/// Two fields whose scores differ by less than this, in percent points, are ambiguous.
const MARGIN: u8 = 10;

macro_rules! fields {
    ($($variant:ident $name:literal [$($synonym:literal),* $(,)?]),+ $(,)?) => {
        /// A field of the one-page template that is kept per repository.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field { $($variant),+ }

        impl Field {
            /// Every field, in the order of the template.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The field's name in the template.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Other names that mean this field, without case, spaces and punctuation.
            fn synonyms(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($synonym),*]),+ }
            }
        }
    };
}

fields! {
    Repo "repo" ["repository", "repositoryname", "repositoryslug", "reponame", "reposlug", "githubrepo",
        "githubrepository", "gitlabproject", "gitrepo", "project", "slug"],
    Packages "packages" ["package", "packagename", "packagenames", "npmpackage", "npmpackages", "pkg", "pkgs"],
    Owner "owner" ["owners", "repoowner", "maintainer", "maintainers", "responsible", "assignee", "lead", "dri",
        "contact"],
    Reviewer "reviewer" ["reviewers", "reviewedby", "secondperson", "secondapprover", "approver"],
    Lane "lane" ["publishlane", "targetlane", "publishmethod", "publishingmethod", "strategy"],
    TokenScopes "token_scopes" ["scopes", "scope", "tokenscope", "tokenpermissions", "permissions"],
    TokenExpires "token_expires" ["expires", "expiry", "expireson", "expiration", "expirydate", "expirationdate",
        "tokenexpiry", "tokenexpiration", "tokenexpirydate", "tokenexpirationdate", "tokenexpireson", "validuntil"],
    Bypass2fa "bypass_2fa" ["bypass", "bypassmfa", "bypasstwofactor", "bypasses2fa", "2fabypass", "skip2fa"],
    SecretName "secret_name" ["secret", "tokensecret", "secretvariable", "cisecret", "envvar", "githubsecret"],
    SecretStore "secret_store" ["store", "secretlocation", "secretslocation", "secretstorage", "vault",
        "wherestored", "storedin"],
    Environment "environment" ["env", "githubenvironment", "releaseenvironment", "deploymentenvironment",
        "environmentname"],
    CanaryDate "canary_date" ["canary", "canaryon", "canaryday", "rehearsal", "rehearsaldate", "rehearsedon"],
    CanaryTag "canary_tag" ["tag", "disttag", "canarydisttag", "npmtag"],
    RevokedTokenId "revoked_token_id" ["tokenid", "tokenkey", "revokedtoken", "revokedid", "revokedkey",
        "idofrevokedtoken"],
    RevokedOn "revoked_on" ["revoked", "revokeddate", "revokedat", "revocation", "revocationdate", "daterevoked",
        "tokenrevokedon"],
    ProvenanceVerified "provenance_verified" ["provenance", "provenanceok", "provenancechecked",
        "attestationverified"],
    DistTagsCorrect "dist_tags_correct" ["disttags", "disttagsok", "disttagschecked", "tagscorrect", "tagsok"],
    DocsUpdated "docs_updated" ["docs", "documentation", "documentationupdated", "docsdone", "readmeupdated"],
}

impl Field {
    /// Finds a field by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let plain = plain(name);
        Self::ALL
            .iter()
            .copied()
            .find(|f| self::plain(f.name()) == plain)
    }
}

/// How a column came to its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// Said so with `--map`.
    Given,
    /// The template's own name, whatever its case and punctuation.
    Exact,
    /// A known other name.
    Synonym,
    /// A name that is merely like it: shown for a yes.
    Likeness,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given => "given",
            Self::Exact => "exact",
            Self::Synonym => "synonym",
            Self::Likeness => "likeness",
        })
    }
}

/// One column and its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub column: String,
    /// Index of the column in the sheet.
    pub index: usize,
    pub field: Field,
    pub how: How,
    /// Likeness in percent; 100 unless `how` is likeness.
    pub score: u8,
}

/// What every column of a sheet stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    pub matches: Vec<Match>,
    /// Columns that could mean several fields, or share one field with an equal: left out until `--map` says.
    pub ambiguous: Vec<(String, Vec<Field>)>,
    /// Columns that mean no field: left out.
    pub unmatched: Vec<String>,
}

/// One `--map "COLUMN=field"`; `COLUMN=-` leaves a column out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    pub column: String,
    pub field: Option<Field>,
}

impl Override {
    /// Reads the argument of `--map`.
    ///
    /// # Errors
    /// No `=`, or what stands after the last one is no field; the message lists the fields.
    pub fn parse(text: &str) -> Result<Self, IntakeError> {
        let fields = || {
            let all: Vec<&str> = Field::ALL.iter().map(|f| f.name()).collect();
            all.join(", ")
        };
        let Some((column, field)) = text.rsplit_once('=') else {
            return Err(IntakeError::Override {
                message: format!(
                    "--map `{}` has no `=`; write \"COLUMN=field\" with a field of: {}",
                    visible(text),
                    fields()
                ),
            });
        };
        let column = column.trim().to_owned();
        if field.trim() == "-" {
            return Ok(Self {
                column,
                field: None,
            });
        }
        match Field::named(field) {
            Some(field) => Ok(Self {
                column,
                field: Some(field),
            }),
            None => Err(IntakeError::Override {
                message: format!(
                    "--map: `{}` is no field; the fields are {} (or `-` to leave the column out)",
                    visible(field.trim()),
                    fields()
                ),
            }),
        }
    }
}

impl Mapping {
    /// Matches columns to fields: overrides first, then exact names, synonyms, likeness.
    ///
    /// # Errors
    /// An override names a column that is not there or gives two columns one field; or nothing tells the repository.
    pub fn of(columns: &[String], overrides: &[Override]) -> Result<Self, IntakeError> {
        let mut mapping = Self::default();
        let mut open: Vec<bool> = columns.iter().map(|_| true).collect();
        for given in overrides {
            mapping.apply(given, columns, &mut open)?;
        }
        mapping.match_rest(columns, &open);
        mapping.matches.sort_by_key(|m| m.index);
        if mapping.matches.iter().all(|m| m.field != Field::Repo) {
            return Err(IntakeError::NoRepo {
                seen: columns.to_vec(),
            });
        }
        Ok(mapping)
    }

    /// The field of a column, if it has one.
    #[must_use]
    pub fn field(&self, index: usize) -> Option<Field> {
        self.matches
            .iter()
            .find(|m| m.index == index)
            .map(|m| m.field)
    }

    /// Whether a person has to say yes: something was guessed, is ambiguous, or is left out.
    #[must_use]
    pub fn needs_yes(&self) -> bool {
        !self.ambiguous.is_empty()
            || !self.unmatched.is_empty()
            || self.matches.iter().any(|m| m.how > How::Exact)
    }

    /// Renders the mapping as a small table, one line per column, fit for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        let mut rows: Vec<[String; 3]> = Vec::new();
        for m in &self.matches {
            let how = match m.how {
                How::Likeness => format!("likeness {} %", m.score),
                other => other.to_string(),
            };
            rows.push([
                visible(&m.column).into_owned(),
                m.field.name().to_owned(),
                how,
            ]);
        }
        for (column, fields) in &self.ambiguous {
            let all: Vec<&str> = fields.iter().map(|f| f.name()).collect();
            let how = format!("ambiguous: {}", all.join(" or "));
            rows.push([visible(column).into_owned(), "(left out)".to_owned(), how]);
        }
        for column in &self.unmatched {
            rows.push([
                visible(column).into_owned(),
                "(left out)".to_owned(),
                "no field is like it".to_owned(),
            ]);
        }
        let width = |i: usize| {
            rows.iter()
                .filter_map(|r| r.get(i))
                .map(|c| c.width())
                .max()
        };
        let (first, second) = (width(0).unwrap_or(0).min(40), width(1).unwrap_or(0));
        let mut text = String::new();
        for [column, field, how] in &rows {
            let pad = " ".repeat(first.saturating_sub(column.width()));
            text.push_str(&format!("  {column}{pad}  ->  {field:second$}  {how}\n"));
        }
        text
    }

    fn apply(
        &mut self,
        given: &Override,
        columns: &[String],
        open: &mut [bool],
    ) -> Result<(), IntakeError> {
        let exact = columns.iter().position(|c| *c == given.column);
        let index = exact.or_else(|| {
            let wanted = plain(&given.column);
            columns.iter().position(|c| plain(c) == wanted)
        });
        let Some((index, column)) = index.and_then(|i| Some((i, columns.get(i)?))) else {
            return Err(IntakeError::Override {
                message: format!(
                    "--map: there is no column `{}`; columns seen: {}",
                    visible(&given.column),
                    names(columns)
                ),
            });
        };
        if let Some(slot) = open.get_mut(index) {
            *slot = false;
        }
        let Some(field) = given.field else {
            self.unmatched.push(column.clone());
            return Ok(());
        };
        if let Some(other) = self
            .matches
            .iter()
            .find(|m| m.field == field || m.index == index)
        {
            return Err(IntakeError::Override {
                message: format!(
                    "--map gives `{}` twice: column `{}` is already `{}`",
                    field.name(),
                    visible(&other.column),
                    other.field.name()
                ),
            });
        }
        self.matches.push(Match {
            column: column.clone(),
            index,
            field,
            how: How::Given,
            score: 100,
        });
        Ok(())
    }

    /// Matches what no override named. The surest claim on a field wins; equals lose both.
    fn match_rest(&mut self, columns: &[String], open: &[bool]) {
        let taken: Vec<Field> = self.matches.iter().map(|m| m.field).collect();
        let mut claims: Vec<Match> = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            if open.get(index) != Some(&true) {
                continue;
            }
            match best(column, &taken) {
                Best::One(field, how, score) => claims.push(Match {
                    column: column.clone(),
                    index,
                    field,
                    how,
                    score,
                }),
                Best::Several(fields) => self.ambiguous.push((column.clone(), fields)),
                Best::None => self.unmatched.push(column.clone()),
            }
        }
        let rank = |m: &Match| (m.how, u8::MAX - m.score);
        for claim in &claims {
            let rivals = || {
                claims
                    .iter()
                    .filter(|o| o.field == claim.field && o.index != claim.index)
            };
            if rivals().any(|o| rank(o) < rank(claim)) {
                self.unmatched.push(claim.column.clone());
            } else if rivals().any(|o| rank(o) == rank(claim)) {
                self.ambiguous
                    .push((claim.column.clone(), vec![claim.field]));
            } else {
                self.matches.push(claim.clone());
            }
        }
    }
}

enum Best {
    One(Field, How, u8),
    Several(Vec<Field>),
    None,
}

fn best(column: &str, taken: &[Field]) -> Best {
    let name = plain(column);
    let fields = || Field::ALL.iter().copied().filter(|f| !taken.contains(f));
    if let Some(field) = fields().find(|f| plain(f.name()) == name) {
        return Best::One(field, How::Exact, 100);
    }
    if let Some(field) = fields().find(|f| f.synonyms().contains(&name.as_str())) {
        return Best::One(field, How::Synonym, 100);
    }
    let mut scored: Vec<(Field, u8)> = fields().map(|f| (f, likeness(column, f))).collect();
    scored.retain(|(_, score)| *score >= LEAST_SCORE);
    if scored.is_empty() {
        return contained(column, fields());
    }
    scored.sort_by_key(|(field, score)| (u8::MAX - score, *field));
    let Some(&(field, top)) = scored.first() else {
        return Best::None;
    };
    let near: Vec<Field> = scored
        .iter()
        .filter(|(_, score)| top - score < MARGIN)
        .map(|(f, _)| *f)
        .collect();
    if near.len() > 1 {
        Best::Several(near)
    } else {
        Best::One(field, How::Likeness, top)
    }
}

/// The only field whose whole name stands in a longer one: `Team Owner` is an owner, and `Owner or Lane` is neither.
fn contained(column: &str, fields: impl Iterator<Item = Field>) -> Best {
    let words = words(column);
    let mut fitting = fields.filter(|field| {
        self::words(field.name())
            .iter()
            .all(|word| words.contains(word))
    });
    match (fitting.next(), fitting.next()) {
        (Some(field), None) => Best::One(field, How::Likeness, CONTAINED),
        _ => Best::None,
    }
}

/// Likeness of a column to a field in percent: the better of a few wrong letters and shared words.
fn likeness(column: &str, field: Field) -> u8 {
    let name = plain(column);
    let others = field.synonyms().iter().map(|s| (*s).to_owned());
    let by_letters = std::iter::once(plain(field.name()))
        .chain(others)
        .map(|known| letters(&name, &known))
        .max();
    let by_words = words_alike(&words(column), &words(field.name()));
    by_letters.unwrap_or(0).max(by_words)
}

#[cfg(test)]
mod tests;
