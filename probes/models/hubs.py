"""The hubs that a model can come from: a fixed list, and the operator's own. Nobody types an address.

`HF_ENDPOINT` is the operator's: one more hub of Hugging Face's protocol, and the one that is asked where
nobody chose another. `MODELSCOPE_ENDPOINT` moves ModelScope, inside a company for instance. A choice is
handed on by its name, call by call, so that visitors of one page can choose each their own.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from probes.errors import CruxError, InputError, ModelError

T = TypeVar("T")

PATIENCE = 6.0
"""Seconds until a hub that says nothing counts as out of reach, the look-up of its name included."""
REMEMBERED = 60.0
"""Seconds for which it is remembered whether a hub could be reached."""
NAMES: Final = ("huggingface", "hf-mirror", "modelscope", "own")
_ADDRESSES: Final = {
    "huggingface": "https://huggingface.co",
    "hf-mirror": "https://hf-mirror.com",
    "modelscope": "https://www.modelscope.cn",
}
_SMALL: Final = {
    "huggingface": "/api/models?limit=1",
    "modelscope": "/api/v1/models/Qwen/Qwen3-0.6B/repo/files?Revision=master",
}
"""Something small that a hub of each protocol answers in JSON."""


@dataclass(frozen=True)
class Hub:
    """One hub. What it serves is asked for by its protocol."""

    name: str
    address: str
    protocol: Literal["huggingface", "modelscope"] = "huggingface"

    @property
    def host(self) -> str:
        """Its host name, without anything a URL may hide (a password, a path)."""
        url = self.address if "//" in self.address else f"//{self.address}"
        return urlsplit(url).hostname or "?"

    @property
    def token(self) -> str | None:
        """`HF_TOKEN`, where this hub may be shown it: Hugging Face, and what the operator set in its place.

        A mirror that a visitor chose is a third party.
        """
        trusted = self.name in ("huggingface", "own") or self.address == _own()
        return (os.environ.get("HF_TOKEN") or None) if trusted and self.protocol == "huggingface" else None


def hubs() -> tuple[Hub, ...]:
    """All there are, the one that is asked by default first."""
    scope = os.environ.get("MODELSCOPE_ENDPOINT", "").rstrip("/") or _ADDRESSES["modelscope"]
    known = [
        Hub("huggingface", _ADDRESSES["huggingface"]),
        Hub("hf-mirror", _ADDRESSES["hf-mirror"]),
        Hub("modelscope", scope, "modelscope"),
    ]
    own = _own()
    if own and own not in (hub.address for hub in known[:2]):
        known.insert(0, Hub("own", own))
    return tuple(sorted(known, key=lambda hub: bool(own) and hub.address != own))


def hub_named(name: str) -> Hub:
    """The hub called `name`; "" is the one asked by default.

    Raises:
        InputError: there is none of that name here.
    """
    found = hubs()
    if not name:
        return found[0]
    for hub in found:
        if hub.name == name:
            return hub
    raise InputError("hub_name", hub=name[:40], names=", ".join(hub.name for hub in found))


def _own() -> str:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/")


# ---- whether one can be reached

_tried: dict[str, tuple[float, bool]] = {}
"""By address: when it was tried, and what came out. All threads read and write it, an entry whole."""


def reach(hub: Hub) -> bool | None:
    """Whether `hub` could be reached within the last minute; None where nobody tried."""
    when, found = _tried.get(hub.address, (0.0, False))
    return found if when and time.monotonic() - when <= REMEMBERED else None


def try_reach(hub: Hub, seconds: float = 3.0) -> bool:
    """Ask `hub` for something small, and remember whether it answered as a hub does."""
    from huggingface_hub import constants

    found = False
    if not constants.HF_HUB_OFFLINE:
        try:
            found = within(seconds, lambda: _answers(hub, seconds))
        except Exception:  # noqa: BLE001 (whatever stands in the way: it is out of reach)
            found = False
    note_reach(hub, found)
    return found


def note_reach(hub: Hub, found: bool) -> None:
    """Remember what asking `hub` came to."""
    _tried[hub.address] = time.monotonic(), found


def forget_reach() -> None:
    """Let every hub be tried again."""
    _tried.clear()


def _answers(hub: Hub, seconds: float) -> bool:
    import httpx2

    answer = httpx2.get(hub.address + _SMALL[hub.protocol], timeout=seconds, follow_redirects=True)
    # a log-in page of a hotel's network answers everything, in HTML
    return answer.status_code < 500 and "json" in answer.headers.get("content-type", "")


# ---- asking one


def within(seconds: float, call: Callable[[], T]) -> T:
    """The result of `call`, or TimeoutError. A call that hangs is left behind in its own thread."""
    box: dict[str, Any] = {}

    def work() -> None:
        try:
            box["result"] = call()
        except Exception as error:  # noqa: BLE001 (handed over to the caller's thread, raised there)
            box["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if "error" in box:
        raise box["error"]
    if "result" not in box:
        raise TimeoutError
    result: T = box["result"]
    return result


@contextmanager
def explained(repo: str, revision: str | None, hub: Hub) -> Iterator[None]:
    """Turn what asking a hub raises into one clear sentence each. Messages of libraries are not passed on:
    they can hold addresses and tokens.

    Raises:
        ModelError: in the place of whatever was raised.
    """
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except CruxError:
        raise
    except errors.OfflineModeIsEnabled as error:
        raise ModelError("hub_offline", name=repo) from error
    except errors.GatedRepoError as error:
        raise ModelError("hub_gated", name=repo, host=hub.host) from error
    except errors.RevisionNotFoundError as error:
        raise ModelError("hub_revision", name=repo, revision=revision) from error
    except (errors.HfHubHTTPError, httpx2.HTTPStatusError) as error:
        raise refused(error.response.status_code, repo, hub) from error
    except (
        httpx2.RequestError,
        httpx2.InvalidURL,
        errors.LocalEntryNotFoundError,
        ConnectionError,
        TimeoutError,
        ValueError,  # some other server answered, a log-in page for instance
        KeyError,
        TypeError,
    ) as error:
        note_reach(hub, False)
        raise ModelError("hub_unreachable", name=repo, host=hub.host) from error
    except OSError as error:
        raise ModelError("hub_write", name=repo, reason=error.strerror or type(error).__name__) from error


def refused(status: int, repo: str, hub: Hub) -> ModelError:
    """What a hub's refusal means."""
    if status == 401 and hub.token:
        return ModelError("hub_token", host=hub.host)
    if status == 403 or (status == 401 and hub.protocol == "modelscope"):
        return ModelError("hub_gated", name=repo, host=hub.host)
    if status in (401, 404):
        return ModelError("hub_unknown", name=repo, host=hub.host)
    return ModelError("hub_error", name=repo, host=hub.host, status=status)
