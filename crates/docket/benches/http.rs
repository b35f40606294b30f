//! Commands and reads a second by HTTP, beside `pgbench` inserting single rows, in one run on one private, durable
//! PostgreSQL and one private NATS; then the latency of commands under half of that load (`just bench-http`).
//!
//! A command is `POST /v1/tickets/{id}/replies` of about 300 bytes with a verified key, the current `ETag` in
//! `If-Match` and a fresh `Idempotency-Key`; each answer is checked: 201, and the version moved by one. 64 clients,
//! each with a keep-alive connection and tickets of its own. A ticket's answer does not hold its conversation, so that it is
//! of the same size however long the ticket has grown. *Short* tickets are opened anew for each round, a hundred for each client,
//! and taken in turn, so that they come to about ten events; a *long* one is one ticket a client, for all rounds.
//!
//! Clients, Docket, PostgreSQL and NATS share the machine. The clients are lean (`bench::Client`, all on one thread);
//! what each party used of the processor stands in a table of its own.

#[path = "http/load.rs"]
mod load;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use bench::{CpuTimes, Docket, Figures, Table, Threads, number, setting};
use devstack::{Durability, Nats, Postgres};
use hdrhistogram::Histogram;
use load::{Load, Request};

const CLIENTS: usize = 64;
const PROGRAM: &str = env!("CARGO_BIN_EXE_docket");
/// How many tickets a client takes in turn.
const SHORT: usize = 100;

fn main() -> Result<()> {
    bench::run(Threads::One, measure)
}

/// What is measured: its name, the request, and whether the tickets are short ones.
const CELLS: [(&str, Request, bool); 4] = [
    ("reply, short tickets", Request::Reply, true),
    ("reply, one long ticket a client", Request::Reply, false),
    ("read, 200", Request::Read, true),
    ("read, 304", Request::ReadKnown, true),
];

async fn measure(folder: &Path) -> Result<()> {
    let time = Duration::from_secs(setting("BENCH_SECONDS", 5)?);
    let rounds: usize = setting("BENCH_ROUNDS", 3)?;
    let (postgres, nats) = tokio::try_join!(Postgres::start(folder, Durability::Durable), Nats::start(folder))?;
    let pool = bench::prepare(&postgres, "bench").await?;
    let docket = Docket::start(PROGRAM, folder, &postgres, Some(&nats)).await?;
    let parties = [std::process::id(), docket.pid(), postgres.pid(), nats.pid()];

    let mut inserts = Figures::default();
    let mut cells = CELLS.map(|_| Figures::default());
    let mut costs = CELLS.map(|_| parties.map(|_| Figures::default()));
    let mut long = Load::new(&docket, CLIENTS, 1).await?;
    let mut short = Load::new(&docket, CLIENTS, SHORT).await?;
    for round in 1..=rounds {
        bench::empty(&pool).await?;
        inserts.push(bench::single_row_inserts(&postgres, "bench", CLIENTS, time)?);
        if round > 1 {
            short.open_anew().await?;
        }
        for (index, (name, request, is_short)) in CELLS.into_iter().enumerate() {
            let load = if is_short { &mut short } else { &mut long };
            let before = CpuTimes::of(&parties);
            let (done, took) = load.flat_out(request, time).await?;
            for (party, used) in CpuTimes::of(&parties).since(&before).iter().enumerate() {
                costs[index][party].push(used.as_secs_f64() * 1e6 / done);
            }
            cells[index].push(done / took.as_secs_f64());
            eprintln!("round {round} of {rounds}, {name}: done");
        }
    }

    let yardstick = inserts.median();
    let mut table = Table::new(["what", "per second", "of pgbench"]);
    table.row(["`pgbench`, single-row inserts", &number(yardstick), "1"]);
    for ((name, ..), figures) in CELLS.iter().zip(&cells) {
        table.row([*name, &number(figures.median()), &number(figures.median() / yardstick)]);
    }
    table.print(&format!(
        "HTTP, {CLIENTS} clients ({} s a cell, median of {rounds} interleaved rounds, fsync on)",
        time.as_secs()
    ));
    let mut table = Table::new(["processor time a request, µs", "clients", "Docket", "PostgreSQL", "NATS"]);
    for ((name, ..), costs) in CELLS.iter().zip(&costs) {
        let costs = costs.each_ref().map(|figures| number(figures.median()));
        table.row(std::iter::once((*name).to_owned()).chain(costs));
    }
    table.print("Of that, by whom (all share the machine)");

    let rate = cells[0].median() / 2.0;
    short.open_anew().await?;
    let (latencies, attained) = short.paced(rate, time * 2).await?;
    print_latencies(&latencies, rate, attained);
    Ok(())
}

fn print_latencies(latencies: &Histogram<u64>, rate: f64, attained: f64) {
    let mut table = Table::new(["what", "median", "99th percentile", "99.9th", "greatest"]);
    #[expect(clippy::cast_precision_loss, reason = "microseconds")]
    let milliseconds = |value: u64| format!("{:.2} ms", value as f64 / 1_000.0);
    let at = |quantile| milliseconds(latencies.value_at_quantile(quantile));
    table.row(["reply, short tickets".to_owned(), at(0.5), at(0.99), at(0.999), milliseconds(latencies.max())]);
    table.print(&format!(
        "Latency at half of that rate: {} commands sent each second at even intervals, whatever became of those before \
         ({} were answered); each is timed from when it should have been sent",
        number(rate),
        number(attained)
    ));
}
