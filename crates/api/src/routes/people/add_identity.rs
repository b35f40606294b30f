//! `POST /v1/people/{id}/identities`.

use person_aggregate::{Command, ExternalName, IdentityValue, Person};
use serde::Deserialize;
use serde_json::json;
use shared_kernel::EmailAddress;
use utoipa::ToSchema;

use crate::app::App;
use crate::guard::Guard;
use crate::problem::{Code, FieldError, Problem, at};
use crate::route::{CommandStyle, Route};
use crate::routes::records::{RecordCommand, command_route};

/// One of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddIdentity {
    #[schema(max_length = 254, pattern = "address", example = "grace@example.com")]
    email: Option<String>,
    /// What they are called in another system: a customer number, a login.
    #[schema(min_length = 1, max_length = 200, pattern = "line")]
    external: Option<String>,
}

impl AddIdentity {
    fn parse(self) -> Result<IdentityValue, FieldError> {
        match (self.email, self.external) {
            (Some(email), None) => at("/email", EmailAddress::parse(&email)).map(IdentityValue::Email),
            (None, Some(name)) => at("/external", ExternalName::parse(&name)).map(IdentityValue::External),
            (Some(_), Some(_)) | (None, None) => Err(FieldError::new("", "give email or external")),
        }
    }
}

impl RecordCommand<Person> for AddIdentity {
    async fn into_command(self, _: &App) -> Result<Command, Problem> {
        Ok(Command::AddIdentity { value: self.parse().map_err(Problem::invalid)? })
    }
}

pub(super) fn route() -> Route {
    let example = json!({"email": "grace@example.com"});
    command_route::<Person, AddIdentity>("/v1/people/{id}/identities", Guard::Staff, CommandStyle::AddItem, example)
        .operation(
            "add_identity",
            "people",
            "Add an address or an external name",
            "One that the person has already records nothing. One that belongs to somebody else is refused: merge the two, or \
             remove it there first.",
        )
        .errors(&[Code::NameUsed])
}
