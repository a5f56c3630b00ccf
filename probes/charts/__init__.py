"""Pictures of a record: Altair specifications made from a `ProbeResult` and nothing else.

They carry their data, so a saved picture is the record's. On the page the theme's colours and fonts are laid
over them; `probes.charts.pictures` makes files that stand alone.
"""

from probes.charts.agreement import agreement_map
from probes.charts.answer_bars import answer_runs, answers
from probes.charts.claim_figures import claim_figures, verdicts
from probes.charts.common import (
    BLUE,
    CLEAN,
    GREY,
    INK,
    LIGHT_BLUE,
    LIGHT_ORANGE,
    NOW,
    ORANGE,
    PARTING,
    PINNED,
    SMALLEST_SCALE,
    drawn,
    effect_title,
    named,
    nats_text,
    specification,
)
from probes.charts.dots import dots
from probes.charts.effect_bars import effect_rows, effects, scale_of, unfinished, unit_label
from probes.charts.head_map import SELECTION, cumulative, heads_map
from probes.charts.layer_curves import layer_parts, lens, settled_at
from probes.charts.link_maps import ANSWER, MOST_WORDS, links_arcs, links_maps, links_of, place_of
from probes.charts.measures import Measure, effect_in, measured_in, points_of, smallest
from probes.charts.mention_curves import mentions
from probes.charts.pair_maps import pairs_map
from probes.charts.patch_map import patch_map
from probes.charts.rank_columns import rankings
from probes.charts.strike_curve import strikes
from probes.charts.two_questions import two_questions
from probes.charts.unit_sets import sets_of_units

__all__ = [
    "ANSWER",
    "BLUE",
    "CLEAN",
    "GREY",
    "INK",
    "LIGHT_BLUE",
    "LIGHT_ORANGE",
    "MOST_WORDS",
    "NOW",
    "ORANGE",
    "PARTING",
    "PINNED",
    "SELECTION",
    "SMALLEST_SCALE",
    "Measure",
    "agreement_map",
    "answer_runs",
    "answers",
    "claim_figures",
    "cumulative",
    "dots",
    "drawn",
    "effect_in",
    "effect_rows",
    "effect_title",
    "effects",
    "heads_map",
    "layer_parts",
    "lens",
    "links_arcs",
    "links_maps",
    "links_of",
    "measured_in",
    "mentions",
    "named",
    "nats_text",
    "pairs_map",
    "patch_map",
    "place_of",
    "points_of",
    "rankings",
    "scale_of",
    "sets_of_units",
    "settled_at",
    "smallest",
    "specification",
    "strikes",
    "two_questions",
    "unfinished",
    "unit_label",
    "verdicts",
]
