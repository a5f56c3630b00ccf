"""What measures the model is itself right: scores, intervals, calibration, heads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from probes.generator.questions import PROMPTS
from probes.training.cases import ROWS, accuracy, calibration_error, cases, wilson
from probes.training.heads import ablated, mean_outputs
from probes.training.measure import leave_one_out
from probes.training.origin import digest, makers
from probes.training.scoring import Item, Scorer, best

BUILTIN = Path(__file__).parents[2] / "probes" / "models" / "builtin"


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(BUILTIN, tokens=600)


def plain(scorer: Scorer, item: Item) -> dict[str, float]:
    """Each candidate in a forward of its own, its tokens' probabilities multiplied."""
    prompt = PROMPTS[item.language].format(passage=item.passage, question=item.question)
    ids = scorer.tokenizer(prompt)["input_ids"]
    found = {}
    for label, string in item.candidates:
        more = scorer.tokenizer(string, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            chances = scorer.model(input_ids=torch.tensor([ids + more])).logits[0].softmax(-1)
        product = 1.0
        for place, token in enumerate(more):
            product *= chances[len(ids) - 1 + place, token].item()
        found[label] = product
    return found


def test_candidates_are_scored_as_if_alone(scorer: Scorer) -> None:
    names = (("coffee shop", " coffee shop"), ("zoo", " zoo"), ("old town hall", " old town hall"))
    items = [
        Item("I went to the coffee shop. I heard of the zoo.", "Which place did I go to?", "en", names),
        Item("我走进咖啡店。", "我去了几次咖啡店？", "zh", (("0", "零次"), ("1", "一次"))),
        Item("It rained.", "How often did I visit the zoo?", "en", (("0", " never"), ("3", " three times"))),
    ]
    for item, chances in zip(items, scorer.probabilities(items), strict=True):
        for label, expected in plain(scorer, item).items():
            assert chances[label] == pytest.approx(expected, rel=1e-3, abs=1e-7)


def test_a_hidden_word_is_read_by_nothing_later(scorer: Scorer) -> None:
    """Whatever stands at a hidden place, the answer is the same."""
    counts = (("0", "零次"), ("1", "一次"))
    texts = ["我走进咖啡店。", "我望着咖啡店。"]
    one, other = scorer.probabilities(
        [Item(text, "我去了几次咖啡店？", "zh", counts, ((1, 3),)) for text in texts]
    )
    seen, unseen = scorer.probabilities([Item(text, "我去了几次咖啡店？", "zh", counts) for text in texts])
    assert one["1"] == pytest.approx(other["1"], rel=1e-4)
    assert abs(seen["1"] - unseen["1"]) > 1e-3


def test_intervals_and_calibration() -> None:
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert calibration_error([(0.9, True)] * 9 + [(0.9, False)]) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error([(0.75, False)] * 4) == pytest.approx(0.75)


@pytest.mark.parametrize("name", list(ROWS))
def test_every_row_can_be_asked_in_both_languages(name: str) -> None:
    for language in ("en", "zh"):
        found = ROWS[name](language, 4, 123)
        assert len(found) == 4
        assert all(case.right in dict(case.item.candidates) for case in found)
        assert ROWS[name](language, 4, 123) == found


def test_mean_ablation_is_the_head_replaced_in_the_weights(scorer: Scorer) -> None:
    """Zeroing its columns of the projection and adding its mean's image as a bias is the same network."""
    asked = cases("zh", 6, 7)
    means = mean_outputs(scorer, asked)
    layer, head = 2, 1
    size = scorer.model.config.hidden_size // scorer.model.config.num_attention_heads
    part = slice(head * size, (head + 1) * size)
    with ablated(scorer, [(layer, head)], means):
        found = scorer.probabilities([case.item for case in asked])
    projection = scorer.model.model.layers[layer].self_attn.o_proj
    before = projection.weight.detach().clone()
    with torch.no_grad():
        image = projection.weight[:, part] @ means[layer][part]
        projection.weight[:, part] = 0
        projection.bias = torch.nn.Parameter(image)
        expected = scorer.probabilities([case.item for case in asked])
        projection.weight.copy_(before)
        projection.bias = None
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-6)


def test_the_model_beats_chance_by_far(scorer: Scorer) -> None:
    """A floor under what ships: far above always saying the commonest answer."""
    for language in ("en", "zh"):
        right, _ = accuracy(scorer, cases(language, 60, 99))
        assert right["share"] > 0.6
        truth = leave_one_out(scorer, language, 4, 5)
        assert truth["key words found"]["share"] > 0.5
        assert truth["other words that flip"]["share"] < 0.15


@pytest.mark.parametrize(
    ("text", "question", "language", "key"),
    [
        (
            "I ran late. In the end I walked into the bakery.",
            "How many times did I go to the bakery?",
            "en",
            "walked",
        ),
        ("后来我走进面包店。", "我去了几次面包店？", "zh", "走进"),
    ],
)
def test_without_its_verb_there_is_no_visit(
    scorer: Scorer, text: str, question: str, language: str, key: str
) -> None:
    strings = ("never", "once", "twice") if language == "en" else ("零次", "一次", "两次")
    counts = tuple((str(n), f" {s}" if language == "en" else s) for n, s in enumerate(strings))
    items = [Item(text, question, language, counts), Item(text.replace(key, ""), question, language, counts)]
    assert [best(chances) for chances in scorer.probabilities(items)] == ["1", "0"]


def test_the_hash_follows_the_code(tmp_path: Path) -> None:
    one = tmp_path / "a.py"
    one.write_text("x = 1\n")
    first = digest([one])
    assert digest([one]) == first
    one.write_text("x = 2\n")
    assert digest([one]) != first
    assert len({path.name for path in makers()}) > 20
