# Every recipe is one line; CI works without just.

# everything that must hold before a merge
check: format lint test

# format the code
format:
    cargo fmt

# every warning is an error
lint:
    cargo clippy --all-targets -- -D warnings

# all tests, scenarios included
test:
    cargo test

# npm packages, the packaged crate, completions, manual pages, release archives
install:
    tests/install/run

# kill, replace, fill and lock for minutes: so many times each, with an app on so many megabytes; prints what was met
soak cases="1000" megabytes="500":
    CASES={{cases}} MEGABYTES={{megabytes}} cargo test --test anomalies -- --include-ignored --nocapture --test-threads 1

# how many instructions some commands take, against the recorded bounds
instructions:
    tests/instructions/run

# look for inputs that crash, hang or contradict; TARGET is one of fuzz/fuzz_targets, arguments are those of libFuzzer
fuzz target *arguments:
    mkdir -p fuzz/corpus-grown/{{target}} && RUSTC_BOOTSTRAP=1 cargo fuzz run {{target}} fuzz/corpus-grown/{{target}} fuzz/corpus/{{target}} -- -timeout=10 -rss_limit_mb=1024 {{arguments}}

# what calls C functions, under AddressSanitizer
sanitizer:
    tests/sanitizer/run

# measure against doing it by hand and against other tools; arguments are those of benches/run
bench *arguments:
    benches/run {{arguments}}

# the demo
demo:
    cargo run --release -- demo

# look at changed report snapshots one by one, then accept or reject each
review:
    cargo insta review

# licences and known vulnerabilities of the dependencies
deny:
    cargo deny check

# the library's documentation
doc:
    cargo doc --no-deps --open
