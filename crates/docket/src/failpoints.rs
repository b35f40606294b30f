//! For the fault checker (docs/adr/0022), and only with the feature `failpoints`: arms failpoints from `FAILPOINTS`, and later
//! from lines `NAME=ACTION` in the file that `DOCKET_FAILPOINTS_FILE` names.

use std::time::Duration;

/// How often the file is read.
const LOOK: Duration = Duration::from_millis(20);

/// Arms what the environment says, and listens for more.
pub(crate) fn arm() {
    // armed as long as the process lives
    std::mem::forget(fail::FailScenario::setup());
    let Some(path) = std::env::var_os("DOCKET_FAILPOINTS_FILE") else { return };
    std::thread::spawn(move || {
        let mut known = String::new();
        loop {
            std::thread::sleep(LOOK);
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if text == known {
                continue;
            }
            for (name, action) in text.lines().filter_map(|line| line.split_once('=')) {
                if let Err(error) = fail::cfg(name, action) {
                    tracing::error!(name, action, error, "a failpoint can't be armed");
                }
            }
            known = text;
        }
    });
}
