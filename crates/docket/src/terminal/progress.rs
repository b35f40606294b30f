//! Progress of long commands.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on stderr. It is hidden with `--json`, and where stderr is no terminal.
pub(crate) fn progress_bar(length: u64, unit: &str, hidden: bool) -> ProgressBar {
    let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(10) };
    let template = format!("  {{bar:40}} {{human_pos}} of {{human_len}} {unit} · {{per_sec}} · {{eta}} left");
    let style = ProgressStyle::with_template(&template).expect("the template is valid");
    let bar = ProgressBar::with_draw_target(Some(length), target).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
