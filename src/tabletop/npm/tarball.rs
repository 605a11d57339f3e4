//! The bytes of a version: as they were uploaded, or a small archive made from its name.
//!
//! Owns tar and gzip (stored blocks) as far as one file needs them, and the two digests that npm names. An archive is
//! always the same for the same name and version, so that its digest in a document stays true.

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha512};

use crate::tabletop::world::{Package, Version};

/// Gives the tarball of a version.
pub fn bytes(package: &Package, version: &Version) -> Vec<u8> {
    match &version.tarball {
        Some(bytes) => bytes.to_vec(),
        None => made(&package.name, &version.version),
    }
}

/// Makes the archive of a version that never came over HTTP: its `package.json` and nothing else.
pub fn made(name: &str, version: &str) -> Vec<u8> {
    let file = serde_json::json!({ "name": name, "version": version, "license": "MIT" });
    gzip(&tar("package/package.json", file.to_string().as_bytes()))
}

/// Writes the digest that installs check: `sha512-` and base64.
pub fn integrity(bytes: &[u8]) -> String {
    format!("sha512-{}", BASE64.encode(&Sha512::digest(bytes)))
}

/// Writes the digest of old: SHA-1 in hex (FIPS 180-4).
pub fn shasum(bytes: &[u8]) -> String {
    let mut state: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        state = sha1_block(state, block);
    }
    let digest: Vec<u8> = state.iter().flat_map(|word| word.to_be_bytes()).collect();
    HEXLOWER.encode(&digest)
}

fn sha1_block(state: [u32; 5], block: &[u8]) -> [u32; 5] {
    let mut words: Vec<u32> = block
        .chunks_exact(4)
        .map(|four| {
            four.iter()
                .fold(0, |word, byte| (word << 8) | u32::from(*byte))
        })
        .collect();
    for at in 16..80_usize {
        let back = |by: usize| words.get(at - by).copied().unwrap_or_default();
        let word = (back(3) ^ back(8) ^ back(14) ^ back(16)).rotate_left(1);
        words.push(word);
    }
    let [mut a, mut b, mut c, mut d, mut e] = state;
    for (at, word) in words.iter().enumerate() {
        let (mixed, constant) = match at {
            0..20 => ((b & c) | (!b & d), 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let next = a
            .rotate_left(5)
            .wrapping_add(mixed)
            .wrapping_add(e)
            .wrapping_add(constant)
            .wrapping_add(*word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    let [h0, h1, h2, h3, h4] = state;
    [
        h0.wrapping_add(a),
        h1.wrapping_add(b),
        h2.wrapping_add(c),
        h3.wrapping_add(d),
        h4.wrapping_add(e),
    ]
}

/// An archive of one file (POSIX ustar).
fn tar(path: &str, body: &[u8]) -> Vec<u8> {
    let mut head = Vec::with_capacity(512);
    let field = |head: &mut Vec<u8>, text: &str, length: usize| {
        let end = head.len() + length;
        head.extend_from_slice(text.as_bytes());
        head.resize(end, 0);
    };
    field(&mut head, path, 100);
    field(&mut head, "000644 ", 8);
    field(&mut head, "000000 ", 8);
    field(&mut head, "000000 ", 8);
    field(&mut head, &format!("{:011o} ", body.len()), 12);
    // npm gives every file of a package this time, 1985-10-26, so that archives repeat.
    field(&mut head, &format!("{:011o} ", 499_162_500), 12);
    // The sum is taken with blanks in its own place.
    let (before, after) = (head, {
        let mut rest = Vec::new();
        field(&mut rest, "0", 101);
        field(&mut rest, "ustar", 6);
        field(&mut rest, "00", 2);
        rest.resize(512 - 156, 0);
        rest
    });
    let sum: u32 = before
        .iter()
        .chain(&after)
        .map(|byte| u32::from(*byte))
        .sum::<u32>()
        + 8 * 32;
    let mut all = before;
    field(&mut all, &format!("{sum:06o}\0 "), 8);
    all.extend(after);
    all.extend_from_slice(body);
    all.resize(all.len().next_multiple_of(512) + 1_024, 0);
    all
}

/// Wraps bytes as gzip without pressing them (RFC 1951 stored blocks, RFC 1952).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&crc32(bytes).to_le_bytes());
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standards() {
        assert_eq!(shasum(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(shasum(b""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        let long = "a".repeat(1_000_000);
        assert_eq!(
            shasum(long.as_bytes()),
            "34aa973cd4c4daa4f61eeb2bdbad27316534016f"
        );
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert!(
            integrity(b"abc").starts_with("sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05oh")
        );
    }

    #[test]
    fn an_archive_repeats() {
        assert_eq!(made("@acme/ui", "1.0.0"), made("@acme/ui", "1.0.0"));
        assert_ne!(made("@acme/ui", "1.0.0"), made("@acme/ui", "1.0.1"));
    }
}
