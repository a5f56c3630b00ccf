"""What lets somebody in: a room's code, which is read off a wall and typed; a token, which no one can guess.

A code only joins. Whoever holds the teacher's token leads the room, whoever holds a pupil's is that pupil:
neither stands in an address, so neither is on the wall or in a link that is passed on.
"""

from __future__ import annotations

import ipaddress
import secrets
import unicodedata

LETTERS = "BCDFHJKMNPRSTWXZ"
"""No digit, no vowel (so no word), and of letters that look alike one: C not G or Q, W not V."""
LENGTH = 6
"""16⁶ codes, 16.8 million: with 64 rooms and one wrong code a second it takes days to find one."""
LONGEST_TOKEN = 64


def new_code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def new_token() -> str:
    """24 random bytes."""
    return secrets.token_urlsafe(24)


def typed_code(text: object) -> str | None:
    """The code that somebody typed; small letters, gaps and full-width letters will do. None: it is none."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    code = "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())
    return code if len(code) == LENGTH and set(code) <= set(LETTERS) else None


def network_of(address: str | None) -> str:
    """Who tries codes, as far as a connection tells: an IPv4 address, or the 64 bits that one household or
    school has of IPv6; "" where a connection does not say.
    """
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(ipaddress.IPv6Network((found, 64), strict=False))
