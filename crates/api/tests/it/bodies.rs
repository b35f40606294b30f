//! Bodies that are not what they should be: refused with the place of the fault, and nothing is recorded.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::raw;
use crate::world::{World, path_of};

async fn open_with(client: &Client, body: impl Into<Vec<u8>>) -> Answer {
    client.call(http::Method::POST, "/v1/tickets").bytes(body).header("content-type", "application/json").await
}

#[tokio::test]
async fn what_is_no_sound_json_is_refused_with_its_place() {
    let world = World::new().await;
    let admin = world.admin().await;
    let head = world.head().await;
    let deep = |levels: usize| format!("{{\"subject\": {}{}}}", "[".repeat(levels), "]".repeat(levels));
    let objects = format!("{{\"subject\": {}{{}}{}}}", "[".repeat(31), "]".repeat(31));
    for (body, place) in [
        (&b""[..], ""),
        (b"{", ""),
        (b"{\"subject\": \"x\", \"body\": \"x\"} x", ""),
        (b"{\"subject\": \"x\", \"body\": \"x\"}{}", ""),
        (b"{\"subject\": \"x\", \"body\": \"x\", \"subject\": \"y\"}", "/subject"),
        (b"{\"subject\": \"x\", \"body\": \"x\", \"su\\u0062ject\": \"y\"}", "/subject"),
        (b"{\"subject\": \"x\\u0000\", \"body\": \"x\"}", "/subject"),
        (b"{\"subject\": \"x\", \"body\": \"\\ud800\"}", "/body"),
        (b"{\"subject\": \"x\", \"body\": \"\\udc00\\ud800\"}", "/body"),
        (b"{\"subject\": \"x\xff\", \"body\": \"x\"}", ""),
        (b"{\"subject\": \"x\xed\xa0\x80\", \"body\": \"x\"}", ""),
        (b"{\"subject\": \"x\ny\", \"body\": \"x\"}", "/subject"),
        (b"{\"requester\": {\"email\": \"g@example.com\", \"email\": \"h@example.com\"}}", "/requester/email"),
        (b"{\"tags\": [\"a\", \"b\\u0000\"]}", "/tags/1"),
        (b"{\"tags\": [9223372036854775808]}", "/tags/0"),
        (b"{\"tags\": [-9223372036854775809]}", "/tags/0"),
        (b"{\"tags\": [18446744073709551616]}", "/tags/0"),
        (b"{\"tags\": [1e400]}", "/tags/0"),
        (b"{\"tags\": [+1]}", "/tags/0"),
        (b"{\"tags\": [01]}", "/tags/0"),
        (b"{\"tags\": [NaN]}", "/tags/0"),
        (b"{'subject': 1}", ""),
        (b"{\"subject\": \"x\",}", ""),
        (b"{/**/}", ""),
    ] {
        let answer = open_with(&admin, body).await;
        let body = String::from_utf8_lossy(body);
        assert_eq!(answer.pointers(400, "invalid_json"), [place], "{body}: {}", answer.text());
    }
    for body in [deep(32), objects] {
        let answer = open_with(&admin, body.clone()).await;
        assert!(answer.pointers(400, "invalid_json")[0].starts_with("/subject/0/0"), "{body}");
    }
    open_with(&admin, "[".repeat(500_000)).await.problem(400, "invalid_json");
    let with_mark = b"\xef\xbb\xbf{\"subject\": \"x\"}";
    assert_eq!(open_with(&admin, *with_mark).await.pointers(422, "validation_failed"), ["/body"], "a byte order mark");
    assert_eq!(
        open_with(&admin, deep(31)).await.pointers(422, "validation_failed"),
        ["/body", "/subject"],
        "deep enough"
    );
    assert_eq!(world.head().await, head, "nothing was recorded");
}

