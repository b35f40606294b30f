//! How much a person's record may hold; lengths are in characters (Unicode scalar values).

/// How many identities a person may have.
pub const IDENTITIES: usize = 100;
/// How many people may have been merged into a person, directly or not.
pub const MERGED: usize = 1_000;
/// The reason of a block.
pub const REASON: usize = 1_000;
/// An OIDC issuer. With the subject it is one key of a PostgreSQL index, which holds 2,704 bytes.
pub const ISSUER: usize = 255;
/// An OIDC subject (OIDC Core 1.0, 2).
pub const SUBJECT: usize = 255;
