//! `GET /v1/tickets`: filters, search, who finds what, pages.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{World, eventually};

/// The subjects of what a query finds, once the list has read what was done before.
async fn found(client: &Client, query: &str, position: &str) -> Vec<String> {
    let answer = client.get(&format!("/v1/tickets{query}")).header("docket-min-position", position).await.ok(200);
    subjects(&answer)
}

fn subjects(answer: &Answer) -> Vec<String> {
    let list = answer.json();
    list["items"].as_array().unwrap().iter().map(|t| t["subject"].as_str().unwrap().to_owned()).collect()
}

/// Opens a ticket; its path and its position.
async fn opened(client: &Client, subject: &str, more: &Value) -> (String, String) {
    let mut body = json!({"subject": subject, "body": "Please help."});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = client.post("/v1/tickets", &body).await.ok(201);
    (answer.header("location").to_owned(), answer.header("docket-position").to_owned())
}

async fn position_after(client: &Client, ticket: &str, command: &str, body: &Value) -> String {
    client.command(ticket, command, body).await.header("docket-position").to_owned()
}

#[tokio::test]
async fn a_list_shows_the_very_tickets() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (one, _) =
        opened(&admin, "one", &json!({"tags": ["printer"], "requester": {"email": "grace@example.com"}})).await;
    admin.command(&one, "notes", &json!({"body": "Arson?"})).await.ok(201);
    let position = position_after(&admin, &one, "assign", &json!({"assignee": "root"})).await;
    let answer = admin.get("/v1/tickets").header("docket-min-position", &position).await.ok(200);
    assert!(answer.header("docket-position").parse::<i64>().unwrap() >= position.parse().unwrap());
    assert!(answer.find("link").is_none() && answer.json()["next_cursor"].is_null());
    assert_eq!(answer.json()["items"], json!([admin.get(&one).await.ok(200).json()]), "as it is read by itself");
    let grace = world.requester("grace@example.com").await;
    let hers = grace.get("/v1/tickets").await.ok(200).json();
    assert_eq!(hers["items"], json!([grace.get(&one).await.ok(200).json()]), "as she may see it");
}

#[tokio::test]
async fn every_filter_narrows() {
    let world = World::new().await;
    let lead = world.staff(shared_kernel::Role::Lead, "lea", &["one"]).await;
    let person = |email: &str| json!({"email": email});
    world.teams(&["one", "two"]).await;
    let (a, _) = opened(
        &lead,
        "a",
        &json!({"team": "one", "priority": "urgent", "tags": ["x", "y"], "requester": person("grace@example.com")}),
    )
    .await;
    let (b, _) =
        opened(&lead, "b", &json!({"team": "two", "priority": "low", "tags": ["y"], "category": "hardware"})).await;
    let (_, _) = opened(&lead, "c", &json!({"category": "hard ware, soft"})).await;
    lead.command(&a, "assign", &json!({"assignee": "lea"})).await;
    let position = position_after(&lead, &b, "hold", &json!({"reason": "a part"})).await;
    let opened_at = |subject: &'static str| {
        let lead = lead.clone();
        async move {
            let list = lead.get("/v1/tickets").await.ok(200).json();
            let items = list["items"].as_array().unwrap();
            items.iter().find(|t| t["subject"] == subject).unwrap()["opened_at"].as_str().unwrap().to_owned()
        }
    };
    found(&lead, "", &position).await;
    let of_b = opened_at("b").await;
    for (query, expected) in [
        ("status=open".to_owned(), "a"),
        ("status=new,on_hold".into(), "bc"),
        ("priority=urgent".into(), "a"),
        ("priority=low,urgent".into(), "ab"),
        ("team=one".into(), "a"),
        ("assignee=lea".into(), "a"),
        ("requester=Grace%40Example.com".into(), "a"),
        ("tag=y".into(), "ab"),
        ("tag=x".into(), "a"),
        ("category=hardware".into(), "b"),
        ("category=hard+ware%2C%20soft".into(), "c"),
        ("tag=y&status=on_hold".into(), "b"),
        (format!("created_after={of_b}"), "c"),
        (format!("created_before={of_b}"), "a"),
        ("updated_after=2100-01-01T00:00:00Z".into(), ""),
        ("updated_before=2100-01-01T00:00:00Z".into(), "abc"),
        ("team=nobody".into(), ""),
        ("team=none".into(), "c"),
        ("assignee=none".into(), "bc"),
        ("assignee=nobody".into(), ""),
        ("requester=nobody%40example.com".into(), ""),
        (format!("team={}", world.team("one").await), "a"),
        (format!("assignee={}", world.agent_id("lea", &[]).await), "a"),
        (format!("requester={}", world.person("grace@example.com").await), "a"),
    ] {
        let mut subjects = found(&lead, &format!("?{query}"), &position).await;
        subjects.sort();
        assert_eq!(subjects.concat(), expected, "{query}");
    }
    for (sort, expected) in [
        ("created_at", "abc"),
        ("-created_at", "cba"),
        ("number", "abc"),
        ("-number", "cba"),
        ("priority", "bca"),
        ("-priority", "acb"),
        ("-updated_at", "bac"),
        ("updated_at", "cab"),
    ] {
        assert_eq!(found(&lead, &format!("?sort={sort}"), &position).await.concat(), expected, "{sort}");
    }
}

