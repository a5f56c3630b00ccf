"""`crux site`: a gallery of pages that needs no server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from probes.commands import shared
from probes.commands.shared import Context
from probes.errors import CruxError, InputError
from probes.locale import say

if TYPE_CHECKING:
    from probes.site import Leaf

_OF_A_RUN = ("studies", "lecture", "model", "revision", "device", "dtype", "engine")


def site(lang: str) -> click.Command:
    """`crux site FOLDER [RECORD.json …]`."""
    return click.Command(
        "site",
        callback=_site,
        help=say("site.about", lang),
        params=[
            click.Argument(["folder"], metavar="FOLDER"),
            click.Argument(["records"], nargs=-1, metavar="[RECORD.json …]"),
            shared.option("presets", lang, metavar="all|LIST"),
            shared.option("studies", lang, metavar="LIST"),
            shared.option("lecture", lang, names=["--lecture/--no-lecture"], default=True),
            *shared.model_options(lang),
            shared.option("cache", lang, names=["--cache/--no-cache"], default=True),
            shared.option("quiet", lang, names=["--quiet", "-q"], is_flag=True),
            shared.language_option(lang),
        ],
    )


def _site(folder: str, records: Sequence[str], **values: Any) -> None:
    from probes.site import Folder, gallery, leaves_of_files

    current, context = click.get_current_context(), shared.context()
    named = [n for n in _OF_A_RUN if current.get_parameter_source(n) is ParameterSource.COMMANDLINE]
    if records and not values["presets"] and named:
        raise click.UsageError(say("site.model_of_files", context.lang))
    place = Folder(Path(folder))  # before the work, not after it
    leaves = leaves_of_files(records)
    if values["presets"] or not records:
        leaves = [*_measured(values, context), *leaves]
    files = gallery(leaves, context.lang)
    place.write(files)
    size = f"{sum(map(len, files.values())) / 1e6:.1f} MB"
    index = str(Path(folder) / "index.html")
    told = say("site.written", context.lang, count=len(files), size=size, folder=folder, index=index)
    click.echo(told, err=True)


def _measured(values: dict[str, Any], context: Context) -> list[Leaf]:
    """The pages of the passages that come with Crux, and of the lecture.

    Raises:
        InputError: no such preset or study, or none that can be run.
    """
    from probes.asking.question import preset, presets
    from probes.record.store import Store
    from probes.running.commandline import words_of
    from probes.site import STUDIES_SHOWN, leaf_of_lecture, leaf_of_preset
    from probes.studies import STUDIES, study_named

    asked = values["presets"] or "all"
    names = presets() if asked == "all" else tuple(dict.fromkeys(words_of(asked)))
    studies = {None: STUDIES_SHOWN, "all": tuple(STUDIES)}.get(values["studies"]) or tuple(
        dict.fromkeys(words_of(values["studies"]))
    )
    for each in names:
        preset(each)
    for each in studies:
        study_named(each)
    model = shared.load(values, context, values["quiet"])
    store = Store.default() if values["cache"] else None
    progress = shared.Stepwise(context, values["quiet"], lambda step, done, total: f"{step} · {done}/{total}")
    found: list[Leaf] = []
    with progress.stoppable(store):
        for number, name in enumerate(names, 1):

            def studying(study: str, name: str = name, number: int = number) -> None:
                where = {"place": name, "study": study, "number": number, "all": len(names)}
                progress.step = say("site.studying", context.lang, **where)

            def refused(study: str, fault: CruxError, name: str = name) -> None:
                progress.clear()
                why = {"study": study, "place": name, "reason": fault.say(context.lang)}
                click.echo(say("site.refused", context.lang, **why), err=True)

            leaf = leaf_of_preset(
                name, model, studies, store=store,
                on_study=studying, on_refused=refused, on_progress=progress,
            )  # fmt: skip
            found += [leaf] if leaf else []

        def judging(claim: str, judged: int, of: int) -> None:
            progress.step = say("lecture.judging", context.lang, claim=claim, done=judged, all=of)

        if values["lecture"]:
            found.append(leaf_of_lecture(model, store=store, on_claim=judging, on_progress=progress))
    if not found:
        raise InputError("site.nothing", studies=", ".join(studies))
    return found
