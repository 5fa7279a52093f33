"""Whole conversations, one a business and language, as text files that a person can read.

A file has a line of JSON (metadata, generative_ui), then messages (`> …`) and replies. Set SANDBOX_UPDATE_CONVERSATIONS
to write the replies anew; then read them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.agent.turns import converse, profile, rendered

FILES = sorted(Path(__file__).with_name("conversations").glob("*.txt"))
UPDATE = "SANDBOX_UPDATE_CONVERSATIONS"


def messages_of(body: str) -> list[str]:
    found: list[str] = []
    quoted = False
    for line in body.split("\n"):
        marked = line.startswith(">")
        if marked and quoted:
            found[-1] += "\n" + line[2:]
        elif marked:
            found.append(line[2:])
        quoted = marked
    return found


def transcript(path: Path) -> str:
    head, _, body = path.read_text(encoding="utf-8").partition("\n")
    settings = json.loads(head)
    agent = profile(generative_ui=settings["generative_ui"])
    messages = messages_of(body)
    replies = converse(messages, metadata=settings["metadata"], seed=path.stem, agent=agent)
    parts = [head]
    for message, answer in zip(messages, replies, strict=True):
        parts += ["\n".join(f"> {line}".rstrip() for line in message.split("\n")), rendered(answer)]
    return "\n\n".join(parts) + "\n"


def test_there_is_one_for_each_business_and_language() -> None:
    assert len(FILES) >= 26


def test_a_conversation_reads_as_it_was_approved(subtests: pytest.Subtests) -> None:
    for path in FILES:
        with subtests.test(path.stem):
            if os.environ.get(UPDATE):
                path.write_text(transcript(path), encoding="utf-8")
            assert transcript(path) == path.read_text(encoding="utf-8")
