//! Subjects and their ids: what a fact, a gate or a decision is about.
//!
//! An id is a kind letter and 10 base32 characters of sha256 over the natural key at first sight, so that two
//! offline writers mint the same one. Names and places are facts beside it: a rename loses nothing.

use data_encoding::{BASE32_NOPAD, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::str::FromStr;

/// What kinds of thing a fact or a gate can be true of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Session,
    Repo,
    Path,
    PathRef,
    Package,
    Config,
    Secret,
    Token,
    Person,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Session,
        Self::Repo,
        Self::Path,
        Self::PathRef,
        Self::Package,
        Self::Config,
        Self::Secret,
        Self::Token,
        Self::Person,
    ];

    /// Gives the word before the colon in `about` and on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Repo => "repo",
            Self::Path => "path",
            Self::PathRef => "path-ref",
            Self::Package => "package",
            Self::Config => "config",
            Self::Secret => "secret",
            Self::Token => "token",
            Self::Person => "person",
        }
    }

    fn letter(self) -> char {
        match self {
            Self::Session => '-',
            Self::Repo => 'r',
            Self::Path => 'p',
            Self::PathRef => 'f',
            Self::Package => 'k',
            Self::Config => 'c',
            Self::Secret => 's',
            Self::Token => 't',
            Self::Person => 'h',
        }
    }
}

/// One subject: its kind and 50 bits of its natural key's hash, high byte first.
///
/// Eight bytes in all: hundreds of thousands of them stand in links and maps.
#[derive(Debug, Clone, Copy, Eq)]
pub struct Subject {
    pub kind: Kind,
    code: [u8; 7],
}

impl PartialEq for Subject {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Ord for Subject {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bits().cmp(&other.bits())
    }
}

impl PartialOrd for Subject {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Subject {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.bits());
    }
}

/// A map by subject.
pub type SubjectMap<V> = HashMap<Subject, V, SubjectHash>;

/// A set of subjects.
pub type SubjectSet = HashSet<Subject, SubjectHash>;

/// Subjects in order, each once. Most such sets hold one or two, so a sorted list takes the least room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubjectList(Vec<Subject>);

impl SubjectList {
    /// Adds a subject. Tells whether it was new.
    pub fn insert(&mut self, subject: Subject) -> bool {
        // Most are added in rising order.
        let at = match self.0.last() {
            Some(last) if *last >= subject => self.0.binary_search(&subject),
            _ => Err(self.0.len()),
        };
        let Err(at) = at else { return false };
        if self.0.is_empty() {
            self.0.reserve_exact(1);
        }
        self.0.insert(at, subject);
        true
    }

    /// Takes a subject out. Tells whether it was there.
    pub fn remove(&mut self, subject: Subject) -> bool {
        let found = self.0.binary_search(&subject);
        if let Ok(at) = found {
            self.0.remove(at);
        }
        found.is_ok()
    }

    pub fn contains(&self, subject: Subject) -> bool {
        self.0.binary_search(&subject).is_ok()
    }

    pub fn retain(&mut self, keep: impl FnMut(&Subject) -> bool) {
        self.0.retain(keep);
    }
}

impl std::ops::Deref for SubjectList {
    type Target = [Subject];

    fn deref(&self) -> &[Subject] {
        &self.0
    }
}

impl<'a> IntoIterator for &'a SubjectList {
    type Item = &'a Subject;
    type IntoIter = std::slice::Iter<'a, Subject>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Hashes subjects with one multiplication: opening a session looks up millions of them.
///
/// A file chooses its codes, so the seed is random for each process, as the standard maps' is.
#[derive(Debug, Clone, Copy)]
pub struct SubjectHash(u64);

impl Default for SubjectHash {
    fn default() -> Self {
        static SEED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
        Self(*SEED.get_or_init(|| RandomState::new().hash_one(0_u8)))
    }
}

impl BuildHasher for SubjectHash {
    type Hasher = SubjectHasher;

