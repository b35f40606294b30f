//! The limit on open files and sockets (`RLIMIT_NOFILE`).

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit to the hard limit, and returns it.
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

/// How many client connections are possible. An eighth of the open files is reserved for everything else.
pub(crate) fn connections(wanted: usize) -> usize {
    let files = usize::try_from(raise()).unwrap_or(usize::MAX);
    let possible = files - files / 8;
    if possible < wanted {
        tracing::warn!(
            "max_connections is {wanted}, but the limit of {files} open files allows {possible} (ulimit -n)"
        );
    }
    wanted.min(possible)
}
