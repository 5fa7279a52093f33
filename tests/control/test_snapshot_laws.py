"""The law of snapshots: to take one, put it back and go on is to go on, whatever was done before and is done then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import Settings, create_app
from tests.support.app_driver import AppDriver
from tests.support.constants import AUTH, NOW
from tests.support.in_process import client_of
from tests.support.requirements import examples
from tests.support.strategies import messages, metadata, texts

Act = Callable[[AppDriver, list[str]], Any]

FAULTS: list[dict[str, Any]] = [
    {"kind": "status", "status": 503, "probability": 0.5, "times": None},
    {"kind": "after", "status": 500, "skip": 1},
    {"kind": "malformed", "times": 2},
    {"kind": "contract", "operation": "apps_api_get_conversation"},
]
SETTINGS: list[dict[str, Any]] = [
    {"titles": "after_first_exchange"},
    {"generative_ui": True, "agent": {"name": "Léa"}},
    {"agent": None, "rate_limit": None},
    {"tools": [{"name": "find_it", "kind": "client", "when": ["find"]}], "stream": True, "framing": "comments"},
]


def of_one(act: Callable[[AppDriver, str], Any]) -> Callable[[int], Act]:
    """Return an act on one of the conversations that were made, or on none where there are none."""
    return lambda index: lambda driver, made: act(driver, made[index % len(made)]) if made else driver.api.metrics()


def creating(**body: Any) -> Act:
    def act(driver: AppDriver, made: list[str]) -> Any:
        answer = driver.api.create(**body)
        if answer.status_code == 200 and answer.headers["content-type"] == "application/json":
            try:
                made.append(str(answer.json()["id"]))
            except (ValueError, KeyError):
                return answer  # a fault that broke it
        return answer

    return act


def sending(index: int, message: str, *, stream: bool) -> Act:
    return of_one(lambda driver, one: driver.api.send(one, message, stream=stream))(index)


def limited(driver: AppDriver, _: list[str]) -> Any:
    """Let few calls through from now on, and use one up."""
    driver.set(rate_limit={"per_minute": 3})
    return driver.api.complete("Hello")


indices = st.integers(0, 5)
said = messages.filter(lambda text: "slow" not in text.lower())
acts: st.SearchStrategy[Act] = st.one_of(
    st.builds(creating, metadata=metadata, external_user_id=st.sampled_from(["ada", "bob", None])),
    st.builds(creating, title=texts),
    st.builds(sending, indices, said, stream=st.booleans()),
    indices.map(of_one(lambda driver, one: driver.api.get(one))),
    indices.map(of_one(lambda driver, one: driver.api.delete(one))),
    indices.map(of_one(lambda driver, one: driver.api.update(one, title="Renamed"))),
    indices.map(of_one(lambda driver, one: driver.api.list(after=one, limit=2))),
    st.builds(lambda: lambda driver, _: driver.api.complete("Quote?", stream=True)),
    st.builds(lambda: lambda driver, _: driver.call("POST", "/populate", {"conversations": 2, "messages": 2})),
    st.sampled_from(FAULTS).map(lambda fault: lambda driver, _: driver.call("POST", "/faults", fault)),
    st.sampled_from(SETTINGS).map(lambda changes: lambda driver, _: driver.set(**changes)),
    st.builds(
        lambda: lambda driver, _: driver.call("POST", "/replies", {"output": [{"type": "message", "text": "Aye."}]})
    ),
    st.just(limited),
    st.integers(0, 100).map(lambda seconds: lambda driver, _: driver.advance(seconds)),
)


BEGINS: list[Act] = [creating(external_user_id="ada"), creating(title="Two"), sending(0, "Hello", stream=False)]
# What is waiting, drawn, counted and listed by then shows in the answers.
ALL_THAT_SHOWS: list[Act] = [
    *[lambda driver, _: driver.api.config()] * 6,
    *[lambda driver, _: driver.api.complete("Quote?")] * 3,
    lambda driver, _: driver.api.list(limit=100),
    lambda driver, _: driver.api.list_of_user("ada"),
    lambda driver, _: driver.api.metrics(),
    lambda driver, _: driver.call("GET", "/faults"),
    creating(title="Next"),
]


def live(driver: AppDriver, story: Sequence[Act], made: list[str]) -> list[Any]:
    """Do one thing after the other and return what was answered."""
    return [shown(act(driver, made)) for act in story]


def shown(answer: Any) -> Any:
    headers = {name: value for name, value in answer.headers.items() if name != "sandbox-request-id"}
    if b'"requests":' not in answer.content:
        return answer.status_code, headers, answer.content
    # The journal is no part of a snapshot.
    value = answer.json()
    del value.get("counts", value)["requests"], headers["content-length"]
    return answer.status_code, headers, value


def world_of(seed: int) -> AppDriver:
    app = create_app(Settings(now=NOW, seed=seed))
    return AppDriver(client_of(app, AUTH), "app_law")


@settings(max_examples=examples(100, quick=30))
@given(before=st.lists(acts, max_size=8), after=st.lists(acts, min_size=1, max_size=8), elsewhere=st.booleans())
def test_put_back_it_goes_on_as_if_nothing_had_been(before: list[Act], after: list[Act], *, elsewhere: bool) -> None:
    plain, kept, made = world_of(seed=7), world_of(seed=7), list[str]()
    assert live(plain, [*BEGINS, *before], made) == live(kept, [*BEGINS, *before], [])
    document = kept.call("GET", "/snapshot?secrets=true")
    back = world_of(seed=8) if elsewhere else kept
    url = "/_sandbox/apps/app_law/snapshot"
    restored = back.client.put(url, content=document.content, headers={"Content-Type": "application/json"})
    assert restored.status_code == 200, restored.text
    rest = [*after, *ALL_THAT_SHOWS]
    assert live(back, rest, list(made)) == live(plain, rest, made)
    assert back.call("GET", "/snapshot").content == plain.call("GET", "/snapshot").content
