//! What the benches share. Nothing of it is shipped.
//!
//! A bench runs on private servers in a folder of its own ([`run`]), which go when it ends, be it by a failure or by
//! Ctrl-C. Machines are shared and noisy: figures are medians of interleaved rounds, and what counts is the ratio to
//! something that stands beside them in the same run ([`Figures`], [`Table`]).

mod appends;
mod cpu;
mod docket;
mod figures;
mod http;
mod log;
mod pgbench;
mod run;
mod tickets;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use appends::{Appender, Known, Log, STREAMS, appends_a_second, dealt};
pub use cpu::CpuTimes;
pub use docket::Docket;
pub use figures::{Figures, Table, number};
pub use http::{Answer, Client};
pub use log::{empty, payload, prepare, single_row_inserts};
pub use pgbench::pgbench;
pub use run::{Threads, run, setting};
pub use tickets::Tickets;
