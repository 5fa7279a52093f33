"""The workloads, each with its lanes: a server, and the state that it gets first.

State is created through the API, as any client would; servers without state get the requests once, and answer always
the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.load import Generator, request
from bench.processes import (
    FASTAPI,
    IN_REDIS,
    RAW,
    RAW_STREAM,
    SANDBOX,
    STARLETTE,
    STARLETTE_STREAM,
    TWO_WORKERS,
    UNRECORDED,
    Kind,
    Running,
)
from bench.servers.constants import EVENTS

APP = "/v1/apps/app_bench"
CONVERSATIONS = f"{APP}/conversations"

# So many entries the sandbox's journal keeps.
JOURNAL = 10_000

_PEOPLE = ("John", "Chloé", "Priya", "Mateo", "Fatima", "Émile", "Grace", "Wei")
_TITLES = ("Support inquiry", None, "Renouvellement de ma police", None)
_MESSAGES = (
    "Hello! Can I change my plan before the next renewal?",
    "Bonjour, je voudrais savoir quand ma commande va arriver.",
    "My last invoice looks wrong, could you check it please?",
    "Est-ce que je peux déplacer mon rendez-vous à vendredi?",
)
# Created, a delta for each word, text done, item done, completed: the 50 events that the baselines send as well.
_ECHO = "[[echo]] " + " ".join(["insurance"] * (EVENTS - 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is measured: the full run, or a quick look."""

    seconds: float
    few: int
    many: int
    talks: int
    starts: int
    grown: int


FULL = Scale(seconds=1.2, few=100, many=100_000, talks=2_000, starts=10, grown=20_000)
QUICK = Scale(seconds=0.3, few=100, many=10_000, talks=300, starts=4, grown=2_000)

