"""Benchmarks: `python -m bench` compares the sandbox with other servers. Only `voice` imports the sandbox."""
