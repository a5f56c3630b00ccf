"""`crux`: the same studies from a terminal. Answers `--help` without importing torch."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import click

from probes import __version__
from probes.commands import catalogue, lecture, report, site, study
from probes.commands.help import speaking
from probes.commands.shared import Context
from probes.errors import CruxError
from probes.locale import LANGUAGES, say
from probes.studies import BROKEN


def language(arguments: Sequence[str]) -> str:
    """The language asked for with `--lang`, or the environment's (CRUX_LANG, LC_ALL, LANG)."""
    for i, argument in enumerate(arguments):
        value = arguments[i + 1] if argument == "--lang" and i + 1 < len(arguments) else None
        value = argument.removeprefix("--lang=") if argument.startswith("--lang=") else value
        if value in LANGUAGES:
            return value
    named = (os.environ.get(name, "") for name in ("CRUX_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if next(filter(None, named), "").lower().startswith("zh") else "en"


def build(lang: str) -> click.Group:
    """The whole command line, its help in `lang`."""
    examples = "\n".join(
        f"  {line}"
        for line in (
            "crux ask --preset coffee-zh",
            'crux ask --preset coffee-zh --drop "走进,咖啡店#2"',
            "crux words --preset coffee-en --mode hide --csv effects.csv",
            "crux words --model smollm2 --preset coffee-en --json -",
            "crux heads --preset coffee-en --ablate-mode mean",
            "crux heads --over 20 --preset coffee-zh",
            "crux links --preset coffee-zh",
            "crux patch --preset coffee-en",
            "crux lecture --model builtin",
            "crux report record.json --out report.html",
            "crux site gallery",
            "crux page",
        )
    )
    broken = "".join(f"\n\n{say('cli.broken', lang, study=n, reason=why)}" for n, why in BROKEN.items())
    group = click.Group(
        "crux",
        help=say("cli.about", lang),
        epilog=f"\b\n{say('cli.examples', lang)}\n{examples}{broken}",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    group.params.append(
        click.Option(["--lang"], type=click.Choice(LANGUAGES), help=say("options.lang", lang))
    )
    about_version = say("options.version", lang)
    click.version_option(__version__, message="%(prog)s %(version)s", help=about_version)(group)
    for command in (
        *study.commands(lang),
        lecture.lecture(lang),
        report.report(lang),
        report.show(lang),
        site.site(lang),
        catalogue.models(lang),
        catalogue.presets(lang),
        catalogue.page(lang),
    ):
        group.add_command(command)
    speaking(group, lang)
    return group


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, and leave with the exit code of the README's table."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    lang = language(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file or pipe of another encoding could not hold Chinese, and nothing holds half a character.
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: spinning threads slow each other down
    try:
        build(lang).main(list(arguments), prog_name="crux", standalone_mode=False, obj=Context(lang))
    except CruxError as fault:
        click.echo(say("cli.error", lang, message=fault.say(lang)), err=True)
        sys.exit(fault.exit_code)
    except click.Abort:
        click.echo(say("cli.stopped_plain", lang), err=True)
        sys.exit(130)
    except click.ClickException as fault:
        fault.show()
        sys.exit(fault.exit_code)
    except BrokenPipeError:  # `crux … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()
