"""Every framing in the eyes of the HTML standard and of two public parsers, sseclient-py and eventsource-parser.

SANDBOX_NODE_MODULES names a folder with eventsource-parser in its `node_modules`.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sseclient
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.control.serialization import parse_event_stream as journalled
from tests.support.in_process import in_process
from tests.support.requirements import examples, requires_node
from tests.support.sse import parse

VARIABLE = "SANDBOX_NODE_MODULES"
SCRIPT = Path(__file__).with_name("parse.mjs")
HOSTILE = ("split", "crlf", "comments", "multiline", "cr", "cut_crlf", "mixed", "bom", "fields")
FRAMINGS = ("plain", *HOSTILE)

TEXT = "né 👩‍👩‍👧‍👦 שלום\n\ndata: x\r\nevent: y\r: z\u2028 \u0085 \ufeff"
SCRIPT_OUTPUT = [
    {"type": "message", "text": TEXT},
    {"type": "function_call", "name": "book", "arguments": {"at": TEXT, "n": [1.5, {}, []]}},
    {"type": "form", "title": "Détails", "fields": [{"label": "Courriel", "name": "email"}]},
    {"type": "message", "text": "a b c d e f g h i j k l m n o p q r s t u v w x y z " * 4},
]

# sseclient-py looks for one kind of blank line in each piece, and takes a byte order mark for a part of a name.
READ_WRONG_BY_SSECLIENT = {"mixed", "bom"}
# eventsource-parser waits for what follows a CR: after the last one nothing does.
LAST_LOST_BY_NODE = {"cr", "mixed"}

Writes = list[bytes]
Events = list[tuple[str, Any]]


@pytest.fixture(scope="module")
def streams() -> Mapping[str, Writes]:
    """The same answer in each framing, as the writes that it was sent in; each from a server of its own."""
    return {framing: written(framing) for framing in FRAMINGS}


def written(framing: str | list[str]) -> Writes:
    with in_process() as client:
        client.request("PATCH", "/_sandbox/apps/app_x", json={"framing": framing})
        client.request("POST", "/_sandbox/apps/app_x/replies", json={"output": SCRIPT_OUTPUT})
        conversation = client.request("POST", "/v1/apps/app_x/conversations", json={}).json()["id"]
        body = {"message": {"content": "Hello"}, "stream": True}
        answer = client.request("POST", f"/v1/apps/app_x/conversations/{conversation}", json=body)
    assert (answer.status_code, answer.is_complete) == (200, True)
    return answer.chunks


def test_the_plain_stream_is_the_one_of_the_contract(streams: Mapping[str, Writes]) -> None:
    events = parse(b"".join(streams["plain"]))
    assert events[-1].name == "response.completed"
    assert len(events) > 100


@given(st.sets(st.sampled_from(HOSTILE), min_size=1))
@settings(max_examples=examples(100, quick=25))
def test_the_standard_reads_the_same_events_in_every_combination(
    streams: Mapping[str, Writes], forms: set[str]
) -> None:
    writes = written(sorted(forms))
    assert read_by_the_standard(b"".join(writes)) == parse(b"".join(streams["plain"]))
    assert [(event.name, json.loads(event.data)) for event in journalled((0.0, write) for write in writes)] == parse(
        b"".join(streams["plain"])
    )


@pytest.mark.parametrize("framing", [each for each in HOSTILE if each not in READ_WRONG_BY_SSECLIENT])
def test_a_public_parser_of_python_reads_the_same_events(streams: Mapping[str, Writes], framing: str) -> None:
    assert read_by_sseclient(streams[framing]) == parse(b"".join(streams["plain"]))


def test_it_reads_the_plain_stream_as_the_tests_do(streams: Mapping[str, Writes]) -> None:
    assert read_by_sseclient(streams["plain"]) == parse(b"".join(streams["plain"]))


@pytest.mark.node
def test_a_public_parser_of_node_reads_the_same_events(streams: Mapping[str, Writes]) -> None:
    plain = parse(b"".join(streams["plain"]))
    for framing, events in zip(FRAMINGS, read_by_node([streams[each] for each in FRAMINGS]), strict=True):
        assert events == (plain[:-1] if framing in LAST_LOST_BY_NODE else plain), framing


# The bytes really differ, each framing in its way.


def test_split_cuts_inside_lines_and_inside_characters(streams: Mapping[str, Writes]) -> None:
    writes = streams["split"]
    assert b"".join(writes) == b"".join(streams["plain"])
    assert len(writes) > 3 * len(streams["plain"])
    assert any(write[0] & 0b1100_0000 == 0b1000_0000 for write in writes)  # it begins within a character
    assert sum(not write.endswith(b"\n") for write in writes) > len(writes) / 2


def test_crlf_ends_every_line_so(streams: Mapping[str, Writes]) -> None:
    raw = b"".join(streams["crlf"])
    assert raw.replace(b"\r\n", b"\n") == b"".join(streams["plain"])
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)


def test_other_framings_end_lines_cut_and_mark_as_they_say(streams: Mapping[str, Writes]) -> None:
    plain = b"".join(streams["plain"])
    raw = {framing: b"".join(writes) for framing, writes in streams.items()}
    assert raw["cr"] == plain.replace(b"\n", b"\r")
    assert raw["cut_crlf"] == raw["crlf"]
    assert all(b"\r\n" not in write for write in streams["cut_crlf"])
    assert {*re.findall(rb"\r\n|\r|\n", raw["mixed"])} == {b"\r\n", b"\r", b"\n"}
    assert raw["bom"] == b"\xef\xbb\xbf" + plain
    assert re.match(rb"id:1\nretry:\d+\nevent:response.created\ndata:{", raw["fields"])


def test_comments_stand_between_the_events(streams: Mapping[str, Writes]) -> None:
    raw = b"".join(streams["comments"])
    assert raw != b"".join(streams["plain"])
    assert re.search(rb"^:", raw, re.MULTILINE)
    assert re.search(rb"^event: \w+\n\n", raw, re.MULTILINE)  # an event without data, which nobody may see
    assert re.search(rb"^mood: ", raw, re.MULTILINE)  # a field that nobody knows


def test_multiline_spreads_the_json(streams: Mapping[str, Writes]) -> None:
    raw = b"".join(streams["multiline"])
    blocks = raw.strip(b"\n").split(b"\n\n")
    assert all(block.count(b"\ndata: ") > 1 for block in blocks)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_the_same_seed_writes_the_same_bytes(streams: Mapping[str, Writes], framing: str) -> None:
    assert written(framing) == streams[framing]


@pytest.mark.parametrize("framing", HOSTILE)
def test_json_answers_are_left_alone(framing: str) -> None:
    with in_process() as client:
        client.request("PATCH", "/_sandbox/apps/app_x", json={"framing": framing})
        framed = client.request("POST", "/v1/apps/app_x/completions", json={"prompt": "Hello"})
        plain = client.request("POST", "/v1/apps/app_x/completions", json={"prompt": "Hello", "stream": False})
    assert framed.json()["text"] == plain.json()["text"]
    assert len(framed.chunks) == 1


def read_by_the_standard(raw: bytes) -> Events:
    """Read a stream by the steps of the HTML standard, 9.2.6: an event whose data is empty is not dispatched."""
    events, name, data = Events(), "", list[str]()
    for line in re.split("\r\n|\n|\r", raw.decode("utf-8-sig"))[:-1]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            if data:
                events.append((name or "message", json.loads("\n".join(data))))
            name, data = "", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
    return events


def read_by_sseclient(writes: Writes) -> Events:
    return [(event.event, json.loads(event.data)) for event in sseclient.SSEClient(iter(writes)).events()]


def read_by_node(streams: list[Writes]) -> list[Events]:
    folder = os.environ.get(VARIABLE)
    if not folder or not Path(folder, "node_modules", "eventsource-parser").is_dir():
        pytest.skip(f"needs eventsource-parser from npm, which is in no folder that {VARIABLE} names")
    done = subprocess.run(  # noqa: S603 - our own script
        [requires_node(), str(SCRIPT)],
        input=json.dumps([[base64.b64encode(write).decode() for write in writes] for writes in streams]),
        env={**os.environ, VARIABLE: folder},
        capture_output=True,
        text=True,
        check=True,
    )
    return [[(name, json.loads(data)) for name, data in events] for events in json.loads(done.stdout)]