    fn build_hasher(&self) -> SubjectHasher {
        SubjectHasher(self.0)
    }
}

/// The state of [`SubjectHash`].
#[derive(Debug, Clone, Copy)]
pub struct SubjectHasher(u64);

impl Hasher for SubjectHasher {
    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Characters of an id after its letter.
const CODE_LEN: usize = 10;

fn alphabet() -> &'static Encoding {
    static LOWER: std::sync::OnceLock<Encoding> = std::sync::OnceLock::new();
    LOWER.get_or_init(|| {
        let mut spec = BASE32_NOPAD.specification();
        spec.symbols.make_ascii_lowercase();
        spec.encoding().unwrap_or(BASE32_NOPAD)
    })
}

impl Subject {
    /// The session itself.
    pub const SESSION: Self = Self {
        kind: Kind::Session,
        code: [0; 7],
    };

    fn new(kind: Kind, number: u64) -> Self {
        let [_, code @ ..] = number.to_be_bytes();
        Self { kind, code }
    }

    /// Gives kind and code as one number, in the order of subjects: compared at once, not byte by byte.
    fn bits(self) -> u64 {
        let [a, b, c, d, e, f, g] = self.code;
        u64::from_be_bytes([self.kind as u8, a, b, c, d, e, f, g])
    }

    /// Makes the id of a subject from the parts of its natural key.
    pub fn mint(kind: Kind, key: &[&str]) -> Self {
        let mut hash = Sha256::new();
        hash.update(kind.word().as_bytes());
        for part in key {
            // A NUL cannot stand in any of the names, so two keys never run together.
            hash.update([0]);
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let code = digest
            .iter()
            .take(8)
            .fold(0_u64, |code, byte| code << 8 | u64::from(*byte));
        Self::new(kind, code >> (64 - 5 * CODE_LEN))
    }

    /// Makes the id of a repository: forge origin and `owner/name` at first sight, compared without case.
    pub fn repo(forge: &str, name: &str) -> Self {
        Self::mint(Kind::Repo, &[forge, &name.to_ascii_lowercase()])
    }

    /// Makes the id of a publish path: repo, CI file, job (empty for a composite action), ordinal in the job.
    pub fn path(repo: Self, file: &str, job: &str, ordinal: u32) -> Self {
        Self::mint(Kind::Path, &[&repo.code(), file, job, &ordinal.to_string()])
    }

    /// Makes the id of one ref of a path.
    pub fn path_ref(path: Self, git_ref: &str) -> Self {
        Self::mint(Kind::PathRef, &[&path.code(), git_ref])
    }

    /// Makes the id of a package on a registry.
    pub fn package(registry: &str, name: &str) -> Self {
        Self::mint(Kind::Package, &[registry, name])
    }

    /// Makes the id of a trust config: package, repo, top-level workflow file, environment (empty for none).
    pub fn config(package: Self, repo: Self, file: &str, environment: &str) -> Self {
        Self::mint(
            Kind::Config,
            &[&package.code(), &repo.code(), file, environment],
        )
    }

    /// Makes the id of a secret: the store that holds it (`org:acme`, `repo:acme/ui`) and its name.
    pub fn secret(store: &str, name: &str) -> Self {
        Self::mint(Kind::Secret, &[&store.to_ascii_lowercase(), name])
    }

    /// Makes the id of a token: registry, account and the registry's key.
    pub fn token(registry: &str, account: &str, key: &str) -> Self {
        Self::mint(Kind::Token, &[registry, account, key])
    }

    /// Makes the id of a person by login.
    pub fn person(login: &str) -> Self {
        Self::mint(Kind::Person, &[&login.to_ascii_lowercase()])
    }

    /// Gives the letter and the ten characters.
    pub fn code(self) -> String {
        // The shift drops the kind.
        let bytes = (self.bits() << (64 - 5 * CODE_LEN)).to_be_bytes();
        let mut text = alphabet().encode(&bytes);
        text.truncate(CODE_LEN);
        text.insert(0, self.kind.letter());
        text
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Session => f.write_str("session"),
            kind => write!(f, "{}:{}", kind.word(), self.code()),
        }
    }
}

/// What stands in `about` and is no subject of a kind known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a subject such as repo:rabcdefghij")]
pub struct BadSubject;

impl FromStr for Subject {
    type Err = BadSubject;