#[tokio::test]
async fn all_faults_are_named_at_once() {
    let world = World::new().await;
    let admin = world.admin().await;
    let head = world.head().await;
    let long = "x".repeat(301);
    for (body, places) in [
        (json!({}), &["/body", "/subject"][..]),
        (json!([]), &[""]),
        (json!(null), &[""]),
        (json!("text"), &[""]),
        (
            json!({"subject": 1, "body": null, "priority": "x", "tags": "a"}),
            &["/body", "/priority", "/subject", "/tags"],
        ),
        (json!({"subject": "", "body": "", "colour": 1, "a/b~c": 2}), &["/a~1b~0c", "/body", "/colour", "/subject"]),
        (
            json!({"subject": " ", "body": "\n", "category": " ", "team": " "}),
            &["/body", "/category", "/subject", "/team"],
        ),
        (json!({"subject": "a\nb", "body": "x", "category": "\u{7f}"}), &["/category", "/subject"]),
        (json!({"subject": long, "body": "x".repeat(65_537)}), &["/body", "/subject"]),
        (
            json!({"subject": "x", "body": "x", "requester": {"email": "nobody", "nick": "x"}}),
            &["/requester/email", "/requester/nick"],
        ),
        (
            json!({"subject": "x", "body": "x", "requester": {"email": "a@b@c", "name": "x\ny"}}),
            &["/requester/email", "/requester/name"],
        ),
        (json!({"subject": "x", "body": "x", "requester": {}}), &["/requester"]),
        (
            json!({"subject": "x", "body": "x", "tags": ["", "ok", 3, " ", "a\tb"]}),
            &["/tags/0", "/tags/2", "/tags/3", "/tags/4"],
        ),
        (json!({"subject": "x", "body": "x", "follow_up_of": "1042"}), &["/follow_up_of"]),
        (
            json!({"subject": "x", "body": "x", "follow_up_of": "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11"}),
            &["/follow_up_of"],
        ),
        (
            json!({"subject": "x", "body": "x", "source_id": "x".repeat(1001), "channel": "\n"}),
            &["/channel", "/source_id"],
        ),
    ] {
        let answer = admin.post("/v1/tickets", &body).await;
        assert_eq!(answer.pointers(422, "validation_failed"), places, "{}", answer.text());
        assert!(answer.body.len() < 4_000, "a fault does not repeat the whole body: {} bytes", answer.body.len());
    }
    assert_eq!(world.head().await, head, "nothing was recorded");
}

#[tokio::test]
async fn limits_are_in_characters_and_the_limit_itself_is_accepted() {
    let world = World::new().await;
    let admin = world.admin().await;
    let body = json!({
        "subject": "é".repeat(300), "body": "😀".repeat(65_536), "category": "ß".repeat(100), "team": "t".repeat(64),
        "tags": (0..100).map(|n| format!("{n:0100}")).collect::<Vec<_>>(), "source_id": "s".repeat(1000),
        "requester": {"email": format!("{}@{}.example.com", "g".repeat(64), ["h".repeat(58), "i".repeat(58), "j".repeat(59)].join(".")), "name": "n".repeat(200)},
    });
    world.teams(&[body["team"].as_str().unwrap()]).await;
    let ticket = admin.post("/v1/tickets", &body).await.ok(201).json();
    for member in ["subject", "body", "category", "team", "tags"] {
        assert_eq!(ticket[member], body[member], "{member}");
    }
    let one_more = json!({"tags": ["one more"]});
    let ticket = format!("/v1/tickets/{}", ticket["id"].as_str().unwrap());
    admin.command(&ticket, "tags", &one_more).await.problem(409, "command_refused");
}

/// Texts that can't be compressed: what fits as so many characters must fit as so many bytes, in an index, too.
fn varied(characters: u32) -> String {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from_u32(0x1_0000 + (state >> 8) % 0xf_0000).unwrap()
    };
    (0..characters).map(|_| next()).collect()
}

#[tokio::test]
async fn the_longest_texts_of_the_widest_characters_are_accepted() {
    let world = World::new().await;
    let admin = world.admin().await;
    let body = json!({
        "subject": varied(300), "body": varied(65_536), "category": varied(100), "team": varied(64), "channel": varied(64),
        "source_id": varied(1000), "tags": [varied(100)],
    });
    world.teams(&[body["team"].as_str().unwrap()]).await;
    let opened = admin.post("/v1/tickets", &body).await.ok(201);
    assert_eq!(opened.json()["body"], body["body"]);
    admin.post("/v1/tickets", &body).await.problem(409, "source_id_used");
    let ticket = opened.header("location");
    let controls = (1..0x20).chain(0x7f..0xa0).map(|n| char::from_u32(n).unwrap()).collect::<String>();
    for prose in [controls.clone() + "\u{2028}\u{feff}\u{ffff}", controls.repeat(65_536 / controls.len()) + "x"] {
        admin.command(ticket, "replies", &json!({"body": prose, "source_id": varied(999) + "x"})).await.ok(201);
        let reply = admin.command(ticket, "notes", &json!({"body": prose})).await.ok(201);
        let read = admin.get(&format!("{ticket}/conversation")).await.json();
        assert_eq!(read["items"].as_array().unwrap().last().unwrap()["body"], prose);
        assert_eq!(admin.get(ticket).await.body, reply.body);
    }
}

#[tokio::test]
async fn every_command_refuses_members_that_it_does_not_know() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    let document = api::openapi();
    let mut commands = 0;
    for route in api::routes() {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let Some(body) = operation.get("requestBody") else { continue };
        if route.path.ends_with("/confirm") {
            continue; // an admin may never
        }
        let path = path_of(route.path, &ticket);
        let send =
            async |body: &Value| admin.call(route.method.clone(), &path).json(body).header("if-match", "*").await;
        let mut example = body["content"]["application/json"]["example"].clone();
        example["unknown"] = json!(1);
        assert_eq!(send(&example).await.pointers(422, "validation_failed"), ["/unknown"], "{path}");
        assert_eq!(send(&json!([])).await.pointers(422, "validation_failed"), [""], "{path}");
        commands += 1;
    }
    assert!(commands > 20);
    assert_eq!(admin.version(&ticket).await, 1);
}

