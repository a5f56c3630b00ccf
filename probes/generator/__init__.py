"""Passages with known causal words: who went where how often, and what the answer becomes without some words.

A passage (:class:`Story`) is written from events with a meaning, so the right answer to a :class:`Query` is
computed, never guessed, for the passage as it stands and after any :class:`~probes.asking.trials.Trial` or
move of sentences.

**The convention.** *Stated arrivals count* (walked in, went to, arrived, dropped by; 走进, 去了, 来到).
Deciding, thinking of it, planning, walking past, hearing of it, waiting at the door, coming out, not going
and almost going do not. In detail:

* An arrival is stated where every word stands that its verb hangs on ("walked" and "into") and its own
  clause names the place, or points back to it ("there") from the same sentence or the next. A missing word
  that can be guessed ("showed [up] at") leaves it open, and so does one that kept me at the door ("I walked
  to [the door of] the park but did not go in").
* A clause without its "I" is still mine ("On Sunday went to the park") where nobody and nothing else is named
  before it in its sentence, or I am the last one who is; where somebody else is ("Anna was ill, and [I] went
  to the park"), it is open. A filler in the place of "I" may be anybody.
* "went to X" and, right after it, "walked into X" tell of one visit; "for the third time" is one stated
  arrival, "three times" is three, "in May, and again in June" two; "I", "we" and "my friend and I" are my
  visits, "my friend" is not.
* A place is told by its name alone: "the other museum" is a museum too. In what way one went there ("by bus",
  "ran") does not matter, whatever verb the question uses.
* Where a careful reader could not say, the answer is None: such cases are neither trained on nor counted as
  truth.
"""

from probes.generator.asked import asked_place
from probes.generator.compose import Composer
from probes.generator.lexicon import Splits
from probes.generator.questions import Query, answer, queries
from probes.generator.roles import Role, roles
from probes.generator.story import Event, Story, Word

__all__ = [
    "Composer",
    "Event",
    "Query",
    "Role",
    "Splits",
    "Story",
    "Word",
    "answer",
    "asked_place",
    "queries",
    "roles",
]