    fn from_str(text: &str) -> Result<Self, BadSubject> {
        if text == "session" {
            return Ok(Self::SESSION);
        }
        let (word, code) = text.split_once(':').ok_or(BadSubject)?;
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or(BadSubject)?;
        let code = code.strip_prefix(kind.letter()).ok_or(BadSubject)?;
        if code.len() != CODE_LEN {
            return Err(BadSubject);
        }
        let (number, all) = code.bytes().fold((0_u64, 0), |(number, all), byte| {
            let five = FIVE.get(usize::from(byte)).copied().unwrap_or(NO_BITS);
            (number << 5 | u64::from(five), all | five)
        });
        if all & NO_BITS == 0 {
            Ok(Self::new(kind, number))
        } else {
            Err(BadSubject)
        }
    }
}

/// Stands in [`FIVE`] for what is no character of a code.
const NO_BITS: u8 = 0x80;

/// The five bits of each character of a code: a large session is read with half a million codes.
const FIVE: [u8; 256] = {
    let mut table = [NO_BITS; 256];
    let mut byte: u8 = 0;
    while byte < u8::MAX {
        let five = match byte {
            b'a'..=b'z' => byte - b'a',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => NO_BITS,
        };
        #[allow(clippy::indexing_slicing)]
        {
            table[byte as usize] = five;
        }
        byte += 1;
    }
    table
};

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl serde::de::Visitor<'_> for Visit {
            type Value = Subject;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a subject such as repo:rabcdefghij")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Subject, E> {
                text.parse().map_err(E::custom)
            }
        }
        from.deserialize_str(Visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back() {
        for kind in Kind::ALL.into_iter().skip(1) {
            let minted = Subject::mint(kind, &["a", "b"]);
            assert_eq!(minted.to_string().parse(), Ok(minted), "{minted}");
        }
        assert_eq!("session".parse(), Ok(Subject::SESSION));
    }

    #[test]
    fn a_list_is_a_set_in_order() {
        let mut list = SubjectList::default();
        let mut set = std::collections::BTreeSet::new();
        for step in 0_u64..2_000 {
            let subject = Subject::new(Kind::Path, step * 7_919 % 61);
            if step % 3 == 0 {
                assert_eq!(list.remove(subject), set.remove(&subject), "{step}");
            } else {
                assert_eq!(list.insert(subject), set.insert(subject), "{step}");
            }
            assert_eq!(list.contains(subject), set.contains(&subject), "{step}");
            assert!(list.iter().eq(&set), "{step}");
        }
    }

    #[test]
    fn hashes_tell_kinds_and_neighbours_apart() {
        let hash = SubjectHash::default();
        let mut low = HashSet::new();
        for code in 0..4_096 {
            for kind in [Kind::Repo, Kind::Path] {
                low.insert(hash.hash_one(Subject::new(kind, code)) >> 50);
            }
        }
        // 8,192 draws of 16,384: a good spread leaves about 6,400 different ones.
        assert!(low.len() > 5_000, "{}", low.len());
    }

    #[test]
    fn parts_of_a_key_do_not_run_together() {
        assert_ne!(
            Subject::mint(Kind::Repo, &["ab", "c"]),
            Subject::mint(Kind::Repo, &["a", "bc"])
        );
        assert_ne!(
            Subject::mint(Kind::Repo, &["a"]),
            Subject::mint(Kind::Token, &["a"])
        );
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "repo",
            "repo:",
            "repo:x234567abcd",
            "repo:r2345",
            "repo:rABCDEFGHIJ",
            "thing:rabcdefghij",
            "repo:rabcdefghi1",
        ] {
            assert_eq!(text.parse::<Subject>(), Err(BadSubject), "{text}");
        }
    }
}
