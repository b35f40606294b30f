# The daily commands. `just` alone lists them.

default:
    @just --list --unsorted

# run the server with nothing configured
serve *ARGS:
    cargo run --release -- serve {{ARGS}}

# all tests, on a PostgreSQL of their own
test *ARGS:
    cargo test --workspace {{ARGS}}

# what CI runs
ci:
    bash .ci/run

# format, and every lint
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets -- -D warnings

# the contract by tools of others: schemathesis, Spectral, Redocly, CloudEvents, squawk … (EXAMPLES an operation; about an hour)
contract:
    contract/run whole

# appends a second beside pgbench, in one run (about 4 minutes; BENCH_SECONDS is the time of a cell)
bench-append:
    cargo bench -p eventstore --bench append

# commands and reads a second by HTTP beside pgbench, and the latency under half load (about 3 minutes; BENCH_SECONDS)
bench-http:
    cargo bench -p docket --bench http

# events a second from the log to JetStream beside plain publishing, in one run (BENCH_EVENTS, BENCH_ROUNDS)
bench-relay:
    cargo bench -p relay --bench relay

# events a second that a rebuild of a read model takes, beside a plain ordered read, in one run
bench-rebuild:
    cargo bench -p projections --bench rebuild

# from a command's answer until it is in the list and on the broker
bench-visibility:
    cargo bench -p docket --bench visibility

# every figure of the README
bench: bench-append bench-http bench-rebuild bench-relay bench-visibility

# write docs/ticket-states.md anew from the state machine's table
docs:
    UPDATE_DOCS=1 cargo test -p ticket-aggregate

# bring in the sample history beside a running server
import-sample:
    cargo run --release -- import examples/helpdesk-sample.csv --map examples/helpdesk-sample.toml
