"""The cassette, and what is refused at the start."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sandbox.cli import main
from tests.model.conftest import MakeChat
from tests.support.chat_endpoint import ChatEndpoint, answer


def test_a_second_run_without_the_endpoint_is_byte_equal(
    make_chat: MakeChat, endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    path = tmp_path / "texts"
    endpoint.answers = [answer("Bon", "jour 👩‍👩", "‍👧"), answer("Two")]
    first = make_chat(model_cassette=str(path))
    said = [first.send("Hello", stream=True).content, first.complete("Count").content]
    first.sandbox.stop()
    endpoint.close()
    again = make_chat(model_cassette=str(path), model_replay_only=True, model_url=None)
    assert [again.send("Hello", stream=True).content, again.complete("Count").content] == said
    assert (path.stat().st_mode & 0o777, len(endpoint.calls)) == (0o600, 2)
    assert again.complete("Other").json()["status"] == "failed"
    assert "the cassette has no answer to the prompt " in again.warnings()[0]


def test_two_who_ask_the_same_at_once_get_the_same(make_chat: MakeChat, endpoint: ChatEndpoint, tmp_path: Path) -> None:
    chat = make_chat(model_cassette=str(tmp_path / "texts"))
    chat.set(business="retail")
    chat.client.request("PATCH", "/_sandbox/apps/app_y", json={"business": "retail"})

    async def both() -> list[str]:
        paths = [f"/v1/apps/{app}/completions" for app in ("app_x", "app_y")]
        answers = [chat.client.exchange("POST", path, json={"prompt": "Hi"}) for path in paths]
        return [answer.json()["text"] for answer in await asyncio.gather(*answers)]

    assert chat.client.run(both()) == ["Text 1", "Text 1"]


REFUSED = {
    "--model-url goes with --model": ["--model-url", "http://127.0.0.1:1/v1"],
    "--model goes with --model-url": ["--model", "m"],
    "--model-allow api.example.com allows it": ["--model", "m", "--model-url", "https://api.example.com/v1"],
    "--model-url: expected a URL": ["--model", "m", "--model-url", "ftp://x"],
    "--model-replay-only goes with --model-cassette": ["--model", "m", "--model-replay-only"],
    "line 1: expected the first line": ["--model", "m", "--model-replay-only", "--model-cassette", __file__],
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_does_not_go_together_is_exit_2(capsys: pytest.CaptureFixture[str], sentence: str) -> None:
    assert main(["serve", "--port", "0", *REFUSED[sentence]], {}) == 2
    assert sentence in capsys.readouterr().err