#[tokio::test]
async fn a_body_is_json_and_at_most_1_mib() {
    let world = World::new().await;
    let admin = world.admin().await;
    let sound = json!({"subject": "x", "body": "x"}).to_string();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json-patch+json",
        "json",
        "text/json",
        "application/json; charset=utf-16",
    ] {
        let call =
            admin.call(http::Method::POST, "/v1/tickets").bytes(sound.clone()).header("content-type", content_type);
        call.await.problem(415, "unsupported_media_type");
    }
    admin.call(http::Method::POST, "/v1/tickets").bytes(sound.clone()).await.problem(415, "unsupported_media_type");
    admin.call(http::Method::POST, "/v1/tickets").await.problem(415, "unsupported_media_type");
    let squeezed = admin.call(http::Method::POST, "/v1/tickets").json(&json!({})).header("content-encoding", "gzip");
    squeezed.await.problem(415, "unsupported_media_type");
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        let call =
            admin.call(http::Method::POST, "/v1/tickets").bytes(sound.clone()).header("content-type", content_type);
        call.await.ok(201);
    }
    let padded = |size: usize| sound.clone() + &" ".repeat(size - sound.len());
    open_with(&admin, padded(1024 * 1024)).await.ok(201);
    for size in [1024 * 1024 + 1, 2 * 1024 * 1024, 8 * 1024 * 1024] {
        open_with(&admin, padded(size)).await.problem(413, "content_too_large");
    }
}

#[tokio::test]
async fn a_chunked_body_is_held_to_the_same_and_a_broken_one_is_a_bad_request() {
    let world = World::new().await;
    let admin = world.admin().await;
    let head = world.head().await;
    let token = admin.token.clone().unwrap();
    let send = async |chunks: &str| {
        let head = format!(
            "POST /v1/tickets HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        let answer = raw::exchange(world.server.address, (head + chunks).as_bytes()).await;
        (raw::status(&answer), answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned())
    };
    let sound = "f\r\n{\"subject\": \"x\"\r\n11\r\n, \"body\": \"chunk\"\r\n1\r\n}\r\n0\r\n\r\n";
    assert_eq!(send(sound).await.0, 201);
    let (status, body) = send("f\r\n{\"subject\": \"x\"nonsense\r\n0\r\n\r\n").await;
    assert_eq!(status, 400, "{body}");
    let (status, body) = send("zz\r\n{}\r\n0\r\n\r\n").await;
    assert!(status == 400 && body.contains("\"bad_request\""), "{status} {body}");
    let many = format!("{}0\r\n\r\n", format!("8000\r\n{}\r\n", " ".repeat(0x8000)).repeat(33));
    let (status, body) = send(&many).await;
    assert!(status == 413 && body.contains("content_too_large"), "{status} {body}");
    assert_eq!(world.head().await, head + 1);
}

/// What a client sends decides neither how much is answered nor how long it takes.
#[tokio::test]
async fn faults_of_a_large_body_are_bounded() {
    let world = World::new().await;
    let admin = world.admin().await;
    let numbers = format!("{{\"subject\": \"x\", \"body\": \"x\", \"tags\": [1{}]}}", ",1".repeat(500_000));
    let members = (0..105_000).map(|n| format!(",\"{n}\":1")).collect::<Vec<_>>().concat();
    let members = format!("{{\"subject\": \"x\", \"body\": \"x\"{members}}}");
    let some = (0..5_000).map(|n| format!(",\"{n}\":1")).collect::<Vec<_>>().concat();
    let some = format!("{{\"subject\": \"x\", \"body\": \"x\"{some}}}");
    let name = format!("{{\"subject\": \"x\", \"body\": \"x\", \"{}\": 1}}", "y".repeat(900_000));
    for (body, place) in [(numbers, Some("/tags")), (members, Some("")), (some, None), (name, None)] {
        let began = std::time::Instant::now();
        let answer = open_with(&admin, body).await;
        assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
        assert!(answer.body.len() < 16 * 1024, "{} bytes", answer.body.len());
        let problem = answer.problem(422, "validation_failed");
        match place {
            Some(place) => assert_eq!(problem["errors"][0]["pointer"], place),
            None => assert!(problem["errors"].as_array().unwrap().len() <= 100),
        }
        if problem["errors"].as_array().unwrap().len() == 100 {
            assert_eq!(problem["details"]["more_errors"], 4_900);
        }
    }
}
