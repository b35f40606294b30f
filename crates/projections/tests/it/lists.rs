//! The filters of the list of tickets, and what each viewer sees: the same as the rules say of the folded tickets.

use std::collections::BTreeSet;

use eventstore::{Position, StreamId};
use projections::{Filter, Reader, TicketQuery, Viewer};
use shared_kernel::testing::{agent, person, requester, staff, team};
use shared_kernel::{Principal, Role};
use ticket_aggregate::{Event, Ticket};

use crate::world::{World, at_least, everything, opened, story, ticket};

async fn found(reader: &Reader, position: Position, query: TicketQuery) -> BTreeSet<StreamId> {
    let page = reader.tickets(&query, at_least(position)).await.unwrap();
    assert_eq!(page.next, None);
    page.items.into_iter().map(|row| StreamId(row.id.0)).collect()
}

/// Tickets with and without team and assignee; one has another requester by now.
async fn desk(world: &World) -> Position {
    for n in 0..12 {
        let events = if n % 4 == 3 { vec![opened(n)] } else { story(n) };
        world.record(ticket(n), &events).await;
    }
    let change = Event::RequesterChanged { from: None, to: person("ruth"), reason: None };
    world.record(ticket(1), &[change]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_take_ids() {
    let world = World::new().await;
    let head = desk(&world).await;
    let process = world.process().await;
    let folded = world.folded().await;
    let check = async |query: TicketQuery, matches: &dyn Fn(&Ticket) -> bool| {
        let expected: BTreeSet<_> = folded.iter().filter(|(_, t)| matches(t)).map(|(id, _)| *id).collect();
        assert!(!expected.is_empty() && expected.len() < folded.len(), "{query:?}");
        assert_eq!(found(&process.reader, head, query.clone()).await, expected, "{query:?}");
    };
    let query = |change: &dyn Fn(&mut TicketQuery)| {
        let mut query = everything();
        change(&mut query);
        query
    };
    let (ada, first) = (agent("agent 1"), team("team 1"));
    check(query(&|q| q.assignee = Some(Filter::Is(ada))), &|t| t.assignee == Some(ada)).await;
    check(query(&|q| q.assignee = Some(Filter::None)), &|t| t.assignee.is_none()).await;
    check(query(&|q| q.team = Some(Filter::Is(first))), &|t| t.team == Some(first)).await;
    check(query(&|q| q.team = Some(Filter::None)), &|t| t.team.is_none()).await;
    let people = [person("ruth"), person("requester 2")];
    check(query(&|q| q.requester = people.into()), &|t| t.requester.is_some_and(|r| people.contains(&r))).await;
    check(query(&|q| q.requester = vec![person("requester 1")]), &|t| t.requester == Some(person("requester 1"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_see_what_the_rules_say() {
    let world = World::new().await;
    let head = desk(&world).await;
    let process = world.process().await;
    let folded = world.folded().await;
    let merged = |principal: &mut Principal, name: &str| principal.actor.merged = BTreeSet::from([person(name)]);
    let mut principals: Vec<_> = [
        requester("requester 3"),
        requester("finn"),
        requester("stranger"),
        staff(Role::Agent, "agent 2"),
        staff(Role::Agent, "finn"),
        staff(Role::Lead, "stranger"),
    ]
    .map(Principal::new)
    .into();
    let mut ruth = Principal::new(requester("ruth"));
    merged(&mut ruth, "requester 2");
    let mut both = Principal::new(staff(Role::Agent, "stranger"));
    merged(&mut both, "finn");
    let mut member = Principal::new(staff(Role::Agent, "stranger"));
    member.teams = BTreeSet::from([team("team 2")]);
    principals.extend([ruth, both, member]);
    for principal in principals {
        let query = TicketQuery { viewer: Viewer::of(&principal), ..everything() };
        let expected: BTreeSet<_> =
            folded.iter().filter(|(_, t)| t.is_visible_to(&principal)).map(|(id, _)| *id).collect();
        assert_eq!(found(&process.reader, head, query).await, expected, "{principal:?}");

        let queues = process.reader.queues(&Viewer::of(&principal), at_least(head)).await.unwrap().queues;
        let in_queues = |ticket: &Ticket| match principal.role {
            Role::Requester => ticket.team.is_none(),
            Role::Agent => {
                ticket.team.is_none_or(|team| principal.teams.contains(&team))
                    || (ticket.assignee.is_some() && ticket.assignee == principal.agent())
            }
            Role::Lead | Role::Admin | Role::System => true,
        };
        let counted: i64 = queues.iter().map(|queue| queue.count).sum();
        let expected = folded.values().filter(|ticket| in_queues(ticket)).count();
        assert_eq!(usize::try_from(counted).unwrap(), expected, "{principal:?}");
    }
}
