"""Fetch SmolLM2-135M-Instruct for the tests marked `real`.

Where it cannot be fetched, one line says so and those tests are skipped: an offline machine tests everything
else. With CRUX_REQUIRE_REAL=1 that is an error. A file that is not the published one is an error everywhere.
"""

from __future__ import annotations

import os
import sys

from probes.errors import CruxError
from probes.models.fetch import fetch_smollm2


def main() -> int:
    try:
        fetch_smollm2()
    except CruxError as error:
        required = os.environ.get("CRUX_REQUIRE_REAL") == "1" or error.key == "fetch_hash"
        print(error, "" if required else "The tests that run SmolLM2 will be skipped.", file=sys.stderr)
        return int(required)
    return 0


if __name__ == "__main__":
    sys.exit(main())
