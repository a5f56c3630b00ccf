"""A class without its page: who may do what, what is kept how long, and what sixty threads make of it."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import random
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.classroom.address import join_address, own_address
from dashboard.classroom.codes import LENGTH, LETTERS, network_of, new_code, typed_code
from dashboard.classroom.measuring import measure
from dashboard.classroom.qr import qr_image, qr_svg
from dashboard.classroom.room import Asked, Found, Lead, Seat, clean, found_of
from dashboard.classroom.rooms import Bounds, Rooms
from dashboard.shelf import Choice
from probes import load_model, preset, run
from probes.errors import CruxError, InputError, LimitError, ModelError
from probes.ranks import average_precision, pooled_places, pooled_precision
from probes.record.results import ProbeResult
from tests.dashboard import qr_oracle

QUESTION = preset("coffee-en").question()
COUNT = len(QUESTION.passage.words)
ASKED = Asked(QUESTION, Choice(), {"mode": "delete", "target": "top", "unit": "word", "find": None})
FAULT = ModelError("page_room_unmeasured")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(*moving: int, unknown: tuple[int, ...] = ()) -> ProbeResult:
    rows = [{"index": n, "no_change": None if n in unknown else n not in moving} for n in range(COUNT)]
    return ProbeResult("words", {"rows": rows})


def led(rooms: Rooms, token: str) -> Lead:
    found = rooms.lead(token)
    assert found is not None
    return found


def seat(rooms: Rooms, code: str, token: str) -> Seat:
    found = rooms.seat(code, token)
    assert found is not None
    return found


def opened(**bounds: Any) -> tuple[Rooms, Clock, str, str]:
    clock = Clock()
    rooms = Rooms(Bounds(**bounds), clock)
    token = rooms.open(ASKED)
    return rooms, clock, token, led(rooms, token).code


# ---- the arithmetic, against every order there is


def slow_precision(order: tuple[int, ...], wanted: set[int]) -> float:
    found = [sum(one in wanted for one in order[: n + 1]) / (n + 1) for n in range(len(order))]
    return sum(share for one, share in zip(order, found, strict=True) if one in wanted) / len(wanted)


@pytest.mark.parametrize("seed", range(20))
def test_mean_places_and_their_precision_are_those_over_all_orders(seed: int) -> None:
    rng, count = random.Random(seed), 5
    rankings = [rng.sample(range(count), rng.randint(0, 3)) for _ in range(rng.randint(1, 4))]
    sums: dict[int, float] = dict.fromkeys(range(count), 0.0)
    for ranking in rankings:
        rest = [one for one in range(count) if one not in ranking]
        ways = [(*ranking, *end) for end in itertools.permutations(rest)]
        for one in sums:
            sums[one] += sum(way.index(one) + 1 for way in ways) / len(ways)
    named = {one for ranking in rankings for one in ranking}
    places = pooled_places(rankings, count)
    assert places == pytest.approx({one: sums[one] / len(rankings) for one in named})
    wanted = set(rng.sample(range(count), 2))
    orders = [
        order
        for order in itertools.permutations(sorted(named))
        if all(sums[a] <= sums[b] + 1e-9 for a, b in itertools.pairwise(order))
    ]
    expected = sum(slow_precision(order, wanted) for order in orders) / len(orders)
    assert pooled_precision(places, wanted) == pytest.approx(expected)


def test_a_class_of_one_has_its_pupils_precision_and_order_counts() -> None:
    assert found_of([(4, 7, 9)], COUNT, record(4, 9)).precision == pytest.approx((1 + 2 / 3) / 2)
    found = found_of([(7, 4), (4, 7), (4,)], COUNT, record(4))
    assert found.precision == 1.0
    assert found.own == (0.5, 1.0, 1.0)
    assert found_of([(4, 7), (7, 4), (7,)], COUNT, record(4)).precision == 0.5
    assert (found.counts[4], found.counts[7], sum(found.counts)) == (3, 2, 5)
    assert found.share(7) == pytest.approx(2 / 3)


def test_nothing_is_told_where_nothing_moves_nobody_sent_or_nothing_was_measured() -> None:
    for found in (found_of([(1,)], COUNT, record()), found_of([], COUNT, record(1))):
        assert found.precision is None
        assert found.own == ()
    assert found_of([(1,)], COUNT, None).precision_of((1,)) is None
    assert found_of([], COUNT, record(1)).share(1) == 0.0
    assert found_of([(1,)], COUNT, record(2, unknown=(1,))).moving == {2}
    with pytest.raises(ValueError, match="nothing"):
        pooled_precision({1: 1.0}, ())


# ---- codes and tokens


def test_codes_are_letters_that_are_told_apart_and_typed_in_any_way() -> None:
    codes = {new_code() for _ in range(2000)}
    assert len(codes) > 1990
    assert set("".join(codes)) == set(LETTERS)
    assert not set(LETTERS) & set("AEIOUYQGLV0123456789")
    assert typed_code(" bcd-fhj ") == typed_code("ＢＣＤ ｆｈｊ") == "BCDFHJ"
    for bad in ("", "BCDFH", "BCDFHJK", "BCDFH0", None, 7, "B" * 4000, "ßCDFHJ", ["B"] * LENGTH):
        assert typed_code(bad) is None


def test_a_network_is_an_address_or_the_first_half_of_one() -> None:
    assert network_of("10.0.0.7") == "10.0.0.7"
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert network_of(None) == network_of("who?") == ""


def test_wrong_codes_run_out_and_come_back_and_trouble_no_other_network() -> None:
    rooms, clock, _, code = opened(tries=3)
    for _ in range(3):
        with pytest.raises(InputError):
            rooms.join("BBBBBB", "10.0.0.1")
    with pytest.raises(LimitError):
        rooms.join(code, "10.0.0.1")
    mine = rooms.join(code, "10.0.0.2")
    clock.now += 1
    assert rooms.join(code, "10.0.0.1")
    assert rooms.seat(code, mine), "who is in needs no try"


# ---- who may do what


def test_a_pupil_leads_nothing_and_sees_nobody_elses_words() -> None:
    rooms, _, token, code = opened()
    anna, ben = rooms.join(code), rooms.join(code)
    rooms.press(code, anna, 1, [3, 5])
    assert rooms.send(code, anna, 1)
    rooms.measured(code, 1, record(3))
    for wrong in (anna, ben, code, "", None, 7, ["x"], "x" * 10_000):
        assert rooms.lead(wrong) is None
        rooms.reveal(wrong)
        rooms.close(wrong)
        rooms.ask(wrong, ASKED)
        rooms.measure_again(wrong)
    now = seat(rooms, code, ben)
    assert (now.found, now.draft, now.sent, now.number) == (None, (), None, 1)
    assert (now.pulse.joined, now.pulse.ready) == (2, 1)
    assert rooms.seat(code, token) is None, "the teacher's token is no pupil's"
    told = {field.name for kind in (Seat, Lead, Found) for field in dataclasses.fields(kind)}
    assert not told & {"pupils_by_token", "token", "tokens", "name", "names"}
    assert not any(secret in repr((now, led(rooms, token))) for secret in (anna, ben, token))


def test_a_prediction_changes_until_the_reveal_and_not_after() -> None:
    rooms, _, token, code = opened()
    anna = rooms.join(code)
    assert not rooms.send(code, anna, 1), "nothing is pressed"
    rooms.press(code, anna, 1, [3])
    assert rooms.send(code, anna, 1)
    rooms.press(code, anna, 1, [5, 3])
    assert seat(rooms, code, anna).sent == (3,)
    assert led(rooms, token).pulse.pressing == 1
    assert rooms.send(code, anna, 1)
    rooms.reveal(token)
    assert led(rooms, token).found is None, "the model's effects are not known yet"
    rooms.measured(code, 1, record(3))
    rooms.reveal(token)
    rooms.press(code, anna, 1, [9])
    assert not rooms.send(code, anna, 1)
    after = seat(rooms, code, anna)
    assert after.sent == (5, 3)
    assert after.found is not None
    assert after.found.precision_of(after.sent) == 0.5
    late = rooms.join(code)
    assert seat(rooms, code, late).found is not None
    assert led(rooms, token).found.pupils == 1  # type: ignore[union-attr]


def test_the_next_passage_begins_anew_and_old_words_are_not_taken_for_it() -> None:
    rooms, _, token, code = opened()
    anna = rooms.join(code)
    rooms.press(code, anna, 1, [3])
    rooms.send(code, anna, 1)
    before = led(rooms, token).pulse.version
    rooms.ask(token, dataclasses.replace(ASKED, question=preset("coffee-zh").question()))
    assert led(rooms, token).pulse.version != before
    rooms.press(code, anna, 1, [4])
    rooms.measured(code, 1, record(3))
    assert not rooms.hear(code, 1, 1, 2)
    now = seat(rooms, code, anna)
    assert (now.draft, now.sent, now.number) == ((), None, 2)
    assert not led(rooms, token).measured
    assert not rooms.send(code, anna, 1)


def test_what_a_client_makes_up_is_no_prediction() -> None:
    assert clean([2, 2, -1, COUNT, True, 1.0, "3", None, [4], 0], COUNT, 40) == (2, 0)
    for nonsense in ("012", b"012", {"1": 2}, None, 7, object()):
        assert clean(nonsense, COUNT, 40) == ()
    assert clean(range(10**9), 10**9, 5) == (0, 1, 2, 3, 4)
    rooms, _, _, code = opened(picks=2)
    anna = rooms.join(code)
    rooms.press(code, anna, 1, list(range(50)))
    assert seat(rooms, code, anna).draft == (0, 1)


# ---- bounds and times


def test_a_room_is_gone_when_closed_left_alone_or_too_old() -> None:
    rooms, clock, token, code = opened(idle=100, empty=10, longest=250)
    anna = rooms.join(code)
    for _ in range(4):
        clock.now += 60
        assert rooms.pulse(code, anna)
        rooms.press(code, anna, 1, [1])
    clock.now += 60
    assert rooms.pulse(code, anna) is None, "too old"
    assert rooms.lead(token) is None
    empty = rooms.open(ASKED)
    clock.now += 11
    assert rooms.lead(empty) is None, "nobody came"
    token = rooms.open(ASKED)
    code = led(rooms, token).code
    anna = rooms.join(code)
    clock.now += 99
    assert rooms.pulse(code, anna)
    assert rooms.pulse(code, token)
    clock.now += 2
    assert rooms.pulse(code, token) is None, "looking on keeps no room"
    token = rooms.open(ASKED)
    code = led(rooms, token).code
    anna = rooms.join(code)
    rooms.close(token)
    assert rooms.seat(code, anna) is None
    assert not rooms._rooms
    assert not rooms._leads


def test_rooms_and_pupils_are_bounded_and_an_unused_room_makes_place() -> None:
    rooms, _, token, code = opened(rooms=2, pupils=2)
    for _ in range(2):
        rooms.join(code)
    with pytest.raises(LimitError, match="2 pupils"):
        rooms.join(code)
    unused = [rooms.open(ASKED) for _ in range(3)]
    assert [rooms.lead(one) is None for one in unused] == [True, True, False]
    assert rooms.lead(token)
    rooms.join(led(rooms, unused[-1]).code)
    with pytest.raises(LimitError, match="2 classes"):
        rooms.open(ASKED)


# ---- the model


def finished(rooms: Rooms, token: str, shop: Any) -> Lead:
    measure(shop, rooms, led(rooms, token)).join(60)
    return led(rooms, token)


class Shop:
    def __init__(self, fails: Exception | None = None) -> None:
        self.fails, self.rounds = fails, 0

    def run(self, study: str, choice: Any, question: Any, options: Any, **ways: Any) -> ProbeResult:
        ways["waiting"](1)
        for self.rounds in range(1, 4):
            ways["on_progress"](self.rounds, 3)
        if self.fails:
            raise self.fails
        return run(study, load_model("builtin"), question, options)


def test_the_effects_are_the_records_and_what_hinders_them_is_told(caplog: pytest.LogCaptureFixture) -> None:
    rooms, _, token, code = opened()
    done = finished(rooms, token, Shop(InputError("question_empty")))
    assert (done.measured, done.done, done.total) == (False, 3, 3)
    assert done.fault is not None
    assert done.fault.key == "question_empty"
    rooms.measure_again(token)
    assert led(rooms, token).fault is None
    with caplog.at_level(logging.ERROR):
        assert finished(rooms, token, Shop(ValueError("SECRET"))).fault is not None
    assert "ValueError" in caplog.text
    assert "SECRET" not in caplog.text
    rooms.measure_again(token)
    assert finished(rooms, token, Shop()).measured
    rooms.reveal(token)
    found = led(rooms, token).found
    assert found is not None
    assert found.record is not None
    rows = run("words", load_model("builtin"), QUESTION).rows
    assert found.moving == {row["index"] for row in rows if row["no_change"] is False}
    assert seat(rooms, code, rooms.join(code)).found == found


def test_without_effects_the_class_can_still_be_shown() -> None:
    rooms, _, token, code = opened()
    anna = rooms.join(code)
    rooms.press(code, anna, 1, [1])
    rooms.send(code, anna, 1)
    rooms.measured(code, 1, FAULT)
    rooms.reveal(token)
    found = seat(rooms, code, anna).found
    assert found is not None
    assert (found.record, found.precision, found.counts[1]) == (None, None, 1)


def test_nobody_waits_for_a_closed_room() -> None:
    rooms, _, token, _ = opened()
    lead, shop = led(rooms, token), Shop()
    rooms.close(token)
    measure(shop, rooms, lead).join(60)
    assert shop.rounds == 0


# ---- sixty at once


def test_sixty_threads_lose_no_prediction_and_none_changes_after_the_reveal() -> None:
    rooms = Rooms(Bounds(pupils=60))
    token = rooms.open(ASKED)
    code = led(rooms, token).code
    rooms.measured(code, 1, record(1, 2, 3))
    start, revealed = threading.Barrier(62), threading.Event()
    last: list[tuple[int, ...] | None] = [None] * 60
    wrong: list[str] = []

    def pupil(me: int) -> None:
        rng = random.Random(me)
        start.wait()
        mine = rooms.join(code)
        while not revealed.is_set():
            picks = tuple(rng.sample(range(COUNT), rng.randint(1, 6)))
            rooms.press(code, mine, 1, picks)
            if rooms.send(code, mine, 1):
                last[me] = picks
            now = rooms.seat(code, mine)
            if now is None or now.sent != last[me]:
                wrong.append(f"{me} sent {last[me]} and has {now and now.sent}")
        rooms.press(code, mine, 1, [0])
        if rooms.send(code, mine, 1):
            wrong.append("sent after the reveal")

    def teacher() -> None:
        start.wait()
        while led(rooms, token).pulse.ready < 60:
            pass
        rooms.reveal(token)
        revealed.set()

    def passer_by() -> None:
        start.wait()
        while not revealed.is_set():
            rooms.reveal("guessed")
            rooms.close(code)
            with pytest.raises(CruxError):
                rooms.join("BBBBBB", "10.0.0.9")

    threads = [threading.Thread(target=pupil, args=(n,)) for n in range(60)]
    threads += [threading.Thread(target=teacher), threading.Thread(target=passer_by)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    found = led(rooms, token).found
    assert found is not None
    assert found.pupils == 60
    counts = [sum(word in (picks or ()) for picks in last) for word in range(COUNT)]
    assert list(found.counts) == counts
    assert found.own == tuple(sorted(average_precision(picks or (), {1, 2, 3}) for picks in last))
    rooms.close(token)
    assert rooms.lead(token) is None


# ---- the way in


@pytest.mark.parametrize(
    ("page", "ways", "join", "trouble"),
    [
        ("https://demo.example/class", {}, "https://demo.example/join", ""),
        ("https://demo.example/lab/crux/class", {}, "https://demo.example/lab/crux/join", ""),
        ("http://192.168.1.5:8501/class", {"bound": "0.0.0.0"}, "http://192.168.1.5:8501/join", ""),
        ("http://localhost:8501/class", {}, "http://10.1.2.3:8501/join", ""),
        ("http://127.0.0.1:8501/x/class", {"bound": "0.0.0.0"}, "http://10.1.2.3:8501/x/join", ""),
        ("http://[::1]:8501/class", {"bound": "127.0.0.1"}, "http://[::1]:8501/join", "closed"),
        ("http://localhost/class", {"here": lambda: None}, "http://localhost/join", "alone"),
        ("http://localhost/class", {"setting": "https://a.example/b/"}, "https://a.example/b/join", ""),
        (None, {}, "", "unknown"),
    ],
)
def test_pupils_join_where_the_teachers_page_is(page: str, ways: Any, join: str, trouble: str) -> None:
    found = join_address(page, **{"here": lambda: "10.1.2.3", **ways})
    assert (found.join, found.trouble) == (join, trouble)


@pytest.mark.parametrize(
    "setting", ["example.org", "javascript:alert(1)", "https://", "https://a.example/?x"]
)
def test_a_setting_that_is_no_address_is_refused(setting: str) -> None:
    with pytest.raises(InputError, match="CRUX_ADDRESS"):
        join_address(None, setting=setting)


def test_this_machines_own_address_is_one_or_none() -> None:
    assert own_address() is None or network_of(own_address())


@pytest.mark.parametrize(
    "page",
    [
        "https://a.io/class",
        "http://192.168.178.23:8501/class",
        "https://demo.university.example/labs/crux/class",
    ],
)
def test_the_qr_code_is_the_way_in(page: str) -> None:
    link = join_address(page).link("BCDFHJ")
    image = qr_image(link, 'Join: <here> & "now"')
    assert qr_oracle.read_image(image) == link
    assert parse_qs(urlsplit(link).query) == {"room": ["BCDFHJ"]}
    assert 'alt="Join: &lt;here&gt; &amp; &quot;now&quot;"' in image


@pytest.mark.parametrize("length", range(20, 107, 5))
def test_the_oracle_reads_every_size(length: int) -> None:
    text = ("https://a.example/" + "xyz0%" * 30)[:length]
    assert qr_oracle.read(qr_svg(text)) == text
