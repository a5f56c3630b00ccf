"""What whoever hosts the page decides: `CRUX_HOSTED=1`, and a file of settings named by `CRUX_SETTINGS`.

Read once, as the server starts, and refused there in words: a page that starts has settings that mean
something. Nothing a visitor sends comes near it.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import sys
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dashboard.limits import HOSTED_CAPS, Limits, Pin
from probes.errors import CruxError, InputError
from probes.models.pinned import known_pins

SHORTEST_TOKEN: Final = 24
LARGEST: Final = 10**12
_TOKEN, _FILE, _HOSTED, _MODELS = (
    "CRUX_OPERATOR_TOKEN",
    "CRUX_SETTINGS",
    "CRUX_HOSTED",
    "CRUX_HOSTED_MODELS",
)
_SOURCE = re.compile(r"'self'|'none'|\*|(?:https?://)?(?:\*\.)?[A-Za-z0-9.-]+(?::(?:\d{1,5}|\*))?")
"""Of who may frame the page, as a Content-Security-Policy writes it."""
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Rate:
    """How often a visitor may ask; a question that was answered before costs nothing.

    Each pair is a bucket: so many at once, and it fills again by so many a minute.
    """

    questions: int = 300
    """Of one session to a model."""
    questions_a_minute: int = 120
    address_questions: int = 6_000
    """Of one address: a school has one."""
    address_questions_a_minute: int = 3_600
    visits: int = 600
    """Of one address: pages opened."""
    visits_a_minute: int = 300
    messages: int = 200
    """Of one connection: what a browser sends. More is not refused, but read later."""
    messages_a_minute: int = 1_200
    message_bytes: int = 1_000_000
    """Of one message from a browser; the line is closed at a larger one."""
    sessions: int = 400
    """Pages open at a time, of all visitors."""


@dataclass(frozen=True)
class Settings:
    """All of it; the defaults are those of a page of one's own."""

    limits: Limits = field(default_factory=Limits)
    rate: Rate | None = None
    """None: nobody is held up."""
    proxies: tuple[Network, ...] = ()
    """From whom `header` is believed."""
    header: str = "x-forwarded-for"
    """Where they say who asked."""
    frames: tuple[str, ...] = ()
    """Who may frame the page; none named: anybody."""
    token: str = field(default="", repr=False)
    """Opens the operator's page; none: there is no such page."""

    @property
    def hosted(self) -> bool:
        return self.limits.hosted


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises:
    InputError: the file cannot be read, or something in it, or in the environment, means nothing.
    """
    path = environment.get(_FILE, "")
    told = _file(Path(path)) if path else {}
    hosted = _flag("hosted", told.pop("hosted", environment.get(_HOSTED, "") not in ("", "0")))
    limits = _limits(hosted, told.pop("limits", {}), _models(hosted, told.pop("models", None), environment))
    page = _section("page", told.pop("page", {}), ("frame_ancestors",))
    proxy = _section("proxy", told.pop("proxy", {}), ("addresses", "header"))
    rate = _numbers("rate", told.pop("rate", {}), dataclasses.asdict(Rate()))
    if told:
        raise _unknown(next(iter(told)), ("hosted", "limits", "models", "page", "proxy", "rate"))
    return Settings(
        limits,
        Rate(**rate) if hosted else None,
        tuple(_network(text) for text in _texts("proxy.addresses", proxy.get("addresses", []))),
        _matching("settings_header", "proxy.header", proxy.get("header", "x-forwarded-for"), _HEADER).lower(),
        tuple(
            _matching("settings_frame", "page.frame_ancestors", one, _SOURCE)
            for one in _texts(
                "page.frame_ancestors", page.get("frame_ancestors", ["'self'"] if hosted else [])
            )
        ),
        _token(environment.get(_TOKEN, "")),
    )


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise InputError("settings_file", path=str(path), reason=reason) from fault
    except ValueError as fault:  # no UTF-8, or no TOML
        raise InputError("settings_toml", path=str(path), reason=str(fault)) from fault


def _limits(hosted: bool, told: Any, pins: dict[str, Pin]) -> Limits:
    plain = Limits()
    start = {**{name: getattr(plain, name) for name in HOSTED_CAPS}, **(HOSTED_CAPS if hosted else {})}
    caps = _numbers("limits", told, start)
    return Limits(hosted=hosted, models=tuple(pins) if hosted else (), pins=pins, **caps)


def _models(hosted: bool, told: Any, environment: Mapping[str, str]) -> dict[str, Pin]:
    """Which models a hosted page runs, each with the hash of its weights; {} where it may be any."""
    if not hosted:
        if told is not None:
            raise InputError("settings_models_own")
        return {}
    if told is None:
        names = environment.get(_MODELS, "builtin,smollm2").split(",")
        told = {name.strip(): {} for name in names if name.strip()}
    pins = {name: _pin(name, one) for name, one in _section("models", told, None).items()}
    if not pins:
        raise InputError("settings_models_none")
    return pins


def _pin(name: str, told: Any) -> Pin:
    from probes.models.kinds import kind_of
    from probes.models.source import resolve

    where = f'models."{name}"'
    own = _section(where, told, ("weights", "revision"))
    if kind_of(name):
        raise InputError("settings_model_elsewhere", model=name)
    try:
        source = resolve(name, paths=False)
    except CruxError as fault:
        raise InputError("settings_model", model=name, reason=fault) from fault
    known = known_pins().get(name)
    if not own:
        if known is None:
            raise InputError("settings_pin", model=name)
        return Pin(known)
    if "weights" not in own:
        raise InputError("settings_pin", model=name)
    weights = _matching("settings_hash", f"{where}.weights", own["weights"], _SHA256)
    if source.repo is None:
        return Pin(weights)
    if "revision" not in own:
        raise InputError("settings_pin", model=name)
    return Pin(weights, _matching("settings_commit", f"{where}.revision", own["revision"], _COMMIT))


# ---- one value


def _section(name: str, told: Any, known: tuple[str, ...] | None) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise InputError("settings_section", setting=name)
    for key in told:
        if known is not None and key not in known:
            raise _unknown(f"{name}.{key}", known)
    return told


def _unknown(key: str, known: tuple[str, ...]) -> InputError:
    return InputError("settings_key", setting=key[:80], known=", ".join(known))


def _numbers(section: str, told: Any, start: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(start)
    for key, value in _section(section, told, tuple(start)).items():
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
            shown, where = str(value)[:80], f"{section}.{key}"
            raise InputError("settings_number", setting=where, value=shown, least=1, most=LARGEST)
        found[key] = value
    return found


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InputError("settings_flag", setting=key, value=str(value)[:80])
    return value


def _texts(key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InputError("settings_list", setting=key, value=str(value)[:80])
    return value


def _matching(error: str, key: str, value: Any, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise InputError(error, setting=key, value=str(value)[:80])
    return value


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as fault:
        raise InputError("settings_network", value=text[:80]) from fault


def _token(text: str) -> str:
    if text and (len(text) < SHORTEST_TOKEN or not text.isascii() or not text.isprintable()):
        raise InputError("settings_token", name=_TOKEN, count=len(text), least=SHORTEST_TOKEN)
    return text


_read: list[Settings] = []
_reading = threading.Lock()


def settings() -> Settings:
    """This process's, read from its environment at first use.

    Raises:
        InputError: as `read_settings`; the server's start asks first, and ends with it.
    """
    with _reading:
        if not _read:
            _read.append(read_settings(os.environ))
        return _read[0]


def settings_or_exit() -> Settings:
    """The same; where they mean nothing, the process says so in a line and ends."""
    try:
        return settings()
    except CruxError as fault:
        sys.exit(
            fault.say("zh" if os.environ.get("CRUX_LANG", os.environ.get("LANG", ""))[:2] == "zh" else "en")
        )
