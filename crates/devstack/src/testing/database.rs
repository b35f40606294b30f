use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::server::admin_url;
use crate::name::{quoted, short_hash, unique, with_database};

/// Any failure: in a test it is only shown.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A database of one test, dropped with this.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    name: String,
    admin: String,
}

impl TestDatabase {
    /// Clones the template, a database that `prepare` fills when the server does not have it yet (it is given its URL and must have
    /// closed its connections when it returns). The template's name tells what is in it: put a version into it, such as a hash of the
    /// migrations, so that a changed schema makes a new template.
    ///
    /// # Panics
    /// If there is no server, if `prepare` fails, or if the server refuses.
    #[expect(clippy::panic, reason = "without its database a test can only fail")]
    pub async fn create<F, Fut>(template: &str, prepare: F) -> TestDatabase
    where
        F: FnOnce(String) -> Fut,
        Fut: Future<Output = Result<(), Failure>>,
    {
        match clone(template, prepare).await {
            Ok(database) => database,
            Err(error) => panic!("no test database from the template {template}: {}", with_sources(&*error)),
        }
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let drop = format!("drop database if exists {} with (force)", quoted(&self.name));
        let admin = std::mem::take(&mut self.admin);
        // on a thread and a runtime of its own: this may run within one, or after its end
        let done = std::thread::spawn(move || -> Result<(), Failure> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&admin).await?;
                let statement = sqlx::query(AssertSqlSafe(drop)).execute(&mut admin);
                tokio::time::timeout(Duration::from_secs(30), statement).await??;
                Ok(admin.close().await?)
            })
        });
        if let Ok(Err(error)) = done.join() {
            tracing::warn!(database = self.name, %error, "a test database stays until its server ends");
        }
    }
}

async fn clone<F, Fut>(template: &str, prepare: F) -> Result<TestDatabase, Failure>
where
    F: FnOnce(String) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
{
    let admin_url = admin_url().await?;
    let mut admin = PgConnection::connect(&admin_url).await?;
    let template = template_name(template);
    if !is_ready(&mut admin, &template).await? {
        make_template(&mut admin, &admin_url, &template, prepare).await?;
    }
    let name = unique("docket_test_");
    let clone = format!("create database {} template {} strategy file_copy", quoted(&name), quoted(&template));
    sqlx::query(AssertSqlSafe(clone)).execute(&mut admin).await?;
    admin.close().await?;
    Ok(TestDatabase { url: with_database(&admin_url, &name), name, admin: admin_url })
}

/// At most 63 bytes are a name.
fn template_name(template: &str) -> String {
    let readable: String = template.chars().filter(char::is_ascii_alphanumeric).take(30).collect();
    format!("docket_template_{readable}_{}", short_hash(template.as_bytes()))
}

/// A template is marked as one when it is complete.
async fn is_ready(admin: &mut PgConnection, template: &str) -> Result<bool, Failure> {
    let ready = sqlx::query("select 1 from pg_database where datname = $1 and datistemplate").bind(template);
    Ok(ready.fetch_optional(admin).await?.is_some())
}

async fn make_template<F, Fut>(admin: &mut PgConnection, url: &str, template: &str, prepare: F) -> Result<(), Failure>
where
    F: FnOnce(String) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
{
    // the lock goes with the connection, be its owner killed
    sqlx::query("select pg_advisory_lock(hashtextextended($1, 0))").bind(template).execute(&mut *admin).await?;
    if !is_ready(admin, template).await? {
        let name = quoted(template);
        let mut run = async |sql: String| sqlx::query(AssertSqlSafe(sql)).execute(&mut *admin).await;
        // left by one who was killed, or whose `prepare` failed
        run(format!("drop database if exists {name} with (force)")).await?;
        run(format!("create database {name}")).await?;
        prepare(with_database(url, template)).await?;
        run(format!("alter database {name} allow_connections false")).await?;
        sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1")
            .bind(template)
            .execute(&mut *admin)
            .await?;
        let mark = format!("alter database {name} is_template true");
        sqlx::query(AssertSqlSafe(mark)).execute(&mut *admin).await?;
    }
    sqlx::query("select pg_advisory_unlock(hashtextextended($1, 0))").bind(template).execute(&mut *admin).await?;
    Ok(())
}

pub(super) fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
