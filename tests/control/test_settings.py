"""Settings of an app: merged, given back, refused whole; from the config file, at start and while it runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sandbox.agent.businesses import NAMES
from tests.control.conftest import MakeDriver
from tests.support.app_driver import AppDriver, message_to
from tests.support.constants import NOW
from tests.support.errors import assert_error
from tests.support.processes import Server, http_client, serving
from tests.support.raw_connection import open_connection

TOOL = {"name": "book_appointment", "kind": "mapping", "when": ["book"], "arguments": {"date": "2026-03-03"}}
# One other value than the default for each setting.
OTHER: dict[str, Any] = {
    "status": "inactive",
    "stream": True,
    "generative_ui": True,
    "titles": "after_first_exchange",
    "branding": False,
    "agent": {"name": "Léa", "primary_color": "#123abc", "secondary_color": "#000000"},
    "tools": [TOOL, {"name": "open_camera", "kind": "client", "when": []}],
    "keys": ["sk_…pqrs"],
    "rate_limit": {"per_minute": 5, "per_day": 50},
    "pace": {"first_ms": 5, "delta_ms": 6},
    "framing": "crlf",
    "webhooks": [{"url": "http://127.0.0.1:9/", "secret": "whsec_…7046", "events": ["chat.ended"], "enabled": False}],
    "webhook_lab": "tamper",
}
GIVEN: dict[str, Any] = {
    **OTHER,
    "keys": ["sk_test_abcdpqrs"],
    "webhooks": [{**OTHER["webhooks"][0], "secret": "whsec_5f2d1c9ab3e87046"}],
}


@pytest.mark.parametrize("name", OTHER)
def test_a_setting_is_changed_and_null_gives_its_default_back(driver: AppDriver, name: str) -> None:
    before = driver.settings
    changed = driver.set(**{name: GIVEN[name]})
    assert changed.json()["settings"] == {**before, name: OTHER[name]} == driver.settings
    assert driver.set(**{name: None}).json()["settings"] == before == driver.settings


def test_the_defaults(driver: AppDriver) -> None:
    settings = driver.settings
    look, tools = settings.pop("agent"), settings.pop("tools")
    assert settings == {
        "status": "live",
        "stream": False,
        "generative_ui": False,
        "titles": "at_creation",
        "business": settings["business"],
        "agent_profile": None,
        "branding": True,
        "keys": None,
        "rate_limit": None,
        "pace": {"first_ms": 0, "delta_ms": 0},
        "framing": "plain",
        "webhooks": [],
        "webhook_lab": "none",
    }
    assert settings["business"] in NAMES
    assert look["name"]
    assert {tool["kind"] for tool in tools} == {"mapping", "client"}


def test_the_demo_streams_with_forms_and_a_pace(sandbox: httpx2.Client) -> None:
    settings = AppDriver(sandbox, "app_demo").settings
    assert (settings["stream"], settings["generative_ui"]) == (True, True)
    assert settings["pace"] == {"first_ms": 350, "delta_ms": 25}


def test_without_branding_the_config_has_neither_name_nor_colours(driver: AppDriver) -> None:
    dressed = driver.api.config().json()["agent"]
    driver.set(branding=False, agent={"name": "Léa"})
    bare = {"name": None, "config": {"primary_color": None, "secondary_color": None}}
    assert driver.api.config().json()["agent"] == bare
    assert "Léa" in driver.api.send(driver.api.created(), "Who are you?").text
    driver.set(branding=True, agent=None)
    assert driver.api.config().json()["agent"] == dressed


# Merging, as RFC 7396 says. Each row: what is set one after the other, and one setting that comes of it.
MERGES: list[tuple[list[dict[str, Any]], str, Any]] = [
    # what is left out stays
    ([{"stream": True}, {"titles": "after_first_exchange"}], "stream", True),
    ([{"stream": True}, {}], "stream", True),
    # an object is merged field by field
    ([{"pace": {"first_ms": 5}}, {"pace": {"delta_ms": 6}}], "pace", {"first_ms": 5, "delta_ms": 6}),
    ([{"pace": {"first_ms": 5, "delta_ms": 6}}, {"pace": {"first_ms": None}}], "pace", {"first_ms": 0, "delta_ms": 6}),
    ([{"pace": {"first_ms": 5}}, {"pace": None}], "pace", {"first_ms": 0, "delta_ms": 0}),
    (
        [{"rate_limit": {"per_day": 5}}, {"rate_limit": {"per_minute": 1}}],
        "rate_limit",
        {"per_minute": 1, "per_day": 5},
    ),
    (
        [{"rate_limit": {"per_day": 5}}, {"rate_limit": {"per_day": None}}],
        "rate_limit",
        {"per_minute": None, "per_day": None},
    ),
    # a list is replaced
    ([{"keys": ["sk_test_aaaa1111", "sk_test_bbbb2222"]}, {"keys": ["sk_test_cccc3333"]}], "keys", ["sk_…3333"]),
    ([{"keys": ["sk_test_aaaa1111"]}, {"keys": []}], "keys", []),
    ([{"tools": [TOOL]}, {"tools": []}], "tools", []),
    # in a list null isn't a wish
    (
        [{"tools": [TOOL]}, {"tools": [{"name": "x", "kind": "client", "when": ["y"]}]}],
        "tools",
        [{"name": "x", "kind": "client", "when": ["y"]}],
    ),
]


@pytest.mark.parametrize(("patches", "name", "expected"), MERGES)
def test_changes_are_merged(driver: AppDriver, patches: list[dict[str, Any]], name: str, expected: Any) -> None:
    for patch in patches:
        assert driver.set(**patch).status_code == 200
    assert driver.settings[name] == expected


def test_what_is_declared_is_what_null_gives_back(make_driver: MakeDriver) -> None:
    driver = make_driver(apps={"app_spec": {"stream": True, "rate_limit": {"per_minute": 5}}})
    driver.set(stream=False, rate_limit={"per_minute": 6, "per_day": 7})
    assert (driver.settings["stream"], driver.settings["rate_limit"]) == (False, {"per_minute": 6, "per_day": 7})
    driver.set(stream=None, rate_limit=None)
    assert (driver.settings["stream"], driver.settings["rate_limit"]) == (True, {"per_minute": 5, "per_day": None})


# Each row: a change that can't be, and the place that is named.
WRONG: list[tuple[Any, str | None]] = [
    ({"streams": True}, "streams"),
    ({"stream": "yes"}, "stream"),
    ({"stream": 1}, "stream"),
    ({"status": "dead"}, "status"),
    ({"titles": ""}, "titles"),
    ({"agent": {"nam": "x"}}, "agent.nam"),
    ({"agent": {"name": ""}}, "agent.name"),
    ({"agent": {"primary_color": "red"}}, "agent.primary_color"),
    ({"tools": [TOOL, {"name": "X", "kind": "client"}]}, "tools[1].name"),
    ({"tools": [{"name": "x"}]}, "tools[0].kind"),
    ({"tools": [{"name": "x", "kind": "client", "why": 1}]}, "tools[0].why"),
    ({"keys": ["sk_test_a", "pk_test_a"]}, "keys[1]"),
    ({"keys": "sk_test_a"}, "keys"),
    ({"rate_limit": {"per_minute": -1}}, "rate_limit.per_minute"),
    ({"rate_limit": {"per_hour": 1}}, "rate_limit.per_hour"),
    ({"pace": {"first_ms": 600_001}}, "pace.first_ms"),
    ({"pace": {"delta_ms": 1.5}}, "pace.delta_ms"),
    ({"framing": "odd"}, "framing"),
    ({"framing": []}, "framing"),
    ({"framing": ["crlf", "plain"]}, "framing[1]"),
    ({"framing": ["crlf", "crlf"]}, "framing"),
    ([], None),
    ("stream", None),
]


@pytest.mark.parametrize(("patch", "param"), WRONG)
def test_a_wrong_change_is_refused_by_place_and_changes_nothing(
    driver: AppDriver, patch: Any, param: str | None
) -> None:
    driver.set(agent={"name": "Léa"}, pace={"first_ms": 1})
    before = driver.shown
    good = {"titles": "after_first_exchange", "generative_ui": True}
    body = {**good, **patch} if isinstance(patch, dict) else patch
    assert_error(driver.call("PATCH", body=body), 422, "invalid_request_error", param=param)
    assert driver.shown == before


@pytest.mark.parametrize("content", [b"", b"{", b'{"stream": NaN}', b"\xff"])
def test_what_is_no_json_is_refused(driver: AppDriver, content: bytes) -> None:
    url = f"/_sandbox/apps/{driver.app_id}"
    answer = driver.client.patch(url, content=content, headers={"Content-Type": "application/json"})
    assert_error(answer, 422, "invalid_request_error", code="invalid_json")


def test_a_body_has_a_limit(driver: AppDriver) -> None:
    assert_error(driver.set(agent={"name": "x" * 1_100_000}), 413, "payload_too_large")


# They take effect, for new requests.


@pytest.mark.parametrize(("status", "kind"), [("inactive", "app_inactive"), ("no_agent", "agent_unavailable")])
def test_an_app_can_be_disabled_and_enabled(driver: AppDriver, status: str, kind: str) -> None:
    driver.set(status=status)
    assert_error(driver.api.config(), 403, kind)
    driver.set(status=None)
    assert driver.api.config().status_code == 200


def test_keys_shut_out_every_other_key(driver: AppDriver) -> None:
    driver.set(keys=["sk_test_the_only_one"])
    assert_error(driver.api.config(), 403, "access_denied")
    url = f"/v1/apps/{driver.app_id}/config"
    assert driver.client.get(url, headers={"Authorization": "Bearer sk_test_the_only_one"}).status_code == 200


def test_the_agents_look_is_in_the_config(driver: AppDriver) -> None:
    driver.set(agent={"name": "Léa", "primary_color": "#ABCDEF"})
    agent = driver.api.config().json()["agent"]
    assert (agent["name"], agent["config"]["primary_color"]) == ("Léa", "#ABCDEF")
    assert agent["config"]["secondary_color"] == driver.settings["agent"]["secondary_color"]


def test_the_agent_calls_the_tools_that_it_has(driver: AppDriver) -> None:
    driver.set(tools=[{"name": "find_boat", "kind": "mapping", "when": ["boat"], "arguments": {"length": 5}}])
    output = driver.api.send(driver.api.created(), "a boat, please").json()["output"]
    assert [item["name"] for item in output if item["type"] == "function_call"] == ["find_boat"]


def test_a_changed_limit_begins_a_new_window(driver: AppDriver) -> None:
    driver.set(rate_limit={"per_minute": 1})
    driver.api.complete("Hello")
    driver.set(stream=True)
    assert driver.api.complete("Hello").status_code == 429
    driver.set(rate_limit={"per_minute": 2})
    assert [driver.api.complete("Hello").status_code for _ in range(3)] == [200, 200, 429]


# The config file

FILE = """
port = 8010
[apps.app_support]
generative_ui = true
keys = ["sk_test_support"]
rate_limit = { per_minute = 60 }
agent = { name = "Léa" }
"""


def test_the_config_file_declares_apps(tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text(FILE, encoding="utf-8")
    with serving("--config", str(config), "--quiet") as server, http_client(server) as client:
        settings = AppDriver(client, "app_support").settings
    assert (settings["generative_ui"], settings["keys"], settings["agent"]["name"]) == (True, ["sk_…port"], "Léa")
    assert settings["rate_limit"] == {"per_minute": 60, "per_day": None}


@pytest.mark.one_process
def test_a_changed_file_is_taken_and_a_wrong_one_changes_nothing(tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text("[apps.app_a]\nstream = true\n", encoding="utf-8")
    with serving("--config", str(config), "--reload") as server:
        said = server.process.stdout
        assert said
        with http_client(server) as client:
            driver, other = AppDriver(client, "app_a"), AppDriver(client, "app_b")
            conversation = driver.api.created(title="kept")
            driver.set(titles="after_first_exchange")

            rewrite(config, "[apps.app_a]\nstream = false\n[apps.app_b]\nstatus = 'inactive'\n")
            assert_said(said, "sandbox.toml: taken")
            assert (driver.settings["stream"], driver.settings["titles"]) == (False, "after_first_exchange")
            assert other.settings["status"] == "inactive"
            assert driver.api.get(conversation).json()["title"] == "kept"

            rewrite(config, "[apps.app_a]\nstream = 'sometimes'\n")
            assert "apps.app_a: stream" in assert_said(said, "stay as they were")
            rewrite(config, "[apps.app_a\n")
            assert "not valid TOML" in assert_said(said, "stay as they were")
            assert (driver.settings["stream"], other.settings["status"]) == (False, "inactive")

            rewrite(config, "[apps.app_a]\nstream = true\n")
            assert_said(said, "sandbox.toml: taken")
            assert (driver.settings["stream"], other.settings["status"]) == (True, "live")


@pytest.mark.one_process
def test_a_link_that_is_turned_to_another_file_is_a_change(tmp_path: Path) -> None:
    """So Kubernetes changes a ConfigMap: `sandbox.toml` leads through `..data`, which is replaced in one go."""
    for name, streams in (("..old", "true "), ("..new", "false")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sandbox.toml").write_text(f"[apps.app_a]\nstream = {streams}\n", encoding="utf-8")
        os.utime(tmp_path / name / "sandbox.toml", (NOW, NOW))
    (tmp_path / "..data").symlink_to("..old")
    (tmp_path / "sandbox.toml").symlink_to("..data/sandbox.toml")
    with serving("--config", str(tmp_path / "sandbox.toml"), "--reload") as server, http_client(server) as client:
        assert AppDriver(client, "app_a").settings["stream"] is True
        (tmp_path / "..next").symlink_to("..new")
        (tmp_path / "..next").replace(tmp_path / "..data")
        assert_said(server.process.stdout, "sandbox.toml: taken")
        assert AppDriver(client, "app_a").settings["stream"] is False


def test_a_file_that_cannot_be_read_never_ends_the_server(tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text("[apps.app_a]\nstream = true\n", encoding="utf-8")
    tool = "[[apps.app_a.tools]]\nname = 'x'\nkind = 'mapping'\narguments = {{x = {}}}\n"
    bad = ["seed = " + "1" * 5_000, "seed = " + "[" * 5_000 + "]" * 5_000, tool.format("nan"), tool.format("-inf")]
    with serving("--config", str(config), "--reload") as server, http_client(server) as client:
        for text in bad:
            rewrite(config, text)
            assert len(assert_said(server.process.stdout, "stay as they were")) < 300
        assert AppDriver(client, "app_a").settings["stream"] is True


def rewrite(config: Path, text: str) -> None:
    """Put another file in its place, as editors do: at no time is it half written."""
    new = config.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(config)


def assert_said(lines: Any, words: str) -> str:
    """Read what the server says up to a line with these words; return it."""
    for line in lines:
        if words in line:
            return str(line)
    raise AssertionError(f"the server ended without {words!r}")


def test_a_list_of_equal_items_is_told_that_they_should_differ(driver: AppDriver) -> None:
    answer = driver.call("PATCH", "", {"framing": ["crlf", "crlf"]})
    assert answer.json()["error"]["message"] == 'framing: expected items that all differ, got ["crlf","crlf"].'


@pytest.mark.clause("1.5")
def test_what_is_set_while_a_body_is_on_its_way_applies_to_new_requests(driver: AppDriver, server: Server) -> None:
    request = message_to(driver, driver.api.created(), "[[form]]")
    with open_connection(server.url) as connection:
        connection.send(request[:-1])
        while not driver.requests(operation="apps_api_send_message"):
            pass
        driver.set(generative_ui=True, framing="crlf")
        connection.send(request[-1:])
        body = connection.answer().content
        assert (b"response.data_spec" in body, b"\r\n" in body) == (False, False)
        connection.send(request)
        body = connection.answer().content
        assert (b"response.data_spec" in body, b"\r\n" in body) == (True, True)
