//! Every error code: stable, `snake_case`, each with a page under `/problems/{code}`.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident = $code:literal $status:ident $title:literal $advice:literal;)+) => {
        /// What went wrong, for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as `error_code` has it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The status that it comes with.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// The title: the same for every occurrence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// What it means and what to do.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)+ }
            }
        }
    };
}

codes! {
    BadRequest = "bad_request" BAD_REQUEST "Bad request"
        "The request can't be understood. The detail says what is wrong with it.";
    InvalidQuery = "invalid_query" BAD_REQUEST "Invalid query"
        "A query parameter is unknown, given twice, or not of the form that it needs. Nothing is ignored in silence.";
    InvalidCursor = "invalid_cursor" BAD_REQUEST "Invalid cursor"
        "The cursor was not given out for this list: it belongs to other filters or another order, or was changed on the way. Take the link that came with the last page, or begin anew without a cursor.";
    InvalidJson = "invalid_json" BAD_REQUEST "Invalid JSON"
        "The body is not the JSON (RFC 8259) that is accepted: valid UTF-8, no member twice, no NUL in texts, numbers within 64 bits, at most 32 levels deep, nothing after the end. The pointer in errors names the place.";
    InvalidIfMatch = "invalid_if_match" BAD_REQUEST "Invalid If-Match"
        "If-Match takes quoted entity tags (\"7\", or several with commas between them), or * alone. Take the tag from the ETag header of the last answer, quotes included.";
    InvalidIdempotencyKey = "invalid_idempotency_key" BAD_REQUEST "Invalid Idempotency-Key"
        "One Idempotency-Key header with 1 to 255 visible ASCII characters, bare or as a quoted string. A UUID is a good key.";
    InvalidOnBehalfOf = "invalid_on_behalf_of" BAD_REQUEST "Invalid Docket-On-Behalf-Of"
        "One Docket-On-Behalf-Of header with the id of a person who is known, or one e-mail address.";
    InvalidLastEventId = "invalid_last_event_id" BAD_REQUEST "Invalid Last-Event-ID"
        "Last-Event-ID is the id of the last event that you have of this stream: a position, in digits.";
    Unauthorized = "unauthorized" UNAUTHORIZED "No valid key"
        "The request needs a header 'Authorization: Bearer dk_…' with an API key that exists and is not revoked. An administrator makes one with 'docket keys create'.";
    Forbidden = "forbidden" FORBIDDEN "Not allowed"
        "Your role, or your relation to the record, does not allow this. The detail says who may.";
    CallerBlocked = "caller_blocked" FORBIDDEN "Blocked"
        "The owner of the key, or the person for whom it acts, is blocked. Nothing was carried out; a lead can unblock them.";
    NotFound = "not_found" NOT_FOUND "Not found"
        "There is nothing here, or nothing that you may see: the two are one answer.";
    NoSuchVersion = "no_such_version" NOT_FOUND "No such version"
        "The record is there, but it had not this version, or was not there yet at this time.";
    MethodNotAllowed = "method_not_allowed" METHOD_NOT_ALLOWED "Method not allowed"
        "The path is right, the method is not. The Allow header names the methods that it takes.";
    RequestTimeout = "request_timeout" GATEWAY_TIMEOUT "The request took too long"
        "No answer could be had in time. Whether a command was carried out is not known: repeat it with the same Idempotency-Key.";
    BodyTimeout = "body_timeout" REQUEST_TIMEOUT "The body came too slowly"
        "The request's body did not come in time: it may pause for 10 s, and take 20 s in all. Nothing was carried out; send it again over a better connection.";
    RateLimited = "rate_limited" TOO_MANY_REQUESTS "Too many requests"
        "Your key has sent more requests than it may. The RateLimit-Policy header says how many (q) in how many seconds (w), RateLimit how many are left (r) and in how many seconds all may be sent again (t). Nothing was carried out; try again after the time in Retry-After.";
    IllegalTransition = "illegal_transition" CONFLICT "Not in this state"
        "The state machine has no such step from the ticket's status. details.allowed_commands names those that are legal now.";
    NoAssignee = "no_assignee" CONFLICT "Nobody has the ticket"
        "The command needs someone who has the ticket: assign it first.";
    NotTeamMember = "not_team_member" CONFLICT "Not in the team"
        "An assignee is a member of the ticket's team. Choose a member, or route the ticket to their team first.";
    AgentAtCapacity = "agent_at_capacity" CONFLICT "The agent has no room"
        "The agent's tickets take up all of their capacity. Choose another agent, or assign with override: true.";
    NoReplySinceRequester = "no_reply_since_requester" CONFLICT "Nothing to wait for"
        "No agent has replied publicly since the requester last wrote, so there is nothing that they could answer. Reply first.";
    OpenBlockers = "open_blockers" CONFLICT "Blocked by other tickets"
        "Tickets that this one is blocked by are not resolved. details.tickets names them: resolve or unlink them first.";
    ReopenDeadlinePassed = "reopen_deadline_passed" CONFLICT "Too late to reopen"
        "The time in which the ticket could be reopened is over. Open a new one with follow_up_of.";
    ReopenWindowOpen = "reopen_window_open" CONFLICT "Too early to close"
        "The requester may still reopen the ticket. Close it after reopen_until, or let the requester close it.";
    AgentAlreadyReplied = "agent_already_replied" CONFLICT "Not spam"
        "An agent has replied publicly to the ticket, so it is no spam. Resolve it instead.";
    CommandRefused = "command_refused" CONFLICT "Refused by a rule"
        "A rule of the desk refuses the command in the record's present state. details.rule names it, the detail says what to do.";
    NameUsed = "name_used" CONFLICT "Name in use"
        "A handle, an e-mail address or another identity belongs to one record at a time. details.scope says what kind of name it is, details.holder is the id of the record that has it.";
    PersonBlocked = "person_blocked" CONFLICT "The person is blocked"
        "No ticket is opened for a person who is blocked. Unblock them first, or name another person.";
    SourceIdUsed = "source_id_used" CONFLICT "Opened before"
        "A ticket with this source_id was opened through this channel before: the same mail, delivered twice. details.ticket_id names it, if you may see it.";
    PreconditionFailed = "precondition_failed" PRECONDITION_FAILED "The record has changed"
        "The record is not at the version in If-Match: someone else changed it. details.events is what happened in between (details.next_cursor: where its history goes on, if that is more than a page), the ETag header is the current version. Look, then send the command again with the new tag.";
    ContentTooLarge = "content_too_large" PAYLOAD_TOO_LARGE "Too large"
        "The body, or the event that it would become, is larger than is accepted. Bodies may have 1 MiB.";
    UriTooLong = "uri_too_long" URI_TOO_LONG "URI too long"
        "Path and query together are longer than is accepted: 8 KiB.";
    HeadersTooLarge = "headers_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE "Headers too large"
        "The request has more header lines (100), or larger ones (32 KiB together), than are accepted.";
    UnsupportedMediaType = "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "Not JSON"
        "Bodies are JSON: send 'Content-Type: application/json'.";
    ValidationFailed = "validation_failed" UNPROCESSABLE_ENTITY "Validation failed"
        "The body is JSON, but not what this operation needs. errors names the faults with a JSON Pointer to their place: at most 100, details.more_errors says how many there are beyond. An array that is too long is one fault: its items are not judged.";
    IdempotencyKeyReused = "idempotency_key_reused" UNPROCESSABLE_ENTITY "Key used for another request"
        "You have used this Idempotency-Key for a request with another method, path, body or If-Match. Use a new key for a new request.";
    PreconditionRequired = "precondition_required" PRECONDITION_REQUIRED "If-Match is missing"
        "A command that changes a record says which version it has seen: send If-Match with the ETag of the last answer. 'If-Match: *' carries it out whatever the version is.";
    Internal = "internal" INTERNAL_SERVER_ERROR "Internal error"
        "Something went wrong on our side. Tell the operator the instance of this answer: it leads to the log.";
    Overloaded = "overloaded" SERVICE_UNAVAILABLE "Overloaded"
        "More is asked than can be done. Nothing was carried out; try again after the time in Retry-After.";
    Unavailable = "unavailable" SERVICE_UNAVAILABLE "Not available"
        "The database can't be reached. Nothing was carried out; try again after the time in Retry-After.";
    ReadModelBehind = "read_model_behind" SERVICE_UNAVAILABLE "The read model is behind"
        "The list has not read the log as far as Docket-Min-Position asks, and did not in the time that it was waited for ('Prefer: wait=10' waits longer). Try again after the time in Retry-After. A ticket by its id is always current.";
    OutcomeUnknown = "outcome_unknown" SERVICE_UNAVAILABLE "Outcome unknown"
        "The connection to the database was lost at the commit, and could not be had again in time. Repeat the request with the same Idempotency-Key to learn what became of it.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_snake_case_and_distinct() {
        let codes = Code::ALL.iter().map(|c| c.as_str()).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(codes.len(), Code::ALL.len());
        assert!(codes.iter().all(|c| c.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }
}
