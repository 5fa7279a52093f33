"""The webhook lab: how a delivery goes wrong on purpose, so that a receiver is tested (CONTROL.md, Webhooks)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

SIGNATURE = "Dimedove-Signature"
# The webhook's id, on every posting of it, also where nothing is signed.
DELIVERY = "Dimedove-Delivery"
# How old the signature of a delayed webhook is: beyond the five minutes that receivers commonly allow.
LATE = 600

_CREATED = re.compile(rb'"created":([0-9]+)')


@dataclass(frozen=True, slots=True)
class Variant:
    """One posting of a webhook: `lab` names what is wrong with it, `counts` whether its answer decides."""

    lab: str | None = None
    counts: bool = True


def variants(mode: str, tries: int) -> Sequence[Variant]:
    """Return what is posted one after the other when a webhook is due for the `tries`-th time, from 0.

    `reorder` spoils no posting, only when it comes.
    """
    if mode == "duplicate":
        return (Variant(), Variant("duplicate", counts=False))
    if mode == "tamper" and tries == 0:
        return (Variant("tamper", counts=False), Variant())
    if mode == "delay" and tries == 0:
        return (Variant("delay"),)
    return (Variant(),)


def signed(variant: Variant, body: bytes, secret: str | None, now: int) -> tuple[bytes, str | None]:
    """Return the body that a variant brings and its signature (CONTRACT.md 9.2); no secret, no signature."""
    at = now - LATE if variant.lab == "delay" else now
    signature = None if secret is None else f"t={at},v1={_digest(body, secret, at)}"
    return (_tampered(body) if variant.lab == "tamper" else body), signature


def _digest(body: bytes, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), b"%d.%b" % (at, body), "sha256").hexdigest()


def _tampered(body: bytes) -> bytes:
    """Change one number, as somebody in between might: the body is still good JSON and keeps its schema."""
    return _CREATED.sub(lambda found: b'"created":%d' % (int(found[1]) + 1), body, count=1)
