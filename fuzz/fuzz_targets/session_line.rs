//! Feeds libFuzzer's bytes to `body::session_line`.
#![no_main]

mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::session_line(data));
