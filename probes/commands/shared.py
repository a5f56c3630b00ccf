"""What all commands share: language, the question's options, loading a model with a word on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from probes.errors import InputError
from probes.locale import LANGUAGES, say
from probes.models.hubs import NAMES
from probes.numbers import shortened
from probes.running.commandline import endings_of, line_end_of, words_of
from probes.text.characters import check_unicode, whole_number

if TYPE_CHECKING:
    from probes.asking.answers import AnswerSet
    from probes.asking.question import Question
    from probes.models.base import AnswerModel
    from probes.record.store import Store

FILES = ("passage", "json", "csv")
"""Options that name files: a name on disk need not be Unicode."""


@dataclass(frozen=True)
class Context:
    """What `crux` was called with."""

    lang: str

    def say(self, name: str, **values: object) -> str:
        return say(f"cli.{name}", self.lang, **values)


def context() -> Context:
    """What this run of `crux` was called with."""
    return click.get_current_context().find_object(Context) or Context("en")


def option(name: str, lang: str, **settings: Any) -> click.Option:
    """One option, its help taken from the texts."""
    flag = name.replace("_", "-")
    names = settings.pop("names", [f"--{flag}"])
    return click.Option(names, help=say(f"options.{name}", lang), **settings)


def language_option(lang: str) -> click.Option:
    return option("lang", lang, type=click.Choice(LANGUAGES), expose_value=False)


def model_options(lang: str) -> list[click.Option]:
    return [
        option("model", lang, default="builtin", show_default=True),
        option("revision", lang),
        option("hub", lang, type=click.Choice(NAMES)),
        option("device", lang, default="auto", show_default=True),
        option("dtype", lang, default="auto", show_default=True),
        option("engine", lang, default="auto", type=click.Choice(["auto", "reference", "batches"])),
    ]


def question_options(lang: str) -> list[click.Option]:
    templates = click.Choice(["auto", "plain", "chat", "builtin"])
    return [
        option("preset", lang),
        option("passage", lang, metavar="FILE|-"),
        option("passage_end", lang, metavar="ENDS"),
        option("asked_in", lang, type=click.Choice(LANGUAGES)),
        option("question", lang, metavar="TEXT"),
        option("answers", lang, metavar="LIST"),
        option("endings", lang, metavar="LIST"),
        option("right", lang, metavar="LABEL"),
        option("tempting", lang, metavar="LABEL"),
        option("prefix", lang, metavar="TEXT"),
        option("instruction", lang, metavar="TEXT"),
        option("system", lang, metavar="TEXT"),
        option("template", lang, type=templates),
        option("dictionary", lang, metavar="WORDS"),
        option("join", lang, metavar="OFFSETS"),
        option("split", lang, metavar="OFFSETS"),
    ]


def load(values: Mapping[str, Any], context: Context, quiet: bool) -> AnswerModel:
    """The model that the options name."""
    from probes.models import load_model

    if not quiet and sys.stderr.isatty():
        click.echo(context.say("loading", model=values["model"]), err=True)
    found: AnswerModel = load_model(
        values["model"],
        revision=values["revision"],
        hub=values.get("hub") or "",
        device=values["device"],
        dtype=values["dtype"],
        engine=values["engine"],
    )
    return found


def asks(values: Mapping[str, Any]) -> bool:
    """Whether the options name a passage."""
    return bool(values["preset"]) or values["passage"] is not None


def question(values: Mapping[str, Any], context: Context) -> Question:
    """The question that the options give: a preset with changes, or one's own passage.

    Raises:
        click.UsageError: neither, both, or a part of the question is missing.
        InputError: an option is no valid Unicode, or has no such value.
    """
    from probes.asking.question import answer_set, preset

    check_unicode((name, value) for name, value in values.items() if name not in FILES)
    if not asks(values) or (values["preset"] and values["passage"] is not None):
        raise click.UsageError(context.say("need_passage"))
    if values["preset"] and values["passage_end"] is not None:
        raise click.UsageError(context.say("end_without_passage"))
    base = preset(values["preset"]).question() if values["preset"] else _own(values, context)
    changes: dict[str, Any] = {
        field: values[name]
        for field, name in {
            "language": "asked_in",
            "question": "question",
            "answer_prefix": "prefix",
            "instruction": "instruction",
            "system": "system",
            "template": "template",
        }.items()
        if values[name] is not None
    }
    if values["answers"]:
        changes["answers"] = answer_set(values["answers"], values["asked_in"] or base.language)
    if values["endings"] is not None:
        changes["answers"] = replace(
            changes.get("answers", base.answers), endings=endings_of(values["endings"])
        )
    changes |= _meant(values, base, changes.get("answers", base.answers))
    if values["dictionary"] or values["join"] or values["split"]:
        changes["passage"] = _resegmented(base, values)
    return replace(base, **changes)


def _meant(values: Mapping[str, Any], base: Question, answers: AnswerSet) -> dict[str, str | None]:
    """The right and the tempting answer: as given ("" is none), or the preset's where it is still listed."""
    found: dict[str, str | None] = {}
    for name in ("right", "tempting"):
        if given := values[name]:
            found[name] = answers.label_of(given)
        elif given is not None or getattr(base, name) not in [answer.label for answer in answers.answers]:
            found[name] = None
    return found


