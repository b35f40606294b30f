//! What the broker answers to a message that asked for it.

use async_nats::StatusCode;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The message stands at this sequence, and so all before it.
    Stored(u64),
    /// The stream does not end where the message follows on.
    OutOfTurn,
    /// It was not stored for another reason.
    Failed(String),
}

impl Answer {
    pub(crate) fn of(message: &async_nats::Message) -> Self {
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            return Self::Failed("no stream takes the subject".into());
        }
        match serde_json::from_slice::<Response<PublishAck>>(&message.payload) {
            Ok(Response::Ok(ack)) => Self::Stored(ack.sequence),
            Ok(Response::Err { error }) if error.error_code() == ErrorCode::STREAM_WRONG_LAST_SEQUENCE => {
                Self::OutOfTurn
            }
            Ok(Response::Err { error }) => Self::Failed(error.to_string()),
            Err(error) => Self::Failed(format!("an answer that can't be read: {error}")),
        }
    }
}
