//! The values' own rules.

use shared_kernel::{Actor, ActorRef, AgentId, Requester, Role, TeamId, ValueError};
use ticket_aggregate::{Channel, CommandKind, LinkKind, Priority, Status, Tag, TicketNumber};

#[test]
fn a_number_is_shown_with_a_hash_and_read_with_or_without() {
    let number: TicketNumber = "#1042".parse().unwrap();
    assert_eq!(number, "1042".parse().unwrap());
    assert_eq!(number.to_string(), "#1042");
    assert_eq!(serde_json::to_string(&number).unwrap(), "1042");
    for faulty in ["", "#", "0", "#0", "-1", "+1", " 1", "1e3", "##1", "9223372036854775808"] {
        assert_eq!(faulty.parse::<TicketNumber>(), Err(ValueError::NotANumber), "{faulty:?}");
    }
    assert!(serde_json::from_str::<TicketNumber>("0").is_err());
}

#[test]
fn short_texts_are_trimmed_and_limited() {
    assert_eq!(TeamId::parse("  hardware ").unwrap().as_str(), "hardware");
    assert_eq!(TeamId::parse(" "), Err(ValueError::Blank { what: "team" }));
    let too_long = Err(ValueError::TooLong { what: "agent", limit: 64 });
    assert_eq!(AgentId::parse(&"ä".repeat(65)), too_long);
    assert!(AgentId::parse(&"ä".repeat(64)).is_ok());
    assert!(Tag::parse(&"ä".repeat(100)).is_ok());
    assert_eq!(Tag::parse("a\nb"), Err(ValueError::ControlCharacter { what: "tag" }));
    assert_eq!(Channel::default().as_str(), "api");
    assert!(serde_json::from_str::<Tag>("\"\"").is_err());
}

/// What is kept must be read again: `İ` is two characters in lower case.
#[test]
fn an_address_is_as_long_as_it_is_kept() {
    let address = format!("{}@example.com", "İ".repeat(200));
    assert_eq!(Requester::parse(&address, None), Err(ValueError::TooLong { what: "email", limit: 254 }));
    let kept = Requester::parse(&format!("{}@example.com", "İ".repeat(100)), None).unwrap();
    assert_eq!(Requester::parse(kept.email(), None), Ok(kept));
}

#[test]
fn a_requester_is_their_address() {
    let rita = Requester::parse(" Rita@Example.COM ", Some(" Rita ")).unwrap();
    assert_eq!((rita.email(), rita.name()), ("rita@example.com", Some("Rita")));
    assert!(rita.is("RITA@example.com"));
    assert_eq!(Requester::parse("a@b", Some("  ")).unwrap().name(), None);
    let faulty = ["rita", "@b", "a@", "a@b@c", "a b@c", "a@.b", "a@b.", "a,b@c", "<a@b>", "\"a\"@b", "a@b;c"];
    for address in faulty {
        assert_eq!(Requester::parse(address, None), Err(ValueError::NotAnAddress), "{address}");
    }
    assert!(Requester::parse("a@b\r\nBcc: c@d", None).is_err());
    assert!(Requester::parse("a@b", Some("a\r\nBcc: c@d")).is_err());
    assert!(serde_json::from_str::<Requester>(r#"{"email":"x","name":null}"#).is_err());
}

#[test]
fn an_actor_is_recorded_without_rank() {
    let lead = Actor::new(Role::Lead, "lea");
    let json = serde_json::to_string(&lead).unwrap();
    assert_eq!(json, r#"{"kind":"agent","id":"lea"}"#);
    assert_eq!(serde_json::from_str::<ActorRef>(&json).unwrap(), lead.to_ref());
}

#[test]
fn words_are_the_same_in_json_and_in_text() {
    for status in Status::ALL {
        assert_eq!(status.as_str().parse(), Ok(*status));
        assert_eq!(serde_json::to_string(status).unwrap(), format!("\"{status}\""));
    }
    for kind in CommandKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(*kind));
    }
    assert_eq!("await-requester".parse(), Ok(CommandKind::AwaitRequester));
    assert_eq!("on_hold".parse(), Ok(Status::OnHold));
    assert!("Open".parse::<Status>().is_err());
}

#[test]
fn priorities_are_ordered_and_normal_by_default() {
    assert!(Priority::Low < Priority::Normal && Priority::High < Priority::Urgent);
    assert_eq!(Priority::default(), Priority::Normal);
}

#[test]
fn the_inverse_of_the_inverse_is_the_link() {
    for kind in LinkKind::ALL {
        assert_eq!(kind.inverse().inverse(), *kind);
        assert_eq!(kind.inverse() == *kind, *kind == LinkKind::RelatesTo);
    }
}

#[test]
fn only_closed_is_not_live() {
    let dead: Vec<_> = Status::ALL.iter().filter(|status| !status.is_live()).collect();
    assert_eq!(dead, [&Status::Closed]);
}
