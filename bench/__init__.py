"""Benchmarks: `python -m bench` compares the sandbox with other servers. Only `bench.agent` imports the sandbox."""
