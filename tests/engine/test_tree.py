"""The tree by hand, and each packed node's sight against the definition: its text, less what is hidden."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.engine.chunking import Chunk, Costs, chunks_of, pack
from probes.engine.jobs import Job
from probes.engine.tree import STEM_END, branches_of, fan_of, fork_off, own_nodes, shared, stems_of

COSTS = Costs(pair=0.001, fanned=0.001, most_nodes=24, most_fanned=10**6, most_reads=1000, one_row=False)


def planned(jobs, costs=COSTS):
    stems = stems_of(jobs)
    fork_off(stems, stems[0].tokens * 2)
    return stems, branches_of(stems, costs.most_nodes)


def test_fan_shares_beginnings_and_never_runs_a_last_token():
    fan = fan_of(((7, 8), (7, 9, 5), (6,), (7,)))
    assert fan.tokens.tolist() == [7, 9]
    assert fan.depth.tolist() == [0, 1]
    assert fan.sees.tolist() == [[True, False], [True, True]]
    assert fan.reads == (
        ((STEM_END, 7), (0, 8)),
        ((STEM_END, 7), (0, 9), (1, 5)),
        ((STEM_END, 6),),
        ((STEM_END, 7),),
    )
    assert fan.longest == 1
    assert fan.path(1) == [0, 1]
    assert fan.height == 2


def test_fan_of_one_token_answers_is_empty():
    fan = fan_of(((7,), (8,)))
    assert len(fan.tokens) == 0
    assert fan.height == 0


def test_equal_prompts_are_one_stem_with_all_their_continuations():
    jobs = [Job((1, 2), ((5,), (6,))), Job((1, 2), ((6,), (7,), (6,))), Job((1, 2), ((5,),), frozenset({0}))]
    plain, hiding = stems_of(jobs)
    assert plain.continuations == ((5,), (6,), (7,))
    assert plain.jobs == [(0, (0, 1)), (1, (1, 2, 1))]
    assert hiding.jobs == [(2, (0,))]


def test_steps_tell_who_is_hidden_before():
    (stem,) = stems_of([Job((4, 5, 6), ((7,),), frozenset({1}))])
    assert stem.steps.tolist() == [8, 10, 13]
    assert stem.hidden.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("a", "b", "length"),
    [([], [1], 0), ([1, 2], [1, 2, 3], 2), ([1, 2], [1, 2], 2), ([1, 2, 3], [1, 4, 3], 1)],
)
def test_shared(a, b, length):
    assert shared(np.array(a), np.array(b)) == length


def test_branches_leave_the_trunk_where_they_differ():
    ends = ((9,),)
    clean = (1, 2, 3, 4, 5)
    jobs = [
        Job(clean, ends),
        Job((1, 2, 4, 5), ends),  # leaves after 2 tokens
        Job((1, 2, 4, 6), ends),  # shares one more node with the branch before
        Job((1, 2, 3), ends),  # lies on the trunk
        Job(clean, ends, frozenset({1})),  # what comes after position 1 no longer sees it: leaves after 2
        Job(clean, ends, frozenset({4})),  # only what follows the prompt loses sight of its end: on the trunk
    ]
    stems, branches = planned(jobs)
    assert [stem.fork for stem in stems] == [5, 2, 2, 3, 2, 5]
    members = {tuple(stem.jobs[0][0] for stem in branch.stems): branch for branch in branches}
    assert set(members) == {(0,), (1, 2), (3,), (4,), (5,)}
    assert members[1, 2].starts == (2, 3)
    assert members[1, 2].nodes == 2 + 1
    assert [branch.fork for branch in branches] == sorted(branch.fork for branch in branches)


def test_a_branch_too_large_is_cut():
    jobs = [Job((1, 2, 3), ((9,),))] + [Job((1, 5, 5, 5, i), ((9,),)) for i in range(10, 20)]
    _, branches = planned(jobs, Costs(0, 0, 6, 10**6, 100, False))
    assert [branch.nodes for branch in branches if branch.nodes] == [6, 6, 6, 4]  # 4 + 1 + 1, ..., 4
    assert sum(len(branch.stems) for branch in branches) == len(jobs)


TOKENS = st.integers(1, 4)
TEXTS = st.lists(TOKENS, min_size=1, max_size=12).map(tuple)
ENDS = st.lists(st.lists(TOKENS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple)


@st.composite
def job_lists(draw):
    def job():
        ids = draw(TEXTS)
        return Job(ids, draw(ENDS), draw(st.frozensets(st.integers(0, len(ids) - 1), max_size=3)))

    return [job() for _ in range(draw(st.integers(1, 8)))]


@settings(max_examples=150, derandomize=True)
@given(
    jobs=job_lists(), most_nodes=st.integers(1, 40), one_row=st.booleans(), pair=st.sampled_from([0.0, 0.1])
)
def test_every_read_position_sees_its_own_text(jobs, most_nodes, one_row, pair):
    costs = Costs(pair, 0.01, most_nodes, 60, 8, one_row)
    stems, branches = planned(jobs, costs)
    trunk = stems[0].tokens
    scored = {id(stem) for branch in branches if not branch.nodes for stem in branch.stems}
    for chunk in chunks_of(branches, costs):
        scored |= check_chunk(chunk, trunk, costs)
    assert scored == {id(stem) for stem in stems}


def check_chunk(chunk: Chunk, trunk: np.ndarray, costs: Costs) -> set[int]:
    packed, wanted = pack(chunk)
    rows, columns = packed.ids.shape
    fits = rows * columns <= 1.25 * costs.most_nodes and rows * (packed.prefix + columns) <= costs.most_fanned
    assert rows == 1 or (fits and not costs.one_row)
    own = np.arange(columns)
    assert packed.visible[:, own, packed.prefix + own].all()  # everybody sees himself
    for one in wanted:
        stem = one.stem
        for reads, continuation in zip(one.reads, stem.continuations, strict=True):
            assert one.targets[stem.continuations.index(continuation)] == continuation
            for place, read in enumerate(reads):
                assert (read == STEM_END) == (place == 0 and stem.fork == len(stem))
                if read == STEM_END:
                    continue
                text = [*stem.tokens.tolist(), *continuation[:place]]
                shown = [i for i in range(len(text)) if i >= len(stem) or not stem.hidden[i]]
                shown = sorted({*shown, len(text) - 1})
                wanted_sight = [(depth, text[depth]) for depth in shown]
                assert sight(packed, trunk, read, stem.fork) == wanted_sight
    return {id(one.stem) for one in wanted}


def sight(packed, trunk, read, fork):
    """(depth, token) of all that the node read at `read` may look at, by depth."""
    row, column = packed.rows[read], packed.columns[read]
    keys = np.flatnonzero(packed.visible[row, column])
    cached = [(int(key), int(trunk[key])) for key in keys if key < packed.prefix]
    own = [key - packed.prefix for key in keys if key >= packed.prefix]
    assert all(depth < fork for depth, _ in cached)
    return sorted([*cached, *((int(packed.depth[row, k]), int(packed.ids[row, k])) for k in own)])


def test_padding_is_small_and_prefixes_are_cut():
    """One token deleted at each place of a long text: rows of like lengths, few columns to spare."""
    clean = tuple(range(1, 98))
    jobs = [Job(clean, ((200, 201), (202,)))]
    jobs += [Job(clean[:i] + clean[i + 1 :], ((200, 201), (202,))) for i in range(80)]
    costs = Costs(pair=0.0003, fanned=0.015, most_nodes=512, most_fanned=10**6, most_reads=400, one_row=False)
    stems, branches = planned(jobs, costs)
    chunks = chunks_of(branches, costs)
    needed = sum(own_nodes(stem, stem.fork) for stem in stems)
    run = sum(len(chunk.rows) * chunk.columns for chunk in chunks)
    assert needed <= run <= 1.05 * needed
    assert all(len(chunk.rows) * chunk.columns <= 1.25 * 512 for chunk in chunks)
