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

# how many instructions some commands take, against the recorded bounds
instructions:
    tests/instructions/run

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
