//! This test binary run again as another process: to be killed, or to have another environment.

use std::path::Path;
use std::process::{Command, Stdio};

use devstack::testing::TestDatabase;
use devstack::{Durability, Nats, Postgres};

const JOB: &str = "DEVSTACK_TEST_JOB";
const DIR: &str = "DEVSTACK_TEST_DIR";

/// `job` in `dir`; what it prints between `answer:` and `:end` is the answer.
pub(crate) fn command(job: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child::the_job", "--exact", "--nocapture"]).env(JOB, job).env(DIR, dir).stdout(Stdio::piped());
    command
}

pub(crate) fn answer(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer = text.split_once("answer:").and_then(|(_, rest)| rest.rsplit_once(":end"));
    answer.unwrap_or_else(|| panic!("no answer in {text}")).0.to_owned()
}

/// Does nothing unless this process was started by [`command`].
#[tokio::test]
async fn the_job() {
    let (Ok(job), Ok(dir)) = (std::env::var(JOB), std::env::var(DIR)) else {
        return;
    };
    let dir = Path::new(&dir);
    let answer = match job.as_str() {
        "hold" => {
            let postgres = Postgres::start(dir, Durability::Durable).await.unwrap();
            let nats = Nats::start(dir).await.unwrap();
            std::fs::write(dir.join("pids"), format!("{} {}", postgres.pid(), nats.pid())).unwrap();
            std::future::pending().await
        }
        "postgres" => match Postgres::start(dir, Durability::Fast).await {
            Ok(postgres) => postgres.bin_dir().display().to_string(),
            Err(error) => error.to_string(),
        },
        "nats" => match Nats::start(dir).await {
            Ok(nats) => nats.url().to_owned(),
            Err(error) => error.to_string(),
        },
        "database" => {
            let database = TestDatabase::create("child", |_| async { Ok(()) }).await;
            database.url().to_owned()
        }
        _ => panic!("no such job: {job}"),
    };
    println!("answer:{answer}:end");
}
