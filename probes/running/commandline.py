"""The command line that makes the same record again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from probes.asking.question import Question, preset, presets
from probes.errors import InputError
from probes.studies import study_named
from probes.text import escapes

COMMAS = ",，"


def command_line(study: str, model: Sequence[str], question: Question, settings: Mapping[str, Any]) -> str:
    """`crux STUDY ...` with every setting that is not its default, quoted for a shell.

    A passage of the reader's own is named as the file `passage.txt`: save it there first. `settings` may name
    a set of passages as `over`.

    Args:
        model: the options that load the model again.
    """
    words = ["crux", study, *model, *question_words(question)]
    for option in study_named(study).options:
        value = settings.get(option.name, option.default)
        if value == option.default:
            continue
        flag = option.name.replace("_", "-")
        if option.kind == "flag":
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += _given(flag, str(value))
    if settings.get("over"):
        words += _given("over", str(settings["over"]))
    return shlex.join(words)


def _given(name: str, value: str) -> list[str]:
    """An option and its value, in one word where the value looks like an option."""
    return [f"--{name}={value}"] if value.startswith("-") else [f"--{name}", value]


def question_words(question: Question) -> list[str]:
    """The options that give the question: a preset with what was changed in it, or the whole of it."""
    base = _preset(question)
    words = ["--preset", base.preset] if base and base.preset else ["--passage", "passage.txt"]
    for name, (value, usual) in _parts(question, base).items():
        if value != usual:
            words += _given(name, value)
    return words


def _preset(question: Question) -> Question | None:
    """The preset that the question is made from; None where its passage is another one."""
    if question.preset not in presets():
        return None
    base = preset(question.preset).question()
    kept = len(base.passage.dictionary)
    same = question.passage.text == base.passage.text
    return base if same and question.passage.dictionary[:kept] == base.passage.dictionary else None


def _parts(question: Question, base: Question | None) -> dict[str, tuple[str, str]]:
    """Option -> its value, and what holds without it."""
    passage, answers = question.passage, question.answers
    listed, usual = answers.as_text(), base.answers.as_text() if base else ""
    usual_endings = base.answers.endings if base and listed == usual else ()
    labels = [answer.label for answer in answers.answers]
    meant = {base.right, base.tempting} & set(labels) if base else set()  # the rest goes with the answers
    words = passage.dictionary[len(base.passage.dictionary) :] if base else passage.dictionary
    return {
        "passage-end": ("" if base else line_end_text(passage.text), ""),
        "asked-in": ("zh" if question.language == "zh" else "en", (base or passage).language),
        "question": (question.question, base.question if base else ""),
        "answers": (listed, usual),
        "endings": (endings_text(answers.endings), endings_text(usual_endings)),
        "prefix": (question.answer_prefix, base.answer_prefix if base else ""),
        "instruction": (question.instruction, base.instruction if base else ""),
        "system": (question.system or "", (base.system if base else None) or ""),
        "template": (question.template, base.template if base else "auto"),
        "right": (question.right or "", base.right or "" if base and base.right in meant else ""),
        "tempting": (question.tempting or "", base.tempting or "" if base and base.tempting in meant else ""),
        "dictionary": (",".join(escapes.escaped(word, COMMAS) for word in words), ""),
        "join": (",".join(f"{a}-{b}" for a, b in passage.joins), ""),
        "split": (",".join(map(str, passage.splits)), ""),
    }


# ---- values of options that are lists or line ends: how they are written, and read again


def endings_text(endings: Sequence[str]) -> str:
    """Endings as `--endings` takes them: parted by |, a line end as \\n."""
    written = (ending.replace("\\", r"\\").replace("|", r"\|").replace("\n", r"\n") for ending in endings)
    return "|".join(written)


def endings_of(text: str) -> tuple[str, ...]:
    """What `endings_text` wrote."""
    parts = escapes.parted(escapes.signs(text, "|n"), "|")
    return tuple("".join("\n" if sign == ("n", True) else sign[0] for sign in part) for part in parts)


def words_of(text: str) -> list[str]:
    """What stands between commas, full-width ones too."""
    found = (escapes.plain(part) for part in escapes.parted(escapes.signs(text, COMMAS), COMMAS))
    return [word for word in found if word]


def line_end_text(text: str) -> str:
    """The line ends that `text` ends in, as `--passage-end` takes them."""
    return text[len(text.rstrip("\r\n")) :].replace("\r", r"\r").replace("\n", r"\n")


def line_end_of(text: str) -> str:
    """What `line_end_text` wrote.

    Raises:
        InputError: there is something else in it.
    """
    found = text.replace(r"\r", "\r").replace(r"\n", "\n")
    if found.strip("\r\n"):
        raise InputError("option_value", value=text, option="passage-end", expected=r"\n, \r\n")
    return found
