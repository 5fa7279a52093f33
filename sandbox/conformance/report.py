"""Tells a person what a run found and what it reached: findings first, the summary last, within 80 columns."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from sandbox.conformance.baseline import Weighed
from sandbox.conformance.findings import Finding
from sandbox.conformance.law import Law
from sandbox.conformance.shown import harmless

COLUMNS = 80

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1"}
_MOST_SCRIPT_LINES = 80
_FEW = 12


class Report:
    """Writes a verdict as lines of text."""

    def __init__(self, weighed: Weighed, *, colour: bool = False) -> None:
        self._weighed = weighed
        self._verdict = weighed.verdict
        self._colour = colour

    def lines(self) -> Iterator[str]:
        """Yield the whole report."""
        total = len(self._weighed.failing)
        for number, finding in enumerate(self._weighed.failing, 1):
            yield from self._finding(finding, f"finding {number} of {total}")
            yield ""
        yield from self._known()
        yield from self._stuck()
        yield from self._exercised()
        yield from self._not_asked_for()
        yield ""
        yield from self._conclusion()

    def _finding(self, finding: Finding, head: str) -> Iterator[str]:
        where = f"clause {finding.clause} of docs/contract.md [{finding.source}]"
        yield self._painted("red", harmless(f"{head}: {finding.rule}, {where}"))
        yield from wrapped(finding.sentence, "  ")
        yield from wrapped(finding.expected, "  expected  ")
        yield from wrapped(finding.got, "  got       ")
        seen = f"{finding.seen} times" if finding.seen > 1 else "once"
        where = f", at {', '.join(finding.operations)}" if finding.operations else ""
        yield from wrapped(f"{seen}{where}; fingerprint {finding.fingerprint}", "  seen      ")
        if finding.script:
            yield "  repeat    (with the key in API_KEY)"
            lines = harmless(finding.script, lines=True).splitlines()
            yield from (f"    {line}" for line in lines[:_MOST_SCRIPT_LINES])
            if len(lines) > _MOST_SCRIPT_LINES:
                yield f"    … {len(lines) - _MOST_SCRIPT_LINES} more lines; --json has them all"

    def _known(self) -> Iterator[str]:
        for finding, entry in self._weighed.known:
            yield from wrapped(f"{finding.rule}: {finding.sentence} Known: {entry}", "known     ")
        for outcome, entry in self._weighed.waived:
            yield from wrapped(f"{outcome.law.id}: {outcome.reason}. Waived: {entry}", "waived    ")
        for entry in self._weighed.unneeded:
            yield from wrapped(f"{entry}: no longer needed, take it out", "baseline  ")
        if self._weighed.known or self._weighed.waived or self._weighed.unneeded:
            yield ""

    def _stuck(self) -> Iterator[str]:
        for outcome in self._weighed.could_not_run:
            yield from wrapped(f"{outcome.law.id} could not run: {outcome.reason}", "not seen  ")
        for name in self._verdict.never_succeeded:
            yield from wrapped(f"{name} never answered 2xx: nothing is known of it", "not seen  ")
        for error in self._weighed.engine_errors:
            yield from wrapped(error, "engine    ")
        if self._weighed.could_not_run or self._verdict.never_succeeded or self._weighed.engine_errors:
            yield ""

    def _exercised(self) -> Iterator[str]:
        yield self._painted("bold", "exercised")
        for name, seen in self._verdict.statuses.items():
            counts = "  ".join(f"{status}: {number}" for status, number in sorted(seen.items())) or "not at all"
            yield from wrapped(counts, f"  {name.removeprefix('apps_api_'):25}")
        exercise = self._verdict.exercise
        if exercise is not None:
            walked = len(exercise.links) - len(exercise.never_walked)
            yield f"  links walked: {walked} of {len(exercise.links)}"
        results = Counter(outcome.result for outcome in self._verdict.outcomes)
        yield from wrapped(", ".join(f"{number} {result}" for result, number in results.items()), "  laws: ")
        yield f"  {self._verdict.requests:,} requests, {self._verdict.messages} messages and completions answered"
        if not self._verdict.is_sandbox and self._verdict.left:
            yield f"  {self._verdict.left} conversations are left, marked {self._verdict.run} in their metadata"

    def _not_asked_for(self) -> Iterator[str]:
        reasons: dict[str, list[Law]] = {}
        for outcome in self._verdict.outcomes:
            if outcome.result in ("not asked for", "not applicable"):
                reasons.setdefault(f"{outcome.result}: {outcome.reason}", []).append(outcome.law)
        for reason, laws in reasons.items():
            topics = Counter(law.topic for law in laws)
            named = [str(law) for law in laws] if len(laws) < _FEW else [f"{n} of {name}" for name, n in topics.items()]
            yield from wrapped(f"{reason}: {', '.join(named)}", "  ")
        for text in self._verdict.not_asked_for:
            yield from wrapped(f"not asked for: {text}", "  ")

    def _conclusion(self) -> Iterator[str]:
        if self._verdict.incomplete:
            yield from wrapped(conclusion(self._weighed), "")
            return
        if self._weighed.exit_code == 0:
            yield self._painted("green", conclusion(self._weighed))
        else:
            yield self._painted("red", conclusion(self._weighed))

    def _painted(self, colour: str, text: str) -> str:
        return f"\033[{_COLOURS[colour]}m{text}\033[0m" if self._colour else text


def conclusion(weighed: Weighed) -> str:
    """Return what came of a run in one line."""
    if weighed.verdict.incomplete:
        found = f"does not conform: {_counted(len(weighed.failing), 'finding')}; " if weighed.failing else ""
        return f"{found}stopped early: {harmless(weighed.verdict.incomplete)}"
    known = f" ({len(weighed.known)} known)" if weighed.known else ""
    if weighed.exit_code == 0:
        return f"conforms{known}"
    parts = [(len(weighed.failing), "finding"), (len(weighed.could_not_run), "law that could not run")]
    parts += [(len(weighed.verdict.never_succeeded), "operation that never succeeded")]
    parts += [(len(weighed.engine_errors), "error of the engine")]
    said = ", ".join(_counted(number, what) for number, what in parts if number)
    return f"does not conform: {said}{known}"


def summary(weighed: Weighed) -> str:
    """Return a run as the summary of a GitHub job, in Markdown; what the server said stands in code alone."""
    lines = [f"### dimedove-sandbox conform: {_code(conclusion(weighed))}", ""]
    if weighed.failing:
        lines += ["| rule | clause | expected | got |", "|---|---|---|---|"]
        lines += [
            f"| {_code(each.rule)} | {each.clause} [{each.source}] | {_code(each.expected)} | {_code(each.got)} |"
            for each in weighed.failing
        ]
        lines.append("")
    results = Counter(outcome.result for outcome in weighed.verdict.outcomes)
    lines.append(f"Laws: {', '.join(f'{number} {result}' for result, number in results.items())}.")
    lines.append(f"Requests: {weighed.verdict.requests:,}; messages and completions: {weighed.verdict.messages}.")
    return "\n".join([*lines, ""])


def _counted(number: int, what: str) -> str:
    first, _, rest = what.partition(" ")
    return f"{number} {first}{'s' if number > 1 else ''} {rest}".rstrip()


def _code(text: str) -> str:
    short = textwrap.shorten(harmless(text), 200, placeholder=" …").replace("|", "¦")
    ticks = "`" * (1 + max((len(run) for run in short.replace("`", " ` ").split() if set(run) == {"`"}), default=0))
    while ticks in short:
        ticks += "`"
    return f"{ticks} {short} {ticks}"


def wrapped(text: str, head: str) -> Iterator[str]:
    """Yield a text, harmless, in lines of at most 80 columns: the first after a head, the others below its end."""
    width = max(COLUMNS - len(head), 20)
    # Wrapped first and made harmless after that: a break must not make a command of a CI's log.
    lines = textwrap.wrap(harmless(text), width, break_long_words=True, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        yield (head if number == 0 else " " * len(head)) + harmless(line)
