"""The process that chat templates run in: requests in, texts out, one line of JSON each.

A template is a program of whoever made the model. Started by `probes.models.rendering` as a script, with
nothing but Jinja: what a template may use is what `transformers` gives it, which a test holds side by side.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

OUTPUT = 4_000_000
"""Characters of a rendered talk: far beyond any window."""
REASON = 300


def environment(day: datetime) -> Any:
    """A sandbox with the names, filters and tags that chat templates are written for.

    Args:
        day: what the clock says to a template, so that every rendering of a question has the same.
    """
    from jinja2 import nodes
    from jinja2.exceptions import SecurityError, TemplateError
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from jinja2.utils import Namespace

    class Generation(Extension):
        """`{% generation %}` marks what the model writes; here it only passes on its body."""

        tags = {"generation"}  # noqa: RUF012 - Jinja's own way of saying it

        def parse(self, parser: Any) -> nodes.Node:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.CallBlock(self.call_method("passed_on"), [], [], body).set_lineno(line)

        def passed_on(self, caller: Callable[[], str]) -> str:
            return caller()

    class Dict:
        """`dict` without the attributes of the type."""

        def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
            return dict(*args, **kwargs)

        def fromkeys(self, keys: Iterable[Any], value: Any = None) -> dict[Any, Any]:
            return dict.fromkeys(keys, value)

    class Names(Namespace):
        """A namespace that keeps nothing under a name of Python's own."""

        def __init__(*args: Any, **kwargs: Any) -> None:
            self, *given = args  # so that `namespace(self=...)` is a name like any other
            Namespace.__init__(self, {})
            for name, value in dict(*given, **kwargs).items():
                self[name] = value

        def __setitem__(self, name: str, value: Any) -> None:
            if str(name).startswith("_"):
                raise SecurityError(f"{name!r} may not be set on a namespace")
            super().__setitem__(name, value)

    def raise_exception(message: Any) -> NoReturn:
        raise TemplateError(message)

    def as_json(value: Any, ensure_ascii: bool = False, **layout: Any) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, **layout)

    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    made.filters["tojson"] = as_json
    made.globals.update(
        raise_exception=raise_exception, strftime_now=day.strftime, dict=Dict(), namespace=Names
    )
    return made


@lru_cache(maxsize=8)
def compiled(template: str, day: str) -> Any:
    return environment(datetime.fromisoformat(day)).from_string(template)


def rendered(template: str, day: str, variables: dict[str, Any]) -> dict[str, str]:
    """{"text": ...}, {"fault": ...} where the template fails, {"heavy": ...} where it wants too much."""
    try:
        text = compiled(template, day).render(**variables)
        return {"text": text} if len(text) <= OUTPUT else {"heavy": "output"}
    except MemoryError:
        return {"heavy": "memory"}
    except Exception as fault:  # noqa: BLE001 - any error of a stranger's program ends up here
        return {"fault": f"{type(fault).__name__}: {fault}"[:REASON]}


def serve() -> None:
    """Answer requests until there are no more."""
    environment(datetime.min)  # imports Jinja before anybody waits for an answer
    out = sys.stdout.buffer
    out.write(b"%d\n" % os.getpid())
    out.flush()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        answers = []
        for variables in request["talks"]:
            answers.append(rendered(request["template"], request["day"], variables))
            if "heavy" in answers[-1]:
                break
        out.write(json.dumps(answers).encode() + b"\n")
        out.flush()


if __name__ == "__main__":
    sys.path += sys.argv[1:]
    serve()
