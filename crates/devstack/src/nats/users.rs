//! The users of a private NATS: their passwords, and what each may do.

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::path::Path;

use super::Readable;
use crate::error::{At as _, Error};
use crate::permissions::write_private;

const OWNER: &str = "docket";
const SUBSCRIBER: &str = "subscriber";
/// In bytes; a password is twice as many hexadecimal digits.
const PASSWORD_BYTES: usize = 24;

pub(super) struct Users {
    owner: String,
    subscriber: String,
}

impl Users {
    pub(super) fn load_or_generate(file: &Path) -> Result<Users, Error> {
        match std::fs::read_to_string(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).at("read", file),
            Ok(text) => {
                if let Some(users) = Users::parse(&text) {
                    return Ok(users);
                }
                tracing::warn!(file = %file.display(), "the passwords of the private NATS can't be read; new ones are made");
            }
            Err(_) => {}
        }
        let users = Users {
            owner: password().at("draw a password for", file)?,
            subscriber: password().at("draw a password for", file)?,
        };
        write_private(file, users.text().as_bytes()).at("write", file)?;
        Ok(users)
    }

    fn text(&self) -> String {
        format!("{OWNER}:{}\n{SUBSCRIBER}:{}\n", self.owner, self.subscriber)
    }

    fn parse(text: &str) -> Option<Users> {
        let of = |user: &str| {
            let password = text.lines().find_map(|line| line.strip_prefix(user)?.strip_prefix(':'))?;
            // it goes into a URL and into the configuration as it is
            let is_sound = password.len() == 2 * PASSWORD_BYTES && password.bytes().all(|b| b.is_ascii_hexdigit());
            is_sound.then(|| password.to_owned())
        };
        Some(Users { owner: of(OWNER)?, subscriber: of(SUBSCRIBER)? })
    }

    pub(super) fn owner(&self) -> (&str, &str) {
        (OWNER, &self.owner)
    }

    pub(super) fn owner_url(&self, port: u16) -> String {
        format!("nats://{OWNER}:{}@{}:{port}", self.owner, Ipv4Addr::LOCALHOST)
    }

    pub(super) fn subscriber_url(&self, port: u16) -> String {
        format!("nats://{SUBSCRIBER}:{}@{}:{port}", self.subscriber, Ipv4Addr::LOCALHOST)
    }

    /// The server's configuration. Whoever is not named in it is refused.
    pub(super) fn config(&self, readable: Option<Readable<'_>>) -> String {
        let mut config = String::from("authorization {\n  users: [\n");
        let _ = writeln!(config, "    {{ user: \"{OWNER}\", password: \"{}\" }}", self.owner);
        if let Some(readable) = readable {
            let _ = writeln!(
                config,
                "    {{ user: \"{SUBSCRIBER}\", password: \"{}\", permissions: {{\n        publish: {{ allow: {} }}\n        \
                 subscribe: {{ allow: {} }} }} }}",
                self.subscriber,
                list(&requests(readable.stream)),
                list(&[format!("{}.>", readable.subject_prefix), "_INBOX.>".to_owned()]),
            );
        }
        config.push_str("  ]\n}\n");
        config
    }
}

/// The subjects that a reader of a stream publishes to: to ask for the stream and its messages, to manage consumers, to acknowledge.
/// A push consumer can't be turned against the stream: the server refuses to deliver to the stream's own subjects.
fn requests(stream: &str) -> Vec<String> {
    let mut subjects =
        vec!["$JS.API.INFO".to_owned(), "$JS.API.STREAM.NAMES".to_owned(), "$JS.API.STREAM.LIST".to_owned()];
    subjects.extend(
        [
            "$JS.API.STREAM.INFO.{}",
            "$JS.API.STREAM.MSG.GET.{}",
            "$JS.API.DIRECT.GET.{}",
            "$JS.API.DIRECT.GET.{}.>",
            "$JS.API.CONSUMER.CREATE.{}",
            "$JS.API.CONSUMER.CREATE.{}.>",
            "$JS.API.CONSUMER.DURABLE.CREATE.{}.*",
            "$JS.API.CONSUMER.DELETE.{}.*",
            "$JS.API.CONSUMER.INFO.{}.*",
            "$JS.API.CONSUMER.NAMES.{}",
            "$JS.API.CONSUMER.LIST.{}",
            "$JS.API.CONSUMER.MSG.NEXT.{}.*",
            "$JS.ACK.{}.>",
            "$JS.FC.{}.>",
        ]
        .map(|subject| subject.replace("{}", stream)),
    );
    subjects
}

fn list(subjects: &[String]) -> String {
    let quoted: Vec<String> = subjects.iter().map(|subject| format!("\"{subject}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

fn password() -> std::io::Result<String> {
    let mut bytes = [0; PASSWORD_BYTES];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_kept_and_damaged_ones_replaced() {
        let users = Users { owner: password().unwrap(), subscriber: password().unwrap() };
        assert_ne!(users.owner, users.subscriber);
        let again = Users::parse(&users.text()).unwrap();
        assert_eq!((again.owner, again.subscriber), (users.owner.clone(), users.subscriber.clone()));
        for damaged in ["", "docket:short\nsubscriber:short\n", &users.text().replace(&users.owner[..2], "\"}")] {
            assert!(Users::parse(damaged).is_none(), "{damaged}");
        }
    }

    #[test]
    fn without_subscribers_there_is_one_user() {
        let users = Users { owner: "a".into(), subscriber: "b".into() };
        assert!(!users.config(None).contains(SUBSCRIBER));
        let config = users.config(Some(Readable { stream: "LOG", subject_prefix: "desk" }));
        assert!(config.contains("$JS.API.CONSUMER.CREATE.LOG\"") && config.contains("\"desk.>\""), "{config}");
        assert!(!config.contains("STREAM.DELETE") && !config.contains("STREAM.PURGE"), "{config}");
    }
}
