//! Databases and servers for tests.
//!
//! # The shared server
//!
//! All test processes of a user and a workspace share one fast server (nextest runs a process for each test). It stands in a folder of
//! `/dev/shm`, or of the temporary folder, named by a hash of both. Whoever needs it takes the lock on `lock` there, registers by
//! making `users/<process id>`, and starts the server if none runs.
//!
//! It ends by itself: its parent is a small shell script (`watchdog.sh`), detached from the test that started it, which looks every
//! second whether any registered process is alive, and stops the server and removes its data when none has been for 60 seconds. So
//! nothing depends on a test ending well, a `kill -9` of any of them included; a test held in a debugger keeps the server; and a run
//! within the minute finds the server and its templates ready.
//!
//! `DOCKET_TEST_DATABASE_URL`, the URL of an administrator on some other server, takes its place.
//!
//! Everything here panics on failure, as a test would.

mod database;
mod private;
mod server;

pub use database::TestDatabase;
pub use private::{TempDir, private_nats, private_postgres, temp_dir};
