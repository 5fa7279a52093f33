"""The same seed and the same requests give the same bytes, whatever runs beside them."""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.answer import Answer
from tests.support.api import Api
from tests.support.constants import AUTH, NOW, ROOT
from tests.support.in_process import AsgiClient, in_process
from tests.support.processes import Server
from tests.support.transcript import SAID, look, play, whole

IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:msg|resp|cmpl|call)_[0-9a-f]{24}")


@pytest.fixture(scope="module")
def expected() -> str:
    """The transcript of a fresh server that does nothing else."""
    with in_process() as client:
        return client.run(whole(client))


def test_the_transcript_holds_everything(expected: str) -> None:
    """A transcript of errors would be deterministic too."""
    assert expected.count(" 200 ") > 25
    assert "response.completed" in expected
    assert len(set(IDS.findall(expected))) > 100


def test_the_same_seed_gives_the_same_bytes(expected: str) -> None:
    with in_process(seed=1) as client:
        assert client.run(whole(client)) == expected


# What differs from process to process, and must not matter.
PROCESSES: dict[str, dict[str, str]] = {
    "another hash seed": {"PYTHONHASHSEED": "12345", "TZ": "UTC"},
    "no hash seed, a time zone in the east": {"PYTHONHASHSEED": "0", "TZ": "Pacific/Auckland"},
    "a time zone in the west, another locale": {"PYTHONHASHSEED": "random", "TZ": "America/Montreal", "LC_ALL": "C"},
}


@pytest.mark.parametrize("process", PROCESSES)
def test_process_directory_time_zone_and_hash_seed_change_nothing(expected: str, process: str, tmp_path: Path) -> None:
    played = subprocess.run(
        [sys.executable, "-P", "-m", "tests.support.transcript"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), **PROCESSES[process]},
        capture_output=True,
        check=True,
    )

    assert played.stdout.decode() == expected


class OverTheWire:
    """Sends the transcript's requests to a real server."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def exchange(self, method: str, url: str, *, json: Any = None) -> Any:
        return await self._client.request(method, url, json=json)


def test_a_real_server_says_the_same(server: Server) -> None:
    """Under an app id of its own, as other tests use this server too."""

    async def over_the_wire() -> str:
        async with httpx2.AsyncClient(base_url=server.url, headers=AUTH, timeout=60) as client:
            return await play(OverTheWire(client), "app_wired")

    with in_process() as client:
        assert asyncio.run(over_the_wire()) == client.run(play(client, "app_wired"))


def test_apps_used_before_change_nothing(expected: str) -> None:
    with in_process() as client:
        for app in ("app_before", "app_demo", "app_visited2"):
            client.run(play(client, app))

        assert expected.startswith(client.run(play(client)))


def test_apps_used_meanwhile_change_nothing(expected: str) -> None:
    async def together(client: AsgiClient) -> str:
        others = [asyncio.ensure_future(play(client, f"app_beside_{n}")) for n in range(3)]
        played, *_ = await asyncio.gather(play(client), *others)
        return played

    with in_process() as client:
        assert expected.startswith(client.run(together(client)))


def test_somebody_elses_random_numbers_change_nothing(expected: str) -> None:
    random.seed(99)
    state = random.getstate()

    with in_process() as client:
        assert client.run(whole(client)) == expected

    assert random.getstate() == state, "and ours change theirs neither"


@pytest.mark.parametrize("seed", [0, 2, -1, 10**12])
def test_another_seed_gives_other_ids(expected: str, seed: int) -> None:
    with in_process(seed=seed) as client:
        transcript = client.run(whole(client))

    assert not set(IDS.findall(transcript)) & set(IDS.findall(expected))


def test_another_app_gives_other_ids(expected: str) -> None:
    with in_process() as client:
        transcript = client.run(play(client, "app_visited2"))

    assert not set(IDS.findall(transcript)) & set(IDS.findall(expected))


def test_ids_do_not_depend_on_the_time(expected: str) -> None:
    with in_process(now=NOW + 12_345_678) as client:
        transcript = client.run(play(client))

    assert IDS.findall(expected)[: len(IDS.findall(transcript))] == IDS.findall(transcript)


def test_a_reply_depends_on_its_conversation_alone() -> None:
    """What else the app is asked meanwhile shifts nothing in it."""

    def replies(client: AsgiClient, *, busy: bool) -> bytes:
        api = Api(client)
        conversation, other = api.created(), api.created()
        for text in SAID:
            api.send(conversation, text)
            if busy:
                api.send(other, text)
                api.complete(text)
                api.created()
        return bytes(api.get(conversation).content)

    with in_process() as quiet, in_process() as busy:
        assert replies(quiet, busy=False) == replies(busy, busy=True)


def test_a_reply_does_not_depend_on_when_others_of_its_app_are_given() -> None:
    async def said(client: AsgiClient, *, together: bool) -> list[bytes]:
        paths = [f"/v1/apps/app_spec/conversations/{conversation}" for conversation in await created(client)]
        asks = [client.exchange("POST", path, json={"message": {"content": "[[long 30]] hello"}}) for path in paths]
        answers: list[Answer] = list(await asyncio.gather(*asks)) if together else [await ask for ask in asks]
        return [answer.content for answer in answers]

    with in_process() as one, in_process() as two:
        assert one.run(said(one, together=False)) == two.run(said(two, together=True))


async def created(client: AsgiClient) -> list[str]:
    answers = [await client.exchange("POST", "/v1/apps/app_spec/conversations", json={}) for _ in range(5)]
    return [answer.json()["id"] for answer in answers]


def test_the_demo_data_is_the_same_on_every_server(expected: str) -> None:
    with in_process() as client:
        Api(client, "app_before").created()

        assert expected.endswith(client.run(look(client)))
