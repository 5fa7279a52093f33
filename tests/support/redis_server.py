"""A Redis for tests: Debian's `redis-server` as a process of its own, on a socket in a folder of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from redis import ConnectionError as NotConnected
from redis import Redis


class RedisServer:
    """A `redis-server` that keeps nothing on a disk; it can be stopped in every way that a real one is."""

    def __init__(self, binary: str) -> None:
        self._binary = binary
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-redis-")
        self._socket = Path(self._folder.name) / "redis.sock"
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, empty; return when it answers."""
        # No TCP port: nobody else can meet it.
        options = ("--port", "0", "--unixsocket", str(self._socket), "--save", "", "--appendonly", "no")
        self._process = subprocess.Popen(  # noqa: S603 - found on the PATH
            [self._binary, *options, "--dir", self._folder.name, "--loglevel", "warning"], stdout=subprocess.DEVNULL
        )
        client = self.client()
        while True:
            if self._process.poll() is not None:
                raise RuntimeError("redis-server has ended")
            try:
                client.ping()
            except (NotConnected, FileNotFoundError):
                continue
            return

    def client(self) -> Redis:
        """Return a client to look into it, or to set it up."""
        return Redis.from_url(self.url)

    def pause(self) -> None:
        """Let it answer nothing, with its connections open."""
        self._running.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._running.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once; what it kept is gone."""
        self._running.kill()
        self._running.wait()

    def close(self) -> None:
        """End it, and delete its folder."""
        self.kill()
        self._folder.cleanup()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process


def requires_redis_server() -> str:
    """Return the path of redis-server."""
    return shutil.which("redis-server") or pytest.skip("needs redis-server, which is not installed")