#[tokio::test]
async fn what_can_not_be_read_is_refused() {
    let world = World::new().await;
    let admin = world.admin().await;
    for bad in [
        "sla=breached",
        "nothing=1",
        "status=gone",
        "status=",
        "status=new,,open",
        "priority=9",
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=1e2",
        "limit=",
        "sort=colour",
        "sort=",
        "q=",
        "q=%20",
        "created_after=yesterday",
        "requester=nobody",
        "team=%20",
        "tag=",
        "category=",
        "status=new&status=open",
        "q=%00",
    ] {
        admin.get(&format!("/v1/tickets?{bad}")).await.problem(400, "invalid_query");
    }
    let faults = admin.get("/v1/tickets?status=gone&limit=0&sort=up").await.pointers(400, "invalid_query");
    assert_eq!(faults, ["?limit", "?sort", "?status"]);
    for bad in ["", "-1", "x", "1.0", "99999999999999999999"] {
        admin.get("/v1/tickets").header("docket-min-position", bad).await.problem(400, "bad_request");
    }
    for bad in ["", "00", "zz", "%C3%A9", &"0".repeat(80)] {
        admin.get(&format!("/v1/tickets?cursor={bad}")).await.problem(400, "invalid_cursor");
    }
    for fine in [
        "limit=201",
        "limit=99999999999999999999",
        "q=%22unclosed",
        "q=%27",
        "q=---",
        "q=%F0%9F%94%A5",
        "q=a%20%26%20%7C%20!",
    ] {
        admin.get(&format!("/v1/tickets?{fine}")).await.ok(200);
    }
}

#[tokio::test]
async fn one_finds_what_one_may_see_and_no_more() {
    let world = World::new().await;
    let lead = world.staff(shared_kernel::Role::Lead, "lea", &[]).await;
    world.teams(&["one", "two"]).await;
    let hers =
        json!({"requester": {"email": "grace@example.com"}, "team": "one", "tags": ["secret"], "category": "hidden"});
    let (grace_one, _) = opened(&lead, "hers", &hers).await;
    let (followed, _) = opened(&lead, "followed", &json!({"team": "two"})).await;
    opened(&lead, "no team", &json!({})).await;
    let (own, _) = opened(&lead, "own", &json!({"team": "two"})).await;
    let two = world.agent("ada", &["two"]).await;
    two.command(&own, "assign", &json!({"assignee": "ada"})).await.ok(200);
    let three = world.agent("bob", &["three"]).await;
    lead.command(&own, "route", &json!({"team": "three"})).await.ok(200);
    let bob = world.person_of("bob").await.to_string();
    lead.command(&followed, "followers", &json!({"follower": "Grace@example.com"})).await.ok(200);
    lead.command(&followed, "followers", &json!({"follower": bob})).await.ok(200);
    let note = lead.command(&grace_one, "notes", &json!({"body": "arsonist"})).await.ok(201);
    let position = note.header("docket-position").to_owned();

    let grace = world.requester("grace@example.com").await;
    let eve = world.requester("eve@example.com").await;
    for (who, client, expected) in [
        ("lead", &lead, "followed hers no team own"),
        ("ada", &two, "followed no team"),
        ("bob", &three, "followed no team own"),
        ("grace", &grace, "followed hers"),
        ("eve", &eve, ""),
    ] {
        let mut subjects = found(client, "", &position).await;
        subjects.sort();
        assert_eq!(subjects.join(" "), expected, "{who}");
        // the list and the tickets themselves never disagree
        let list = client.get("/v1/tickets").await.ok(200).json();
        for ticket in list["items"].as_array().unwrap() {
            let read = client.get(&format!("/v1/tickets/{}", ticket["id"].as_str().unwrap())).await.ok(200).json();
            assert_eq!(ticket, &read, "{who}");
        }
    }
    // nothing internal shows, neither as an answer nor as a find
    for hidden in ["tag=secret", "category=hidden", "team=one", "q=arsonist"] {
        assert_eq!(found(&lead, &format!("?{hidden}"), &position).await, ["hers"], "{hidden}");
        assert!(found(&grace, &format!("?{hidden}"), &position).await.is_empty(), "{hidden}");
    }
    let mut found_without = found(&grace, "?q=-arsonist", &position).await;
    found_without.sort();
    assert_eq!(found_without, ["followed", "hers"], "nor as what is left out");
    // nor does what she can't see move a ticket, or the time that she sees
    let times = grace.get("/v1/tickets?sort=-updated_at").await.ok(200);
    assert_eq!(subjects(&times), ["followed", "hers"]);
}

