"""Appends by eventsourcing's PostgreSQL recorder; `src/scripts.rs` says how it is called."""

import json
import sys
import threading
import time
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

STATE = json.dumps({"message_id": str(UUID(int=0)), "body": "x" * 230}).encode()


def recorder(url: str, connections: int) -> PostgresApplicationRecorder:
    at = conninfo_to_dict(url)
    host = at["host"].split(",")[-1]
    datastore = PostgresDatastore(
        at["dbname"], host, at["port"], at["user"], "", pool_size=connections, enable_db_functions=True
    )
    return PostgresApplicationRecorder(datastore)


def write(store: PostgresApplicationRecorder, streams: range, end: float, done: list[int]) -> None:
    versions = {UUID(int=n): 1 for n in streams}
    count = 0
    while True:
        for stream, version in versions.items():
            if time.monotonic() >= end:
                done.append(count)
                return
            # the next version is part of the primary key
            store.insert_events([StoredEvent(stream, version, "ReplyAdded", STATE)])
            versions[stream] = version + 1
            count += 1


def main() -> None:
    what, url, *numbers = sys.argv[1:]
    if what == "prepare":
        recorder(url, 1).create_table()
        return
    first, step, writers, streams, seconds = map(int, numbers)
    own = range(first, writers, step)
    store = recorder(url, len(own))
    store.datastore.pool.open(wait=True)
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    done: list[int] = []
    threads = [
        threading.Thread(target=write, args=(store, range(writer, streams, writers), began + seconds, done))
        for writer in own
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(done) < len(threads):
        sys.exit("a writer failed")
    print(sum(done), time.monotonic() - began, flush=True)
    store.datastore.close()


main()
