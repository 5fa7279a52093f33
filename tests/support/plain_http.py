"""Calls a server of this machine by plain HTTP, without a key.

No certificates and no proxies are loaded: httpx2 would do so for each call, and that takes longer than all the rest.
"""

from __future__ import annotations

from typing import Any

import httpx2


def get(url: str, **more: Any) -> httpx2.Response:
    """Send a GET request on a connection of its own."""
    return _request("GET", url, **more)


def post(url: str, **more: Any) -> httpx2.Response:
    """Send a POST request on a connection of its own."""
    return _request("POST", url, **more)


def _request(method: str, url: str, **more: Any) -> httpx2.Response:
    return httpx2.request(method, url, timeout=60, trust_env=False, verify=False, **more)
