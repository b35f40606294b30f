//! The closed vocabularies of people, as schemas.

use crate::schema::enum_schema;

enum_schema!(
    /// An e-mail address, an account at an OIDC provider, a name in another system.
    IdentityKind = person_aggregate::IdentityKind::ALL
);
