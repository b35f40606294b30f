//! Identities: what they may hold, and which are the same.

use person_aggregate::{ExternalName, IdentityError, IdentityKind, IdentityValue, OidcAccount, PersonName};
use shared_kernel::ValueError;

use crate::scenario::{email, external, oidc};

#[test]
fn aliases_are_scoped_by_kind() {
    let cases = [
        (email("Rita@Example.com"), IdentityKind::Email, "person-email", "rita@example.com"),
        (oidc("https://id.example.com", "4F a"), IdentityKind::Oidc, "person-oidc", "https://id.example.com 4F a"),
        (external(" KD-1 "), IdentityKind::External, "person-external", "KD-1"),
    ];
    for (value, kind, scope, name) in cases {
        assert_eq!((value.kind(), value.kind().scope()), (kind, scope));
        assert_eq!(value.alias(), (scope, name.to_owned()));
    }
}

#[test]
fn accounts_differ_by_every_byte() {
    let account = oidc("https://id.example.com", "4f");
    for other in [oidc("https://id.example.com/", "4f"), oidc("https://id.example.com", "4F")] {
        assert_ne!(account, other);
        assert_ne!(account.alias(), other.alias());
    }
}

#[test]
fn accounts_are_not_trimmed() {
    let white_space = |what| Err(IdentityError::WhiteSpace { what });
    assert_eq!(OidcAccount::parse("https://a b", "4f"), white_space("issuer"));
    assert_eq!(OidcAccount::parse(" https://a", "4f"), white_space("issuer"));
    assert_eq!(OidcAccount::parse("https://a", "4f "), white_space("subject"));
    let account = OidcAccount::parse("https://a", "cn=rita örn").unwrap();
    assert_eq!((account.issuer(), account.subject()), ("https://a", "cn=rita örn"));
}

#[test]
fn texts_are_limited() {
    let too_long = |what, limit| ValueError::TooLong { what, limit };
    assert_eq!(OidcAccount::parse(&"i".repeat(256), "s"), Err(IdentityError::Text(too_long("issuer", 255))));
    assert_eq!(OidcAccount::parse("i", &"s".repeat(256)), Err(IdentityError::Text(too_long("subject", 255))));
    assert_eq!(ExternalName::parse(&"e".repeat(201)), Err(too_long("external identity", 200)));
    assert_eq!(PersonName::parse(&"n".repeat(201)), Err(too_long("name", 200)));
    assert_eq!(
        OidcAccount::parse("i", "a\nb"),
        Err(IdentityError::Text(ValueError::ControlCharacter { what: "subject" }))
    );
}

#[test]
fn longest_alias_fits_into_an_index() {
    let (issuer, subject) = ("\u{10ffff}".repeat(255), "\u{10ffff}".repeat(255));
    for value in [oidc(&issuer, &subject), external(&"\u{10ffff}".repeat(200))] {
        let (scope, name) = value.alias();
        // PostgreSQL's limit for an entry of a B-tree is 2,704 bytes, its header included
        assert!(scope.len() + name.len() < 2_600);
    }
}

#[test]
fn identity_is_kind_and_value_in_json() {
    let cases = [
        (email("Rita@Example.com"), r#"{"kind":"email","value":"Rita@Example.com"}"#),
        (oidc("https://a", "4f"), r#"{"kind":"oidc","value":{"issuer":"https://a","subject":"4f"}}"#),
        (external("KD-1"), r#"{"kind":"external","value":"KD-1"}"#),
    ];
    for (value, json) in cases {
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
        assert_eq!(serde_json::from_str::<IdentityValue>(json).unwrap(), value);
    }
    for json in [
        r#"{"kind":"email","value":"rita"}"#,
        r#"{"kind":"phone","value":"1"}"#,
        r#"{"kind":"external","value":"1","x":1}"#,
        r#"{"kind":"oidc","value":{"issuer":"a b","subject":"4f"}}"#,
        r#"{"kind":"oidc","value":{"issuer":"a","subject":"4f","x":1}}"#,
    ] {
        assert!(serde_json::from_str::<IdentityValue>(json).is_err(), "{json}");
    }
}
