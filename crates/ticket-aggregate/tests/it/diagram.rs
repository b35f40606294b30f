//! The docs' diagram is the table, and the committed file is what the table says today.

use ticket_aggregate::{command_table, mermaid};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ticket-states.md");

fn document() -> String {
    let (mermaid, table) = (mermaid(), command_table());
    format!(
        "# The states of a ticket

Generated from the table in `crates/ticket-aggregate/src/table.rs`; a test holds that it is current.
To write it anew: `UPDATE_DOCS=1 cargo test -p ticket-aggregate diagram`.

```mermaid
{mermaid}```

An arrow names the commands that lead there, and who may issue them; leads and admins may whatever agents may.
The guards of each step stand in `decide`. A command that is not in this table is refused as `illegal_transition`.

{table}"
    )
}

#[test]
fn committed_diagram_is_current() {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PATH, document()).unwrap();
    }
    let committed = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(committed == document(), "run UPDATE_DOCS=1 cargo test -p ticket-aggregate diagram");
    assert!(committed.contains(&mermaid()));
}

#[test]
fn diagram_has_every_status() {
    let drawing = mermaid();
    for status in ticket_aggregate::Status::ALL {
        assert!(drawing.contains(&format!(" --> {status}:")), "nothing leads to {status}");
        assert!(drawing.contains(&format!("    {status} --> ")), "nothing leads on from {status}");
    }
}
