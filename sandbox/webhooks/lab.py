"""The webhook lab: how a delivery goes wrong on purpose, so that a receiver is tested (docs/control.md, Webhooks)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

SIGNATURE = "Dimedove-Signature"
# The webhook's id, sent with every attempt, also where nothing is signed.
DELIVERY = "Dimedove-Delivery"
# How many seconds old the signature of a delayed webhook is: receivers commonly allow five minutes.
SIGNATURE_AGE = 600

_CREATED = re.compile(rb'"created":([0-9]+)')


@dataclass(frozen=True, slots=True)
class Variant:
    """How a webhook is posted once: `lab` names what is wrong with it, `counts` says whether its response decides."""

    lab: str | None = None
    counts: bool = True


def variants(mode: str, tries: int) -> Sequence[Variant]:
    """Return what is posted, one after the other, at an attempt; `tries` counts those that failed before it.

    The mode `reorder` changes no posting, only its time.
    """
    if mode == "duplicate":
        return (Variant(), Variant("duplicate", counts=False))
    if mode == "tamper" and tries == 0:
        return (Variant("tamper", counts=False), Variant())
    if mode == "delay" and tries == 0:
        return (Variant("delay"),)
    return (Variant(),)


def sign(variant: Variant, body: bytes, secret: str | None, now: int) -> tuple[bytes, str | None]:
    """Return the body of a variant and its signature (docs/contract.md 9.2), which is None without a secret."""
    at = now - SIGNATURE_AGE if variant.lab == "delay" else now
    signature = None if secret is None else f"t={at},v1={_digest(body, secret, at)}"
    return (_tampered(body) if variant.lab == "tamper" else body), signature


def _digest(body: bytes, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), b"%d.%b" % (at, body), "sha256").hexdigest()


def _tampered(body: bytes) -> bytes:
    """Change one number, as somebody in between might: the body is still good JSON and keeps its schema."""
    return _CREATED.sub(lambda match: b'"created":%d' % (int(match[1]) + 1), body, count=1)
