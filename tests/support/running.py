"""Runs an application of this process on a loopback port, for clients that need a socket."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


@contextmanager
def running(app: ASGIApp, http: type[asyncio.Protocol] | None = None) -> Iterator[str]:
    """Serve an application until the block ends, by a protocol of its own if need be; give its origin.

    The socket listens from the start: a client that is early waits for the server in the socket's queue.
    """
    config = uvicorn.Config(
        app,
        http=http or "auto",
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
