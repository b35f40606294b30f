//! The filters of the lists of settings.

use serde_json::{Value, json};
use settings_aggregate::{Kind, Setting};
use sqlx::{Postgres, QueryBuilder};

use super::{AnySetting, Settings};
use crate::error::ReadError;
use crate::ids::uuids;
use crate::reader::{AtLeast, Reader};
use crate::records::{RecordPage, RecordQuery, RecordRow};

/// A page of the list of settings of a kind.
pub type SettingsPage<K> = RecordPage<<K as Kind>::Id, Setting<K>>;
/// A setting in the list.
pub type SettingRow<K> = RecordRow<<K as Kind>::Id, Setting<K>>;

/// A query of the list of settings of a kind, in the order of their handles; all filters must match.
#[derive(Clone, Debug)]
pub struct SettingQuery<K: Kind> {
    /// Any of these; empty: any setting.
    pub ids: Vec<K::Id>,
    /// Whether they are out of use.
    pub retired: Option<bool>,
    /// Page size.
    pub limit: u16,
    /// The cursor of the page; `None`: the first page.
    pub cursor: Option<String>,
}

impl Reader {
    /// A page of the list of settings of a kind: `reader.settings::<Team>(…)`.
    pub async fn settings<K: Kind>(
        &self,
        query: &SettingQuery<K>,
        at_least: AtLeast,
    ) -> Result<SettingsPage<K>, ReadError> {
        self.records(&Settings, query, at_least).await
    }
}

impl<K: Kind> RecordQuery for SettingQuery<K> {
    type Model = Settings;
    type Id = K::Id;
    type Item = Setting<K>;
    type Key = String;

    const KEY: &'static str = "handle";

    fn filters(&self) -> Value {
        json!([K::NAME, uuids(&self.ids), self.retired])
    }

    fn push_filters(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push(" and t.kind = ").push_bind(K::NAME);
        if !self.ids.is_empty() {
            sql.push(" and t.id = any(").push_bind(uuids(&self.ids)).push(")");
        }
        if let Some(retired) = self.retired {
            sql.push(" and t.retired = ").push_bind(retired);
        }
    }

    fn limit(&self) -> u16 {
        self.limit
    }

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn item(setting: AnySetting) -> Result<Setting<K>, String> {
        setting.to_kind()
    }
}
