//! Everything that a run consists of.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use devstack::testing::{TempDir, temp_dir};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use crate::disk::Disk;
use crate::docket::{Docket, Setup};
use crate::history::{Command, Findings, History};
use crate::proxy::{Proxy, Upstream};
use crate::recovery::Limits;
use crate::run::Plan;
use crate::stores::{Broker, Database};

/// The processes: two that do everything, and one that only follows the log.
const PROCESSES: &[(&str, &str)] =
    &[("a", "api,projector,relay,timers"), ("b", "api,projector,relay,timers"), ("c", "projector,relay,timers")];
/// How large the servers' disks are: PostgreSQL's, NATS's.
const DISKS: (u32, u32) = (384, 128);

/// A ticket, and what of it was acknowledged.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) id: Uuid,
    /// The newest version that a client was told of, and where in the log it ends.
    pub(crate) version: AtomicI64,
    pub(crate) position: AtomicI64,
    /// It is linked to another, or may be: doing that twice would have no effect.
    pub(crate) linked: AtomicBool,
    /// A word of the last message that was acknowledged, and the version and position that it came with.
    pub(crate) last_word: Mutex<Option<(String, i64, i64)>>,
}

impl Ticket {
    /// What an acknowledgement means for later reads of it: nothing older than this may be shown.
    pub(crate) fn acknowledged(&self, command: &Command) {
        let Some(answer) = command.answer() else { return };
        if answer.ticket() != Some(self.id) {
            return;
        }
        self.version.fetch_max(answer.version(), Ordering::SeqCst);
        self.position.fetch_max(answer.position, Ordering::SeqCst);
        // what was said stays findable; a subject may be changed again
        if command.body.get("body").is_some() {
            let word = (command.nonce.clone(), answer.version(), answer.position);
            *self.last_word.lock().unwrap_or_else(PoisonError::into_inner) = Some(word);
        }
    }
}

/// One run.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) run: u16,
    pub(crate) program: PathBuf,
    pub(crate) limits: Limits,
    pub(crate) database: Database,
    pub(crate) broker: Broker,
    pub(crate) disks: (Disk, Disk),
    pub(crate) dockets: Vec<Arc<Docket>>,
    pub(crate) pool: PgPool,
    pub(crate) http: reqwest::Client,
    pub(crate) key: String,
    /// The last position of the first start, which records the admin and their key.
    pub(crate) setup: i64,
    pub(crate) history: History,
    pub(crate) findings: Findings,
    pub(crate) tickets: RwLock<Vec<Arc<Ticket>>>,
    /// How far each follower of a live stream has come.
    pub(crate) followed: Mutex<BTreeMap<usize, i64>>,
    /// Answers by their code, for the report.
    pub(crate) answers: Mutex<BTreeMap<String, u64>>,
    pub(crate) clients_stop: AtomicBool,
    pub(crate) followers_stop: AtomicBool,
    /// How long a leader is paused.
    pub(crate) pause: Duration,
    /// Events of the checker's own that nobody can read: their positions and tickets.
    poisoned: Mutex<BTreeMap<i64, Uuid>>,
    nonces: AtomicU64,
    /// Who start the processes again; they end with this.
    supervisors: JoinSet<Result<()>>,
    dir: TempDir,
}

