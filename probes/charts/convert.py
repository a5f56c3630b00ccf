"""From a Vega-Lite specification on standard input to a picture on standard output: `png` or `svg`.

A process of its own, `python -m probes.charts.convert png`, because the converter ends its process at some
faults.
"""

from __future__ import annotations

import re
import sys

SCALE = 2.0
MOST_PIXELS = 40_000_000
"""Of a PNG, four bytes each; a larger picture is drawn less finely, down to its own size."""
TOO_LARGE = 4
"""Exit code: even so it would have more."""
_SIZE = re.compile(r'<svg\b[^>]*?\bwidth="([\d.]+)"[^>]*?\bheight="([\d.]+)"')


def main() -> int:
    """Read, convert, write; the exit code is 0, `TOO_LARGE`, or what a fault ends the process with."""
    import vl_convert

    spec = sys.stdin.buffer.read().decode("utf-8")
    svg = str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))  # data stand in the specification
    picture = svg.encode()
    if sys.argv[1] == "png":
        found = _SIZE.search(svg)
        pixels = float(found[1]) * float(found[2]) if found else 0.0
        if not 0 < pixels <= MOST_PIXELS:
            return TOO_LARGE
        picture = bytes(vl_convert.svg_to_png(svg, scale=min(SCALE, (MOST_PIXELS / pixels) ** 0.5)))
    sys.stdout.buffer.write(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
