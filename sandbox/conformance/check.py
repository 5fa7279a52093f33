"""What a check is: a sentence of the contract that no schema says, and the function that checks a server against it.

A check asks the server what it needs to know and returns, or raises: `CheckViolation` where the server does otherwise,
`Unavailable` where what it needed could not be had, `NotApplicable` where a setting of the app leaves nothing to check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from sandbox.conformance.expect import CheckViolation
from sandbox.conformance.target import Target

Source = Literal["S", "V", "D"]


class NotApplicable(Exception):
    """Nothing to check here; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check.

    `source` says who wrote the sentence (docs/contract.md): S and V the vendor, D the sandbox. `needs_sandbox`: the
    sandbox alone promises it, or an agent that is a real model may break it. `writes`: it creates or changes something.
    """

    id: str
    sentence: str
    source: Source
    clause: str
    function: Callable[[Target], None]
    needs_sandbox: bool
    writes: bool
    needs_other_key: bool

    @property
    def topic(self) -> str:
        """The first part of the id."""
        return self.id.partition("-")[0]

    @property
    def needs(self) -> str:
        """Which servers are held to it: `any`, or the `sandbox`."""
        return "sandbox" if self.needs_sandbox else "any"

    def __str__(self) -> str:
        return self.id


def check(
    name: str,
    source: Source,
    clause: str,
    *,
    cases: Iterable[Any] | Callable[[Target], Iterable[Any]] = ((),),
    needs_sandbox: bool = False,
    writes: bool = True,
    needs_other_key: bool = False,
) -> Callable[[Callable[..., None]], Check]:
    """Make a check of a function; its docstring is the sentence. What the sandbox decided [D] is asked of a sandbox.

    The function is called once, or with each of the `cases`, which may depend on the server, as by
    `for_each`.
    """

    fixed = () if callable(cases) else tuple(cases)

    def made(function: Callable[..., None]) -> Check:
        def try_cases(target: Target) -> None:
            for_each(cases(target) if callable(cases) else fixed, partial(function, target))

        return Check(
            id=name,
            sentence=" ".join((function.__doc__ or name).split()),
            source=source,
            clause=clause,
            function=try_cases,
            needs_sandbox=needs_sandbox or source == "D",
            writes=writes,
            needs_other_key=needs_other_key,
        )

    return made


def for_each(cases: Iterable[Any], verify: Callable[..., None]) -> None:
    """Try every case; of those that violate, the first stands for all. Put the simplest case first.

    A tuple fills several parameters.
    """
    violations: list[CheckViolation] = []
    for case in cases:
        try:
            verify(*(case if isinstance(case, tuple) else (case,)))
        except CheckViolation as violation:
            violations.append(violation)
    if violations:
        violations[0].seen = sum(violation.seen for violation in violations)
        raise violations[0]