#[tokio::test]
async fn words_are_found_wherever_they_were_written() {
    let world = World::new().await;
    let admin = world.admin().await;
    let one = json!({"body": "smoke everywhere", "requester": {"email": "grace@example.com"}});
    let (ticket, _) = opened(&admin, "The printer burns", &one).await;
    opened(&admin, "Paper jam", &json!({})).await;
    admin.command(&ticket, "replies", &json!({"body": "Which extinguisher?"})).await.ok(201);
    let grace = world.requester("grace@example.com").await;
    grace.command(&ticket, "replies", &json!({"body": "The red one"})).await.ok(201);
    let position = position_after(&admin, &ticket, "rename", &json!({"subject": "The copier burns"})).await;
    for (q, hit) in [
        ("COPIER", true),
        ("smoke", true),
        ("extinguisher", true),
        ("red copier smoke", true),
        ("%22red+one%22", true),
        ("%22one+red%22", false),
        ("printer", false), // not its subject any more
        ("copier+-smoke", false),
        ("jam+or+copier", true),
        ("nothing", false),
    ] {
        for client in [&admin, &grace] {
            let subjects = found(client, &format!("?q={}", q.replace(' ', "+")), &position).await;
            assert_eq!(subjects.contains(&"The copier burns".to_owned()), hit, "{q}: {subjects:?}");
        }
    }
}

#[tokio::test]
async fn a_walk_meets_each_ticket_that_stands_still_once_while_others_are_written() {
    let world = World::new().await;
    let admin = world.admin().await;
    let mut tickets = Vec::new();
    for n in 0..30 {
        let priority = if n % 2 == 0 { "low" } else { "high" };
        tickets.push(opened(&admin, &format!("still {n}"), &json!({"priority": priority})).await);
    }
    let last = tickets.last().unwrap().1.clone();
    let (moving, _) = opened(&admin, "moving", &json!({})).await;
    for sort in ["-updated_at", "updated_at", "created_at", "-created_at", "number", "-number", "priority", "-priority"]
    {
        let mut path = format!("/v1/tickets?sort={sort}&limit=7&q=still+or+moving");
        let mut met = Vec::new();
        loop {
            let page = admin.get(&path).header("docket-min-position", &last).await.ok(200);
            met.extend(subjects(&page).into_iter().filter(|s| s.starts_with("still")));
            admin.command(&moving, "notes", &json!({"body": "moves"})).await.ok(201);
            opened(&admin, "new", &json!({})).await;
            let Some(link) = page.find("link") else {
                assert!(page.json()["next_cursor"].is_null());
                break;
            };
            let (target, rel) = link.split_once(">; ").unwrap();
            assert_eq!(rel, "rel=\"next\"");
            path = target.trim_start_matches('<').to_owned();
            assert!(path.contains(&format!("cursor={}", page.json()["next_cursor"].as_str().unwrap())));
        }
        assert_eq!(met.len(), 30, "{sort}");
        assert_eq!(met.iter().collect::<BTreeSet<_>>().len(), 30, "{sort}: each once");
    }
}