impl World {
    pub(crate) async fn start(plan: &Plan, run: u16) -> Result<Self> {
        let dir = temp_dir();
        let disks = (
            Disk::mount(dir.path().join("pg"), DISKS.0).await?,
            Disk::mount(dir.path().join("broker"), DISKS.1).await?,
        );
        let database = Database::start(disks.0.path()).await?;
        let broker = Broker::start(disks.1.path()).await?;
        let options = PgPoolOptions::new().max_connections(8).acquire_timeout(Duration::from_secs(5));
        let pool = options.connect(&database.url).await?;
        // the disk is small
        for setting in ["max_wal_size = '128MB'", "min_wal_size = '64MB'"] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!("alter system set {setting}"))).execute(&pool).await?;
        }
        sqlx::raw_sql("select pg_reload_conf()").execute(&pool).await?;
        let setup = Setup { program: plan.program.clone(), planted: plan.planted.clone(), nats_url: String::new() };
        let mut dockets = Vec::new();
        for (name, roles) in PROCESSES {
            let to_postgres = Proxy::start(Upstream::Unix(database.socket.clone())).await?;
            let to_nats = Proxy::start(Upstream::Tcp(broker.port.clone())).await?;
            let nats_url = broker.url_through(to_nats.port());
            dockets.push(Arc::new(Docket::new(
                name,
                roles,
                Setup { nats_url, ..setup.clone() },
                dir.path(),
                (to_postgres, to_nats),
            )?));
        }
        // an attempt that takes longer than this is one of unknown outcome
        let http = reqwest::Client::builder().timeout(Duration::from_secs(12)).build()?;
        let (key, supervisors) = first_start(&dockets, &http).await?;
        let setup = sqlx::query_scalar("select coalesce(max(position), 0) from events").fetch_one(&pool).await?;
        Ok(Self {
            run,
            program: plan.program.clone(),
            limits: plan.limits,
            database,
            broker,
            disks,
            dockets,
            pool,
            http,
            key,
            setup,
            history: History::default(),
            findings: Findings::new(),
            tickets: RwLock::default(),
            followed: Mutex::default(),
            answers: Mutex::default(),
            clients_stop: AtomicBool::new(false),
            followers_stop: AtomicBool::new(false),
            pause: plan.pause,
            poisoned: Mutex::default(),
            nonces: AtomicU64::new(0),
            supervisors,
            dir,
        })
    }

    /// A word that stands nowhere else.
    pub(crate) fn nonce(&self) -> String {
        format!("zq{:04x}n{:07x}z", self.run, self.nonces.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn apis(&self) -> impl Iterator<Item = &Arc<Docket>> {
        self.dockets.iter().filter(|docket| docket.has_api())
    }

    pub(crate) fn stopping(&self) -> bool {
        self.clients_stop.load(Ordering::Relaxed)
    }

    pub(crate) fn count_answer(&self, what: &str) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry(what.to_owned()).or_default() += 1;
    }

    pub(crate) fn poison(&self, position: i64, ticket: Uuid) {
        self.poisoned.lock().unwrap_or_else(PoisonError::into_inner).insert(position, ticket);
    }

    pub(crate) fn poisoned(&self) -> BTreeMap<i64, Uuid> {
        self.poisoned.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn ticket_list(&self) -> Vec<Arc<Ticket>> {
        self.tickets.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn add_ticket(&self, id: Uuid) -> Arc<Ticket> {
        let ticket = Arc::new(Ticket {
            id,
            version: AtomicI64::new(0),
            position: AtomicI64::new(0),
            linked: AtomicBool::new(false),
            last_word: Mutex::default(),
        });
        self.tickets.write().unwrap_or_else(PoisonError::into_inner).push(ticket.clone());
        ticket
    }

    /// The last position, asked of the database until it answers.
    pub(crate) async fn head(&self) -> Result<i64> {
        self.ask("select coalesce(max(position), 0) from events").await
    }

    /// A number from the database, asked until it answers.
    pub(crate) async fn ask(&self, sql: &'static str) -> Result<i64> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            match sqlx::query_scalar(sql).fetch_one(&self.pool).await {
                Ok(number) => return Ok(number),
                Err(error) if Instant::now() > deadline => return Err(error).context(sql),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    pub(crate) async fn stop(mut self) {
        self.supervisors.shutdown().await;
        for docket in &self.dockets {
            docket.end().await;
        }
        self.pool.close().await;
        self.broker.stop().await;
        self.database.stop().await;
        drop(self.disks);
        drop(self.dir);
    }

    pub(crate) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }
}

/// The first process makes the schema and the admin's key; then all of them run, each watched over.
async fn first_start(dockets: &[Arc<Docket>], http: &reqwest::Client) -> Result<(String, JoinSet<Result<()>>)> {
    let mut key = None;
    let mut supervisors = JoinSet::new();
    for docket in dockets {
        supervisors.spawn(docket.clone().supervise());
        let deadline = Instant::now() + Duration::from_mins(1);
        while docket.readiness(http).await.is_none() {
            let log = docket.log_path();
            ensure!(Instant::now() < deadline, "docket {} does not come up: see {}", docket.name, log.display());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        key = key.or_else(|| docket.admin_key());
    }
    Ok((key.context("no process has made the admin's key")?, supervisors))
}
