"""What every way is given: the coffee-shop passage as texts and tokens, the model as any library loads it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from probes.asking.answers import AnswerSet
from probes.asking.question import preset
from probes.asking.trials import Trial
from probes.models import load_model
from probes.models.fetch import smollm2_folder
from probes.models.local import LocalModel
from probes.record.store import cache_folder

PRESET = "coffee-en"  # `runners/command.py` names it too
ANSWERS = {"0": ["never"], "1": ["once"], "2": ["twice"], "3": ["three times"]}


@dataclass(frozen=True)
class Case:
    """One model and everything it is asked, as plain data; see `runners/meter.py` for the fields."""

    name: str
    spec: str
    template: str
    folder: str
    before: str
    passage: str
    after: str
    answers: list[dict[str, Any]]
    words: list[dict[str, Any]]
    prompts: list[dict[str, Any]]
    heads: list[tuple[int, int]]
    parameters: int
    """Weights that are multiplied with: those of the blocks and of the output layer."""
    attention: int
    """Operations of attention for each pair of positions, over all layers and heads."""

    def task(self, path: Path, **options: Any) -> Path:
        """Write it down for a runner, with the options of one way."""
        mine = asdict(self)
        for field in ("name", "parameters", "attention"):
            del mine[field]
        path.write_text(json.dumps(mine | options), encoding="utf-8")
        return path

    def described(self) -> dict[str, Any]:
        """For the record: what was run, without the tokens."""
        return {
            "model": self.name,
            "template": self.template,
            "passage": PRESET,
            "prompt": self.before + self.passage + self.after,
            "prompt_tokens": len(self.prompts[0]["ids"]),
            "answers": [answer["text"] for answer in self.answers],
            "words": len(self.words),
            "heads": len(self.heads),
            "parameters": self.parameters,
        }


def cases(smollm2: Path | None) -> list[Case]:
    """SmolLM2, where it is here, and the built-in model."""
    folder = smollm2 or smollm2_folder()
    real = [case("SmolLM2-135M-Instruct", str(folder), "plain")] if folder else []
    return [*real, case("built-in model", "builtin", "builtin")]


def case(name: str, spec: str, template: str) -> Case:
    """The clean passage and the passage without each word in turn, as the product puts them to the model."""
    model = load_model(spec, device="cpu", dtype="float32")
    question = replace(preset(PRESET).question(), answers=AnswerSet.of(ANSWERS), template=template)
    units = question.passage.words
    prepared = model.prepare(question, [Trial(), *(Trial((unit.span,)) for unit in units)])
    layout = model.layout(question)
    words = [
        {"index": index, "text": unit.text, "start": unit.start, "end": unit.end, "removed": one.removed}
        for index, (unit, one) in enumerate(zip(units, prepared[1:], strict=True))
    ]
    inner = model.loaded.model
    config = inner.config
    multiplied = sum(p.numel() for p in inner.model.layers.parameters()) + inner.lm_head.weight.numel()
    return Case(
        name=name,
        spec=spec,
        template=template,
        folder=str(portable(model, name)),
        before=layout.frame.before,
        passage=question.passage.text,
        after=layout.frame.after,
        answers=[{"text": term.string, "ids": term.ids} for term in layout.terms],
        words=words,
        prompts=[{"text": one.prompt, "ids": one.prompt_ids} for one in prepared],
        heads=[(a, b) for a in range(config.num_hidden_layers) for b in range(config.num_attention_heads)],
        parameters=multiplied,
        attention=4 * config.num_hidden_layers * config.num_attention_heads * config.head_dim,
    )


def portable(model: LocalModel, name: str) -> Path:
    """The model in a folder that libraries of other versions read to the same numbers.

    The tokenizer adds no special tokens of its own (the prompts' text has them), its class and the rotary
    base are written as older releases write them; the weights are linked, not copied.
    """
    source = Path(model.loaded.source.path)
    target = cache_folder() / "bench" / "models" / name.replace(" ", "-")
    target.mkdir(parents=True, exist_ok=True)
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    rotary = config.get("rope_parameters") or {}
    _write(target / "config.json", config | {"rope_theta": rotary.get("rope_theta", 10_000.0)})
    tokenizer = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    kept = (tokenizer.get("post_processor") or {}).get("type") == "ByteLevel"  # that one sets offsets only
    _write(target / "tokenizer.json", tokenizer if kept else tokenizer | {"post_processor": None})
    special = {
        f"{kind}_token": getattr(model.tokenizer, f"{kind}_token")
        for kind in ("bos", "eos", "pad")
        if getattr(model.tokenizer, f"{kind}_token", None)
    }
    usual = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    end = model.tokenizer.convert_ids_to_tokens(int(config["eos_token_id"]))
    _write(target / "tokenizer_config.json", usual | {"eos_token": end, "pad_token": end} | special)
    for weights in source.glob("*.safetensors"):
        link = target / weights.name
        link.unlink(missing_ok=True)
        link.symlink_to(weights.resolve())
    return target


def _write(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")
