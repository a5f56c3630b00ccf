"""Help pages that speak the chosen language throughout: click's own words too."""

from __future__ import annotations

from collections.abc import Iterable

import click

from probes.locale import say

_OWN_WORDS = ("Options", "Commands")


def speaking(command: click.Command, lang: str) -> None:
    """Give `command` and all below it headings, usage line and help option in `lang`."""
    command.context_settings["help_option_names"] = []
    command.add_help_option = False
    command.params.append(_help_option(lang))
    if lang == "zh":
        command.context_class = type("Context", (click.Context,), {"formatter_class": _Chinese})
    if isinstance(command, click.Group):
        for each in command.commands.values():
            speaking(each, lang)


def _help_option(lang: str) -> click.Option:
    def show(context: click.Context, _option: click.Parameter, asked: bool) -> None:
        if asked and not context.resilient_parsing:
            click.echo(context.get_help())
            context.exit()

    return click.Option(
        ["-h", "--help"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help=say("options.help", lang),
    )


class _Chinese(click.HelpFormatter):
    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or say("cli.usage", "zh"))

    def write_heading(self, heading: str) -> None:
        own = heading in _OWN_WORDS
        super().write_heading(say(f"cli.{heading.lower()}", "zh") if own else heading)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        default = say("cli.default", "zh")
        super().write_dl([(a, b.replace("[default: ", f"[{default}")) for a, b in rows], col_max, col_spacing)
