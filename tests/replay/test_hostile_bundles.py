"""A bundle is a file from somebody else: whatever is in it, it calls nobody, takes little, is refused in one line."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.cli.replay import settings_of
from sandbox.options import SettingsError
from sandbox.replay.bundle import BundleError, load_bundle
from sandbox.replay.run import Replay
from sandbox.replay.transport import Address
from tests.replay.replaying import bundle, part, refusal_of, refused, replay, stored
from tests.support.app_driver import AppDriver
from tests.support.processes import Server, http_client, measured, run, serving

MEMBERS = ("bundle.json", "baseline.json", "steps.json")
Members = dict[str, Any]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with serving("--quiet", "--seed", "5") as server:
        yield server


@pytest.fixture(scope="module")
def good(running: Server) -> Members:
    """The members of a bundle with requests of all kinds and control calls."""
    with http_client(running) as client:
        driver = AppDriver(client, "app_good")
        driver.fault("status", status=503, skip=5)
        one = driver.api.created(title="Mine", metadata={"a": [1, None, True]})
        driver.api.send(one, "Hello", stream=True)
        driver.freeze(1_790_000_000)
        driver.set(titles="after_first_exchange")
        driver.client.post(driver.api.url(one), content=b'{"message": {\xff', headers={"Content-Type": "text/plain"})
        driver.call("DELETE", "/clock")
        content = bundle(driver)
    return {name: part(content, name) for name in MEMBERS}


def packed(members: Members, **options: Any) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", **{"compression": ZIP_DEFLATED, **options}) as archive:
        for name, value in members.items():
            archive.writestr(name, value if isinstance(value, bytes) else json.dumps(value))
    return out.getvalue()


def with_step(members: Members, **changes: Any) -> Members:
    """Return a bundle whose first control call, or request where a target is given, is another."""
    changed = copy.deepcopy(members)
    kind = "request" if "target" in changes or "headers" in changes else "control"
    next(step for step in changed["steps.json"] if step["kind"] == kind).update(changes)
    return changed


def test_the_good_one_is_good(good: Members, tmp_path: Path) -> None:
    assert replay(packed(good), tmp_path).code == 0


# It calls nobody


def test_no_webhook_is_set_whatever_the_bundle_says(good: Members, tmp_path: Path) -> None:
    hook = {"url": "http://127.0.0.1:9/", "secret": None, "events": ["chat.created"]}
    hooks = {"webhooks": [hook], "webhook_lab": "duplicate"}
    changed = with_step(good, method="PATCH", path="/_sandbox/apps/app_good", body=hooks)
    changed["baseline.json"]["settings"].update(hooks)
    with serving("replay", str(stored(packed(changed), tmp_path)), "--keep-serving", command=()) as server:
        assert server.process.stdout is not None
        assert "3 requests" in "".join(server.process.stdout.readline() for _ in range(len(good["steps.json"]) + 1))
        with http_client(server) as client:
            kept = AppDriver(client, "app_good").settings
            assert (kept["webhooks"], kept["webhook_lab"]) == ([], "none")
            assert client.get("/_sandbox/webhooks").json()["data"] == []


APP = "/_sandbox/apps/app_good"
STRANGE_STEPS: list[dict[str, Any]] = [
    {"method": "POST", "path": f"{APP}/webhooks/send", "body": {"type": "chat.created"}},
    {"method": "PUT", "path": f"{APP}/snapshot"},
    {"method": "DELETE", "path": APP},
    {"method": "POST", "path": "/_sandbox/reset"},
    {"method": "PATCH", "path": "/_sandbox/apps/app_other"},
    {"method": "PATCH", "path": "/_sandbox/apps/app_good/../app_other"},
    {"method": "DELETE", "path": f"{APP}/faults/.."},
    {"method": "DELETE", "path": f"{APP}/faults?x=1"},
    {"method": "DELETE", "path": f"{APP}/faults HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"method": "PATCH", "path": f"http://127.0.0.1:8010{APP}"},
    {"method": "PATCH", "path": f"//127.0.0.1:8010{APP}"},
    {"method": "PATCH\r\nX: y", "path": APP},
    {"target": "http://127.0.0.1:8010/v1/apps/app_good/config"},
    {"target": "//127.0.0.1:8010/v1/apps/app_good/config"},
    {"target": "/_sandbox/reset"},
    {"target": "/v1/apps/app_good/../../../_sandbox/reset"},
    {"target": "/v1/apps/app_good/%2e%2e/%2E./_sandbox/reset"},
    {"target": "/v1/apps/app_other/config"},
    {"target": "/v1/apps/app_good/config HTTP/1.1\r\nX: y\r\n\r\n"},
    {"target": "v1/apps/app_good/config"},
    {"target": "*"},
    {"target": "/v1/apps/app_good/config", "method": "GET /_sandbox/reset HTTP/1.1\r\n\r\nGET"},
    {"headers": [["X-One", "1\r\nX-Two: 2"]]},
    {"headers": [["X-One: 1\r\nX-Two", "2"]]},
]


def test_no_step_leaves_the_api_and_what_can_be_repeated(good: Members, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    for changes in STRANGE_STEPS:
        file.write_bytes(packed(with_step(good, **changes)))
        with pytest.raises(BundleError, match=r"steps\["):
            load_bundle(file)
    assert "is no request of the API" in refused(packed(with_step(good, target="/_sandbox/reset")), tmp_path)


@pytest.mark.parametrize("target", ["/apps/app_good/config", "//v1/apps/app_good", "/api/v1/apps/app%5Fgood/nothing?x"])
def test_a_request_that_missed_the_base_path_is_the_app_s_too(good: Members, tmp_path: Path, target: str) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(packed(with_step(good, target=target)))
    assert load_bundle(file).steps


# It takes little


def bombs(good: Members) -> dict[str, bytes]:
    """Return files that are small and would take much, by what is wrong with them."""
    spaces, many = b" " * (65 * 1024**2), b"[" + b"{}," * 3_000_000 + b"{}]"
    half = b"[" + b" " * (50 * 1024**2) + b"]"
    large = packed({**good, "steps.json": spaces})
    return {
        "at most 67,108,864": large,
        "at most 134,217,728": packed(dict.fromkeys(MEMBERS, half)),
        "lists and objects": packed({**good, "steps.json": many}),
        "nested too deeply": packed({**good, "steps.json": b"[" * 101 + b"]" * 101}),
        "too deeply": packed({**good, "steps.json": b"[" * 900_000}),
        "too many members": packed({**good, **{f"extra{number}": b"" for number in range(2_000)}}),
        "packed in a way": packed({**good, "steps.json": spaces[: 1024**2]}, compression=ZIP_LZMA),
        "damaged": lying(large),
    }


def lying(content: bytes) -> bytes:
    """Return a zip file that says of a large member that it is small."""
    return content.replace(struct.pack("<I", 65 * 1024**2), struct.pack("<I", 1_000))


REPLAY_EACH = "import sys; from sandbox.cli import main; print([main(['replay', path]) for path in sys.argv[1:]])"


def test_a_small_file_that_unfolds_is_refused_before_it_does(good: Members, tmp_path: Path) -> None:
    found = bombs(good)
    files = [tmp_path / f"bomb{number}.zip" for number in range(len(found))]
    for file, content in zip(files, found.values(), strict=True):
        assert len(content) < 300_000
        file.write_bytes(content)
    done = measured(*map(str, files), folder=tmp_path, program=("-c", REPLAY_EACH))
    assert (done.code, done.out) == (0, f"{[2] * len(files)}\n")
    refusals = done.err.splitlines()
    assert [said for said, refusal in zip(found, refusals, strict=True) if said not in refusal] == []
    assert done.megabytes < 300


# It is refused in one line


def test_what_it_says_can_command_no_terminal_and_no_runner(good: Members, tmp_path: Path) -> None:
    evil = "\x1b[2J\x9b\u202e\u2028\n::error::owned\r ::x ##[error]owned"
    lost = {**good["bundle.json"], "complete": False, "lost": [evil, {"a": evil}] * 5}
    said = refused(packed({**good, "bundle.json": lost}), tmp_path)
    said += refused(packed(with_step(good, target=f"/{evil}")), tmp_path)
    done = replay(packed(with_step(good, target="/v1/apps/app_good/\u202e\x85##[error]")), tmp_path)
    assert done.code == 1
    said += "".join(done.steps)
    assert "owned" in said
    assert said.replace("\n", "").isprintable()
    assert " ::" not in said
    assert "##[" not in said


def test_every_unreadable_file_is_refused_in_one_line(good: Members, tmp_path: Path) -> None:
    content = packed(good)
    encrypted = bytearray(content)
    for signature, place in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        at = content.index(signature)
        encrypted[at + place] |= 1
    refused(bytes(encrypted), tmp_path)
    refused(packed({**good, "bundle.json": {**good["bundle.json"], "origin": {"seed": "1" * 5_000}}}), tmp_path)
    refused(packed({**good, "bundle.json": {**good["bundle.json"], "server": {"cors_origin": 5}}}), tmp_path)
    refused(packed({**good, "bundle.json": {**good["bundle.json"], "app_id": "../x"}}), tmp_path)
    refused(content + b"\0" * 100, tmp_path)
    for path in (tmp_path, tmp_path / "missing\n::error::.zip", Path("/dev/zero")):
        refusal_of(path)


def test_a_first_state_that_no_server_takes_is_refused_in_one_line(good: Members, tmp_path: Path) -> None:
    done = run("replay", str(stored(packed({**good, "baseline.json": {"settings": []}}), tmp_path)))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in pairs:
        yield from places(child, (*path, name))


def at_place(value: Any, path: tuple[Any, ...], put: Callable[[Any], Any]) -> Any:
    if not path:
        return put(value)
    changed = copy.copy(value)
    changed[path[0]] = at_place(value[path[0]], path[1:], put)
    return changed


STRANGE: list[Any] = [
    None, True, 0, -1, 10**18, 10**30, 1.5, 1e308, "", "x", "\x00", "\r\n", "..", "é" * 999, "1" * 5_000, [], [[]], {},
    {"text": 5}, [["a", 1]], "9" * 400, {"base64": "?"}, "-7", "::error::",
]  # fmt: skip


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_bundle_is_replayed_or_refused(
    running: Server, good: Members, tmp_path: Path, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(["value", "value", "value", "gone", "twice", "bits", "cut"]))
    spots = [spot for spot in places(good) if spot]
    spot = data.draw(st.sampled_from(spots))
    if kind == "value":
        members = at_place(good, spot, lambda _: data.draw(st.sampled_from(STRANGE)))
        content = packed(members)
    elif kind == "gone":
        content = packed(at_place(good, spot[:-1], lambda of: without(of, spot[-1])))
    elif kind == "twice":
        content = packed(at_place(good, spot[:-1], lambda of: [*of, *of] if isinstance(of, list) else {"x": of}))
    else:
        raw = bytearray(packed(good))
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] ^= 1 << data.draw(st.integers(0, 7))
        content = bytes(raw if kind == "bits" else raw[:place])
    done_again(content, running, tmp_path / "bundle.zip")


def without(of: Any, name: Any) -> Any:
    if isinstance(of, dict):
        return {known: value for known, value in of.items() if known != name}
    return [value for number, value in enumerate(of) if number != name]


def done_again(content: bytes, server: Server, file: Path) -> None:
    """Do what the command does; whatever else is raised than what it says in one line fails the test."""
    file.write_bytes(content)
    host, port = server.url.removeprefix("http://").split(":")
    lines = list[str]()
    try:
        bundle = load_bundle(file)
        settings_of(bundle, 0)
        Replay(bundle, Address(host, int(port)), lines.append).run()
    except (BundleError, SettingsError):
        return
    assert all(line.isprintable() for line in lines)
