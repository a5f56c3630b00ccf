"""The command line that makes the same record again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from probes.question import Question, preset
from probes.studies import study_named


def command_line(study: str, model: Sequence[str], question: Question, settings: Mapping[str, Any]) -> str:
    """`crux STUDY ...` with every setting that is not its default, quoted for a shell.

    A passage of the reader's own is named as the file `passage.txt`: save it there first. `settings` may name
    a set of passages as `over`.

    Args:
        model: the options that load the model again.
    """
    words = ["crux", study, *model, *_question(question)]
    for option in study_named(study).options:
        value = settings.get(option.name, option.default)
        if value == option.default:
            continue
        flag = option.name.replace("_", "-")
        if option.kind == "flag":
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", str(value)]
    if settings.get("over"):
        words += ["--over", str(settings["over"])]
    return shlex.join(words)


def _question(question: Question) -> list[str]:
    """How the question is given: as a preset with what was changed in it, or whole."""
    words = ["--preset", question.preset] if question.preset else ["--passage", "passage.txt"]
    base = preset(question.preset).question() if question.preset else None
    if base is None or question.question != base.question:
        words += ["--question", question.question]
    if base is None or question.answers.answers != base.answers.answers:
        words += ["--answers", answers_text(question)]
    changed = {
        "endings": ("|".join(question.answers.endings).replace("\n", "\\n"), _endings(base)),
        "prefix": (question.answer_prefix, base.answer_prefix if base else ""),
        "instruction": (question.instruction, base.instruction if base else ""),
        "system": (question.system or "", (base.system if base else None) or ""),
        "template": (question.template, "auto"),
        "right": (question.right or "", (base.right if base else None) or ""),
        "tempting": (question.tempting or "", (base.tempting if base else None) or ""),
        "dictionary": (
            ",".join(question.passage.dictionary),
            ",".join(base.passage.dictionary) if base else "",
        ),
        "join": (",".join(f"{a}-{b}" for a, b in question.passage.joins), ""),
        "split": (",".join(map(str, question.passage.splits)), ""),
    }
    for name, (value, default) in changed.items():
        if value and value != default:
            words += [f"--{name}", value]
    return words


def _endings(base: Question | None) -> str:
    return "|".join(base.answers.endings).replace("\n", "\\n") if base else ""


def answers_text(question: Question) -> str:
    """An answer set as `--answers` takes it."""
    return ";".join("=".join((answer.label, *answer.strings)) for answer in question.answers.answers)
