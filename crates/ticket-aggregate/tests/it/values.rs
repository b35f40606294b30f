//! The values' own rules.

use shared_kernel::testing::{agent, staff};
use shared_kernel::{ActorRef, Role, ValueError};
use ticket_aggregate::{Channel, CommandKind, DueKind, LinkKind, Priority, Status, Tag, TicketNumber};

#[test]
fn ticket_number_form() {
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
fn short_texts_are_limited() {
    assert_eq!(Channel::parse("  email ").unwrap().as_str(), "email");
    assert_eq!(Channel::parse(" "), Err(ValueError::Blank { what: "channel" }));
    let too_long = Err(ValueError::TooLong { what: "tag", limit: 100 });
    assert_eq!(Tag::parse(&"ä".repeat(101)), too_long);
    assert!(Tag::parse(&"ä".repeat(100)).is_ok());
    assert_eq!(Tag::parse("a\nb"), Err(ValueError::ControlCharacter { what: "tag" }));
    assert_eq!(Channel::default().as_str(), "api");
    assert!(serde_json::from_str::<Tag>("\"\"").is_err());
}

#[test]
fn actor_is_recorded_without_rank() {
    let lead = staff(Role::Lead, "lea");
    let json = serde_json::to_string(&lead).unwrap();
    assert_eq!(json, format!(r#"{{"kind":"agent","id":"{}"}}"#, agent("lea")));
    assert_eq!(serde_json::from_str::<ActorRef>(&json).unwrap(), lead.to_ref());
}

#[test]
fn words_in_json_and_text() {
    for status in Status::ALL {
        assert_eq!(status.as_str().parse(), Ok(*status));
        assert_eq!(serde_json::to_string(status).unwrap(), format!("\"{status}\""));
    }
    for kind in CommandKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(*kind));
    }
    for kind in DueKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(*kind));
    }
    assert_eq!("await-requester".parse(), Ok(CommandKind::AwaitRequester));
    assert_eq!("requester".parse(), Ok(CommandKind::ChangeRequester));
    assert_eq!("auto-close".parse(), Ok(CommandKind::AutoClose));
    assert_eq!("on_hold".parse(), Ok(Status::OnHold));
    assert!("Open".parse::<Status>().is_err());
}

#[test]
fn priorities_are_ordered() {
    assert!(Priority::Low < Priority::Normal && Priority::High < Priority::Urgent);
    assert_eq!(Priority::default(), Priority::Normal);
}

#[test]
fn link_inverse() {
    for kind in LinkKind::ALL {
        assert_eq!(kind.inverse().inverse(), *kind);
        assert_eq!(kind.inverse() == *kind, *kind == LinkKind::RelatesTo);
    }
}

#[test]
fn closed_is_not_live() {
    let dead: Vec<_> = Status::ALL.iter().filter(|status| !status.is_live()).collect();
    assert_eq!(dead, [&Status::Closed]);
}
