"""What can go wrong, said to the person who can mend it: what was wrong, with the value, and what would do.

Texts are in `locale/errors.toml`, a study's own beside it. The exit code of the command line follows from
the class.
"""

from __future__ import annotations

from collections.abc import Callable

from probes.locale import TEXTS


class CruxError(Exception):
    """An error with a text in both languages: `CruxError("window", tokens=5000, window=384)`; a key with a
    dot is the whole name of a text, as a study has them: `patch.no_pair`.

    A value that is itself a `CruxError` is said in the same language.
    """

    exit_code = 1

    def __init__(self, key: str, **values: object) -> None:
        self.key = key
        self.values = values
        super().__init__(self.say("en"))

    def say(self, lang: str, show: Callable[[str], str] = str) -> str:
        """The message in `lang`; it can always be printed, whatever text it quotes.

        Args:
            show: makes what is quoted fit for where the message is read.
        """
        values = {
            name: value.say(lang) if isinstance(value, CruxError) else _printable(value)
            for name, value in self.values.items()
        }
        text = TEXTS.shown(self.key if "." in self.key else f"errors.{self.key}", lang, show, values)
        return text.encode("utf-8", "replace").decode("utf-8")  # half a character becomes "?"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.key, self.values)


def _printable(value: object) -> object:
    """Python refuses to print whole numbers of thousands of digits."""
    huge = isinstance(value, int) and value.bit_length() > 64
    return float("inf") if huge else value


def _rebuild(kind: type[CruxError], key: str, values: dict[str, object]) -> CruxError:
    return kind(key, **values)


class InputError(CruxError):
    """What the person gave cannot be used: an empty passage, a word that is not in it, a broken file."""

    exit_code = 2


class ModelError(CruxError):
    """The model cannot be had: unknown, unreachable, in a format that is not safe to load."""

    exit_code = 3


class LimitError(CruxError):
    """It does not fit: a prompt beyond the window, weights beyond the memory."""

    exit_code = 4


class CapabilityError(CruxError):
    """This model cannot do what was asked, and why."""

    exit_code = 5
