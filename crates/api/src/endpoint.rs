//! What a handler and its extractors can ask of the route that they answer for.

use std::sync::Arc;

use axum::http::Extensions;

use crate::problem::{Code, Problem};
use crate::route::{CommandStyle, ResourceType};
use crate::validation::Validators;

/// A route at work. The router puts it into the extensions of each request.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) resource: Option<ResourceType>,
    /// The style of its command.
    pub(crate) style: Option<CommandStyle>,
    /// The schema of its body.
    pub(crate) body: Option<Arc<str>>,
    /// The errors that the document names; none, where it does not know the route.
    pub(crate) codes: Option<Arc<[Code]>>,
    pub(crate) contract: Arc<Contract>,
}

/// What the routes of a router publish together.
pub(crate) struct Contract {
    /// The OpenAPI document.
    pub(crate) document: String,
    /// Validators of the bodies that it describes.
    pub(crate) validators: Validators,
}

impl Endpoint {
    /// The endpoint of the request with these extensions.
    pub(crate) fn of(extensions: &Extensions) -> &Self {
        extensions.get().expect("the router gives each request its endpoint")
    }

    pub(crate) fn style(&self) -> CommandStyle {
        self.style.expect("a route whose handler takes a command declares one")
    }

    pub(crate) fn body(&self) -> &str {
        self.body.as_ref().expect("a route whose handler takes a CommandRequest declares its body")
    }

    /// 404 for a record that is not there, or that the caller may not see.
    pub(crate) fn not_found(&self) -> Problem {
        let name = self.resource.map_or("record", |resource| resource.name);
        Problem::new(Code::NotFound, format!("There is no such {name}, or none that you may see."))
    }
}
