//! How alike two names are: by letters, and by the words they are made of.
//!
//! Pure and knows no fields. Scores are percent.

/// 100 less the share of letters to change; 0 where more than one in five, or two for short names, would change.
pub(super) fn letters(a: &str, b: &str) -> u8 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let longest = a.len().max(b.len());
    if a.len().min(b.len()) < 4 {
        return 0;
    }
    let allowed = (longest / 5).max(1);
    let distance = edits(&a, &b);
    if distance > allowed {
        return 0;
    }
    u8::try_from(100 - 100 * distance / longest).unwrap_or(0)
}

/// Share of words that both names have, in percent.
pub(super) fn words_alike(a: &[String], b: &[String]) -> u8 {
    let shared = b.iter().filter(|w| a.contains(w)).count();
    let all = a.len() + b.len() - shared;
    if shared == 0 || all == 0 {
        return 0;
    }
    u8::try_from(100 * shared / all).unwrap_or(0)
}

/// Levenshtein distance.
pub(super) fn edits(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b) {
            let above = *cell;
            let changed = diagonal + usize::from(x != y);
            left = changed.min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// A name without case, spaces and punctuation.
pub(super) fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The words of a name: split at punctuation and where a small letter meets a capital.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut after_small = false;
    for c in name.chars().take(128) {
        let breaks = !c.is_alphanumeric() || (after_small && c.is_uppercase());
        if breaks && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        after_small = c.is_lowercase();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words.dedup();
    words
}
