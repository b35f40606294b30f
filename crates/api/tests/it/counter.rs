//! A kind of record that the product doesn't know, served by the same pieces as a ticket: aggregate, executor, unit of
//! work, route, conditional request, idempotency, audit. Nothing in them knows a ticket.

use api::{
    App, Changed, Code, CommandRequest, CommandStyle, Guard, LoadClass, PathId, Problem, ResourceType, Route, current,
};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use eventsourcing::audit::{self, AuditReport, FoldAudit};
use eventsourcing::{Envelope, Executor, Idempotency, Precondition, Records, UnitOfWork, UseCase};
use eventstore::CommandId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared_kernel::{Aggregate, DomainEvent, EventType, Role, Stamp, uuid_id};
use tokio::net::TcpListener;
use utoipa::ToSchema;

use crate::client::Client;
use crate::world::{World, new_id, now};

uuid_id! { CounterId; }

#[derive(Debug)]
struct Counter;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Counted {
    #[serde(rename = "counter.increased")]
    Increased { by: u32 },
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Increase {
    #[schema(minimum = 1, maximum = 1000)]
    by: u32,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("a counter goes up to 100")]
struct Full;

#[derive(Serialize, ToSchema)]
struct CounterView {
    count: u32,
}

impl DomainEvent for Counted {
    const TYPES: &'static [EventType] = &[EventType::new("counter.increased")];

    fn event_type(&self) -> &'static str {
        "counter.increased"
    }
}

impl Aggregate for Counter {
    const TYPE: &'static str = "counter";
    const STATE_SCHEMA: i16 = 1;
    type Id = CounterId;
    type State = u32;
    type Command = Increase;
    type Event = Counted;
    type Context = ();
    type Rejection = Full;

    fn decide(count: Option<&u32>, Increase { by }: &Increase, (): &()) -> Result<Vec<Counted>, Full> {
        if count.copied().unwrap_or(0) + by > 100 { Err(Full) } else { Ok(vec![Counted::Increased { by: *by }]) }
    }

    fn evolve(count: Option<u32>, Counted::Increased { by }: &Counted, _: &Stamp) -> Option<u32> {
        Some(count.unwrap_or(0) + by)
    }
}

struct IncreaseCounter<'a> {
    counters: &'a Records<Counter>,
    id: CounterId,
    command: Increase,
    precondition: Precondition,
}

impl UseCase for IncreaseCounter<'_> {
    type Primary = Counter;
    type Error = Problem;

    fn records(&self) -> &Records<Counter> {
        self.counters
    }

    fn primary(&self) -> CounterId {
        self.id
    }

    fn command_id(&mut self) -> CommandId {
        CommandId(new_id())
    }

    async fn decide(&mut self, unit: &mut UnitOfWork) -> Result<(), Problem> {
        let counter = unit.stage(self.counters, self.id).await?;
        if let Some(version) = unit.version(counter) {
            self.precondition.check(version)?;
        }
        unit.decide(counter, &self.command, &())
            .map(drop)
            .map_err(|full| Problem::new(Code::CommandRefused, full.to_string()))
    }
}

/// The routes of counters, over an executor of their own.
fn routes(executor: &Executor, counters: &Records<Counter>) -> Vec<Route> {
    const COUNTER: ResourceType = ResourceType { name: "counter", schema: "CounterView" };
    let (executor, writing, reading) = (executor.clone(), counters.clone(), counters.clone());
    let increase = async move |State(_): State<App>, PathId(id): PathId, request: CommandRequest<Increase>| {
        let CommandRequest { body, context } = request;
        let idempotency = context.idempotency.clone().map(|key| Idempotency {
            scope: context.caller.scope(),
            key: key.key,
            fingerprint: key.fingerprint,
            status: key.status,
            permanent: false,
        });
        let envelope = Envelope { now: now(), idempotency, ..Envelope::default() };
        let precondition = context.precondition.clone();
        let mut command = IncreaseCounter { counters: &writing, id: CounterId(id), command: body, precondition };
        let done = executor.execute(&mut command, &envelope).await?;
        let (record, version) = (CounterView { count: done.record.state }, done.record.version);
        Ok::<_, Problem>(context.respond(&Changed {
            record,
            version,
            position: done.position,
            replayed: done.replayed,
            location: None,
        }))
    };
    let show = async move |PathId(id): PathId, headers: HeaderMap| -> Result<Response, Problem> {
        let found =
            reading.current(CounterId(id)).await?.ok_or(Problem::new(Code::NotFound, "There is no such counter."))?;
        let view = CounterView { count: found.state };
        Ok(current(&headers, found.version, || axum::Json(view).into_response()))
    };
    let path = "/v1/counters/{id}";
    vec![
        Route::new(Method::POST, path, Guard::Staff, LoadClass::Command, post(increase))
            .operation("increase_counter", "counters", "Increase a counter", "Up to 100.")
            .resource(COUNTER)
            .command::<Increase>(CommandStyle::Add, json!({"by": 1}))
            .errors(&[Code::CommandRefused])
            .returns::<CounterView>(StatusCode::OK, "The counter.", &["ETag"], &json!({"count": 1})),
        Route::new(Method::GET, path, Guard::Staff, LoadClass::Query, get(show))
            .operation("show_counter", "counters", "Show a counter", "As it is now.")
            .resource(COUNTER)
            .returns::<CounterView>(StatusCode::OK, "The counter.", &["ETag"], &json!({"count": 1})),
    ]
}

#[tokio::test]
async fn counter_is_written_read_retried_and_audited_by_the_same_pieces() {
    let world = World::new().await;
    let store = world.server.desk.store().clone();
    let (executor, counters) = (Executor::new(store.clone()), Records::new(store.clone(), 1 << 20));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = api::router_of(&world.server.app, routes(&executor, &counters));
    tokio::spawn(async { axum::serve(listener, service).await });
    let lead = Client::new(url, world.staff(Role::Lead, "lea", &[]).await.token);
    let path = "/v1/counters/01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11";

    lead.get(path).await.problem(404, "not_found");
    let first = lead.post(path, &json!({"by": 40})).key("k").await;
    assert_eq!((first.status, first.header("etag"), first.json()["count"].as_u64()), (200, "\"1\"", Some(40)));
    let retried = lead.post(path, &json!({"by": 40})).key("k").await;
    assert_eq!((retried.status, retried.header("idempotent-replayed")), (200, "true"));
    lead.post(path, &json!({"by": 41})).key("k").await.problem(422, "idempotency_key_reused");
    lead.post(path, &json!({"by": 0})).await.problem(422, "validation_failed");
    lead.post(path, &json!({"by": 60})).header("if-match", "\"1\"").await;
    lead.post(path, &json!({"by": 1})).header("if-match", "\"1\"").await.problem(412, "precondition_failed");
    lead.post(path, &json!({"by": 1})).await.problem(409, "command_refused");
    assert_eq!(lead.get(path).await.json()["count"], 100);

    // an id of another type names nothing here, nor does a counter's among tickets
    world.admin().await.get("/v1/tickets/01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11").await.problem(404, "not_found");
    let mut report = AuditReport::default();
    audit::check_log_order(&store, &mut report, &mut |_| {}).await.unwrap();
    audit::check_streams(&store, &mut [Box::new(FoldAudit::<Counter>::default())], &mut report, &mut |_| {})
        .await
        .unwrap();
    // each of the two callers is a person, an agent and a key: kinds of which this audit knows nothing
    let of_callers = 2 * 3;
    assert_eq!((report.events, report.streams, report.broken), (2 + of_callers, 1 + of_callers, of_callers));
}
