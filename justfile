# The everyday tasks; `just` alone lists them. Each line also works when typed by hand.

default:
    @just --list

# Build the binary and show where it is.
build:
    cargo build
    @echo target/debug/vault

# Run the tests as a newcomer does: up to two minutes after the build.
test *ARGS:
    cargo test {{ARGS}}

# Run one test, or all with NAME in their path: `just one members::joining`.
one NAME:
    cargo test --test cli -- {{NAME}}

# Accept changed output in snapshots and in the documents, then review the diff.
accept:
    SNAPSHOTS=overwrite cargo test --test cli --no-fail-fast || true
    git diff --stat

# Format, and check what takes seconds.
lint:
    cargo fmt --all
    cargo clippy --all-targets --locked -- -D warnings
    .ci/spelling

# Run every check of a merge, as CI does: up to 50 minutes on two cores.
ci:
    .ci/run

# Run the checks that take too long for each merge.
nightly:
    ci/nightly

# Measure: prints ratios against a baseline in the same run.
bench:
    cargo bench --bench masking
    cargo bench --bench vault

# Build the static release binary into dist/.
release:
    .ci/release

# Open the documentation of the library.
doc:
    cargo doc --no-deps --document-private-items --open
