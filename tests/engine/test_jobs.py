"""What a job may be, and what a check and a report say."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest

from probes.engine.jobs import Check, Job, Reason, Report


@pytest.mark.parametrize(
    ("ids", "continuations", "hidden", "said"),
    [
        ((), ((1,),), frozenset(), "prompt of at least one token"),
        ((1, 2), (), frozenset(), "at least one token each"),
        ((1, 2), ((3,), ()), frozenset(), "at least one token each"),
        ((1, 2), ((3,),), frozenset({0, 2}), r"\[2\] are outside the prompt of 2"),
        ((1, 2), ((3,),), frozenset({-1}), r"\[-1\] are outside"),
    ],
)
def test_what_is_no_job(ids, continuations, hidden, said):
    with pytest.raises(ValueError, match=said):
        Job(ids, continuations, hidden)


def test_plain_tokens_leave_out_each_last_one():
    assert Job((1, 2, 3), ((4,), (5, 6, 7))).plain_tokens == 3 + 5


def test_check_looks_at_each_number():
    report = Report(how="tree")
    assert report.add_check(Check(0, (-1.0, -2.0), (-1.25, -2.125), tolerance=0.3))
    assert report.add_check(Check(3, (-4.0,), (-4.0,), tolerance=0.3))
    assert report.noise_floor == 0.25


@pytest.mark.parametrize("found", [-1.31, math.nan, -math.inf])
def test_check_fails(found):
    report = Report(how="tree")
    assert not report.add_check(Check(0, (-1.0,), (found,), tolerance=0.3))
    assert len(report.checks) == 1
    assert report.noise_floor == 0.0  # a failed check is no measure of noise


def test_reason_is_plain_data():
    assert json.loads(json.dumps(Reason("tree_length", {"tokens": 9}).as_dict())) == {
        "key": "tree_length",
        "tokens": 9,
    }


def test_a_job_needs_no_torch():
    code = "import sys, probes.engine.jobs, probes.engine.tree; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
