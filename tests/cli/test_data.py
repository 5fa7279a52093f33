"""`serve --data FILE`: a restart loses nothing, and the file is whole whatever happens to the server."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import resource
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2 as httpx
import pytest

from sandbox import Settings, create_app
from sandbox.options import SettingsError
from sandbox.persistence.atomic_file import lock_first_byte, open_file
from tests.control.test_snapshots import lived_in, views
from tests.support.app_driver import AppDriver
from tests.support.constants import AUTH, NOW
from tests.support.errors import assert_error
from tests.support.in_process import client_of
from tests.support.processes import Server, assert_runs, end, http_client, run, serving
from tests.support.raw_connection import TIMEOUT
from tests.support.requirements import examples


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.data"


def save(http: httpx.Client) -> httpx.Response:
    return http.post("/_sandbox/save")


def health(http: httpx.Client) -> dict[str, Any]:
    return http.get("/_sandbox/health").json()["data"]  # type: ignore[no-any-return]


@contextmanager
def opened(file: Path) -> Iterator[httpx.Client]:
    """Make a server on a file and give a client of it; with the block it releases the file."""
    app = create_app(Settings(data=str(file), now=NOW))
    assert app.data_file
    try:
        yield client_of(app, AUTH)
    finally:
        app.data_file.close()


def refusal(file: Path, **settings: Any) -> str:
    """Return why a server can't be made on a file; the command says it in one line and ends with 2."""
    with pytest.raises(SettingsError, match=re.escape(str(file))) as caught:
        create_app(Settings(data=str(file), **settings))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_stops_the_start_is_one_line(file: Path) -> None:
    file.mkdir()
    done = run("serve", "--port", "0", "--data", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"dimedove-sandbox: {refusal(file)}\n"


def test_a_restart_loses_nothing(file: Path) -> None:
    """However the server is ended. Each one goes on from what the one before it has saved."""
    apps = ("app_one", "app_two", "app_demo")
    with serving("--data", str(file), "--now", str(NOW), "--quiet") as server, http_client(server) as http:
        before = [views(lived_in(AppDriver(http, app_id))) for app_id in apps]
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with serving("--data", str(file), "--seed", "99", "--quiet") as server, http_client(server) as http:
            drivers = [AppDriver(http, app_id) for app_id in apps]
            assert [views(driver) for driver in drivers] == before
            drivers[0].api.created(title=how.name)
            before = [views(driver) for driver in drivers]
            end(server, how)
    with serving("--data", str(file), "--quiet") as server, http_client(server) as http:
        assert [views(AppDriver(http, app_id)) for app_id in apps] == before


def test_the_config_file_still_says_what_was_never_changed(file: Path, tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    for name in ("Léa", "Zoé"):
        config.write_text(f"[apps.app_one]\nagent = {{name = '{name}'}}\n")
        with serving("--data", str(file), "--config", str(config), "--quiet") as server, http_client(server) as http:
            driver = AppDriver(http, "app_one")
            driver.set(stream=True)
            assert (driver.settings["agent"]["name"], driver.settings["stream"]) == (name, True)


def test_the_file_holds_secrets_and_is_its_owners_alone(file: Path) -> None:
    with opened(file) as http:
        AppDriver(http, "app_one").set(keys=["sk_test_0123456789"])
        assert save(http).json()["apps"] == 1
    assert "sk_test_0123456789" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_stands_where_the_new_file_is_written_is_not_written_through(file: Path) -> None:
    """Who may write into the folder puts it there to read the keys, or to have another file overwritten."""
    beside, victim = file.with_name(".sandbox.data.new"), file.with_name("victim")
    victim.write_text("untouched")
    with opened(file) as http:
        for plant in ("symlink_to", "hardlink_to", "write_bytes"):
            getattr(beside, plant)(victim if plant.endswith("_to") else b"")
            assert save(http).status_code == 200
            assert (victim.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("untouched", 0o600)


def test_a_lock_that_leads_elsewhere_stops_the_start(file: Path) -> None:
    file.with_name(".sandbox.data.lock").symlink_to(file.with_name("victim"))
    assert "symbolic links" in refusal(file)
    assert not file.with_name("victim").exists()


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    file.symlink_to(tmp_path / "elsewhere" / "real.data")
    with opened(file) as http:
        save(http)
    assert file.is_symlink()
    assert (tmp_path / "elsewhere" / "real.data").stat().st_size > 0


def test_without_a_file_there_is_nothing_to_save_into(client: httpx.Client) -> None:
    assert_error(save(client), 409, "invalid_request_error")


def test_it_saves_by_itself_every_so_many_seconds(file: Path) -> None:
    with serving("--data", str(file), "--save-every", "1", "--quiet") as server, http_client(server) as http:
        while health(http)["saved_at"] is None:
            assert_runs(server.process)
    assert file.exists()


def test_other_requests_are_answered_while_it_saves(file: Path) -> None:
    with serving("--data", str(file), "--quiet") as server, http_client(server) as http:
        AppDriver(http, "app_big").call("POST", "/populate", {"conversations": 1_500})
        saving = Thread(target=save, args=(http,))
        saving.start()
        answered = 0
        while saving.is_alive():
            answered += AppDriver(http, "app_other").api.config().status_code == 200
        saving.join()
    assert answered > 1


# What is no good stops the start


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a good file of two apps holds."""
    file = tmp_path_factory.mktemp("saved") / "sandbox.data"
    with opened(file) as http:
        lived_in(AppDriver(http, "app_one"))
        lived_in(AppDriver(http, "app_two"))
        assert save(http).status_code == 200
    return file.read_bytes()


def cut_anywhere(saved: bytes) -> Iterator[bytes]:
    ends = [0, *(place + 1 for place, byte in enumerate(saved) if byte == ord("\n"))]
    yield from (
        saved[:length] for place in ends for length in (place - 1, place, place + 10) if 0 < length < len(saved)
    )


def test_a_file_that_is_cut_stops_the_start(file: Path, saved: bytes) -> None:
    for cut in cut_anywhere(saved):
        file.write_bytes(cut)
        assert refusal(file)
        assert file.read_bytes() == cut


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b'"version":1', b'"version":2', "version 2"),
        (b'"sandbox_data"', b'"something"', "no file that the sandbox saved"),
        (b'"deleted":true', b'"deleted":"yes"', "line 2: snapshot.conversations[1].deleted"),
        (b'"number":3', b'"number":2', "conversations[2].number"),
        (b'"apps":2', b'"apps":3', "line 4"),
        (b'"changes":{', b'"changes":{"status":null,', "changes.status"),
    ],
)
def test_a_file_that_is_wrong_stops_the_start(file: Path, saved: bytes, old: bytes, new: bytes, expected: str) -> None:
    file.write_bytes(saved.replace(old, new))
    assert expected in refusal(file)


def test_a_bit_that_flips_inside_a_text_stops_the_start(file: Path, saved: bytes) -> None:
    """It is valid in every other way."""
    spot = saved.index(b'"text":"') + len(b'"text":"')
    file.write_bytes(saved[:spot] + bytes([saved[spot] ^ 2]) + saved[spot + 1 :])
    assert "checksum" in refusal(file)


def test_a_file_of_before_there_was_a_checksum_is_taken(file: Path, saved: bytes) -> None:
    file.write_bytes(re.sub(rb',"sha256":"\w+"', b"", saved))
    with opened(file) as http:
        assert AppDriver(http, "app_two").counts["conversations"] > 0


def test_an_empty_file_is_nothing_yet(file: Path) -> None:
    file.touch()
    with opened(file) as http:
        assert save(http).status_code == 200


def test_a_folder_a_device_and_a_missing_folder_stop_the_start(file: Path) -> None:
    assert "not a file" in refusal(file.parent)
    assert "not a file" in refusal(Path("/dev/full"))
    assert "No such file or directory" in refusal(file / "nowhere")


def test_more_than_may_be_kept_stops_the_start(file: Path, saved: bytes) -> None:
    file.write_bytes(saved)
    assert "--max-apps" in refusal(file, max_apps=1)
    assert "--max-bytes" in refusal(file, max_bytes=100)
    assert "app_one" in refusal(file, strict_apps=True)


def test_one_file_is_for_one_server(file: Path) -> None:
    with serving("--data", str(file), "--quiet"):
        assert "another server" in refusal(file)
    with opened(file) as http:
        assert save(http).status_code == 200


def test_saving_now_and_then_needs_a_file() -> None:
    done = run("serve", "--save-every", "5")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--data" in done.stderr


# What can't be saved


def said_of_the_failure(http: httpx.Client) -> str:
    answer = save(http)
    assert_error(answer, 500, "internal_error")
    problem = health(http)["problem"]
    assert problem in answer.json()["error"]["message"]
    return str(problem)


def test_a_full_disk_keeps_the_old_file_and_is_said(file: Path) -> None:
    """A limit on the size of files stands for the disk."""
    with serving("--data", str(file), "--quiet") as server, http_client(server) as http:
        save(http)
        old = file.read_bytes()
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1_000, 1_000_000))
        AppDriver(http, "app_one").call("POST", "/populate", {"conversations": 5})
        assert said_of_the_failure(http) == "File too large"
        assert file.read_bytes() == old
        assert sorted(path.name for path in file.parent.iterdir()) == [".sandbox.data.lock", "sandbox.data"]
        lines = end(server)
    assert [line for line in lines if "not saved" in line and "File too large" in line] == lines
    assert file.read_bytes() == old


def test_once_there_is_room_it_saves_again(file: Path) -> None:
    with serving("--data", str(file), "--quiet") as server, http_client(server) as http:
        AppDriver(http, "app_one").call("POST", "/populate", {"conversations": 5})
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
        said_of_the_failure(http)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert save(http).status_code == 200
        assert health(http)["problem"] is None


def test_a_folder_that_is_read_only_stops_the_start(file: Path) -> None:
    file.parent.chmod(0o500)
    # Root may write into such a folder, and not even root into the kernel's own.
    place = file if os.geteuid() else Path("/sys/data.jsonl")
    assert re.search("Permission denied|Read-only file system", refusal(place))


def test_a_folder_that_went_away_is_said(file: Path) -> None:
    folder = file.parent / "inner"
    folder.mkdir()
    with opened(folder / "data") as http:
        folder.rename(file.parent / "moved")
        assert said_of_the_failure(http) == "No such file or directory"


# A kill at any moment

KILLS = examples(50, quick=3)


def test_killed_at_any_moment_it_leaves_a_whole_file(file: Path) -> None:
    """What was saved last, or what was being saved: each start goes on from there, and begins the next round."""
    fewest = 0
    for turn in range(KILLS):
        with serving("--data", str(file), "--quiet") as server, http_client(server) as http:
            driver = AppDriver(http, "app_one")
            there = driver.counts["conversations"]
            assert there >= fewest, "a save that was answered is not lost"
            driver.call("POST", "/populate", {"conversations": 10, "messages": 2})
            fewest = there + 10 if save(http).status_code == 200 else there
            kill_while_it_saves(server, file, share=turn / KILLS if turn % 2 else None)


def kill_while_it_saves(server: Server, file: Path, *, share: float | None) -> None:
    """Let it save without a pause; kill it when so much of the new file is written, or while it takes its place."""
    beside, old = file.with_name(f".{file.name}.new"), file.stat()
    saving = Thread(target=save_until_it_is_gone, args=(server,))
    saving.start()
    written = 0
    while share is None and file.stat().st_mtime_ns == old.st_mtime_ns:
        pass
    while share is not None and written < share * old.st_size:
        with suppress(FileNotFoundError):
            written = beside.stat().st_size
    server.process.kill()
    server.process.wait(timeout=TIMEOUT)
    saving.join()


def save_until_it_is_gone(server: Server) -> None:
    with suppress(httpx.TransportError), http_client(server) as http:
        while save(http).status_code == 200:
            pass


def test_a_file_is_written_beside_its_place_first(file: Path) -> None:
    """The old one is there until the new one is whole."""
    kept = open_file(file)
    kept.write([b"old"])

    def pieces() -> Iterator[bytes]:
        yield b"new, "
        assert file.read_bytes() == b"old"
        yield b"whole"

    assert kept.write(pieces()) == len(b"new, whole")
    assert file.read_bytes() == b"new, whole"
    kept.close()


class StandIn:
    """Locks as `msvcrt` does, on a system that has none."""

    LK_NBLCK = 2

    def locking(self, handle: int, mode: int, count: int) -> None:
        assert (mode, count, os.lseek(handle, 0, os.SEEK_CUR)) == (self.LK_NBLCK, 1, 0)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, "Permission denied") from None


def test_on_windows_one_file_is_for_one_server_too(file: Path) -> None:
    """With a stand-in for the lock of that system: no test has run there."""

    def lock(handle: int) -> None:
        lock_first_byte(handle, StandIn())

    first = open_file(file, lock)
    with pytest.raises(BlockingIOError):
        open_file(file, lock)
    first.close()
    open_file(file, lock).close()


def test_a_line_of_the_file_is_a_snapshot(saved: bytes) -> None:
    _, line, *_ = saved.splitlines()
    assert json.loads(line)["snapshot"]["object"] == "snapshot"
