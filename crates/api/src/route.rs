//! A route and all that is said of it. One value makes the axum route, the checks around it, its entry in the OpenAPI
//! document, the links between operations, and the list that drives the tests.

use axum::http::{Method, StatusCode};
use axum::routing::MethodRouter;
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::admission::LoadClass;
use crate::app::App;
use crate::guard::Guard;
use crate::problem::Code;
use crate::schema;

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// What people call it: `ticket`.
    pub name: &'static str,
    /// The schema by which it is answered: `Ticket`.
    pub schema: &'static str,
}

/// How a command is sent and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandStyle {
    /// Makes a record. There is no version to match.
    Create,
    /// Changes what others may have changed meanwhile: `If-Match` is required.
    Change,
    /// Adds something with an id of its own: 201. `If-Match` is optional.
    AddItem,
    /// Adds to a set. `If-Match` is optional.
    Add,
    /// Several commands. Whether `If-Match` is required depends on them.
    Several,
}

impl CommandStyle {
    /// The status of a success.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Create | Self::AddItem => StatusCode::CREATED,
            Self::Change | Self::Add | Self::Several => StatusCode::OK,
        }
    }

    pub(crate) const fn requires_if_match(self) -> bool {
        match self {
            Self::Change => true,
            Self::Create | Self::AddItem | Self::Add | Self::Several => false,
        }
    }
}

type Schemas = Vec<(String, RefOr<Schema>)>;

/// A route.
#[derive(Clone)]
pub struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) guard: Guard,
    pub(crate) load: LoadClass,
    pub(crate) handler: MethodRouter<App>,
    pub(crate) resource: Option<ResourceType>,
    pub(crate) style: Option<CommandStyle>,
    pub(crate) operation: Operation,
}

/// What the OpenAPI document says of a route.
#[derive(Clone, Default)]
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Body>,
    pub(crate) success: Vec<Success>,
    pub(crate) errors: Vec<Code>,
    /// Adds the schemas that the route uses.
    pub(crate) schemas: Vec<fn(&mut Schemas)>,
    /// The query parameter that takes an answer's `next_cursor`.
    pub(crate) next_page: Option<&'static str>,
}

/// The body of a request.
#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) schema: String,
    pub(crate) example: Value,
}

/// An answer that is no error.
#[derive(Clone)]
pub(crate) struct Success {
    pub(crate) status: StatusCode,
    pub(crate) description: &'static str,
    pub(crate) headers: &'static [&'static str],
    pub(crate) content: Value,
}

impl Route {
    /// A route that is not part of the published contract, until [`Self::operation`] describes it.
    pub fn new(method: Method, path: &'static str, guard: Guard, load: LoadClass, handler: MethodRouter<App>) -> Self {
        Self { method, path, guard, load, handler, resource: None, style: None, operation: Operation::default() }
    }

    /// Makes it part of the contract.
    #[must_use]
    pub fn operation(
        mut self,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
        description: &'static str,
    ) -> Self {
        self.operation = Operation { id, tag, summary, description, ..self.operation };
        self.errors(&[Code::Internal])
    }

    /// Whether it is part of the published contract.
    pub fn is_documented(&self) -> bool {
        !self.operation.id.is_empty()
    }

    /// The path's `{id}` names a record of this type.
    #[must_use]
    pub fn resource(mut self, resource: ResourceType) -> Self {
        self.resource = Some(resource);
        let parameter = schema::id_parameter(resource.name);
        self.parameter(parameter).errors(&[Code::NotFound])
    }

    /// The path's `{id}` names a record of this type, by its id or by its handle.
    #[must_use]
    pub(crate) fn resource_by_handle(mut self, resource: ResourceType) -> Self {
        self.resource = Some(resource);
        let parameter = schema::handle_parameter(resource.name);
        self.parameter(parameter).errors(&[Code::NotFound])
    }

    /// It takes a command: a JSON body, `Idempotency-Key` and, by its style, `If-Match`.
    #[must_use]
    pub fn command<B: ToSchema + PartialSchema>(self, style: CommandStyle, example: Value) -> Self {
        self.command_without_body(style).body::<B>(example)
    }