#[tokio::test]
async fn a_cursor_holds_for_its_list_on_every_instance() {
    let world = World::new().await;
    let admin = world.admin().await;
    let mut position = String::new();
    for n in 0..3 {
        position = opened(&admin, &n.to_string(), &json!({"requester": {"email": "grace@example.com"}})).await.1;
    }
    let first =
        admin.get("/v1/tickets?limit=1&sort=number").header("docket-min-position", &position).await.ok(200).json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let other = world.another().await;
    let there = other.client(admin.token.clone());
    let second = there.get(&format!("/v1/tickets?limit=2&sort=number&cursor={cursor}")).await.ok(200);
    assert_eq!(subjects(&second), ["1", "2"], "another limit is the same list");
    for other in ["sort=-number", "sort=number&q=x", "sort=number&status=new", ""] {
        admin
            .get(&format!("/v1/tickets?{other}&cursor={cursor}").replace("?&", "?"))
            .await
            .problem(400, "invalid_cursor");
    }
    let tampered = format!("{}{}", if cursor.starts_with('0') { '1' } else { '0' }, &cursor[1..]);
    admin.get(&format!("/v1/tickets?sort=number&cursor={tampered}")).await.problem(400, "invalid_cursor");
    let grace = world.requester("grace@example.com").await;
    grace.get(&format!("/v1/tickets?sort=number&cursor={cursor}")).await.problem(400, "invalid_cursor");
}

#[tokio::test]
async fn who_asks_for_more_than_there_is_waits_and_is_told() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (_, position) = opened(&admin, "one", &json!({})).await;
    let beyond = (position.parse::<i64>().unwrap() + 1).to_string();
    let answer = admin.get("/v1/tickets").header("docket-min-position", &beyond).header("prefer", "wait=0").await;
    answer.problem(503, "read_model_behind");
    assert_eq!(answer.header("retry-after"), "1");
    // what comes while it waits is enough
    let waiting = admin.get("/v1/tickets").header("docket-min-position", &beyond).header("prefer", "wait=20").send();
    let nothing = json!({});
    let (answer, _) = tokio::join!(waiting, opened(&admin, "two", &nothing));
    let answer = answer.ok(200);
    assert_eq!((answer.header("preference-applied"), subjects(&answer).len()), ("wait=20", 2));
}

#[tokio::test]
async fn reports_and_projections_are_for_whom_they_are() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.teams(&["one", "two"]).await;
    opened(&admin, "a", &json!({"team": "one", "priority": "urgent"})).await;
    opened(&admin, "b", &json!({"team": "one", "priority": "urgent"})).await;
    let (_, position) = opened(&admin, "c", &json!({"team": "two"})).await;
    let ada = world.agent("ada", &["two"]).await;
    let grace = world.requester("grace@example.com").await;
    let report = |client: Client| {
        let position = position.clone();
        async move { client.get("/v1/reports/queues").header("docket-min-position", &position).await }
    };
    let all = report(admin.clone()).await.ok(200).json();
    let queue = json!({"team": "one", "status": "new", "assignee": null, "priority": "urgent", "count": 2});
    assert!(all["items"].as_array().unwrap().contains(&queue), "{all}");
    assert_eq!(
        all["totals"],
        json!({"tickets": 3, "by_status": {"new": 3}, "by_priority": {"normal": 1, "urgent": 2}})
    );
    assert_eq!(report(ada.clone()).await.ok(200).json()["totals"]["tickets"], 1);
    report(grace.clone()).await.problem(403, "forbidden");

    let lead = world.staff(shared_kernel::Role::Lead, "lea", &[]).await;
    for client in [&grace, &ada, &lead] {
        client.get("/v1/projections").await.problem(403, "forbidden");
        client.call(http::Method::POST, "/v1/projections/tickets/rebuild").await.problem(403, "forbidden");
    }
    admin.call(http::Method::POST, "/v1/projections/nothing/rebuild").await.problem(404, "not_found");
    admin.post("/v1/projections/tickets/rebuild", &json!({"now": true})).await.problem(422, "validation_failed");
    let generation =
        admin.call(http::Method::POST, "/v1/projections/tickets/rebuild").await.ok(202).json()["generation"].clone();
    eventually("it serves", || async {
        let all = admin.get("/v1/projections").await.ok(200).json();
        let items = all["items"].as_array().unwrap().clone();
        items.into_iter().find(|p| p["name"] == "tickets" && p["generation"] == generation && p["state"] == "live")
    })
    .await;
    assert_eq!(found(&admin, "?sort=number", &position).await, ["a", "b", "c"]);
}