Prepare = Callable[[Running, Generator], list[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One contestant: a server, brought into a state, and the requests that it then gets over and over again."""

    label: str
    kind: Kind
    prepare: Prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One thing that is measured; the first lane is what the others are held against.

    `events` is the number of events in each answer of a stream, None where answers are JSON. The servers are started
    anew `starts` times: two processes of one program may differ by some percent for as long as they live.
    """

    name: str
    title: str
    connections: int
    lanes: Sequence[Lane]
    events: int | None = None
    starts: int = 1


def workloads(scale: Scale) -> list[Workload]:
    """Return everything that is measured by requests."""
    return [
        Workload(name="create", title="create a conversation", connections=32, lanes=_lanes(_creating)),
        Workload(
            name="get",
            title="get a conversation of 4 messages",
            connections=32,
            lanes=_lanes(lambda server, generator: _getting(server, generator, scale.few)),
        ),
        Workload(
            name="list",
            title="list 20 conversations",
            connections=32,
            lanes=[*_floors(_listing(1)), *_keepers(_listing, scale.few), *_keepers(_listing, scale.many)],
        ),
        Workload(
            name="journal",
            title="create, with and without journal and faults",
            connections=32,
            lanes=_bare_and_whole(_creating_when_full),
            starts=5,
        ),
        *(
            Workload(
                name=f"store-{name}",
                title=f"{title}, apps in memory and in Redis",
                connections=32,
                lanes=[Lane(label=kind.label, kind=kind, prepare=prepare) for kind in (SANDBOX, IN_REDIS, TWO_WORKERS)],
                starts=2,
            )
            for name, title, prepare in _stored(scale)
        ),
        Workload(
            name="message",
            title="send a message, answered as JSON",
            connections=32,
            lanes=_lanes(lambda server, generator: _sending(server, generator, scale.talks)),
        ),
        Workload(
            name="stream",
            title=f"stream {EVENTS} events, unpaced",
            connections=200,
            events=EVENTS,
            lanes=[
                Lane(label=kind.label, kind=kind, prepare=lambda s, g: _streaming(s, g, scale.talks))
                for kind in (STARLETTE_STREAM, RAW_STREAM, SANDBOX, FASTAPI)
            ],
        ),
    ]


def _stored(scale: Scale) -> Iterator[tuple[str, str, Prepare]]:
    """Yield what is measured of a store: its name, its title, its requests."""
    yield "create", "create a conversation", _creating
    yield "get", "get a conversation of 4 messages", lambda server, generator: _getting(server, generator, scale.few)
    yield "list", "list 20 conversations", _listing(scale.few)
    yield "message", "send a message", lambda server, generator: _sending(server, generator, scale.talks)


def body(number: int) -> bytes:
    """Return the body of the request that creates the conversation of that number, as an SDK would send it."""
    name, title = _PEOPLE[number % len(_PEOPLE)], _TITLES[number % len(_TITLES)]
    value: dict[str, Any] = {"external_user_id": f"user_{number % 500:06}"}
    if title is not None:
        value["title"] = title
    return _json({**value, "metadata": {"first_name": name, "plan_type": "term_life"}})


def create(server: Running, generator: Generator, count: int, app: str = APP) -> list[str]:
    """Create conversations; return their ids."""
    ids: list[str] = []
    bodies = (body(number) for number in range(count if server.kind.keeps else 1))
    requests = (request("POST", f"{app}/conversations", made) for made in bodies)
    generator.fill(server.port, requests, sink=lambda answer: ids.append(json.loads(answer)["id"]))
    return ids


def talk(server: Running, generator: Generator, ids: Iterable[str], exchanges: int, app: str = APP) -> None:
    """Send messages to each conversation and let it answer."""
    ids = list(ids)
    for exchange in range(exchanges if server.kind.keeps else 0):
        generator.fill(server.port, _messages(ids, app, exchange))


def _messages(ids: Iterable[str], app: str, exchange: int) -> Iterator[bytes]:
    for number, conversation in enumerate(ids):
        # No two people write the same: what a server remembers of texts must not help it here.
        text = f"{_MESSAGES[(number + exchange) % len(_MESSAGES)]} {_PEOPLE[number % len(_PEOPLE)]}, {conversation}"
        yield request("POST", f"{app}/conversations/{conversation}", _json({"message": {"content": text}}))


def _lanes(prepare: Prepare) -> list[Lane]:
    kinds = (SANDBOX, FASTAPI)
    return [*_floors(prepare), *(Lane(label=kind.label, kind=kind, prepare=prepare) for kind in kinds)]


def _bare_and_whole(prepare: Prepare) -> list[Lane]:
    return [Lane(label=kind.label, kind=kind, prepare=prepare) for kind in (UNRECORDED, SANDBOX)]


def _floors(prepare: Prepare) -> list[Lane]:
    return [Lane(label=kind.label, kind=kind, prepare=prepare) for kind in (STARLETTE, RAW)]


def _keepers(prepare: Callable[[int], Prepare], count: int) -> list[Lane]:
    return [Lane(label=f"{kind.label}, of {count:,}", kind=kind, prepare=prepare(count)) for kind in (SANDBOX, FASTAPI)]


def _creating(server: Running, generator: Generator) -> list[bytes]:  # noqa: ARG001 - every lane is prepared alike
    return [request("POST", CONVERSATIONS, body(number)) for number in range(500)]


def _creating_when_full(server: Running, generator: Generator) -> list[bytes]:
    """Let a journal be full first: only then each entry that comes makes another one go."""
    create(server, generator, JOURNAL)
    return _creating(server, generator)


def _getting(server: Running, generator: Generator, count: int) -> list[bytes]:
    ids = create(server, generator, count)
    talk(server, generator, ids, 2)
    return [request("GET", f"{CONVERSATIONS}/{conversation}") for conversation in ids]


def _listing(count: int) -> Prepare:
    def prepare(server: Running, generator: Generator) -> list[bytes]:
        create(server, generator, count)
        return [request("GET", f"{CONVERSATIONS}?limit=20")]

    return prepare


def _sending(server: Running, generator: Generator, count: int) -> list[bytes]:
    ids = create(server, generator, count)
    return [*_messages(ids, APP, 0), *_messages(ids, APP, 1)]


def _streaming(server: Running, generator: Generator, count: int) -> list[bytes]:
    ids = create(server, generator, count) if server.kind.keeps else ["any"]
    sent = _json({"message": {"content": _ECHO}, "stream": True})
    return [request("POST", f"{CONVERSATIONS}/{conversation}", sent) for conversation in ids]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
