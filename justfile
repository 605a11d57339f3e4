# What CI runs.
ci:
    .ci/run

# Shows the example organisation in the console.
demo:
    cargo run --release -- demo

# Takes new snapshots after a look at them.
review:
    INSTA_UPDATE=always cargo test

# Fuzzes each target for five minutes, from the seeds (needs cargo-fuzz; without a sanitizer the stable toolchain will do).
fuzz:
    for target in workflow session_line inventory npmrc; do \
        mkdir -p fuzz/corpus/$target && \
        cargo fuzz run -s none $target fuzz/corpus/$target fuzz/seeds/$target -- -max_total_time=300 -timeout=25 -rss_limit_mb=2048 || exit 1; \
    done
