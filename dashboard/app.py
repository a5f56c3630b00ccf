"""The server of the page: `streamlit run dashboard/app.py`, or `crux page`.

Before the first visitor comes, a thread imports torch, loads the built-in model and computes the first page.
An error that nobody foresaw becomes a plain sentence on the page, and a log line without anybody's text.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # `streamlit run` puts this folder on the path, not the one above
    sys.path.insert(0, str(ROOT))

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: spinning threads slow each other down

log = logging.getLogger("dashboard")
# Streamlit logs uncaught exceptions with messages, which may hold a visitor's text; `unforeseen` does not.
logging.getLogger("streamlit.error_util").addFilter(lambda record: record.exc_info is None)


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Make the built-in model ready while the server already answers."""
    from dashboard.service import service

    threading.Thread(target=service().warm, name="warm-up", daemon=True).start()
    yield


def unforeseen(error: Exception) -> bool:
    """Say so on the page; log where it happened, but not the message: it may hold a visitor's text."""
    from dashboard.wording import t

    where = " < ".join(
        f"{Path(f.filename).name}:{f.lineno}"
        for f in reversed(traceback.extract_tb(error.__traceback__)[-6:])
    )
    log.error("%s at %s", type(error).__name__, where)
    st.error(t("page.unforeseen", kind=type(error).__name__), icon=":material/error:")
    return True


def uploads(app: Any) -> Any:
    """The bounds of what visitors send, around everything else."""
    from dashboard.limits import Limits
    from dashboard.uploads import Uploads

    return Uploads(app, Limits.from_environment(os.environ))


app = st.App(
    Path(__file__).with_name("page.py"),
    lifespan=lifespan,
    middleware=[Middleware(uploads)],
    on_script_error=unforeseen,
)
