"""docs/limits.md says of each bound what the code says."""

from __future__ import annotations

import inspect
import re

import pytest

from sandbox.apps import deliveries, events, history, responses, rule_queue
from sandbox.apps.journal import Journal
from sandbox.cli.server import MAX_DESCRIPTORS
from sandbox.contract import load
from sandbox.contract.document import control_folder
from sandbox.contract.json import MAX_DEPTH
from sandbox.contract.operations import MAX_BYTES
from sandbox.control import snapshots
from sandbox.model import model
from sandbox.options import flag
from sandbox.persistence import snapshot
from sandbox.server import faults, protocol, recording
from sandbox.settings import default_of, options
from sandbox.webhooks import client, dispatcher
from tests.docs.pages import read

KIB, MIB = 1024, 1024**2
JOURNAL = {name: part.default for name, part in inspect.signature(Journal.__init__).parameters.items()}
PUT_BACK = next(one for one in load(control_folder()).operations if one.id == "control_put_snapshot")

# Each row: what is bounded, and the numbers of its row in their order.
ROWS: dict[str, tuple[float, ...]] = {
    "apps": (default_of("max_apps"),),
    "state": (default_of("max_bytes"), 1),
    "seconds until a store answers": (default_of("store_timeout"),),
    "faults that wait": (rule_queue.MAX_QUEUED,),
    "replies that wait": (rule_queue.MAX_QUEUED,),
    "requests that faults hold": (responses.MAX_HELD_OF_APP, responses.MAX_HELD),
    "listeners": (events.MAX_SUBSCRIBERS,),
    "what waits for one listener": (events.MAX_QUEUED_EVENTS, events.MAX_QUEUED_BYTES / MIB),
    "webhooks that wait": (deliveries.MAX_WAITING,),
    "webhooks sent at once": (dispatcher.MAX_IN_FLIGHT,),
    "webhooks in an app's journal": (deliveries.MAX_DELIVERIES, deliveries.MAX_ATTEMPTS),
    "requests in the journal": (JOURNAL["max_records"], JOURNAL["max_bytes"] / MIB),
    "a request's body": (recording.MAX_KEPT_BODY,),
    "a stream in its entry": (recording.KEPT_BEGINNING / KIB, recording.KEPT_END / KIB),
    "control calls": (history.MAX_CALL_BYTES / MIB,),
    "headers": (protocol.MAX_HEADERS, protocol.MAX_HEADER_BYTES / KIB),
    "seconds for the whole head": (default_of("header_timeout"),),
    "model calls at once": (model.MAX_CALLS,),
    "seconds without a word": (default_of("model_timeout"),),
    "seconds of silence": (default_of("idle_timeout"),),
    "requests sent ahead": (protocol.MAX_UNPARSED / KIB,),
    "a body": (MAX_BYTES,),
    "a snapshot": (snapshots.MAX_BYTES / MIB,),
    "depth": (MAX_DEPTH, snapshot.MAX_DEPTH),
    "response": (protocol.MAX_UNREAD / KIB,),
    "milliseconds": (faults.MAX_HOLD_MS,),
}


def rows() -> list[list[str]]:
    """Return the cells of each row of the tables of bounds."""
    prose = read("docs/limits.md").partition("## Measured")[0]
    return [line.strip("| ").split(" | ") for line in prose.splitlines() if re.match(r"\| (?!what \|)", line)]


@pytest.mark.parametrize(("what", "numbers"), ROWS.items(), ids=ROWS)
def test_a_bound_is_what_the_code_has(what: str, numbers: tuple[float, ...]) -> None:
    (most,) = [cells[1] for cells in rows() if re.match(rf"{what}\b", cells[0])]
    assert [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", most)] == list(numbers)


def test_every_row_is_held_and_every_setting_exists() -> None:
    assert len(rows()) == len(ROWS)
    named = {cells[2].strip("`") for cells in rows()} - {"–"}
    assert named == {flag(name) for name in options() if re.search("max_|_timeout", name)}


def test_the_numbers_beyond_the_tables_are_what_the_code_has() -> None:
    page = read("docs/limits.md")
    assert f"the newest {JOURNAL['protected']} of each app" in page
    assert f"each attempt takes {client.TIMEOUT:.0f} seconds at most" in page
    assert f"to {MAX_DESCRIPTORS:,} at most" in page
    assert PUT_BACK.max_bytes == snapshots.MAX_BYTES
