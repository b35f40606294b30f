"""Reads every message that the relay has published, with the CloudEvents package, and holds them against the log as
the API tells it: the same events, in the same order, none missing and none twice.

Called with the server's address and that of its NATS; the key is in DOCKET_KEY.
"""

import asyncio
import json
import os
import sys

import nats
import requests
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

# what the API and the broker both tell of an event; of its data the API tells the newest form, and so not always the same
SAME = ["id", "source", "type", "subject", "time", "position", "streamversion", "recordedtime", "commandid"]
PATIENCE = 30


def log(api):
    """The log, page by page, until its end."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {os.environ['DOCKET_KEY']}"
    url = f"{api}/v1/events?limit=200"
    while url:
        answer = session.get(url)
        answer.raise_for_status()
        yield from answer.json()["items"]
        url = answer.links["next"]["url"] if "next" in answer.links else None
        url = api + url if url else None


async def messages(address, last):
    """The messages of the stream up to that sequence; it is waited for."""
    client = await nats.connect(address)
    stream = client.jetstream()
    config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE)
    subscription = await stream.subscribe("docket.>", ordered_consumer=True, config=config)
    sequence = 0
    while sequence < last:
        message = await subscription.next_msg(timeout=PATIENCE)
        sequence = message.metadata.sequence.stream
        yield sequence, message
    await client.close()


def check(event, sequence, message):
    read = JSONFormat().read(CloudEvent, message.data)
    assert message.header["content-type"] == "application/cloudevents+json", message.header
    assert read.get_specversion() == "1.0" and read.get_datacontenttype() == "application/json"
    assert isinstance(read.get_data(), dict), read.get_data()
    assert sequence == read.get_extension("position"), f"sequence {sequence}: {read.get_extension('position')}"
    noun, verb = read.get_type().split(".", 1)
    assert message.subject == f"docket.{noun}.{read.get_subject()}.{verb}", message.subject
    # what the package understands is what was sent, and what the API says
    sent = json.loads(message.data)
    again = json.loads(JSONFormat().write(read))
    assert again["data"] == sent["data"] and again["id"] == sent["id"]
    for name in SAME:
        assert sent.get(name) == event.get(name), f"{name} of {sequence}: {sent.get(name)}, not {event.get(name)}"


async def main(api, address):
    events = list(log(api))
    assert events, "nothing was recorded"
    count = 0
    async for sequence, message in messages(address, events[-1]["position"]):
        check(events[count], sequence, message)
        count += 1
    assert count == len(events), f"{count} messages, {len(events)} events"
    print(f"CloudEvents: {count} messages, as the log has them")


asyncio.run(main(*sys.argv[1:]))
