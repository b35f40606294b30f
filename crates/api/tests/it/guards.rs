//! The router refuses whom a route's guard refuses, for any handler. The fallbacks authenticate, too.

use api::{Guard, GuardedCommand, LoadClass, Route};
use axum::routing::on;
use http::Method;
use shared_kernel::Role;
use tokio::net::TcpListener;

use crate::client::Client;
use crate::world::World;

const CLOSE: GuardedCommand =
    GuardedCommand { name: "close the month", allows: |role| matches!(role, Role::Lead | Role::Admin) };

/// Of each guard: who may call.
const GUARDS: [(&str, Guard, &[Option<Role>]); 6] = [
    (
        "/v1/things/public",
        Guard::Public,
        &[None, Some(Role::Requester), Some(Role::Agent), Some(Role::Lead), Some(Role::Admin)],
    ),
    (
        "/v1/things/principal",
        Guard::Principal,
        &[Some(Role::Requester), Some(Role::Agent), Some(Role::Lead), Some(Role::Admin)],
    ),
    ("/v1/things/command", Guard::Command(CLOSE), &[Some(Role::Lead), Some(Role::Admin)]),
    ("/v1/things/staff", Guard::Staff, &[Some(Role::Agent), Some(Role::Lead), Some(Role::Admin)]),
    ("/v1/things/leads", Guard::Leads, &[Some(Role::Lead), Some(Role::Admin)]),
    ("/v1/things/admins", Guard::Admins, &[Some(Role::Admin)]),
];

/// A server whose routes do nothing, and a client for nobody and for each role.
async fn empty_handlers(world: &World) -> Vec<(Option<Role>, Client)> {
    let methods = [Method::GET, Method::POST, Method::DELETE];
    let routes = GUARDS.iter().flat_map(|(path, guard, _)| {
        methods.iter().map(|method| {
            let handler = on(method.clone().try_into().unwrap(), async || "done");
            Route::new(method.clone(), path, *guard, LoadClass::Query, handler)
        })
    });
    let service = api::router_of(&world.server.app, routes.collect());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, service).await });

    let mut clients = vec![(None, Client::new(url.clone(), None))];
    let grace = world.requester("grace@example.com").await;
    clients.push((Some(Role::Requester), Client::new(url.clone(), grace.token)));
    for role in [Role::Agent, Role::Lead, Role::Admin] {
        let staff = world.staff(role, role.as_str(), &[]).await;
        clients.push((Some(role), Client::new(url.clone(), staff.token)));
    }
    clients
}

#[tokio::test]
async fn empty_handler_is_refused_to_everybody_its_guard_refuses() {
    let world = World::new().await;
    let clients = empty_handlers(&world).await;
    for (path, guard, admitted) in GUARDS {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
            for (role, client) in &clients {
                let answer = client.call(method.clone(), path).await;
                let expected = match role {
                    role if admitted.contains(role) => 200,
                    None => 401,
                    Some(_) => 403,
                };
                assert_eq!(answer.status, expected, "{role:?} {method} {guard:?}");
                if method == Method::GET && expected == 403 {
                    assert_eq!(answer.problem(403, "forbidden")["details"]["rule"], "forbidden");
                }
            }
        }
    }
}

#[tokio::test]
async fn fallbacks_authenticate_whatever_the_noun() {
    let world = World::new().await;
    for (role, client) in &empty_handlers(&world).await {
        for (method, path) in [
            (Method::GET, "/v1/nothing"),
            (Method::GET, "/v1/things"),
            (Method::POST, "/nothing"),
            (Method::GET, "/"),
            (Method::DELETE, "/v1/tickets/01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11"),
        ] {
            let answer = client.call(method, path).await;
            match role {
                None => answer.problem(401, "unauthorized"),
                Some(_) => answer.problem(404, "not_found"),
            };
        }
        for (path, guard, _) in GUARDS {
            let answer = client.call(Method::PATCH, path).await;
            if role.is_none() && !guard.is_public() {
                answer.problem(401, "unauthorized");
                continue;
            }
            answer.problem(405, "method_not_allowed");
            let mut allow = answer.header("allow").split(',').collect::<Vec<_>>();
            allow.sort_unstable();
            assert_eq!(allow, ["DELETE", "GET", "HEAD", "POST"], "{path}");
        }
    }
}
