//! The faults: what can be done to a running Docket. Each ends by itself; what comes after is Docket's part.

mod broker;
mod database;
mod network;
mod one_disk;
pub(crate) mod poison;
mod process;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::world::World;

/// Every fault there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Fault {
    /// kill -9 of a process
    Kill,
    /// A process is told to stop, and does so in order
    Stop,
    /// Every process is killed at once
    KillAll,
    /// kill -9 before a batch is sent
    KillBeforeSend,
    /// kill -9 with a batch sent and its answer unread
    KillUnderWay,
    /// kill -9 after the commit, before anybody is told
    KillCommitted,
    /// kill -9 of a projector before its commit
    KillBeforeProjection,
    /// kill -9 of a projector after its commit
    KillProjected,
    /// kill -9 of a rebuild before it takes its place
    KillBeforeSwap,
    /// kill -9 of a rebuild after it took its place
    KillSwapped,
    /// kill -9 of a relay before it publishes
    KillBeforePublish,
    /// kill -9 of a relay after publishing, before the acknowledgement
    KillPublished,
    /// kill -9 of a relay with the acknowledgement read, not noted
    KillAcknowledged,
    /// A projector is paused, another takes over, the zombie wakes up
    PauseProjector,
    /// A relay is paused, another takes over, the zombie wakes up
    PauseRelay,
    /// A rebuild during writes
    Rebuild,
    /// One process's clock is an hour ahead, or behind
    Clock,
    /// Hundreds of clients hang up in the middle of their requests
    HangUps,
    /// An event that no read model can apply
    Poison,
    /// kill -9 of the postmaster
    PostgresKill,
    /// kill -9 of one server process of PostgreSQL
    BackendKill,
    /// `pg_terminate_backend` again and again
    BackendTerminate,
    /// The events are locked against writing: reads go on
    LockWrites,
    /// The events are locked against everything: the pools are exhausted
    LockAll,
    /// PostgreSQL's disk is full
    PostgresDiskFull,
    /// The wire to PostgreSQL is cut
    CutPostgres,
    /// What PostgreSQL says does not arrive
    MutePostgres,
    /// Every word to and from PostgreSQL takes its time
    SlowPostgres,
    /// The wire to NATS is cut
    CutNats,
    /// What NATS says does not arrive
    MuteNats,
    /// Every word to and from NATS takes its time
    SlowNats,
    /// kill -9 of NATS
    NatsKill,
    /// NATS comes back with its store of some seconds ago
    NatsSetBack,
    /// NATS comes back with an empty store
    NatsWipe,
    /// NATS's disk is full
    NatsDiskFull,
    /// One disk under a private PostgreSQL and NATS is full
    OneDiskFull,
}

/// Whom a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    Process,
    Postgres,
    Broker,
    Wire,
    /// A process of its own, with servers of its own.
    Private,
}

impl Fault {
    pub(crate) fn strikes(self) -> Victim {
        match self {
            Self::Kill
            | Self::Stop
            | Self::KillAll
            | Self::KillBeforeSend
            | Self::KillUnderWay
            | Self::KillCommitted
            | Self::KillBeforeProjection
            | Self::KillProjected
            | Self::KillBeforeSwap
            | Self::KillSwapped
            | Self::KillBeforePublish
            | Self::KillPublished
            | Self::KillAcknowledged
            | Self::PauseProjector
            | Self::PauseRelay
            | Self::Rebuild
            | Self::Clock
            | Self::HangUps => Victim::Process,
            Self::Poison
            | Self::PostgresKill
            | Self::BackendKill
            | Self::BackendTerminate
            | Self::LockWrites
            | Self::LockAll
            | Self::PostgresDiskFull => Victim::Postgres,
            Self::CutPostgres
            | Self::MutePostgres
            | Self::SlowPostgres
            | Self::CutNats
            | Self::MuteNats
            | Self::SlowNats => Victim::Wire,
            Self::NatsKill | Self::NatsSetBack | Self::NatsWipe | Self::NatsDiskFull => Victim::Broker,
            Self::OneDiskFull => Victim::Private,
        }
    }

    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// What became of the attempt to do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Injection {
    Done,
    /// It can't be done here, and why.
    Skipped(String),
}

impl Injection {
    fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped(why.into())
    }
}

/// Does it. `seed` decides to whom, and for how long; `alone`: nothing else is wrong meanwhile.
pub(crate) async fn inject(world: &Arc<World>, fault: Fault, seed: u64, alone: bool) -> Result<Injection> {
    let rng = &mut StdRng::seed_from_u64(seed);
    let time = Duration::from_millis(rng.random_range(2_000..8_000));
    match fault {
        Fault::Kill => process::kill(world, rng).await,
        Fault::Stop => process::stop(world, rng).await,
        Fault::KillAll => process::kill_all(world).await,
        Fault::KillBeforeSend => process::kill_writer(world, "append.before_send", rng).await,
        Fault::KillUnderWay => process::kill_writer(world, "append.under_way", rng).await,
        Fault::KillCommitted => process::kill_writer(world, "append.committed", rng).await,
        Fault::KillBeforeProjection => process::kill_projector(world, "subscription.before_commit", rng).await,
        Fault::KillProjected => process::kill_projector(world, "subscription.committed", rng).await,
        Fault::KillBeforeSwap => process::kill_rebuild(world, "rebuild.before_swap").await,
        Fault::KillSwapped => process::kill_rebuild(world, "rebuild.swapped").await,
        Fault::KillBeforePublish => process::kill_relay(world, "relay.before_publish", rng).await,
        Fault::KillPublished => process::kill_relay(world, "relay.published", rng).await,
        Fault::KillAcknowledged => process::kill_relay(world, "relay.acknowledged", rng).await,
        Fault::PauseProjector => process::pause_projector(world, rng).await,
        Fault::PauseRelay => process::pause_relay(world, rng).await,
        Fault::Rebuild => process::rebuild(world).await,
        Fault::Clock => process::clock(world, rng, time).await,
        Fault::HangUps => {
            crate::writers::hang_up_at_once(world, seed, rng.random_range(300..900)).await;
            Ok(Injection::Done)
        }
        Fault::Poison => poison::append(world, rng).await,
        Fault::PostgresKill => database::kill(world, rng).await,
        Fault::BackendKill => database::kill_backend(world, seed).await,
        Fault::BackendTerminate => database::terminate(world, time / 2).await,
        Fault::LockWrites => database::lock_writes(world, time, alone).await,
        Fault::LockAll => database::lock_all(world, time, alone).await,
        Fault::PostgresDiskFull => database::disk_full(world, time).await,
        Fault::CutPostgres | Fault::MutePostgres | Fault::SlowPostgres => {
            network::postgres(world, fault, time, rng).await
        }
        Fault::CutNats | Fault::MuteNats | Fault::SlowNats => network::nats(world, fault, time, rng).await,
        Fault::NatsKill => broker::kill(world, time / 2).await,
        Fault::NatsSetBack => broker::set_back(world, time).await,
        Fault::NatsWipe => broker::wipe(world).await,
        Fault::NatsDiskFull => broker::disk_full(world, time).await,
        Fault::OneDiskFull => one_disk::fill(world, time).await,
    }
}
