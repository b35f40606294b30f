//! How many files and sockets the process may have open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the limit as far as the system lets it be raised, and says what it is then.
pub(crate) fn raise() -> u64 {
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, hard)) if soft < hard => match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
            Ok(()) => hard,
            Err(error) => {
                tracing::warn!(%error, soft, hard, "the limit on open files can't be raised");
                soft
            }
        },
        Ok((soft, _)) => soft,
        Err(_) => 1_024,
    }
}

/// How many connections of clients there may be: an eighth of the open files is for all the rest.
pub(crate) fn connections(wanted: usize) -> usize {
    let files = usize::try_from(raise()).unwrap_or(usize::MAX);
    let possible = files - files / 8;
    if possible < wanted {
        tracing::warn!(
            "max_connections is {wanted}; {files} files may be open, so that {possible} connections are possible (ulimit -n)"
        );
    }
    wanted.min(possible)
}
