//! Feeds libFuzzer's bytes to `body::npmrc`.
#![no_main]

mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::npmrc(data));
