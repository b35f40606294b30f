//! The map from another system's rows to commands. It is checked as a whole before anything is imported.

use desk::{PersonName, TeamName, TicketCommand};
use shared_kernel::{EmailAddress, Role};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde::Deserialize;
use ticket_aggregate::{Channel, Open, Status, TicketNumber};

use super::action::{Action, Source, Vocabulary, is_priority};
use super::table::Header;
use super::template::{Template, Values};

/// The channel of imported tickets.
const CHANNEL: &str = "import";

/// A map; `examples/helpdesk-italy.toml` explains each part.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Map {
    pub(super) source: String,
    pub(super) closing_activity: Option<String>,
    pub(super) columns: Columns,
    pub(super) actor: ActorMap,
    open: OpenMap,
    #[serde(default)]
    pub(super) values: Values,
    #[serde(default)]
    always: Vec<Action>,
    #[serde(rename = "rule")]
    rules: Vec<Rule>,
}

/// Which columns say to what a row belongs, what happened, and when.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns {
    pub(super) case: String,
    pub(super) activity: String,
    pub(super) time: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActorMap {
    pub(super) role: Role,
    pub(super) id: Template,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenMap {
    subject: Template,
    body: Template,
    requester_email: Option<Template>,
    requester_name: Option<Template>,
    team: Option<Template>,
    priority: Option<Template>,
    category: Option<Template>,
    #[serde(default)]
    tags: Vec<Template>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    activity: String,
    status: Option<Vec<Status>>,
    commands: Vec<Action>,
}

impl Rule {
    fn takes(&self, activity: &str, status: Status) -> bool {
        self.activity == activity && self.status.as_ref().is_none_or(|statuses| statuses.contains(&status))
    }
}

impl Map {
    /// Reads a map and checks what doesn't depend on the table.
    pub(super) fn load(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("the map {name} can't be read"))?;
        let map = Self::parse(&text).with_context(|| format!("the map {name} is invalid; nothing was imported"))?;
        Ok(map)
    }

    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let map: Self = toml::from_str(text).map_err(|error| anyhow!("{}", error.to_string().trim_end()))?;
        map.check_words()?;
        map.check_rules()?;
        for (template, vocabulary) in map.templates() {
            map.check_template(template, vocabulary)
                .map_err(|reason| anyhow!("line {}: {reason}", line(text, template)))?;
        }
        Ok(map)
    }

    /// Checks the map against a table's header.
    pub(super) fn fits(&self, header: &Header, table: &str) -> anyhow::Result<()> {
        let Columns { case, activity, time } = &self.columns;
        let named = [case, activity, time].map(String::as_str);
        let named = named.into_iter().chain(self.templates().into_iter().flat_map(|(template, _)| template.columns()));
        let mut missing: Vec<&str> = named.filter(|column| !header.has(column)).collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.join(", ");
        bail!(
            "{table}, line 1: the map names columns that the table doesn't have: {missing}; it has {}. \
             Correct [columns] or the templates of the map; nothing was imported",
            header.listed()
        );
    }

    /// The opening command, for the first row of a case.
    pub(super) fn opening(&self, from: Source<'_>, case: &str, number: TicketNumber) -> Result<TicketCommand, String> {
        let open = &self.open;
        let plain = |error: shared_kernel::ValueError| error.to_string();
        let address = from.optional(open.requester_email.as_ref())?;
        let name = from.optional_line(open.requester_name.as_ref())?;
        let address = address.map(|address| EmailAddress::parse(&address)).transpose().map_err(plain)?;
        let team = from.optional_line(open.team.as_ref())?.map(|team| team.parse::<TeamName>()).transpose();
        let opened = Open {
            number,
            subject: from.line(&open.subject)?,
            body: from.text(&open.body)?,
            requester: None,
            channel: Channel::parse(CHANNEL).map_err(plain)?,
            priority: open.priority.as_ref().map(|it| from.value(it)).transpose()?.unwrap_or_default(),
            category: from.optional_line(open.category.as_ref())?,
            team: None,
            tags: from.tags(&open.tags)?,
            source_id: Some(format!("{}/{case}", self.source)),
            follow_up_of: None,
        };
        let requester = address.map(|address| PersonName::Email(address, name));
        Ok(TicketCommand::Open { open: opened, requester, team: team.map_err(plain)? })
    }

    /// The commands of a row for a ticket in this status.
    pub(super) fn commands(
        &self,
        from: Source<'_>,
        activity: &str,
        status: Status,
    ) -> Result<Vec<TicketCommand>, String> {
        let Some(rule) = self.rules.iter().find(|rule| rule.takes(activity, status)) else {
            return Err(if self.rules.iter().any(|rule| rule.activity == activity) {
                format!("the map has no rule for the activity {activity:?} on a ticket that is {status}")
            } else {
                format!("the map has no rule for the activity {activity:?}")
            });
        };
        // the details of a closed ticket can't be changed
        let always: &[Action] = if status.is_live() { &self.always } else { &[] };
        let commands = always.iter().chain(&rule.commands).map(|action| action.command(from));
        commands.filter_map(Result::transpose).collect()
    }

    fn check_words(&self) -> anyhow::Result<()> {
        if self.source.trim().is_empty() {
            bail!("source is blank; it must name the old system, and stay the same for all imports from it");
        }
        if !matches!(self.actor.role, Role::Agent | Role::Lead | Role::Admin) {
            bail!("[actor] role is {}; it must be agent, lead or admin", self.actor.role);
        }
        if let Some(closing) = &self.closing_activity
            && !self.rules.iter().any(|rule| rule.activity == *closing)
        {
            bail!("closing_activity is {closing:?}, but no [[rule]] has that activity");
        }
        Ok(())
    }

    /// The first rule that matches wins, so a rule that can never apply is a mistake.
    fn check_rules(&self) -> anyhow::Result<()> {
        if self.rules.is_empty() {
            bail!("there is no [[rule]]; write one for each activity");
        }
        for (index, rule) in self.rules.iter().enumerate() {
            let taken =
                |status: &Status| self.rules[..index].iter().any(|before| before.takes(&rule.activity, *status));
            let statuses = rule.status.as_deref().unwrap_or(Status::ALL);
            if statuses.iter().all(taken) {
                let (activity, number) = (&rule.activity, index + 1);
                bail!(
                    "[[rule]] number {number} (activity {activity:?}) can never apply: the rules before it take every \
                     such row. Put it before them, or remove it"
                );
            }
        }
        Ok(())
    }

    fn check_template(&self, template: &Template, vocabulary: Option<Vocabulary>) -> Result<(), String> {
        if let Some(filter) = template.unknown_filter(&self.values) {
            return Err(format!("the filter {filter:?} is neither slug nor a table [values.{filter}] of this map"));
        }
        let possible = template.possible(&self.values).unwrap_or_default();
        vocabulary.map_or(Ok(()), |check| possible.iter().try_for_each(|word| check(word)))
    }

    fn templates(&self) -> Vec<(&Template, Option<Vocabulary>)> {
        let OpenMap { subject, body, requester_email, requester_name, team, priority, category, tags } = &self.open;
        let optional = [requester_email, requester_name, team, category].into_iter().flatten();
        let texts = [&self.actor.id, subject, body].into_iter().chain(optional).chain(tags).map(|it| (it, None));
        let priority = priority.iter().map(|it| (it, Some(is_priority as Vocabulary)));
        let actions = self.always.iter().chain(self.rules.iter().flat_map(|rule| &rule.commands));
        texts.chain(priority).chain(actions.flat_map(Action::templates)).collect()
    }
}

fn line(text: &str, template: &Template) -> usize {
    text.bytes().take(template.at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
