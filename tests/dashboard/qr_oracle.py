"""Reads a QR code back from its SVG, by the standard (ISO/IEC 18004) and without the library that drew it.

Versions 1 to 6 at level M, byte mode: what addresses of up to 106 bytes need. No damage is mended.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

BLOCKS = {1: (1, 16, 10), 2: (1, 28, 16), 3: (1, 44, 26), 4: (2, 32, 18), 5: (2, 43, 24), 6: (4, 27, 16)}
"""At level M: blocks, their data codewords, their error correction codewords."""
FORMAT_MASK = 0b101010000010010
MASKS = (
    lambda r, c: (r + c) % 2 == 0,
    lambda r, c: r % 2 == 0,
    lambda r, c: c % 3 == 0,
    lambda r, c: (r + c) % 3 == 0,
    lambda r, c: (r // 2 + c // 3) % 2 == 0,
    lambda r, c: r * c % 2 + r * c % 3 == 0,
    lambda r, c: (r * c % 2 + r * c % 3) % 2 == 0,
    lambda r, c: ((r + c) % 2 + r * c % 3) % 2 == 0,
)


def modules(svg: str) -> list[list[bool]]:
    """The squares of the drawing, without the quiet zone, which must be white."""
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])  # type: ignore[index]
    dark = {(int(y), int(x)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg)}
    first, last = min(dark)[0], max(dark)[0]
    assert first == 4
    assert last == side - 5
    assert {x for _, x in dark} <= set(range(first, last + 1))
    return [[(y, x) in dark for x in range(first, last + 1)] for y in range(first, last + 1)]


def _is_function(row: int, column: int, size: int) -> bool:
    """Finders with their separators and format, timing, alignment (one, from version 2 on)."""
    if (row < 9 and column < 9) or (row < 9 and column >= size - 8) or (row >= size - 8 and column < 9):
        return True
    if 6 in (row, column):
        return True
    middle = size - 7
    return size > 21 and abs(row - middle) <= 2 and abs(column - middle) <= 2


def _places(size: int) -> Iterator[tuple[int, int]]:
    """Columns in pairs from the right, up and down by turns; the upright timing column belongs to none."""
    up, right = True, size - 1
    while right > 0:
        right -= right == 6
        for row in range(size - 1, -1, -1) if up else range(size):
            yield from ((row, column) for column in (right, right - 1) if not _is_function(row, column, size))
        up, right = not up, right - 2


def read(svg: str) -> str:
    """What the code says."""
    grid = modules(svg)
    size = len(grid)
    version = (size - 17) // 4
    corner = [(8, 0), (8, 1), (8, 2), (8, 3), (8, 4), (8, 5), (8, 7), (8, 8), (7, 8)]
    corner += [(row, 8) for row in range(5, -1, -1)]
    form = int("".join("01"[grid[row][column]] for row, column in corner), 2) ^ FORMAT_MASK
    assert form >> 13 == 0b00, "level M"
    mask = MASKS[form >> 10 & 7]
    bits = "".join("01"[grid[r][c] ^ mask(r, c)] for r, c in _places(size))
    count, length, repair = BLOCKS[version]
    words = [int(bits[at : at + 8], 2) for at in range(0, 8 * count * (length + repair), 8)]
    data = [words[count * n + block] for block in range(count) for n in range(length)]
    stream = "".join(f"{word:08b}" for word in data)
    assert stream[:4] == "0100", "byte mode"
    total = int(stream[4:12], 2)
    return bytes(int(stream[at : at + 8], 2) for at in range(12, 12 + 8 * total, 8)).decode()


def read_image(html: str) -> str:
    """What the code in an `<img>` says."""
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert found
    return read(base64.b64decode(found[1]).decode())
