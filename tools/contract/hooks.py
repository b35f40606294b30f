"""What JSON Schema can't say of a request, and schemathesis therefore can't know; and a check of our own.

A request that is right in form can still name what is not there, or come at the wrong time. The contract answers that
with 400 or 422 and the place of the fault. A request that is meant to be sound is put right here in exactly these
respects, so that every other refusal of it is a finding. Requests that are meant to be wrong stay as they are.
"""

import itertools
import os
import re

import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

# two tickets that are only ever named in bodies
TICKETS = os.environ["DOCKET_TICKETS"].split(",")
# whom and what bodies may name beside tickets: the first start's agent, and a team and a person of the run's own
AGENT, TEAM, PERSON = "admin", os.environ["DOCKET_TEAM"], os.environ["DOCKET_PERSON"]
MAX = 2**63 - 1
UNKNOWN = "x-schemathesis-unknown-property"
FAR_AWAY = "2099-01-31T09:00:00Z"

session = requests.Session()
used_keys = set()
fresh_keys = (f"contract-{n}" for n in itertools.count(1))
fresh_names = (f"contract-{n}" for n in itertools.count(1))
# the cursors of each list, and the filters that each was given out for
cursors = {}
# lists whose cursors are bound to their filters
LISTS = {"GET /v1/tickets", "GET /v1/people", "GET /v1/agents", "GET /v1/teams"}
# records that are read as of a version or a time
RECORDS = {"GET /v1/tickets/{id}", "GET /v1/people/{id}", "GET /v1/agents/{id}", "GET /v1/teams/{id}"}


# a key that the contract takes (RFC 8941 strings, and bare tokens)
KEY = re.compile(r'^([!#-~][!-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}")$')
# the highest position that was answered
head = 0


def is_sound(case):
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


@schemathesis.hook
def before_call(context, case, kwargs):
    use_key_once(case.headers)
    ask_for_what_is_there(case.headers)
    if is_sound(case):
        if case.operation.label in LISTS:
            go_on_with_the_same_list(case)
        if case.operation.label in RECORDS and "version" in case.query:
            # one or the other: OpenAPI has no way to say so of parameters
            case.query.pop("at", None)
        if case.operation.label == "POST /v1/tickets/{id}/commands":
            # whether If-Match is required depends on the commands: OpenAPI has no way to say so
            case.headers.setdefault("If-Match", "*")
        if case.headers.get("If-Match") == "":
            # the tool's shortest text for an alternation; the pattern has no empty one
            case.headers["If-Match"] = "*"
        if isinstance(case.body, dict):
            name_what_is_there(case)


def use_key_once(headers):
    """A key names one request of its caller: with another one it is refused (422)."""
    key = str(headers.get("Idempotency-Key", "")).strip() if headers else ""
    if not KEY.match(key):
        return
    # with and without quotation marks it is the same
    key = re.sub(r"\\(.)", r"\1", key[1:-1]) if key.startswith('"') else key
    if key in used_keys:
        headers["Idempotency-Key"] = next(fresh_keys)
    used_keys.add(key)


def ask_for_what_is_there(headers):
    """A position that was answered: a read model that has not come so far says so with 503, after a while."""
    position = str(headers.get("Docket-Min-Position", "")) if headers else ""
    if position.isascii() and position.isdigit() and int(position) <= MAX:
        headers["Docket-Min-Position"] = str(min(int(position), head))


def go_on_with_the_same_list(case):
    """A cursor is given out for one list, and is proof against tampering: none can be made up."""
    cursor = case.query.pop("cursor", None)
    known = cursors.get((case.operation.label, cursor))
    if known is not None:
        case.query = {**known, "cursor": cursor}


def name_what_is_there(case):
    bodies = case.body.get("commands", [case.body])
    for body in bodies if isinstance(bodies, list) else []:
        if isinstance(body, dict):
            name_in_body(case, body)


def name_in_body(case, body):
    if body.get("assignee"):
        body["assignee"] = AGENT
    if body.get("team"):
        body["team"] = TEAM
    if body.get("teams"):
        body["teams"] = [TEAM]
    if body.get("follower"):
        body["follower"] = PERSON
    if body.get("into"):
        body["into"] = PERSON
    if isinstance(body.get("requester"), dict):
        # a person or an address: OpenAPI has no way to say so that generators understand
        body["requester"] = {"person_id": PERSON}
    if body.get("person_id"):
        # or the name and the address of a new person: there is one schema for both
        body["person_id"] = PERSON
        body.pop("name", None), body.pop("email", None)
    if case.operation.label == "POST /v1/people" and not any(body.get(it) for it in ("name", "email", "external")):
        body["name"] = "Grace"
    if case.operation.label == "POST /v1/people/{id}/identities" and bool(body.get("email")) == bool(body.get("external")):
        body.clear()
        body["external"] = next(fresh_names)
    if body.get("follow_up_of"):
        body["follow_up_of"] = TICKETS[0]
    if "other" in body:
        # not the very ticket
        body["other"] = next(ticket for ticket in TICKETS if ticket != case.path_parameters.get("id"))
    if body.get("wake_at"):
        body["wake_at"] = FAR_AWAY
    if (case.operation.label.endswith("/reopen") or body.get("command") == "reopen") and not body.get("reason"):
        # there is one schema for all; of agents a reason is asked
        body["reason"] = "It burns again."


@schemathesis.hook
def after_call(context, case, response):
    global head
    for position in response.headers.get("docket-position", []):
        head = max(head, int(position))
    if case.operation.label in LISTS and response.status_code == 200:
        cursor = response.json()["next_cursor"]
        if cursor:
            cursors[case.operation.label, cursor] = {name: value for name, value in case.query.items() if name != "cursor"}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    # RFC 9110, 5.1: a header field that is unknown is to be ignored
    if isinstance(failure, AcceptedNegativeData):
        return UNKNOWN not in case.headers
    # now and then the key is made up, in a request that is sound but for that
    if isinstance(failure, RejectedPositiveData) and response.status_code == 401:
        return response.request.headers.get("Authorization") == f"Bearer {os.environ['DOCKET_KEY']}"
    return True


@schemathesis.check
def a_repetition_is_replayed(ctx, response, case):
    """The retry gets the same status, body, ETag and Location, and records nothing."""
    sent = response.request
    if "Idempotency-Key" not in sent.headers or not 200 <= response.status_code < 300:
        return
    again = session.send(sent)
    assert again.headers.get("Idempotent-Replayed") == "true", f"carried out again: {again.status_code} {again.text}"
    assert again.status_code == response.status_code
    assert again.content == response.content, "another body"
    for name in ("etag", "location", "docket-position"):
        first = (response.headers.get(name) or [None])[0]
        assert again.headers.get(name) == first, f"another {name}: {again.headers.get(name)}, not {first}"
