"""A model that answers from elsewhere, on every page; another visitor's own model is none of its concern."""

from __future__ import annotations

import pytest

from dashboard.service import Service
from dashboard.shelf import Choice
from probes.models import kinds
from tests.dashboard.test_page import PAGE, opened, title
from tests.fake_models import Counting, Sampling

assert PAGE


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds.KINDS, "counting", Counting)
    monkeypatch.setitem(kinds.KINDS, "sampling", Sampling)


def agreed(at):
    """The page after its question, whether the passage may be sent, was answered."""
    assert "sent there" in at.info[0].value
    at.button[[b.label for b in at.button].index("Send them there")].click().run()
    assert not at.exception
    return at


@pytest.mark.parametrize("kind", ["counting", "sampling"])
def test_explore_works_with_it(kind: str) -> None:
    at = agreed(opened(lang="en", model=f"{kind}:walked"))
    assert not at.error
    assert "The model says “once”" in title(at)
    said = [one.value for one in at.caption]
    assert any("only sampled" in text for text in said) == (kind == "sampling")


def test_pages_that_look_inside_say_why_not() -> None:
    at = agreed(opened(lang="en", model="counting:walked"))
    for view in ("heads", "links", "layers"):
        at.switch_page(f"views/{view}.py").run()
        assert not at.exception
        assert "answers from elsewhere" in at.error[0].value
    at.switch_page("views/models.py").run()
    assert not at.exception
    assert "answers from elsewhere" in at.subheader[0].value


def test_a_study_that_needs_answers_alone_has_its_page() -> None:
    at = agreed(opened(lang="en", model="sampling:walked", study="words"))
    at.switch_page("views/study.py").run()
    offers = [button for button in at.button if button.key and button.key.endswith("_measure")]
    at = offers[0].click().run() if offers else at
    assert not at.exception
    assert not at.error
    assert len(at.get("vega_lite_chart")) == 1
    at.selectbox(key="w_study").set_value("heads").run()
    assert "answers from elsewhere" in at.error[0].value


def test_a_hosted_page_opens_none_that_is_not_listed() -> None:
    from dashboard.limits import Limits
    from probes.errors import ModelError

    shop = Service(None, Limits.from_environment({"CRUX_HOSTED": "1"}))
    with pytest.raises(ModelError):
        shop.files.needs_consent(Choice("counting:walked"))
