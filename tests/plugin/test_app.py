"""What `dimedove_app` can do, against a real server: break, script, look at and set one app."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from pytest_dimedove import Dimedove, DimedoveApp, DimedoveError, Times
from tests.plugin.client import Client
from tests.support.processes import serving

CREATE = "apps_api_create_conversation"
CONFIG = "apps_api_get_app_config"


def test_a_fault_acts_on_the_next_request(app: DimedoveApp, client: Client) -> None:
    app.fault("status", status=503)
    assert [client.send("GET", "/config")[0] for _ in range(2)] == [503, 200]


@pytest.mark.parametrize(
    ("fields", "statuses"),
    [
        # as often as it says
        ({"times": 2}, [503, 503, 200, 200]),
        # until it is taken back
        ({"times": None}, [503, 503, 503, 503]),
        # some pass first
        ({"skip": 2}, [200, 200, 503, 200]),
        # on this operation alone
        ({"operation": "apps_api_get_app_metrics"}, [200, 200, 200, 200]),
        ({"operation": CONFIG}, [503, 200, 200, 200]),
        # a lot that never wins
        ({"probability": 0}, [200, 200, 200, 200]),
    ],
)
def test_a_fault_says_when_it_acts(
    fields: dict[str, Any], statuses: list[int], app: DimedoveApp, client: Client
) -> None:
    app.fault("status", status=503, **fields)
    assert [client.send("GET", "/config")[0] for _ in statuses] == statuses


def test_a_fault_that_has_acted_waits_no_more(app: DimedoveApp, client: Client) -> None:
    app.fault("status", status=503)
    client.send("GET", "/config")
    assert app.faults() == []


def test_a_fault_that_waits_is_shown_and_can_be_taken_back(app: DimedoveApp, client: Client) -> None:
    queued = app.fault("latency", ms=60_000, times=None)
    assert [fault["id"] for fault in app.faults()] == [queued["id"]]
    app.clear_faults()
    assert client.send("GET", "/config")[0] == 200


def test_a_request_is_held_until_it_is_released(app: DimedoveApp, client: Client) -> None:
    fault = app.fault("latency", until="released")
    with ThreadPoolExecutor() as pool:
        held = pool.submit(client.send, "GET", "/config")
        while app.faults():
            pass
        app.release(fault)
        assert held.result()[0] == 200
    with pytest.raises(DimedoveError, match="holds a request"):
        app.release(fault["id"])


def test_a_fault_that_does_not_exist_is_refused_with_the_reason(app: DimedoveApp) -> None:
    with pytest.raises(DimedoveError, match=r"/faults: .*kind: expected .*got \"statsu\""):
        app.fault("statsu")


def test_a_text_is_what_the_agent_says(app: DimedoveApp, client: Client) -> None:
    app.reply("C’est fait.")
    assert client.say("Ajoutez ma fille.") == [message("C’est fait.")]


def test_a_reply_can_be_more_than_a_text(app: DimedoveApp, client: Client) -> None:
    app.reply({"type": "function_call", "name": "book", "arguments": {"day": "Tuesday"}}, "Booked.")
    call, output = client.say("Book me in.")
    assert (call["name"], call["arguments"], output) == ("book", '{"day":"Tuesday"}', message("Booked."))


def test_a_reply_waits_for_its_word(app: DimedoveApp, client: Client) -> None:
    app.reply("Here is your quote.", contains=["quote", "soumission"], times=None)
    assert client.say("[[echo]] hello") == [message("hello")]
    assert client.say("A QUOTE please") == client.say("Une soumission") == [message("Here is your quote.")]


def test_a_reply_that_waits_is_shown_and_can_be_taken_back(app: DimedoveApp, client: Client) -> None:
    queued = app.reply("No.", times=None)
    assert [reply["id"] for reply in app.replies()] == [queued["id"]]
    app.clear_replies()
    assert client.say("[[echo]] hello") == [message("hello")]


def test_requests_come_in_the_order_in_which_they_were_sent(app: DimedoveApp, client: Client) -> None:
    client.create(title="first")
    client.send("GET", "/config")
    client.create(title="second")
    assert [entry["operation"] for entry in app.requests()] == [CREATE, CONFIG, CREATE]
    assert [entry["body"] for entry in app.requests(CREATE)] == [{"title": "first"}, {"title": "second"}]


def test_requests_are_chosen_by_the_status_of_their_answer(app: DimedoveApp, client: Client) -> None:
    app.fault("after", status=500)
    client.create(title="lost")
    client.create(title="kept")
    [lost] = app.requests(CREATE, status=500)
    assert (lost["body"], lost["fault"], lost["ended"]) == ({"title": "lost"}, "after", "complete")


def test_requests_beyond_a_page_are_there_as_well(app: DimedoveApp, client: Client) -> None:
    for number in range(201):
        client.send("GET", f"/conversations?limit={number % 100 + 1}")
    assert [entry["query"] for entry in app.requests()] == [f"limit={number % 100 + 1}" for number in range(201)]


@pytest.mark.parametrize("kind", ["status", "after", "malformed", "wrong_type", "truncate", "reset"])
def test_a_body_is_kept_whatever_became_of_its_answer(kind: str, app: DimedoveApp, client: Client) -> None:
    fields: Any = {"status": 503} if kind in ("status", "after") else {}
    app.fault(kind, **fields)
    with suppress(OSError, HTTPException, ValueError):
        client.create(title="Kept")
    assert [entry["body"] for entry in app.requests()] == [{"title": "Kept"}]


def test_a_body_is_kept_where_it_was_refused_unread(app: DimedoveApp, client: Client) -> None:
    app.settings(status="inactive")
    assert client.send("POST", "/conversations", {"title": "Kept"})[0] == 403
    assert [entry["body"] for entry in app.requests()] == [{"title": "Kept"}]


@pytest.mark.parametrize("times", [2, {"min": 2}, {"max": 2}, {"min": 1, "max": 3}, None])
def test_verify_counts_the_requests_that_fit(times: int | Times | None, app: DimedoveApp, client: Client) -> None:
    for title in ("one", "two", "two"):
        client.create(title=title, metadata={"first_name": "Zoé", "plan": "term"})
    bounds: dict[str, Any] = {} if times is None else {"times": times}
    assert app.verify(CREATE, status=200, body={"title": "two", "metadata": {"plan": "term"}}, **bounds) == 2


def test_verify_shows_the_nearest_miss_field_by_field(app: DimedoveApp, client: Client) -> None:
    client.send("GET", "/config")
    client.create(title="Support", metadata={"first_name": "Zoé"})
    with pytest.raises(AssertionError) as caught:
        app.verify(CREATE, body={"title": "Soutien", "metadata": {"plan": "term"}}, headers={"Accept": "*/*"}, times=2)
    assert str(caught.value).splitlines() == [
        "expected exactly 2 matching requests, got 0:",
        f'    app_id: "{app.app_id}"',
        f'    operation: "{CREATE}"',
        '    headers: {"Accept": "*/*"}',
        '    body: {"title": "Soutien", "metadata": {"plan": "term"}}',
        "the closest request: POST   …/conversations  200",
        '    body.title: expected "Soutien", got "Support"',
        '    body.metadata.plan: expected "term", got nothing',
        '    headers.accept: expected "*/*", got nothing',
    ]


@pytest.mark.parametrize(
    ("times", "output"),
    [
        (0, "expected exactly 0 matching requests, got 2:"),
        (1, "expected exactly 1 matching requests, got 2:"),
        ({"max": 1}, "expected from 0 to 1 matching requests, got 2:"),
        ({"min": 3}, "expected at least 3 matching requests, got 2:"),
        ({"min": 3, "max": 4}, "expected from 3 to 4 matching requests, got 2:"),
    ],
)
def test_verify_says_how_many_there_should_have_been(
    times: int | Times, output: str, app: DimedoveApp, client: Client
) -> None:
    client.create()
    client.create()
    with pytest.raises(AssertionError) as caught:
        app.verify(CREATE, times=times)
    assert str(caught.value).splitlines()[0] == output


def test_a_scenario_is_put_on_and_taken_off(app: DimedoveApp, client: Client) -> None:
    assert app.scenario("outage")["scenario"] == "outage"
    assert client.send("GET", "/config")[0] == 503
    assert app.scenario(None)["scenario"] is None
    assert client.send("GET", "/config")[0] == 200
    with pytest.raises(DimedoveError, match="did you mean `outage`"):
        app.scenario("outtage")


def test_verify_waits_for_what_is_still_to_come(app: DimedoveApp, client: Client) -> None:
    app.fault("latency", ms=20)
    with ThreadPoolExecutor() as pool:
        pool.submit(client.create, title="later")
        assert app.verify(CREATE, status=200, body={"title": {"$match": "^l"}}, within_ms=60_000) == 1
    with pytest.raises(AssertionError, match="expected at least 1 matching requests within 1 ms, got 0:"):
        app.verify(CREATE, body={"title": {"$absent": True}}, within_ms=1)


def test_verify_says_when_it_can_not_know() -> None:
    class Forgetful(Dimedove):
        def control(self, *_: Any, **__: Any) -> Any:
            return {"verified": None, "count": 2, "evicted": 340, "closest": None}

    with pytest.raises(AssertionError, match="340 entries that could match are no longer in the journal"):
        Forgetful("http://127.0.0.1").app("app_busy").verify(CREATE, times=3)


def test_the_clock_stops_moves_and_goes_on(app: DimedoveApp, client: Client) -> None:
    assert app.clock.freeze(datetime(2030, 1, 1, tzinfo=UTC)) == app.clock.now() == 1_893_456_000
    assert app.clock.advance(3_600) == client.create()["created_at"] == 1_893_459_600
    app.clock.reset()
    assert app.clock.now() < 1_893_456_000


def test_a_clock_can_be_stopped_where_it_is(app: DimedoveApp) -> None:
    before = app.clock.now()
    assert app.clock.freeze() == before


def test_a_rate_limit_ends_when_the_clock_says_so(app: DimedoveApp, client: Client) -> None:
    app.settings(rate_limit={"per_minute": 1})
    app.clock.freeze()
    statuses = [client.send("POST", "/completions", {"prompt": "Hi"})[0] for _ in range(2)]
    app.clock.advance(60)
    assert [*statuses, client.send("POST", "/completions", {"prompt": "Hi"})[0]] == [200, 429, 200]


def test_settings_are_changed_and_shown(app: DimedoveApp, client: Client) -> None:
    assert app.settings(agent={"name": "Léa"}, framing="crlf")["framing"] == "crlf"
    assert client.send("GET", "/config")[1]["agent"]["name"] == "Léa"
    assert app.settings()["framing"] == "crlf"


def test_a_setting_is_given_back_by_none(app: DimedoveApp) -> None:
    app.settings(framing="crlf")
    assert app.settings(framing=None)["framing"] == "plain"


def test_an_app_is_filled(app: DimedoveApp, client: Client) -> None:
    counts = app.populate(30, messages=4, users=3)
    assert (counts["conversations"], counts["messages"], counts["users"]) == (30, 120, 3)
    assert client.send("GET", "/metrics")[1]["total_messages"] == 120


def test_a_deleted_app_starts_afresh(app: DimedoveApp, client: Client) -> None:
    first = client.create()
    app.delete()
    assert client.create() == first
    assert len(app.requests()) == 1


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
def test_an_address_may_be_that_of_the_api(ending: str) -> None:
    server = Dimedove("http://127.0.0.1:8010" + ending)
    assert (server.url, server.base_url) == ("http://127.0.0.1:8010", "http://127.0.0.1:8010/v1")


def test_a_server_that_asks_for_a_token_gets_it(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("open sesame", encoding="utf-8")
    with serving("--quiet", "--control-token", str(token)) as server:
        assert Dimedove(server.url, token="open sesame").app("app_token").faults() == []
        with pytest.raises(DimedoveError, match="token"):
            Dimedove(server.url).app("app_token").faults()


def test_nobody_there_is_said_so() -> None:
    with pytest.raises(DimedoveError, match=r"GET http://127\.0\.0\.1:1/_sandbox/health: no response"):
        Dimedove("http://127.0.0.1:1").control("GET", "/health")


def message(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "text", "text": text}]}
