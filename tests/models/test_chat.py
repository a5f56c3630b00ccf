"""Chat templates of every kind: what is sent is what was asked, or the template is refused in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.asking.trials import Trial
from probes.errors import CruxError, InputError
from probes.models import prompting
from probes.models.loading import load
from probes.models.local import LocalModel
from probes.models.source import BUILTIN, resolve
from probes.text.passage import Passage
from tests.models.chat_templates import HOSTILE, REAL

PASSAGE = "I walked into the shop. Then I left."
ASKED = f"{PASSAGE}\n\nHow often?"
TURN = "{% if add_generation_prompt %}<a>{% endif %}"


def question(text: str = PASSAGE, **changes: object) -> Question:
    return replace(Question(Passage(text), "How often?", AnswerSet.parse("once;twice")), **changes)


@pytest.fixture
def tokenizer():
    return AutoTokenizer.from_pretrained(BUILTIN)


def framed(tokenizer, template: object, asked: Question | None = None) -> prompting.Frame:
    tokenizer.chat_template = template
    return prompting.frame(asked or question(), tokenizer, "chat")


def refusal(tokenizer, template: object, asked: Question | None = None) -> str:
    with pytest.raises(CruxError) as caught:
        framed(tokenizer, template, asked)
    assert caught.value.say("zh") != caught.value.say("en")
    return caught.value.key


# ---- templates in use


@pytest.mark.parametrize("system", [None, "Be brief."])
@pytest.mark.parametrize("name", REAL)
def test_templates_in_use_send_what_transformers_sends(name: str, system: str | None, tokenizer) -> None:
    tokenizer.chat_template = REAL[name]
    contents = [("system", system)] if system else []
    talk = [{"role": role, "content": text} for role, text in [*contents, ("user", ASKED)]]
    if name == "smolvlm":
        talk = [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in talk]
    if name == "gemma-2" and system:
        assert "System role not supported" in str(refused(tokenizer, question(system=system)))
        return
    frame = prompting.frame(question(system=system), tokenizer, "chat")
    expected = tokenizer.apply_chat_template(
        talk, tokenize=False, add_generation_prompt=True, enable_thinking=False
    )
    assert frame.prompt(PASSAGE) == expected
    assert frame.system == system


def refused(tokenizer, asked: Question) -> InputError:
    with pytest.raises(InputError) as caught:
        prompting.frame(asked, tokenizer, "chat")
    return caught.value


@pytest.mark.parametrize(
    ("name", "lead"),
    [(name, {"llama-2": " ", "mistral": " ", "vicuna": " ", "smolvlm": " "}.get(name, "")) for name in REAL],
)
def test_what_stands_before_an_answer_is_read_off_the_assistants_turn(
    name: str, lead: str, tokenizer
) -> None:
    assert framed(tokenizer, REAL[name]).lead == lead
    begun = framed(tokenizer, REAL[name], question(answer_prefix="I went"))
    assert begun.prompt("X").endswith(f"{lead}I went")
    assert begun.lead == ""


def test_the_date_is_todays(tokenizer) -> None:
    assert date.today().strftime("Today Date: %d %b %Y\n") in framed(tokenizer, REAL["llama-3.1"]).before
    clock = "{{ strftime_now('%H:%M:%S.%f') }} {{ messages[0].content }}" + TURN
    assert framed(tokenizer, clock).before == "00:00:00.000000 "  # the same for every rendering of a question


def test_one_template_of_several_is_the_default_one(tokenizer) -> None:
    named = {"default": "<u>{{ messages[0].content }}" + TURN, "tool_use": "{{ raise_exception('not me') }}"}
    assert framed(tokenizer, named).prompt("X") == "<u>X\n\nHow often?<a>"
    assert refusal(tokenizer, {"tool_use": "x", "rag": "y"}) == "template_fails"


# ---- the assistant's turn where the template does not open it

ROLES = "{% for m in messages %}<{{ m.role }}>\n{{ m.content }}<end>\n{% endfor %}"


def test_a_turn_that_is_not_opened_is_opened_as_the_assistants_own(tokenizer) -> None:
    frame = framed(tokenizer, ROLES)
    assert frame.prompt("X") == "<user>\nX\n\nHow often?<end>\n<assistant>\n"
    assert frame.lead == ""


def test_spaces_after_the_turns_header_belong_to_the_answer(tokenizer) -> None:
    frame = framed(tokenizer, "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
    assert frame.prompt("X") == "user: X\n\nHow often?\nassistant:"
    assert frame.lead == " "


def test_a_turn_that_is_always_opened_is_not_opened_twice(tokenizer) -> None:
    always = "{% for m in messages %}{{ m.content }}{% if m.role == 'user' %}<a>{% endif %}{% endfor %}"
    assert framed(tokenizer, always).prompt("X") == "X\n\nHow often?<a>"


def test_a_line_end_may_stand_before_an_answer(tokenizer) -> None:
    lines = "{% for m in messages %}<{{ m.role[0] }}>\n{{ m.content }}\n{% endfor %}"
    frame = framed(tokenizer, lines + TURN)
    assert frame.prompt("X") == "<u>\nX\n\nHow often?\n<a>"
    assert frame.lead == "\n"


def test_an_empty_thought_in_the_turn_is_no_lead(tokenizer) -> None:
    thinking = (
        "{% for m in messages %}<{{ m.role }}>"
        "{% if m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    frame = framed(tokenizer, thinking)
    assert frame.prompt("X") == "<user>X\n\nHow often?<assistant>"
    assert frame.lead == ""


def test_where_an_answer_would_stand_nowhere_is_refused(tokenizer) -> None:
    assert refusal(tokenizer, "{{ messages[0].content }}") == "template_no_turn"


# ---- templates that lose, change or repeat


PARTS = (
    "{% for m in messages %}<{{ m.role }}>"
    "{% for p in m.content %}{% if p.type == 'text' %}{{ p.text }}{% endif %}{% endfor %}{% endfor %}"
)


def test_a_list_of_parts_is_given_where_it_is_wanted(tokenizer) -> None:
    frame = framed(tokenizer, PARTS + TURN, question(system="Be brief."))
    assert frame.prompt("X") == "<system>Be brief.<user>X\n\nHow often?<a>"


@pytest.mark.parametrize(
    "first", ["<s>{{ messages[0].content.strip() }}", "<s>{{ messages[0].content[0].text }}"]
)
def test_system_and_user_may_want_different_forms(first: str, tokenizer) -> None:
    by_parts = "{% for p in messages[1].content %}{{ p.text }}{% endfor %}"
    by_text = "{{ messages[1].content.strip() }}"
    for last in (by_parts, by_text):
        frame = framed(tokenizer, first + last + TURN, question(system="Be brief."))
        assert frame.prompt("X") == "<s>Be brief.X\n\nHow often?<a>"


USER = "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}"


@pytest.mark.parametrize(
    ("template", "key"),
    [
        ("nothing", "template_drops_text"),
        ("{% for m in messages %}{{ m.text }}{% endfor %}", "template_drops_text"),
        ("{{ messages[0].content.split('\n\n')[1] }}", "template_drops_text"),
        ("{{ messages[0].content.split('\n\n')[0] }}", "template_changes_text"),
        ("{{ messages[0].content | upper }}", "template_changes_text"),
        ("{{ messages[0].content.replace('\n', ' ') }}", "template_changes_text"),
        ("{{ messages[0].content | tojson }}", "template_changes_text"),
        ("{{ messages[0].content[:40] }}", "template_changes_text"),
        ("{{ messages[0].content }}{{ messages[0].content | upper }}", "template_changes_text"),
        ("{{ messages[0].content[:9] }}: {{ messages[0].content }}", "template_changes_text"),
        ("{{ messages[0].content }} {{ messages[0].content }}", "template_repeats_text"),
        ("{{ 'left' in messages[0].content }}{{ messages[0].content }}", "template_changes_text"),
        ("{{ raise_exception('no') }}", "template_fails"),
        ("{% for m in messages %}", "template_fails"),
        ("{{ messages[0].content + 1 }}", "template_fails"),
        (HOSTILE["loops in loops"], "template_heavy"),
        (HOSTILE["a longer string"], "template_heavy"),
        (HOSTILE["a template without end"], "template_long"),
        (5, "template_fails"),
    ],
)  # fmt: skip
def test_what_would_not_be_sent_as_asked_is_refused(template: object, key: str, tokenizer) -> None:
    whole = template + TURN if isinstance(template, str) else template
    assert refusal(tokenizer, whole) == key


@pytest.mark.parametrize(
    ("text", "key"), [("a < b", "template_changes_text"), ("a b", None), ("  a", "template_changes_text")]
)
def test_a_template_that_escapes_and_strips_is_used_where_that_changes_nothing(
    text: str, key: str | None, tokenizer
) -> None:
    escaping = "{{ messages[0].content | trim | e }}" + TURN
    if key:
        assert refusal(tokenizer, escaping, question(text)) == key
    else:
        assert framed(tokenizer, escaping, question(text)).prompt(text) == f"{text}\n\nHow often?<a>"


@pytest.mark.parametrize(
    "template",
    [
        USER,
        "{{ messages[-1].content }}",
        "{% for m in messages %}{{ 'You are kind.' if m.role == 'system' else m.content }}{% endfor %}",
        "{% for m in messages %}{{ m.content | upper if m.role == 'system' else m.content }}{% endfor %}",
        PARTS.replace("{% if p", "{% if m.role == 'user' and p"),
    ],
)
def test_a_system_prompt_that_would_not_be_sent_is_refused(template: str, tokenizer) -> None:
    assert refusal(tokenizer, template + TURN, question(system="Be brief.")) == "template_drops_system"
    framed(tokenizer, template + TURN)  # but used without one


def test_a_system_prompt_that_only_seems_to_stand_there_is_refused(tokenizer) -> None:
    kind = (
        "You are kind.{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}"
    )
    assert refusal(tokenizer, kind + TURN, question(system="You are kind.")) == "template_drops_system"


def test_a_blank_system_prompt_is_none(tokenizer) -> None:
    assert framed(tokenizer, USER + TURN, question(system="  ")).system is None


def test_roles_that_must_alternate_do(tokenizer) -> None:
    strict = (
        "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('roles must alternate') }}{% endif %}<{{ m.role }}> {{ m.content }}{% endfor %}"
    )
    assert framed(tokenizer, strict).lead == " "
    assert "roles must alternate" in str(refused_with(tokenizer, strict, question(system="Be brief.")))


def refused_with(tokenizer, template: str, asked: Question) -> InputError:
    tokenizer.chat_template = template
    return refused(tokenizer, asked)


def test_a_templates_own_words_are_one_short_line(tokenizer) -> None:
    words = "{{ raise_exception('a\\nb\\x00\\u202e' ~ 'c' * 1000) }}"
    reason = str(refused_with(tokenizer, words, question()).values["reason"])
    assert reason.startswith("TemplateError: a b ccc")
    assert reason.isprintable()
    assert len(reason) <= 151


# ---- down to the numbers


def plain_log_prob(model, tokenizer, prompt: str, string: str) -> float:
    """One forward over the whole text, the log-probabilities of the string's tokens added up."""
    start = len(tokenizer(prompt, add_special_tokens=False).input_ids)
    ids = tokenizer(prompt + string, add_special_tokens=False, return_tensors="pt").input_ids
    with torch.no_grad():
        logits = model(ids).logits.log_softmax(-1)[0]
    return sum(float(logits[i - 1, ids[0, i]]) for i in range(start, ids.shape[1]))


@pytest.mark.parametrize(
    ("template", "prompt", "strings"),
    [
        (REAL["llama-2"], "<s>[INST] I left.\n\nHow often? [/INST]", (" once", " twice")),
        (REAL["zephyr"], "<|user|>\nI left.\n\nHow often?</s>\n<|assistant|>\n", ("once", "twice")),
        (ROLES, "<user>\nI left.\n\nHow often?<end>\n<assistant>\n", ("once", "twice")),
        (PARTS + TURN, "<user>I left.\n\nHow often?<a>", ("once", "twice")),
    ],
)
def test_answers_are_scored_where_the_template_writes_them(
    template: str, prompt: str, strings: tuple[str, str], folder: Path
) -> None:
    loaded = load(resolve(str(folder)), device="cpu")
    loaded.tokenizer.chat_template = template
    model = LocalModel(loaded)
    asked = question("I left.")
    (prepared,) = model.prepare(asked, [Trial()])
    (found,) = [log_probs for _, log_probs in model.score([prepared])]
    terms = model.layout(asked).terms
    assert [term.string for term in terms] == list(strings)
    expected = [plain_log_prob(loaded.model, loaded.tokenizer, prompt, string) for string in strings]
    assert list(found) == pytest.approx(expected, abs=1e-5)
