"""A baseline: what is known is told and doesn't fail, what is new does, what is no longer needed is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.conformance.baseline import BaselinedResult, BaselineEntry, apply_baseline, parse_baseline
from sandbox.conformance.preparation import RunPlan, UsageError
from sandbox.conformance.run import RunResult, run_conformance
from sandbox.contract import load
from sandbox.options import SettingsError, read_file
from tests.conformance.breaks import Break, nothing
from tests.conformance.conform_runs import conform, ours
from tests.conformance.test_checks import a_patch_is_forgotten, refuse
from tests.support.running import running

SINCE = 'reason = "ticket 7"\ndate = 2026-11-25\n'


def checked(by: Break, *checks: str) -> RunResult:
    with running(ours(by)) as origin:
        return run_conformance(RunPlan(url=origin, checks=checks), load(), lambda _: None)


def entries_of(path: Path) -> tuple[BaselineEntry, ...]:
    return parse_baseline(read_file(path), path)


def weighed(tmp_path: Path, verdict: RunResult, text: str) -> BaselinedResult:
    path = tmp_path / "baseline.toml"
    path.write_text(text, encoding="utf-8")
    return apply_baseline(verdict, entries_of(path))


def test_without_a_baseline_every_finding_fails() -> None:
    verdict = checked(a_patch_is_forgotten, "UPDATE-2")
    assert apply_baseline(verdict).failing == tuple(verdict.findings)
    assert apply_baseline(verdict).exit_code == 1


def test_a_known_finding_is_told_and_does_not_fail(tmp_path: Path) -> None:
    verdict = checked(a_patch_is_forgotten, "UPDATE-2")
    entry = f'[[known]]\nfinding = "{verdict.findings[0].fingerprint}"\n{SINCE}'
    result = weighed(tmp_path, verdict, entry)
    assert (result.exit_code, result.failing) == (0, ())
    ((finding, why),) = result.known
    assert finding.rule == "UPDATE-2"
    assert (why.reason, why.date) == ("ticket 7", "2026-11-25")


@pytest.mark.parametrize("name", ["check", "law"])
def test_a_waived_check_is_told_and_does_not_fail(tmp_path: Path, name: str) -> None:
    result = weighed(tmp_path, checked(a_patch_is_forgotten, "UPDATE-2"), f'[[waived]]\n{name} = "UPDATE-2"\n{SINCE}')
    assert (result.exit_code, len(result.known)) == (0, 1)


def test_a_waived_check_that_could_not_run_does_not_fail(tmp_path: Path) -> None:
    verdict = checked(refuse("/conversations$"), "PAGE-1")
    assert apply_baseline(verdict).exit_code == 1
    result = weighed(tmp_path, verdict, f'[[waived]]\ncheck = "PAGE-1"\n{SINCE}')
    assert (result.exit_code, len(result.waived)) == (0, 1)


def test_what_is_new_fails_beside_what_is_known(tmp_path: Path) -> None:
    verdict = checked(a_patch_is_forgotten, "UPDATE")
    result = weighed(tmp_path, verdict, f'[[waived]]\ncheck = "UPDATE-2"\n{SINCE}')
    assert result.exit_code == 1
    assert "UPDATE-2" not in {finding.rule for finding in result.failing}


@pytest.mark.parametrize("entry", ['[[waived]]\ncheck = "UPDATE-2"\n', '[[waived]]\ncheck = "UPDATE-3"\n'])
def test_an_entry_that_is_not_needed_any_more_is_said(tmp_path: Path, entry: str) -> None:
    result = weighed(tmp_path, checked(nothing, "UPDATE-2", "UPDATE-3"), entry + SINCE)
    assert len(result.unneeded) == 1
    assert result.exit_code == 0


def test_an_entry_for_a_check_that_was_not_run_is_left_alone(tmp_path: Path) -> None:
    result = weighed(tmp_path, checked(nothing, "UPDATE-2"), f'[[waived]]\ncheck = "PAGE-1"\n{SINCE}')
    assert result.unneeded == ()


# Each row: a file that is no baseline, and what is said of it.
WRONG = [
    ("[[waived]", "not valid TOML"),
    ('[[waivd]]\ncheck = "PAGE-1"\n', "waivd"),
    ('[[waived]]\ncheck = "PAGE-1"\ndate = 2026-01-01\n', "has no reason"),
    ('[[waived]]\ncheck = "PAGE-1"\nreason = "x"\n', "has no date"),
    (f"[[known]]\n{SINCE}", "has no finding"),
    ('waived = "PAGE-1"\n', "expected tables"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "baseline.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises((UsageError, SettingsError), match=said):
        entries_of(path)


def test_the_report_tells_what_is_known_and_what_is_not_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "baseline.toml"
    path.write_text(f'[[waived]]\ncheck = "UPDATE-2"\n{SINCE}[[waived]]\ncheck = "APP-1"\n{SINCE}', encoding="utf-8")
    with running(ours(a_patch_is_forgotten)) as origin:
        said = conform(capsys, origin, "--check", "UPDATE-2", "--check", "APP-1", "--baseline", str(path))
    assert said.code == 0
    assert "known     UPDATE-2:" in said.out
    assert "APP-1 (ticket 7, 2026-11-25): no longer needed" in said.out
    assert "conforms (1 known)" in said.out
