//! Feeds libFuzzer's bytes to `body::workflow`.
#![no_main]

mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::workflow(data));
