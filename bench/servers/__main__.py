"""`python -m bench.servers NAME PORT` runs one peer on the fastest loop and parser that uvicorn has, logs off."""

import sys
from importlib import import_module

import uvicorn

if __name__ == "__main__":
    _, name, port = sys.argv
    uvicorn.run(
        import_module(f"bench.servers.{name}").app,
        port=int(port),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
    )
