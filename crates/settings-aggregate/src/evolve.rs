//! What an event means for a setting: total and infallible, for what is recorded has happened.

use shared_kernel::Stamp;

use crate::event::{Created, Event, Revised};
use crate::kind::Kind;
use crate::setting::Setting;

/// The state after an event.
///
/// An event that can't have been recorded in that state, such as a second creation, changes nothing that it does not name:
/// finding such histories is [`legal_step`](crate::legal_step)'s business.
#[must_use]
pub(crate) fn evolve<K: Kind>(setting: Option<Setting<K>>, event: &Event<K>, stamp: &Stamp) -> Option<Setting<K>> {
    let mut setting = match (setting, event) {
        (None, Event::Created(created)) => return Some(start(created, stamp)),
        (None, _) => return None,
        (Some(setting), _) => setting,
    };
    match event {
        // a second creation is a fault of the log
        Event::Created(_) => {}
        Event::Revised(Revised { name, document }) => {
            setting.name.clone_from(name);
            setting.document.clone_from(document);
        }
        Event::Retired => setting.retired = true,
    }
    setting.updated_at = stamp.occurred_at;
    setting.version = stamp.version;
    Some(setting)
}

fn start<K: Kind>(created: &Created<K>, stamp: &Stamp) -> Setting<K> {
    let Created { handle, name, document } = created.clone();
    Setting {
        version: stamp.version,
        updated_at: stamp.occurred_at,
        created_at: stamp.occurred_at,
        handle,
        name,
        document,
        retired: false,
    }
}
