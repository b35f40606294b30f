//! Sending commands, and judging answers: 2xx is done, 4xx is refused, all else is unknown, unless it says itself that
//! nothing was carried out.

use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;
use reqwest::Response;
use serde_json::{Value, json};

use crate::docket::Docket;
use crate::history::{Answer, Attempt, Command, Outcome};
use crate::rules;
use crate::world::{Ticket, World};

/// How often a command of unknown outcome is sent again before it is left unknown.
const TRIES: usize = 5;

impl World {
    /// One attempt at one process.
    pub(crate) async fn attempt(&self, docket: &Docket, command: &Command) -> Attempt {
        let sent = Instant::now();
        let url = format!("{}{}", docket.url(), command.path);
        let mut post = self.http.post(url).bearer_auth(&self.key).json(&command.body);
        post = post.header("idempotency-key", &command.nonce);
        if let Some(version) = command.if_match {
            post = post.header("if-match", format!("\"{version}\""));
        }
        let outcome = match post.send().await {
            Ok(response) => judge(response).await,
            Err(error) => Outcome::Unknown(lost(&error)),
        };
        let ended = Instant::now();
        match &outcome {
            Outcome::Ok(_) => self.count_answer("2xx"),
            Outcome::Refused(status, code) => self.count_answer(&format!("{status} {code}")),
            Outcome::Undone(code) => self.count_answer(&format!("503 {code}")),
            Outcome::Unknown(why) => self.count_answer(why),
        }
        if let Outcome::Unknown(why) = &outcome
            && why.starts_with("500")
        {
            self.findings.add(rules::ANSWERS, format!("{} of {} was answered {why}", command.path, command.nonce));
        }
        Attempt { sent, ended, outcome }
    }

    /// Sends a command until its outcome is known, or it is given up; each try at another process.
    pub(crate) async fn carry_out(&self, command: &mut Command, rng: &mut StdRng) {
        let apis: Vec<_> = self.apis().collect();
        let first = rng.random_range(0..apis.len());
        // some never come back
        let tries = if rng.random_ratio(1, 5) { 1 } else { TRIES };
        for attempt in 0..tries {
            let made = self.attempt(apis[(first + attempt) % apis.len()], command).await;
            let done = matches!(made.outcome, Outcome::Ok(_) | Outcome::Refused(..));
            command.attempts.push(made);
            if done {
                return;
            }
            let pause = 50 << attempt.min(4);
            tokio::time::sleep(Duration::from_millis(rng.random_range(pause / 2..pause))).await;
        }
    }

    pub(crate) fn command(&self, path: String, ticket: Option<&Ticket>) -> Command {
        Command {
            nonce: self.nonce(),
            path,
            body: json!({}),
            text: None,
            ticket: ticket.map(|ticket| ticket.id),
            if_match: None,
            attempts: Vec::new(),
        }
    }
}

pub(crate) fn lost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "connection lost".to_owned()
    }
}

async fn judge(response: Response) -> Outcome {
    let status = response.status().as_u16();
    let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let (etag, location, position) = (header("etag"), header("location"), header("docket-position"));
    let replayed = header("idempotent-replayed").is_some_and(|value| value.contains("true") || value == "?1");
    let body: Value = match response.json().await {
        Ok(body) => body,
        Err(error) => return Outcome::Unknown(lost(&error)),
    };
    let code = body["error_code"].as_str().unwrap_or("no code").to_owned();
    match status {
        200..300 => Outcome::Ok(Answer {
            status,
            etag: etag.unwrap_or_default(),
            location,
            position: position.and_then(|position| position.parse().ok()).unwrap_or(0),
            body,
            replayed,
        }),
        400..500 => Outcome::Refused(status, code),
        503 if code == "unavailable" || code == "overloaded" => Outcome::Undone(code),
        _ => Outcome::Unknown(format!("{status} {code}")),
    }
}
