"""The server of the page: `streamlit run dashboard/app.py`, or `crux page`.

Before the first visitor comes, or behind the first page, a thread imports torch, loads the built-in model and
computes that page's numbers.
An error that nobody foresaw becomes a plain sentence on the page, and a log line without anybody's text.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from streamlit.runtime.secrets import secrets_singleton

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # `streamlit run` puts this folder on the path, not the one above
    sys.path.insert(0, str(ROOT))

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: spinning threads slow each other down

from dashboard.memory import few_arenas  # noqa: E402

few_arenas()

from dashboard.hosting import routes  # noqa: E402
from dashboard.hosting.door import Door  # noqa: E402
from dashboard.hosting.first import FIRST_PAGE  # noqa: E402
from dashboard.hosting.leaving import leave_in_time  # noqa: E402
from dashboard.hosting.lines import keep_words_out, write_lines  # noqa: E402
from dashboard.hosting.operator import operator_routes  # noqa: E402
from dashboard.hosting.packed import Packed  # noqa: E402
from dashboard.hosting.settings import settings_or_exit  # noqa: E402
from dashboard.hosting.sockets import send_at_once  # noqa: E402
from dashboard.hosting.where import where  # noqa: E402
from dashboard.uploads import Uploads  # noqa: E402

log = logging.getLogger("dashboard")
# Streamlit logs uncaught exceptions with messages, which may hold a visitor's text; `unforeseen` does not.
logging.getLogger("streamlit.error_util").addFilter(lambda record: record.exc_info is None)
secrets_singleton.load_if_toml_exists()  # a host's secrets become its environment, where settings are
SETTINGS = settings_or_exit()
_warm = threading.Event()
if SETTINGS.hosted:
    keep_words_out()
    write_lines(sys.stdout)


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Be able to draw the first page before the first answer; make the built-in model ready behind it."""
    from dashboard.rehearsal import rehearse

    rehearse()
    send_at_once()
    leave_in_time()
    threading.Thread(target=_make_ready, name="warm-up", daemon=True).start()
    yield


def _make_ready() -> None:
    from dashboard.service import service
    from dashboard.shelf import STAYS

    FIRST_PAGE.wait()
    service().warm()
    # What is there now, torch above all, stays: whoever looks for garbage need not look through it each time.
    gc.collect()
    gc.freeze()
    if service().loaded(STAYS) is not None:
        _warm.set()


def unforeseen(error: Exception) -> bool:
    """Say so on the page; log where it happened, but not the message: it may hold a visitor's text."""
    from dashboard.wording import t

    log.error("%s at %s", type(error).__name__, where(error))
    st.error(t("page.unforeseen", kind=type(error).__name__), icon=":material/error:")
    return True


app = st.App(
    Path(__file__).with_name("page.py"),
    lifespan=lifespan,
    routes=[routes.health(_warm.is_set), *operator_routes(SETTINGS.token)],
    middleware=[
        Middleware(Door, settings=SETTINGS),
        Middleware(Packed),
        Middleware(Uploads, limits=SETTINGS.limits),
    ],
    on_script_error=unforeseen,
    exception_handlers={HTTPException: routes.refused},
)