    /// It takes a command that has no body.
    #[must_use]
    pub(crate) fn command_without_body(mut self, style: CommandStyle) -> Self {
        self.style = Some(style);
        if style != CommandStyle::Create {
            let required = style.requires_if_match();
            self = self
                .parameter(schema::if_match_parameter(required))
                .errors(&[Code::InvalidIfMatch, Code::PreconditionFailed]);
            if required || style == CommandStyle::Several {
                self = self.errors(&[Code::PreconditionRequired]);
            }
        }
        self.parameter(schema::idempotency_key_parameter()).errors(&[
            Code::BadRequest,
            Code::BodyTimeout,
            Code::ContentTooLarge,
            Code::ValidationFailed,
            Code::Forbidden,
            Code::InvalidQuery,
            Code::InvalidIdempotencyKey,
            Code::IdempotencyKeyReused,
            Code::OutcomeUnknown,
        ])
    }

    /// It takes a JSON body.
    #[must_use]
    pub(crate) fn body<B: ToSchema + PartialSchema>(mut self, example: Value) -> Self {
        self.operation.body = Some(Body { schema: B::name().into_owned(), example });
        self.operation.schemas.push(schema::add::<B>);
        self.errors(&[
            Code::BadRequest,
            Code::BodyTimeout,
            Code::ContentTooLarge,
            Code::UnsupportedMediaType,
            Code::InvalidJson,
            Code::ValidationFailed,
        ])
    }

    /// It answers with JSON of this schema.
    #[must_use]
    pub fn returns<T: ToSchema + PartialSchema>(
        mut self,
        status: StatusCode,
        description: &'static str,
        headers: &'static [&'static str],
        example: &Value,
    ) -> Self {
        self.operation.schemas.push(schema::add::<T>);
        let content = schema::json_of(&T::name(), example);
        self.success(status, description, headers, content)
    }

    /// An answer refers to the schema of this type.
    #[must_use]
    pub(crate) fn schema<T: ToSchema + PartialSchema>(mut self) -> Self {
        self.operation.schemas.push(schema::add::<T>);
        self
    }

    /// It answers an `If-None-Match` that matches with 304.
    #[must_use]
    pub(crate) fn not_modified(self) -> Self {
        self.parameter(schema::if_none_match_parameter()).success(
            StatusCode::NOT_MODIFIED,
            "You have this version already.",
            &["ETag"],
            Value::Null,
        )
    }

    /// An answer: its status, what it is, its headers and its content.
    #[must_use]
    pub(crate) fn success(
        mut self,
        status: StatusCode,
        description: &'static str,
        headers: &'static [&'static str],
        content: Value,
    ) -> Self {
        self.operation.success.push(Success { status, description, headers, content });
        self
    }

    /// Errors that it can answer, beyond those that its other properties imply.
    #[must_use]
    pub fn errors(mut self, codes: &[Code]) -> Self {
        for code in codes {
            if !self.operation.errors.contains(code) {
                self.operation.errors.push(*code);
            }
        }
        self
    }

    #[must_use]
    pub(crate) fn parameter(mut self, parameter: Value) -> Self {
        self.operation.parameters.push(parameter);
        self
    }

    /// An answer's `next_cursor` is sent back in this query parameter.
    #[must_use]
    pub(crate) fn next_page(mut self, parameter: &'static str) -> Self {
        self.operation.next_page = Some(parameter);
        self
    }

    /// Every error that it can answer: its own, and those that the router adds.
    pub(crate) fn codes(&self) -> Vec<Code> {
        let mut codes = self.operation.errors.clone();
        codes.extend([Code::BadRequest, Code::UriTooLong, Code::HeadersTooLarge]);
        if self.load != LoadClass::Exempt {
            codes.push(Code::Overloaded);
        }
        if !self.guard.is_public() {
            codes.extend([
                Code::Unauthorized,
                Code::InvalidOnBehalfOf,
                Code::Forbidden,
                Code::CallerBlocked,
                Code::RateLimited,
                Code::Unavailable,
                Code::RequestTimeout,
            ]);
        }
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

impl Success {
    /// As the document has it.
    pub(crate) fn response(&self) -> Value {
        let headers = self.headers.iter();
        let headers = headers.map(|name| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")})));
        let headers: serde_json::Map<_, _> = headers.collect();
        let mut response = json!({"description": self.description, "headers": headers});
        if !self.content.is_null() {
            response["content"] = self.content.clone();
        }
        response
    }
}
