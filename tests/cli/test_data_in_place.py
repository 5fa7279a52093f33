"""`serve --data` on a file that can't be replaced: one that is mounted by itself, as containers do it."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from threading import Thread

import httpx2
import pytest

from sandbox.persistence.atomic_file import InPlaceFile, lock_file, open_file, with_trailer
from tests.cli.test_data import save, save_until_it_is_gone
from tests.support.app_driver import AppDriver
from tests.support.processes import Server, end, http_client, run, serving
from tests.support.raw_connection import TIMEOUT
from tests.support.requirements import examples, requires_mounts

MOUNT = 'mount --bind "$0" "$0" && exec "$@"'
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An empty file, made for the mount."""
    path = tmp_path / "sandbox.data"
    path.touch()
    return path


def mounting(file: Path, script: str = MOUNT) -> Sequence[str]:
    return (*requires_mounts(), "sh", "-c", script, str(file))


def on_a_mount(file: Path) -> AbstractContextManager[Server]:
    return serving("--data", str(file), "--quiet", within=mounting(file))


def conversations(http: httpx2.Client) -> int:
    return int(AppDriver(http, "app_one").counts["conversations"])


def test_a_restart_loses_nothing(file: Path) -> None:
    number = file.stat().st_ino
    for count in (0, 5):
        with on_a_mount(file) as server, http_client(server) as http:
            assert conversations(http) == count
            AppDriver(http, "app_one").call("POST", "/populate", {"conversations": 5})
            end(server, signal.SIGTERM)
    assert file.stat().st_ino == number
    with serving("--data", str(file), "--quiet") as server, http_client(server) as http:
        assert conversations(http) == 10


def test_what_cannot_be_written_stops_the_start(file: Path) -> None:
    done = run("serve", "--port", "0", "--data", str(file), within=mounting(file, READ_ONLY))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "Read-only file system" in done.stderr


def test_one_file_is_for_one_server(file: Path) -> None:
    with on_a_mount(file):
        done = run("serve", "--port", "0", "--data", str(file), within=mounting(file))
    assert (done.returncode, "another server" in done.stderr) == (2, True)


def test_a_full_disk_keeps_the_old_state(file: Path) -> None:
    with on_a_mount(file) as server, http_client(server) as http:
        save(http)
        old = file.read_bytes()
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1_000, 1_000_000))
        AppDriver(http, "app_one").call("POST", "/populate", {"conversations": 5})
        assert save(http).status_code == 500
        assert file.read_bytes() == old
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        assert save(http).status_code == 200


KILLS = examples(50, quick=3)


def test_killed_at_any_moment_it_leaves_a_whole_state(file: Path) -> None:
    fewest = 0
    for turn in range(KILLS):
        with on_a_mount(file) as server, http_client(server) as http:
            assert conversations(http) >= fewest, "a save that was answered is not lost"
            AppDriver(http, "app_one").call("POST", "/populate", {"conversations": 10, "messages": 2})
            fewest = conversations(http) if save(http).status_code == 200 else fewest
            kill_while_it_saves(server, file, share=turn / KILLS)


def kill_while_it_saves(server: Server, file: Path, *, share: float) -> None:
    """Let it save without a pause; kill it when so much of the new state is behind the old one."""
    old = file.stat().st_size
    saving = Thread(target=save_until_it_is_gone, args=(server,))
    saving.start()
    while file.stat().st_size <= old * (1 + share):
        pass
    server.process.kill()
    server.process.wait(timeout=TIMEOUT)
    saving.join()


# What a save that was stopped leaves


def state(words: str) -> bytes:
    return b"".join(with_trailer([b'{"object":"sandbox_data","version":1}\n', b"%b\n" % words.encode()], 1))


OLD, NEW, SMALL = state("old " * 5), state("new " * 10), state("small")


def stopped(old: bytes, new: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield what is in the file after each byte of a save, and the state that counts then."""
    behind = old + new
    yield from ((behind[:length], old) for length in range(len(old), len(behind)))
    if len(new) > len(old):
        yield from ((behind + new[:length], new) for length in range(len(new)))
        behind += new
    yield from ((new[:length] + behind[length:], new) for length in range(len(new) + 1))


@pytest.mark.parametrize(("old", "new"), [(OLD, NEW), (OLD, SMALL), (OLD, OLD)], ids=["grows", "shrinks", "stays"])
def test_a_save_that_was_stopped_leaves_the_old_state_or_the_new_one(file: Path, old: bytes, new: bytes) -> None:
    for content, whole in stopped(old, new):
        file.write_bytes(content)
        replaced, in_place = open_file(file), InPlaceFile(file, lock_file)
        assert b"".join(replaced.lines()) == b"".join(in_place.lines()) == file.read_bytes() == whole
        assert in_place.write([SMALL]) == file.stat().st_size
        replaced.close()
        in_place.close()


def test_a_first_save_that_was_stopped_leaves_nothing(file: Path) -> None:
    for length in range(len(NEW)):
        file.write_bytes(b"\n" + NEW[:length])
        kept = open_file(file)
        assert list(kept.lines()) == []
        kept.close()


def test_the_old_state_stands_until_the_new_one_is_whole(file: Path) -> None:
    kept = InPlaceFile(file, lock_file)
    kept.write([OLD])

    def pieces() -> Iterator[bytes]:
        assert file.read_bytes() == OLD
        yield NEW
        raise OSError

    with suppress(OSError):
        kept.write(pieces())
    assert file.read_bytes() == OLD
    assert kept.write([NEW]) == len(NEW)
    assert file.read_bytes() == NEW
    kept.close()
