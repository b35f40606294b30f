use std::path::Path;
use std::str::FromStr;

use anyhow::{Result, bail};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// How many threads the bench itself may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// One, for clients that should cost little beside the server they ask.
    One,
    /// One a core.
    All,
}

/// Runs a bench in a folder of its own. Its servers and the folder are gone when this returns, also after a failure
/// and after Ctrl-C.
///
/// # Errors
/// What `measure` answers; that it was interrupted.
pub fn run(threads: Threads, measure: impl AsyncFnOnce(&Path) -> Result<()>) -> Result<()> {
    let folder = devstack::testing::temp_dir();
    let mut builder = match threads {
        Threads::One => Builder::new_current_thread(),
        Threads::All => Builder::new_multi_thread(),
    };
    let runtime = builder.enable_all().build()?;
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            result = measure(folder.path()) => result,
            _ = interrupt.recv() => bail!("interrupted"),
            _ = terminate.recv() => bail!("ended"),
        }
    })
}

/// A setting of the environment, such as `BENCH_SECONDS`.
///
/// # Errors
/// If it is set to something else.
pub fn setting<T: FromStr>(name: &str, default: T) -> Result<T> {
    match std::env::var(name) {
        Ok(text) if !text.is_empty() => match text.parse() {
            Ok(value) => Ok(value),
            Err(_) => bail!("{name} is {text:?}"),
        },
        _ => Ok(default),
    }
}
