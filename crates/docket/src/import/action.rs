//! The commands of a map, with templates for their values.

use desk::TicketCommand;
use shared_kernel::ValueError;
use shared_kernel::text::strip_line;
use std::collections::BTreeSet;
use std::str::FromStr;

use serde::Deserialize;
use ticket_aggregate::{Command, Priority, ResolutionCode, Tag};

use super::table::Cells;
use super::template::{Template, Values};

/// One command, as in `{ hold = { reason = "waits for {customer}" } }` or `"close"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Action {
    Reply { body: Template },
    Note { body: Template },
    Assign { assignee: Template },
    Unassign,
    Route { team: Template },
    Prioritize { priority: Template, reason: Option<Template> },
    Categorize { category: Template },
    Rename { subject: Template },
    Tag { tags: Vec<Template> },
    Untag { tags: Vec<Template> },
    Follow { follower: Template },
    Unfollow { follower: Template },
    Start,
    AwaitRequester,
    Hold { reason: Template },
    Resume,
    Resolve { code: Template, note: Option<Template> },
    Reopen { reason: Template },
    Close,
    Spam,
}

/// The values for templates.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) cells: Cells<'a>,
    pub(super) values: &'a Values,
}

impl Source<'_> {
    pub(super) fn text(self, template: &Template) -> Result<String, String> {
        template.render(self.cells, self.values)
    }

    /// One safe line. The API refuses control characters and text that reorders what is shown; an import removes them,
    /// because nobody can send the row again.
    pub(super) fn line(self, template: &Template) -> Result<String, String> {
        Ok(strip_line(&self.text(template)?))
    }

    /// `None`: the text is blank.
    pub(super) fn optional(self, template: Option<&Template>) -> Result<Option<String>, String> {
        let text = template.map(|template| self.text(template)).transpose()?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    /// One safe line; `None`: the text is blank.
    pub(super) fn optional_line(self, template: Option<&Template>) -> Result<Option<String>, String> {
        Ok(self.optional(template)?.map(|text| strip_line(&text)).filter(|line| !line.is_empty()))
    }

    pub(super) fn value<T: FromStr<Err = ValueError>>(self, template: &Template) -> Result<T, String> {
        self.line(template)?.parse().map_err(|error: ValueError| {
            let columns = template.columns().collect::<Vec<_>>().join(", ");
            if columns.is_empty() { error.to_string() } else { format!("{error} (column {columns})") }
        })
    }

    /// Blank tags are left out.
    pub(super) fn tags(self, templates: &[Template]) -> Result<BTreeSet<Tag>, String> {
        let texts = templates.iter().map(|template| self.optional_line(Some(template)));
        let tags = texts.filter_map(Result::transpose);
        tags.map(|text| Tag::parse(&text?).map_err(|error| error.to_string())).collect()
    }
}

impl Action {
    /// The command for a row. `None`: the columns for its value are empty, so there is no team, category or tag.
    pub(super) fn command(&self, from: Source<'_>) -> Result<Option<TicketCommand>, String> {
        let plain = |command| Ok(Some(TicketCommand::Plain(command)));
        match self {
            Self::Route { team } => {
                let Some(_) = from.optional(Some(team))? else { return Ok(None) };
                Ok(Some(TicketCommand::Route { team: from.value(team)? }))
            }
            Self::Assign { assignee } => {
                Ok(Some(TicketCommand::Assign { assignee: from.value(assignee)?, over_capacity: true }))
            }
            Self::Follow { follower } => Ok(Some(TicketCommand::Follow { follower: from.value(follower)? })),
            Self::Unfollow { follower } => Ok(Some(TicketCommand::Unfollow { follower: from.value(follower)? })),
            Self::Categorize { category } => match from.optional_line(Some(category))? {
                Some(category) => plain(Command::Categorize { category }),
                None => Ok(None),
            },
            Self::Tag { tags } | Self::Untag { tags } => match (from.tags(tags)?, self) {
                (tags, _) if tags.is_empty() => Ok(None),
                (tags, Self::Tag { .. }) => plain(Command::Tag { tags }),
                (tags, _) => plain(Command::Untag { tags }),
            },
            Self::Reply { body } => plain(Command::Reply { body: from.text(body)?, source_id: None }),
            Self::Note { body } => plain(Command::Note { body: from.text(body)? }),
            Self::Unassign => plain(Command::Unassign),
            Self::Prioritize { priority, reason } => plain(Command::Prioritize {
                priority: from.value::<Priority>(priority)?,
                reason: from.optional(reason.as_ref())?,
            }),
            Self::Rename { subject } => plain(Command::Rename { subject: from.line(subject)? }),
            Self::Start => plain(Command::Start),
            Self::AwaitRequester => plain(Command::AwaitRequester),
            Self::Hold { reason } => plain(Command::Hold { reason: from.text(reason)?, wake_at: None }),
            Self::Resume => plain(Command::Resume),
            Self::Resolve { code, note } => plain(Command::Resolve {
                code: from.value::<ResolutionCode>(code)?,
                note: from.optional(note.as_ref())?,
            }),
            Self::Reopen { reason } => plain(Command::Reopen { reason: from.optional(Some(reason))? }),
            Self::Close => plain(Command::Close),
            Self::Spam => plain(Command::Spam),
        }
    }

    /// Its templates, each with the check of the words that it can produce.
    pub(super) fn templates(&self) -> Vec<(&Template, Option<Vocabulary>)> {
        match self {
            Self::Prioritize { priority, reason } => {
                let priority = (priority, Some(is_priority as Vocabulary));
                std::iter::once(priority).chain(reason.iter().map(|it| (it, None))).collect()
            }
            Self::Resolve { code, note } => {
                std::iter::once((code, None)).chain(note.iter().map(|it| (it, None))).collect()
            }
            Self::Tag { tags } | Self::Untag { tags } => tags.iter().map(|it| (it, None)).collect(),
            Self::Reply { body: it }
            | Self::Note { body: it }
            | Self::Assign { assignee: it }
            | Self::Route { team: it }
            | Self::Categorize { category: it }
            | Self::Rename { subject: it }
            | Self::Follow { follower: it }
            | Self::Unfollow { follower: it }
            | Self::Hold { reason: it }
            | Self::Reopen { reason: it } => vec![(it, None)],
            Self::Unassign | Self::Start | Self::AwaitRequester | Self::Resume | Self::Close | Self::Spam => Vec::new(),
        }
    }
}

/// Checks a word of a closed vocabulary.
pub(super) type Vocabulary = fn(&str) -> Result<(), String>;

pub(super) fn is_priority(word: &str) -> Result<(), String> {
    let known = || Priority::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ");
    Priority::from_str(word).map(drop).map_err(|error| format!("{error}; the priorities are {}", known()))
}