def _own(values: Mapping[str, Any], context: Context) -> Question:
    from probes.asking.question import Question, answer_set
    from probes.text.passage import Passage

    text = _read(values["passage"], context)
    if values["passage_end"] is not None:
        text = text.rstrip("\r\n") + line_end_of(values["passage_end"])
    passage = Passage(text)
    for name in ("question", "answers"):
        if not values[name]:
            raise click.UsageError(context.say(f"need_{name}"))
    language = values["asked_in"] or passage.language
    return Question(passage, values["question"], answer_set(values["answers"], language), language=language)


def _read(path: str, context: Context) -> str:
    from probes.asking.passage_files import one_passage

    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return one_passage(data)
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault.reason
        raise click.UsageError(context.say("passage_unreadable", path=path, reason=reason)) from fault


def _resegmented(base: Question, values: Mapping[str, Any]) -> Any:
    """The passage with words joined, split or added to its dictionary."""
    from probes.text.passage import Passage

    words = words_of(values["dictionary"] or "")
    joins = [_pair(part) for part in words_of(values["join"] or "")]
    splits = [_number(part, "split") for part in words_of(values["split"] or "")]
    return Passage(
        base.passage.text, dictionary=[*base.passage.dictionary, *words], joins=joins, splits=splits
    )


def _pair(part: str) -> tuple[int, int]:
    start, _, end = part.partition("-")
    return _number(start, "join"), _number(end, "join")


def _number(part: str, option: str) -> int:
    number = whole_number(part)
    if number is None:
        expected = {"join": "a-b", "split": "a"}[option]
        raise InputError("option_value", value=shortened(part), option=option, expected=expected)
    return number


class Progress:
    """A line on stderr that says how far a run is; silent where stderr is no terminal."""

    def __init__(self, context: Context, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self._context = context
        self._start = time.monotonic()
        self.done = 0

    @contextmanager
    def stoppable(self, store: Store | None) -> Iterator[None]:
        """Around the work: the line goes with it, and Ctrl-C ends the command with what was kept."""
        try:
            yield
        except KeyboardInterrupt:
            self.clear()
            click.echo(self._context.say("stopped" if store else "stopped_plain", done=self.done), err=True)
            sys.exit(130)
        finally:
            self.clear()

    def __call__(self, done: int, total: int) -> None:
        self.done = done
        if self._shown:
            seconds = time.monotonic() - self._start
            line = self._context.say("progress", done=done, total=total, seconds=seconds)
            click.echo(f"\r\033[K{line}", err=True, nl=False)

    def stage(self, name: str, done: int, total: int) -> None:
        """The same for a download or a conversion."""
        if self._shown:
            line = self._context.say(f"stage_{name}", percent=round(100 * done / max(total, 1)))
            click.echo(f"\r\033[K{line}", err=True, nl=False)

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\033[K", err=True, nl=False)


class Stepwise(Progress):
    """Progress of one of several pieces of work, `step`, as `line` says it.

    Args:
        line: makes the line of the step, of runs done and of runs in all.
    """

    def __init__(self, context: Context, quiet: bool, line: Callable[[str, int, int], str]) -> None:
        super().__init__(context, quiet)
        self.step, self._line = "", line

    def __call__(self, done: int, total: int) -> None:
        self.done = done
        if self._shown:
            click.echo(f"\r\033[K{self._line(self.step, done, total)}", err=True, nl=False)
