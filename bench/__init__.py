"""Measures the sandbox beside its peers: `python -m bench`. Only `voice` imports anything of the sandbox."""
