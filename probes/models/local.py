"""A Hugging Face causal language model in this process, opened up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from importlib.metadata import version
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

from probes.asking.answers import Ids
from probes.asking.distribution import Distribution
from probes.asking.question import Question
from probes.asking.rewriting import as_asked, edited
from probes.asking.trials import Mode, Trial
from probes.errors import LimitError
from probes.models import fillers, prompting, seam
from probes.models.alignment import retokenised, token_units
from probes.models.base import Outcome, Prepared, Put
from probes.models.layout import Layout, Posed, Work, inside_key
from probes.models.local_scoring import LocalScoring
from probes.models.offsets import Carried, Carriers
from probes.models.placement import devices
from probes.models.recent import Recent
from probes.models.trained import departures
from probes.text.passage import Span, Unit

if TYPE_CHECKING:
    from probes.engine.execute import Engine
    from probes.engine.findings import Findings
    from probes.models.inside import Inside
    from probes.models.loading import Loaded

GREEDY_TOKENS = 16
RELEASE = 2
"""Raised whenever a change of ours changes numbers: what is in the store is then run again."""
Way = Literal["auto", "reference", "batches"]


class LocalModel:
    """Answers from a model on this machine; see `probes.models.base.AnswerModel`. Any thread may call it.

    Args:
        loaded: weights and tokenizer, see `probes.models.load_model`.
        how: "auto" for the fast exact engine, "reference" for the plain loop, "batches" for padded batches.

    Attributes:
        window: the longest text the model reads, in tokens; None where nothing sets a bound. Known from the
            start, for it may take the beginning of a forward, which must meet nobody else's hooks.
    """

    def __init__(self, loaded: Loaded, *, how: Way = "auto") -> None:
        self.loaded = loaded
        self.how = how
        self.tokenizer = loaded.tokenizer
        self.window = _window_of(loaded)
        self._layouts, self._notes = Recent[Layout](), Recent[list[dict[str, Any]]]()
        self._engine: Engine | None = None
        self._opening = Lock()

    @property
    def engine(self) -> Engine:
        """Made when it is first asked for, once, whichever thread asks."""
        from probes.models import remembered

        if self._engine is None:
            with self._opening:
                self._engine = self._engine or self._opened(remembered.recall(self.loaded))
        return self._engine

    def examine_anew(self) -> None:
        """Examine the model now, whatever is remembered of it."""
        with self._opening:
            self._engine = self._opened(None)

    def _opened(self, known: Findings | None) -> Engine:
        from probes.engine.execute import Engine
        from probes.models import remembered

        packed: Literal["auto", "off"] = "off" if self.how == "reference" else "auto"
        engine = Engine(self.loaded.model, packed_linears=packed, known=known)
        if known is None:
            remembered.keep(self.loaded, engine.findings)
        return engine

    @cached_property
    def inside(self) -> Inside:
        """What is done and seen inside the model."""
        from probes.models.inside import Inside

        return Inside(self)

    @property
    def name(self) -> str:
        return str(self.loaded.source.name)

    @property
    def arguments(self) -> list[str]:
        loaded = self.loaded
        given = {"revision": loaded.source.revision, "dtype": loaded.dtype, "device": loaded.device}
        usual = {"dtype": "float32"}
        if devices() == ("cpu",):  # elsewhere "auto" is another one
            usual["device"] = "cpu"
        words = ["--model", self.name]
        for name, value in {**given, "engine": self.how}.items():
            if value and value not in (usual.get(name), "auto"):
                words += [f"--{name}", value]
        return words

    @property
    def kind(self) -> str:
        """ "builtin", "chat" (the tokenizer has a chat template) or "base"."""
        if self.loaded.source.kind == "builtin":
            return "builtin"
        return "chat" if getattr(self.tokenizer, "chat_template", None) else "base"

    def describe(self, *, examined: bool = True) -> dict[str, Any]:
        """See `AnswerModel`; the engine's examination of the model costs a second or two."""
        anatomy = self.engine.anatomy.as_dict() if examined else None
        return {
            **self.loaded.describe(),
            "kind": self.kind,
            "window": self.window,
            "vocabulary": len(self.tokenizer),
            "thinking": "switched off" if prompting.can_turn_thinking_off(self.tokenizer) else "no switch",
            "anatomy": anatomy,
        }

    def notes(self, question: Question) -> list[dict[str, Any]]:
        return list(self._notes.of(question, lambda: self._noted(question)))

    def _noted(self, question: Question) -> list[dict[str, Any]]:
        template = self.layout(question).frame.template
        unused = prompting.unused(question, template).items()
        beyond = departures(question, self.tokenizer, template) if self.kind == "builtin" else []
        return [{"key": f"unused_{name}", "given": g, "template": template} for name, g in unused] + beyond

    def operations(self, question: Question) -> float:
        """Of the model's linear maps, over the clean prompt."""
        return 2.0 * self.loaded.size.parameters * len(self.layout(question).ids)

    # ---- from a question to prompts

    def layout(self, question: Question) -> Layout:
        """The clean prompt and what is scored after it; of the questions asked last, from memory."""
        return self._layouts.of(question, lambda: self._laid_out(question))

    def _laid_out(self, question: Question) -> Layout:
        default = {"builtin": "builtin", "chat": "chat", "base": "plain"}[self.kind]
        frame = prompting.frame(question, self.tokenizer, default)
        prompt = frame.prompt(question.passage.text)
        ids, carried = self.encode(prompt, frame)
        self._check_room(len(ids) + 1)  # before every answer is tokenised together with the prompt
        begins = frame.template == "chat" and not frame.answer_prefix.strip()

        def follow(string: str) -> str:
            return seam.joined(prompt, string, lead=frame.lead if begins else None)

        def tokenise(string: str) -> Ids:
            return seam.continuation_ids(self.tokenizer, prompt, ids, follow(string), frame.start)

        terms = tuple(replace(term, string=follow(term.string)) for term in question.answers.terms(tokenise))
        return Layout(frame, ids, carried, terms, tuple(dict.fromkeys(term.ids for term in terms)))

    def encode(self, prompt: str, frame: prompting.Frame) -> tuple[Ids, Carried | None]:
        """Tokens of a prompt made by `frame`, and the characters each stands for; None where that cannot be
        told.
        """
        ids, offsets = prompting.encode(self.tokenizer, prompt, frame.start)
        return ids, self._carriers.find(prompt, ids, offsets)

    @cached_property
    def _carriers(self) -> Carriers:
        return Carriers(self.tokenizer)

    def units(self, question: Question, kind: str) -> tuple[Unit, ...]:
        if kind != "token":
            return question.passage.units(kind)
        layout = self.layout(question)
        return token_units(question.passage.text, layout.offsets, len(layout.frame.before))

    def token_spans(self, question: Question, units: Sequence[Unit]) -> list[tuple[Span, ...]]:
        layout = self.layout(question)
        return [layout.tokens_of([unit.span]) for unit in units]

    def prepare(self, question: Question, trials: Sequence[Trial]) -> list[Prepared]:
        clean = self.layout(question)
        self._check_window(clean.ids, clean)
        posed = [self._posed(question, trial) for trial in trials]
        edits = [self._edit(one) for one in posed]
        ids = [
            prompting.ids_of(self.tokenizer, one.layout.frame.prompt(text), one.layout.frame.start)
            for one, (text, *_) in zip(posed, edits, strict=True)
        ]
        return [
            self._prepared(clean, one, edit, tokens)
            for one, edit, tokens in zip(posed, edits, ids, strict=True)
        ]

    def _posed(self, question: Question, trial: Trial) -> Posed:
        asked, left = as_asked(question, trial)
        layout = self.layout(question) if asked is question else self._laid_out(asked)
        self._check_window(layout.ids, layout)
        return Posed(asked, layout, left, trial)

    def _edit(self, posed: Posed) -> tuple[str, tuple[Span, ...], tuple[str, ...]]:
        """The passage after the trial, the characters taken from it, the fillers put there."""
        passage, trial = posed.question.passage, posed.trial
        put: tuple[str, ...] = ()
        if trial.spans and trial.mode is Mode.REPLACE:
            given = posed.layout, self.tokenizer, posed.question.language, self._blank
            if trial.fillers is None:
                put = tuple(fillers.choose(passage.text, trial.spans, *given))
            else:
                put = trial.fillers
                prompting.refuse_control_tokens(put, self.tokenizer)
        return *edited(passage, trial, put), put

    @cached_property
    def _blank(self) -> str | None:
        return fillers.blank_token(self.tokenizer, self.loaded.model.get_input_embeddings().weight)

    def _prepared(
        self, clean: Layout, posed: Posed, edit: tuple[str, tuple[Span, ...], tuple[str, ...]], ids: Ids
    ) -> Prepared:
        from probes.engine.jobs import Job
        from probes.engine.refusals import refuse_lacking

        (text, removed, chosen), layout, trial, frame = edit, posed.layout, posed.trial, posed.layout.frame
        spans = layout.tokens_of(trial.spans)
        hidden: tuple[int, ...] = ()
        if trial.mode is Mode.HIDE and trial.spans:
            refuse_lacking(self.engine.anatomy, "hide")
            hidden = tuple(i for a, b in spans for i in range(a, b))
        self._check_window(ids, layout)
        return Prepared(
            posed.whole,
            frame.prompt(text),
            ids,
            Put(frame.template, frame.instruction, frame.answer_prefix, frame.system),
            removed=removed,
            token_spans=spans,
            hidden_positions=hidden,
            fillers=chosen,
            retokenised=retokenised(layout.ids, ids, layout.tokens_of(removed), trial),
            length_changed=trial.mode is Mode.REPLACE and len(ids) != len(layout.ids),
            reaches=posed.reaches(clean, ids, bool(spans) or ids != layout.ids),
            key=[
                self.identity,
                ids,
                layout.continuations,
                hidden,
                *inside_key(posed.question, layout, trial),
            ],
            work=Work(Job(ids, layout.continuations, frozenset(hidden)), layout, posed.question, trial),
        )

    @cached_property
    def identity(self) -> list[str]:
        """What decides this model's numbers beside the tokens."""
        loaded = self.loaded
        code = [f"{name} {version(name)}" for name in ("torch", "transformers", "tokenizers")]
        return [
            loaded.fingerprint,
            loaded.dtype,
            loaded.device,
            loaded.attention,
            self.how,
            f"crux {RELEASE}",
            *code,
        ]

    def _check_window(self, ids: Ids, layout: Layout) -> None:
        self._check_room(len(ids) + max(map(len, layout.continuations)))

    def _check_room(self, needed: int) -> None:
        if self.window and needed > self.window:
            raise LimitError("window", tokens=needed, window=self.window)

    # ---- running

    def score(self, prepared: Sequence[Prepared], rounds: dict[str, Any] | None = None) -> LocalScoring:
        jobs = [self.inside.job(p.work) if p.trial.inside else p.work.job for p in prepared]
        sessions = None if rounds is None else rounds.setdefault("sessions", self.engine.sessions())
        return LocalScoring(self.engine.run(jobs, how=self.how, sessions=sessions))

    def outcome(self, question: Question, prepared: Prepared, numbers: Sequence[float]) -> Outcome:
        terms = prepared.work.layout.terms
        of: Mapping[Ids, float] = dict(zip(prepared.work.job.continuations, numbers, strict=True))
        answers = prepared.work.question.answers
        return Outcome(prepared, Distribution(answers, terms, tuple(of[t.ids] for t in terms)))

    def precision(self, prepared: Prepared) -> dict[str, Any] | None:
        """See `AnswerModel`; two forwards of a few texts."""
        if self.loaded.dtype == "float32":
            return None
        found = self.engine.precision(prepared.work.job)
        return None if found is None else asdict(found)

    def greedy(self, question: Question, prepared: Prepared, tokens: int = GREEDY_TOKENS) -> str:
        """The most probable continuation, token by token, up to a stop token or the window's end."""
        room = (self.window or math.inf) - len(prepared.prompt_ids)
        ids = self.engine.greedy(prepared.prompt_ids, int(min(tokens, room)))
        text = self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text).rstrip("\ufffd")  # a character that was cut off between its tokens


def _window_of(loaded: Loaded) -> int | None:
    from probes.engine.window import window_of

    return window_of(loaded.model)
