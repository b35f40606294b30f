//! The read model `settings`: lists of settings of every kind.

mod query;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use settings_aggregate::{Kind, Setting, Team};
use shared_kernel::Aggregate;

use crate::fold;
use crate::records::{Columns, Records, Step, Stream, columns};
pub use query::{SettingQuery, SettingRow, SettingsPage};

pub(crate) struct Settings;

/// All kinds, of which none is ever removed.
const KINDS: &[Stream<AnySetting>] = &[stream_of::<Team>()];

/// Raise it with every change of what is stored.
const FORM: i32 = 0;

/// A setting of any kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AnySetting {
    kind: String,
    /// A [`Setting`] of that kind.
    setting: Value,
}

impl AnySetting {
    fn of<K: Kind>(setting: &Setting<K>) -> Self {
        let setting = serde_json::to_value(setting).expect("a setting has text keys only");
        Self { kind: K::NAME.to_owned(), setting }
    }

    /// The setting, if it is of this kind.
    fn to_kind<K: Kind>(&self) -> Result<Setting<K>, String> {
        Setting::deserialize(&self.setting).map_err(|error| format!("the {} is unreadable: {error}", self.kind))
    }
}

const fn stream_of<K: Kind>() -> Stream<AnySetting> {
    Stream::new::<Setting<K>>(|event| {
        let event = fold::decode::<Setting<K>>(event)?;
        Ok(Step::new(move |before: Option<AnySetting>, stamp| {
            let before = before.map(|before| before.to_kind::<K>()).transpose()?;
            let after = Setting::evolve(before, &event, stamp).ok_or_else(|| fold::nothing_before(K::NAME))?;
            Ok(AnySetting::of(&after))
        }))
    })
}

impl Records for Settings {
    const NAME: &'static str = "settings";
    /// A new kind raises it as well: a program that did not know the kind may have passed over its events.
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a handful of kinds")]
    const SCHEMA_VERSION: i32 = FORM + KINDS.len() as i32;
    const SCHEMA: &'static str = include_str!("settings/schema.sql");
    const INDEXES: &'static str = include_str!("settings/indexes.sql");

    type Record = AnySetting;

    fn streams() -> &'static [Stream<AnySetting>] {
        KINDS
    }

    fn columns(AnySetting { kind, setting }: &AnySetting) -> Columns {
        let member = |name| (name, setting.get(name).cloned().unwrap_or_default());
        columns([("kind", kind.as_str().into()), member("handle"), member("name"), member("retired")])
    }
}
