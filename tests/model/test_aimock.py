"""A model of @copilotkit/aimock, a public OpenAI-compatible server; SANDBOX_NODE_MODULES names a folder with it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model.conftest import MakeChat
from tests.support.requirements import requires_node

VARIABLE = "SANDBOX_NODE_MODULES"
TEXT = "Votre rendez-vous est confirmé. 👩‍👩‍👧 À bientôt!"


@pytest.fixture
def aimock(tmp_path: Path) -> Iterator[str]:
    """The base URL of a server that knows one answer, and breaks off another."""
    program = Path(os.environ.get(VARIABLE, ""), "node_modules", "@copilotkit", "aimock", "dist", "cli.js")
    if not program.is_file():
        pytest.skip(f"needs @copilotkit/aimock from npm, in the folder that {VARIABLE} names")
    fixtures = [
        {"match": {"userMessage": "confirmer"}, "response": {"content": TEXT}},
        {"match": {"userMessage": "coupe"}, "response": {"content": TEXT}, "truncateAfterChunks": 3},
    ]
    path = tmp_path / "fixtures.json"
    path.write_text(json.dumps({"fixtures": fixtures}), encoding="utf-8")
    command = [requires_node(), str(program), "-p", "0", "-f", str(path), "-c", "7", "-l", "20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603 - found above
        try:
            assert process.stdout is not None
            found = next(filter(None, (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stdout)))
            yield found.group() + "/v1"
        finally:
            process.terminate()


@pytest.mark.node
def test_its_text_comes_whole_cut_or_not_at_all(make_chat: MakeChat, aimock: str) -> None:
    chat = make_chat(model_url=aimock)
    assert (chat.say("Pouvez-vous confirmer?"), chat.warnings()) == (TEXT, [])
    cut = chat.say("coupe")
    assert cut
    assert TEXT.startswith(cut)
    assert "what came until then is the reply" in chat.warnings()[0]
    chat.say("Nothing that it knows")
    assert "the endpoint answered 404" in chat.warnings()[0]
