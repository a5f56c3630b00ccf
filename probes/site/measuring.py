"""What a gallery shows: studies of Crux's own passages, the lecture's claims, files of records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from probes.asking.question import preset
from probes.errors import CapabilityError, InputError, LimitError
from probes.locale import LANGUAGES
from probes.models.base import AnswerModel, Progress
from probes.record.store import Store
from probes.report.page import Both, Given, said
from probes.report.reading import read, shown_name
from probes.running.lecture import lecture
from probes.running.runner import run
from probes.site.gallery import Leaf

STUDIES_SHOWN = ("ask", "words", "minimal", "counterfactual", "heads", "layers", "lens")
"""Run where nobody names others: half a minute a passage on the built-in model, records of 2 MB together."""
Refused = Callable[[str, InputError | CapabilityError | LimitError], None]


def leaf_of_preset(
    name: str,
    model: AnswerModel,
    studies: Sequence[str],
    *,
    store: Store | None,
    on_study: Callable[[str], None],
    on_refused: Refused,
    on_progress: Progress | None = None,
) -> Leaf | None:
    """One passage with its studies; None where none of them can be run on it.

    Args:
        on_study: called with a study's name before it is run; what it raises ends the work.
        on_refused: called with a study that this passage or model is not for, and why.
    """
    one = preset(name)
    question, given = one.question(), []
    for study in studies:
        on_study(study)
        try:
            result = run(study, model, question, store=store, on_progress=on_progress)
        except (InputError, CapabilityError, LimitError) as fault:
            on_refused(study, fault)
        else:
            given.append(Given(result))
    return Leaf(name, _texts(one.title), _texts(one.about), given, "preset") if given else None


def leaf_of_lecture(
    model: AnswerModel,
    *,
    store: Store | None,
    on_claim: Callable[[str, int, int], None],
    on_progress: Progress | None = None,
) -> Leaf:
    """The lecture's claims and their verdicts, on passages of each language."""
    given = [
        Given(lecture(model, language=lang, store=store, on_claim=on_claim, on_progress=on_progress))
        for lang in LANGUAGES
    ]
    return Leaf("lecture", said("site.lecture"), said("site.lecture_about"), given, "lecture")


def leaves_of_files(paths: Sequence[str]) -> list[Leaf]:
    """A page for each file: a record, a list of records, or a report.

    Raises:
        InputError, LimitError: as `probes.report.read` does.
    """
    found = []
    for number, path in enumerate(paths, 1):
        name = shown_name(path)
        title = said("site.record_title", name=name)
        given = [Given(result, name) for result in read(path)]
        found.append(Leaf(f"record-{number}", title, None, given, "record"))
    return found


def _texts(text: Both) -> Both:
    return {lang: text[lang] for lang in LANGUAGES}
