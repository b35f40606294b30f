# The daily commands. `just` alone lists them.

default:
    @just --list --unsorted

# run the server with nothing configured
serve *ARGS:
    cargo run --release -- serve {{ARGS}}

# all tests, on a PostgreSQL of their own
test *ARGS:
    cargo test --workspace {{ARGS}}

# fuzz a target, or all of them one after the other, so many seconds each (tools/fuzz/README.md)
fuzz TARGET="all" SECONDS="60":
    bash tools/fuzz/run {{TARGET}} {{SECONDS}}

# what CI runs
ci:
    bash .ci/run

# everything that guards the project: CI, coverage, the whole contract, faults, overload, fuzzing (about 100 minutes)
verify *STEPS:
    bash .ci/verify {{STEPS}}

# line coverage of the product's logic; fails below 70 % (--html for a report in target/llvm-cov/html)
coverage *ARGS:
    bash .ci/coverage {{ARGS}}

# format, and every lint
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets -- -D warnings

# the contract by tools of others: schemathesis, Spectral, Redocly, CloudEvents, squawk … (EXAMPLES an operation; about 25 minutes)
contract:
    tools/contract/run whole

# faults against real processes, and what was kept held against what was said (ten minutes; --seed, --duration, --faults)
faults *ARGS: (build-for-faults "failpoints")
    target/faults/failpoints/docket-faults --docket target/faults/failpoints/docket --keep target/faults/logs {{ARGS}}

# the checker must catch each of four bugs (about three minutes)
faults-planted *ARGS: (build-for-faults "planted-bugs")
    target/faults/planted-bugs/docket-faults --docket target/faults/planted-bugs/docket --planted all --duration 20 --recovery-readers 10 {{ARGS}}

[private]
build-for-faults FEATURE:
    bash tools/faults/build-docket {{FEATURE}}

# appends a second beside pgbench, in one run (about 4 minutes; BENCH_SECONDS is the time of a cell, BENCH_ROUNDS)
bench-append:
    cargo bench --workspace --bench append

# commands and reads a second by HTTP beside pgbench, and the latency under half load (about 3 minutes; BENCH_SECONDS, BENCH_ROUNDS)
bench-http:
    cargo bench --workspace --bench http

# events a second from the log to JetStream beside plain publishing, in one run (BENCH_EVENTS, BENCH_ROUNDS)
bench-relay:
    cargo bench --workspace --bench relay

# events a second that a rebuild of a read model takes, beside a plain ordered read, in one run (BENCH_EVENTS, BENCH_ROUNDS)
bench-rebuild:
    cargo bench --workspace --bench rebuild

# from a command's answer until it is in the list and on the broker (BENCH_SECONDS)
bench-visibility:
    cargo bench --workspace --bench visibility

# events a second of the audits beside a plain ordered read, in one run (BENCH_EVENTS, BENCH_LONG, BENCH_ROUNDS)
bench-audit:
    cargo bench --workspace --bench audit

# how appends and reads grow from 100 thousand to 10 million events (about 10 minutes and 10 GB; BENCH_EVENTS, BENCH_SECONDS)
bench-growth:
    cargo bench --workspace --bench growth

# other event stores beside ours, in one run (about 10 minutes; needs node and Python, or BENCH_WITHOUT=NAMES; BENCH_SECONDS, BENCH_WRITERS)
bench-peers:
    cargo run --release --locked --manifest-path tools/peers/Cargo.toml

# every figure of the README; docs/performance.md says what each means
bench: bench-append bench-http bench-rebuild bench-relay bench-visibility bench-audit bench-growth bench-peers

# attack a server, and see whether it keeps its promises (about 5 minutes; --rounds 3 for figures)
overload *ARGS:
    cargo build --release --workspace --bin docket --bin overload
    target/release/overload {{ARGS}}

# rewrite the generated documents: docs/openapi.json, docs/asyncapi.json, docs/ticket-states.md
docs:
    UPDATE_DOCS=1 cargo test -p ticket-aggregate diagram
    UPDATE_DOCS=1 cargo test -p api documents

# bring in the sample history beside a running server
import-sample:
    cargo run --release -- import examples/helpdesk-sample.csv --map examples/helpdesk-sample.toml
