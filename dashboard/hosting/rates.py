"""How often visitors may ask: each session, and each address behind which more than one may sit.

Addresses are counted only where they tell visitors apart: those of the open net, or any once a proxy is
named. Behind a proxy that nobody named all visitors have one address, and would lock each other out.
"""

from __future__ import annotations

import ipaddress
import math

from dashboard.hosting.buckets import Buckets
from dashboard.hosting.counters import COUNTERS
from dashboard.hosting.settings import Settings
from probes.errors import LimitError


class Rates:
    """Threads of all visitors call it.

    Args:
        settings: of this host; without a rate nobody is held up.
    """

    def __init__(self, settings: Settings) -> None:
        self.rate, self._named = settings.rate, bool(settings.proxies)
        if rate := self.rate:
            self._sessions = Buckets(rate.questions, rate.questions_a_minute)
            self._addresses = Buckets(rate.address_questions, rate.address_questions_a_minute)
            self._visits = Buckets(rate.visits, rate.visits_a_minute)

    def question(self, session: str, address: str) -> None:
        """Count one question to a model.

        Raises:
            LimitError: too many, with the limit and when one is open again.
        """
        if self.rate is None:
            return
        _refuse("page_rate", self._sessions, self._sessions.take(session))
        if self._counted(address):
            _refuse("page_rate_address", self._addresses, self._addresses.take(address))

    def visit(self, address: str) -> bool:
        """Count a page that is opened; whether it may be."""
        return self.rate is None or not self._counted(address) or self._visits.take(address) == 0

    def _counted(self, address: str) -> bool:
        try:
            return bool(address) and (self._named or ipaddress.ip_address(address).is_global)
        except ValueError:
            return False


def _refuse(key: str, buckets: Buckets, wait: float) -> None:
    if wait > 0:
        seconds = max(1, math.ceil(wait))
        COUNTERS.add("refusals", key)
        raise LimitError(key, most=buckets.most, a_minute=buckets.a_minute, seconds=seconds)
