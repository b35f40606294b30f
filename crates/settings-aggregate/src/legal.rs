//! Whether a recorded event could have been recorded: the audit's question to a setting's history.

use crate::event::Event;
use crate::kind::Kind;
use crate::setting::Setting;

/// Why an event can't have happened in that state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IllegalStep {
    /// Only a creation can come first.
    #[error("{event_type} before the setting was created")]
    BeforeCreation {
        /// What was recorded.
        event_type: &'static str,
    },
    /// A setting is created once.
    #[error("the setting is created a second time")]
    CreatedAgain,
    /// A retired setting's record is at its end.
    #[error("{event_type} after the setting was retired")]
    AfterRetirement {
        /// What was recorded.
        event_type: &'static str,
    },
    /// A revision leaves everything as it is.
    #[error("{event_type} changes nothing")]
    NoChange {
        /// What was recorded.
        event_type: &'static str,
    },
}

/// Whether this event may follow on that state. Documents are not checked: the rules for them may have been others then.
///
/// # Errors
/// Why it can't have happened.
pub fn legal_step<K: Kind>(before: Option<&Setting<K>>, event: &Event<K>) -> Result<(), IllegalStep> {
    let event_type = event.name();
    match (before, event) {
        (None, Event::Created(_)) => Ok(()),
        (None, _) => Err(IllegalStep::BeforeCreation { event_type }),
        (Some(_), Event::Created(_)) => Err(IllegalStep::CreatedAgain),
        (Some(Setting { retired: true, .. }), _) => Err(IllegalStep::AfterRetirement { event_type }),
        (Some(setting), Event::Revised(revised))
            if revised.name == setting.name && revised.document == setting.document =>
        {
            Err(IllegalStep::NoChange { event_type })
        }
        (Some(_), Event::Revised(_) | Event::Retired) => Ok(()),
    }
}
