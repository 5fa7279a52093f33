"""Every framing in the eyes of two public parsers, sseclient-py and eventsource-parser: other bytes, the same events.

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

from tests.api.asgi import in_process
from tests.demands import need_node
from tests.sse import parse

VARIABLE = "SANDBOX_NODE_MODULES"
SCRIPT = Path(__file__).with_name("parse.mjs")
FRAMINGS = ("plain", "split", "crlf", "comments", "multiline")
HOSTILE = FRAMINGS[1:]

TEXT = "né 👩‍👩‍👧‍👦 שלום\n\ndata: x\r\nevent: y\r: z\u2028 \u0085 \ufeff"
SCRIPT_OUTPUT = [
    {"type": "message", "text": TEXT},
    {"type": "function_call", "name": "book", "arguments": {"at": TEXT, "n": [1.5, {}, []]}},
    {"type": "form", "title": "Détails", "fields": [{"label": "Courriel", "name": "email"}]},
    {"type": "message", "text": "a b c d e f g h i j k l m n o p q r s t u v w x y z " * 4},
]

Writes = list[bytes]
Events = list[tuple[str, Any]]


@pytest.fixture(scope="module")
def streams() -> Mapping[str, Writes]:
    """The same answer in each framing, as the writes that it was sent in; each from a server of its own."""
    return {framing: written(framing) for framing in FRAMINGS}


def written(framing: str) -> Writes:
    with in_process() as client:
        client.request("PATCH", "/_sandbox/apps/app_x", json={"framing": framing})
        client.request("POST", "/_sandbox/apps/app_x/replies", json={"output": SCRIPT_OUTPUT})
        conversation = client.request("POST", "/v1/apps/app_x/conversations", json={}).json()["id"]
        body = {"message": {"content": "Hello"}, "stream": True}
        answer = client.request("POST", f"/v1/apps/app_x/conversations/{conversation}", json=body)
    assert (answer.status_code, answer.whole) == (200, True)
    return answer.chunks


def test_the_plain_stream_is_the_one_of_the_contract(streams: Mapping[str, Writes]) -> None:
    events = parse(b"".join(streams["plain"]))
    assert events[-1].name == "response.completed"
    assert len(events) > 100


@pytest.mark.parametrize("framing", HOSTILE)
def test_a_public_parser_of_python_reads_the_same_events(streams: Mapping[str, Writes], framing: str) -> None:
    assert read_by_sseclient(streams[framing]) == parse(b"".join(streams["plain"]))


def test_it_reads_the_plain_stream_as_the_tests_do(streams: Mapping[str, Writes]) -> None:
    assert read_by_sseclient(streams["plain"]) == parse(b"".join(streams["plain"]))


@pytest.mark.node
def test_a_public_parser_of_node_reads_the_same_events(streams: Mapping[str, Writes]) -> None:
    plain = parse(b"".join(streams["plain"]))
    for framing, events in zip(FRAMINGS, read_by_node([streams[each] for each in FRAMINGS]), strict=True):
        assert events == plain, framing


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


def read_by_sseclient(writes: Writes) -> Events:
    return [(event.event, json.loads(event.data)) for event in sseclient.SSEClient(iter(writes)).events()]


def read_by_node(streams: list[Writes]) -> list[Events]:
    folder = os.environ.get(VARIABLE)
    if not folder or not Path(folder, "node_modules", "eventsource-parser").is_dir():
        pytest.skip(f"needs eventsource-parser from npm, which is in no folder that {VARIABLE} names")
    done = subprocess.run(  # noqa: S603 - our own script
        [need_node(), str(SCRIPT)],
        input=json.dumps([[base64.b64encode(write).decode() for write in writes] for writes in streams]),
        env={**os.environ, VARIABLE: folder},
        capture_output=True,
        text=True,
        check=True,
    )
    return [[(name, json.loads(data)) for name, data in events] for events in json.loads(done.stdout)]
