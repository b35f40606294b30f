//! The broker's reply to a message that asked for an acknowledgement.

use async_nats::StatusCode;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The message is stored at this sequence, and so are all before it.
    Stored(u64),
    /// The expected last sequence is not that of the stream.
    OutOfTurn,
    /// The message was not stored, for another reason.
    Failed(String),
}

impl Reply {
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
            Err(error) => Self::Failed(format!("the reply can't be read: {error}")),
        }
    }
}
