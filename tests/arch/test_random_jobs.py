"""Prompts, edits and hidden positions nobody thought of, against the oracle."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.engine.execute import Engine
from probes.engine.jobs import Job
from tests.arch.cases import TOLERANCE, truth
from tests.arch.configs import CONFIGURATIONS, built
from tests.arch.sizes import VOCABULARY

TOKENS = st.integers(3, 7) | st.integers(3, VOCABULARY - 1)  # often the same few: many shared beginnings
CONTINUATIONS = st.lists(st.lists(TOKENS, min_size=1, max_size=4).map(tuple), min_size=1, max_size=3)


@st.composite
def edited(draw, clean):
    """A prompt with one stretch of the clean one cut out, replaced or put in, and some positions hidden."""
    start = draw(st.integers(0, len(clean)))
    end = draw(st.integers(start, min(len(clean), start + 6)))
    ids = clean[:start] + tuple(draw(st.lists(TOKENS, max_size=4))) + clean[end:] or clean
    hidden = draw(st.frozensets(st.integers(0, len(ids) - 1), max_size=5))
    return Job(ids, tuple(draw(CONTINUATIONS)), hidden)


@st.composite
def job_lists(draw):
    clean = tuple(draw(st.lists(TOKENS, min_size=1, max_size=40)))
    first = Job(clean, tuple(draw(CONTINUATIONS)))
    return [first, *draw(st.lists(edited(clean), max_size=8))]


@pytest.mark.parametrize("name", ["llama", "bloom", "gpt_neo", "mistral", "llama4_text", "gpt_oss"])
@settings(max_examples=15, derandomize=True)
@given(jobs=job_lists(), chunk_tokens=st.integers(1, 80))
def test_engine_is_the_oracle(name, jobs, chunk_tokens):
    run = Engine(built(name), chunk_tokens=chunk_tokens).run(jobs)
    found = dict(run)
    assert run.report.how == "tree"
    for index, job in enumerate(jobs):
        assert found[index] == pytest.approx(truth(CONFIGURATIONS[name], job), abs=TOLERANCE)
