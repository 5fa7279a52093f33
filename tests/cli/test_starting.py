"""`serve` as a process: what it says, what it listens to, whom it lets drive it."""

from __future__ import annotations

import asyncio
import re
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from sandbox import Settings
from sandbox.cli import main
from sandbox.cli.server import MAX_DESCRIPTORS
from sandbox.cli.sockets import listen
from tests.support.constants import AUTH, NOW, ROOT
from tests.support.errors import assert_error
from tests.support.plain_http import get, post
from tests.support.processes import VARIABLE, Server, end, run, serving
from tests.support.requirements import requires_mounts

TOKEN = re.compile(r"[A-Za-z0-9_-]{20,}")
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - what is bound is spoken to on loopback


@pytest.fixture(scope="module")
def started() -> tuple[Server, list[str]]:
    """A server that has been started and ended, and everything that it said."""
    with serving() as server:
        lines = end(server)
    return server, [server.banner.rstrip(), *lines]


@pytest.mark.parametrize("expected", ["sk_test_", "app_demo", "/v1", "/_sandbox/", "/openapi.json", "Ctrl-C"])
def test_it_says_what_a_person_needs(started: tuple[Server, list[str]], expected: str) -> None:
    assert expected in "\n".join(started[1])


def test_a_server_without_control_api_names_no_inspector() -> None:
    with serving("--control", "off") as server:
        assert "inspector" not in "\n".join([server.banner, *end(server)])


def test_it_says_its_address_first(started: tuple[Server, list[str]]) -> None:
    server, lines = started
    assert f"{server.url}/v1" in lines[0]


def test_the_request_to_paste_is_quoted(started: tuple[Server, list[str]]) -> None:
    """Unquoted, a question mark is a pattern to zsh, and a bracket to both zsh and bash."""
    [curl] = [line.strip() for line in started[1] if line.strip().startswith("curl ")]
    bare = re.sub(r"'[^']*'", "", curl)
    assert not set("?*[]&;<>$") & set(bare)


def test_nothing_else_is_written(started: tuple[Server, list[str]]) -> None:
    after = started[1].index(next(line for line in started[1] if "Ctrl-C" in line)) + 1
    assert [line for line in started[1][after:] if "/_sandbox/health" not in line] == []


