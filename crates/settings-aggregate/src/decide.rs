//! Which events a command records, or why it is refused.

use crate::command::Command;
use crate::event::{Created, Event, Revised};
use crate::kind::Kind;
use crate::rejection::Rejection;
use crate::setting::{Setting, SettingName};

pub(crate) fn decide<K: Kind>(setting: Option<&Setting<K>>, command: &Command<K>) -> Result<Vec<Event<K>>, Rejection> {
    if let Command::Create { document, .. } | Command::Revise { document: Some(document), .. } = command {
        K::check(document).map_err(|faults| Rejection::InvalidDocument { faults })?;
    }
    match (setting, command) {
        (None, Command::Create { handle, name, document }) => {
            let (handle, name, document) = (handle.clone(), name.clone(), document.clone());
            Ok(vec![Event::Created(Created { handle, name, document })])
        }
        (None, _) => Err(Rejection::NotCreated),
        (Some(_), Command::Create { .. }) => Err(Rejection::AlreadyCreated),
        (Some(setting), Command::Revise { name, document }) => revise(setting, name.as_ref(), document.as_ref()),
        (Some(Setting { retired: true, .. }), Command::Retire) => Ok(Vec::new()),
        (Some(_), Command::Retire) => Ok(vec![Event::Retired]),
    }
}

fn revise<K: Kind>(
    setting: &Setting<K>,
    name: Option<&SettingName>,
    document: Option<&K::Document>,
) -> Result<Vec<Event<K>>, Rejection> {
    if setting.retired {
        return Err(Rejection::Retired);
    }
    let (name, document) = (name.unwrap_or(&setting.name), document.unwrap_or(&setting.document));
    if *name == setting.name && *document == setting.document {
        return Ok(Vec::new());
    }
    Ok(vec![Event::Revised(Revised { name: name.clone(), document: document.clone() })])
}