def test_no_answer_waits_for_more_to_send_on_asyncios_own_loop() -> None:
    """As Windows has no other. An answer is two writes: the second would wait 40 ms for the client's system."""

    async def is_prompt() -> bool:
        served = asyncio.get_running_loop().create_future()
        with listen(Settings(port=0)) or nullcontext() as listening:
            assert listening
            server = await asyncio.start_server(lambda _, writer: served.set_result(writer), sock=listening.sockets[0])
            async with server:
                _, client = await asyncio.open_connection(listening.hosts[0], listening.port)
                writer: asyncio.StreamWriter = await served
                found: socket.socket = writer.get_extra_info("socket")
                writer.close()
                client.close()
                return bool(found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    assert asyncio.run(is_prompt())


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc, to see the limits of another process")
def test_it_takes_as_many_connections_as_the_system_allows() -> None:
    with serving("--quiet", within=["sh", "-c", 'ulimit -S -n 64; exec "$@"', "sh"]) as server:
        get(f"{server.url}/_sandbox/health")
        (soft, hard) = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        assert soft == min(hard, MAX_DESCRIPTORS)


def test_help_and_version_name_the_command() -> None:
    assert "usage: dimedove-sandbox serve" in run("serve", "--help").stdout
    assert re.fullmatch(r"dimedove-sandbox \d+\.\d+\.\d+\n", run("--version").stdout)


def test_settings_come_from_flag_environment_and_file_together(tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    config.write_text("validation-status = 400\nnow = 5\n[apps.app_off]\nstatus = 'inactive'\n")
    late = {VARIABLE + "TITLES": "after_first_exchange"}
    with serving("--now", str(NOW), "--config", str(config), env=late) as server:
        created = post(f"{server.url}/v1/apps/app_x/conversations", headers=AUTH, json={}).json()
        broken = post(f"{server.url}/v1/apps/app_x/conversations", headers=AUTH, content=b"{")
        off = get(f"{server.url}/v1/apps/app_off/config", headers=AUTH)
    assert (created["created_at"], created["generated_title"]) == (NOW, None)
    assert_error(broken, 400, "invalid_request_error")
    assert_error(off, 403, "app_inactive")


def test_like_production() -> None:
    with serving("--like-production") as server:
        page = {**AUTH, "Origin": "http://localhost:3000"}
        unknown = get(f"{server.url}/v1/apps/app_x/config", headers=page)
        created = post(f"{server.url}/v1/apps/app_demo/conversations", headers=page, json={})
    assert_error(unknown, 404, "not_found")
    assert created.json()["generated_title"] is None
    assert "access-control-allow-origin" not in created.headers


def test_port_zero_is_another_port_each_time_and_is_free_again_afterwards(server: Server) -> None:
    with serving() as other:
        assert other.url != server.url
    with serving("--port", other.url.rsplit(":", 1)[1]) as again:
        assert again.url == other.url


def test_what_kubernetes_says_of_a_service_of_our_name_is_no_setting() -> None:
    """It sets these in every container of the namespace."""
    link = {"PORT": "tcp://10.96.0.1:8010", "SERVICE_HOST": "10.96.0.1", "SERVICE_PORT": "8010"}
    link |= {"PORT_8010_TCP": "tcp://10.96.0.1:8010", "PORT_8010_TCP_PROTO": "tcp", "PORT_8010_TCP_PORT": "8010"}
    env = {VARIABLE + name: value for name, value in link.items()}
    with serving(env=env) as server:
        lines = end(server)
    assert [line for line in lines if f"{VARIABLE}PORT: 'tcp://10.96.0.1:8010'" in line and "not set" in line]
    assert main(["serve"], {**env, VARIABLE + "PORT": "tcp:8010"}) == 2


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")
def test_it_listens_on_every_address() -> None:
    with serving("--host", "::") as server:
        assert server.url.startswith("http://[::1]:")
        assert all_answer(server, ["[::1]", "127.0.0.1"])


HOSTS = 'mount --bind "$0" /etc/hosts && exec "$@"'


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")
def test_localhost_is_every_loopback_address_of_that_name(tmp_path: Path) -> None:
    """But for what is no loopback address, and what the machine doesn't have."""
    names = tmp_path / "hosts"
    names.write_text("".join(f"{address} localhost\n" for address in ("127.0.0.1", "::1", "192.0.2.1", "127.0.0.1")))
    with serving("--host", "localhost", within=[*requires_mounts(), "sh", "-c", HOSTS, str(names)]) as server:
        assert all_answer(server, ["[::1]", "127.0.0.1"])
        port = server.url.rpartition(":")[2]
        assert [line for line in end(server) if f"127.0.0.1:{port}" in line and f"[::1]:{port}" in line]


def test_localhost_is_what_there_is_of_it(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("2001:db8::1 localhost\n::1 localhost\n")
    with serving(
        "--host", "localhost", within=[*requires_mounts(), "sh", "-c", HOSTS, str(tmp_path / "hosts")]
    ) as server:
        assert all_answer(server, ["[::1]" if _has_ipv6() else "127.0.0.1"])


def all_answer(server: Server, hosts: Sequence[str]) -> bool:
    port = server.url.rpartition(":")[2]
    return all(get(f"http://{host}:{port}/_sandbox/health").json()["sandbox"] for host in hosts)


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")
@pytest.mark.parametrize(("mine", "theirs"), [("127.0.0.1", "::1"), ("::1", "127.0.0.1")])
def test_it_says_that_another_server_is_on_its_port(mine: str, theirs: str) -> None:
    """A browser that looks for localhost may find that one."""
    family = socket.AF_INET6 if ":" in theirs else socket.AF_INET
    with socket.create_server((theirs, 0), family=family) as other:
        port = other.getsockname()[1]
        with serving("--host", mine, "--port", str(port)) as server:
            assert server.url == f"http://{'[::1]' if ':' in mine else mine}:{port}"
            lines = end(server)
    where = f"[{theirs}]:{port}" if ":" in theirs else f"{theirs}:{port}"
    assert [line for line in lines if f"another server listens on {where}" in line]


# Who may drive it


@pytest.fixture(scope="module")
def guarded() -> Iterator[tuple[Server, list[str]]]:
    """A server that other machines reach, and what it said on start."""
    with serving("--host", ANY_ADDRESS) as server:
        assert server.process.stdout is not None
        lines = [server.banner]
        while "Ctrl-C" not in lines[-1]:
            lines.append(server.process.stdout.readline())
        yield server, lines


def tokens(lines: Sequence[str]) -> list[str]:
    return [token for line in lines if "token" in line for token in TOKEN.findall(line)]


def test_off_loopback_the_control_api_asks_for_a_token(guarded: tuple[Server, list[str]]) -> None:
    server, _ = guarded
    assert_error(get(f"{server.url}/_sandbox/apps"), 401, "invalid_api_key")
    assert get(f"{server.url}/_sandbox/health").status_code == 200


def test_the_token_is_said_once_and_is_the_one_asked_for(guarded: tuple[Server, list[str]]) -> None:
    server, lines = guarded
    [token] = tokens(lines)
    answer = get(f"{server.url}/_sandbox/apps", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


def test_a_quiet_server_says_its_token_all_the_same(guarded: tuple[Server, list[str]]) -> None:
    """Nobody could drive it otherwise: the token stands nowhere else. It is its own."""
    with serving("--host", ANY_ADDRESS, "--quiet") as server:
        lines = [server.banner, *end(server)]
    assert len(tokens(lines)) == 1
    assert tokens(lines) != tokens(guarded[1])


def test_no_token_is_asked_for_when_told_so() -> None:
    with serving("--host", ANY_ADDRESS, env={VARIABLE + "CONTROL": "open"}) as server:
        answer = get(f"{server.url}/_sandbox/apps")
        lines = [server.banner, *end(server)]
    assert answer.status_code == 200
    assert tokens(lines) == []


def test_no_token_is_asked_for_on_loopback(started: tuple[Server, list[str]], server: Server) -> None:
    assert tokens(started[1]) == []
    assert get(f"{server.url}/_sandbox/apps").status_code == 200


def test_a_token_of_ones_own_is_asked_for_and_never_said(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("tell-nobody-this-token\n")
    with serving("--control-token", str(tmp_path / "token")) as server:
        anonymous = get(f"{server.url}/_sandbox/apps")
        known = get(f"{server.url}/_sandbox/apps", headers={"Authorization": "Bearer tell-nobody-this-token"})
        lines = [server.banner, *end(server)]
    assert (anonymous.status_code, known.status_code) == (401, 200)
    assert "tell-nobody" not in "\n".join(lines)


# What it needs to answer


def opened(*words: str) -> list[str]:
    """Return what a server opens and imports for its first requests."""
    command = [sys.executable, "-m", "tests.cli.opened", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603 - ours


def test_a_server_that_has_started_has_what_it_needs_to_answer() -> None:
    """Where clients hold all file descriptors, nothing more can be opened."""
    assert opened("preloaded") == []
    assert len(opened()) > 100
