"""Who decides has seen what others decided before, and what was decided is taken back by whoever decided it."""

import re

from tests.page import Page as Markup
from tests.serve.conftest import artifact, send
from tests.serve.test_queue import accept_as_bo, made, named, waiting

CHOSEN = re.compile(r'name="verdict" value="([^"]+)"')


def test_what_was_decided_since_many_were_chosen_is_shown_after_they_were_looked_over(desk, data):
    number = named(data, "changed.jpg")
    accept_as_bo(data, number)
    text = send(desk, "/queue/overview", verdict=f"{number}:0", decision="inconclusive").text
    form = {"decision": "inconclusive", "reason": "glare", "verdict": CHOSEN.findall(text)}
    answer = send(desk, "/queue/decide", **form)
    assert answer.status_code == 409 and "Bo accepted verdict" in Markup(answer.text).text
    assert [review.name for review in made(data)] == ["Bo"]
    form["verdict"] = CHOSEN.findall(answer.text)
    assert form["verdict"] == [f"{number}:1"] and send(desk, "/queue/decide", **form).status_code == 200
    assert [review.name for review in made(data)] == ["Bo", "Anna"]


def test_of_one_that_was_looked_over_it_is_accepted_what_it_says_already(desk, data):
    number = named(data, "changed.jpg")
    form = {"verdict": f"{number}:0", "decision": "divergent", "reason": "a part is new"}
    assert "1 of them says so already, and will be accepted" in send(desk, "/queue/overview", **form).text
    assert send(desk, "/queue/decide", **form).status_code == 200
    assert [(review.decision, review.outcome) for review in made(data)] == [("accept", "divergent")]


def test_the_page_of_a_verdict_shows_what_was_decided_on_the_same_photograph_by_another_verdict(desk, data, inbox):
    first = named(data, "changed.jpg")
    artifact("query", inbox / "changed.jpg", "--data", data)
    second = named(data, "changed.jpg")
    accept_as_bo(data, first)
    text = desk.get(f"/verdicts/{second}").text
    assert f"Bo accepted verdict {first}" in Markup(text).text and "Nobody has decided" not in text
    assert second != first and 'name="seen" value="1"' in text
    send(desk, "/reviews/undo", first=1, last=1, verdict=second, back="verdict")
    assert f"Bo accepted verdict {first}" in Markup(desk.get(f"/verdicts/{second}").text).text


def test_many_decisions_are_undone_also_by_whoever_has_changed_their_name_since(desk, data):
    numbers = waiting(data)
    answer = send(desk, "/queue/decide", verdict=[f"{number}:0" for number in numbers], decision="accept")
    undo = re.search(r'name="first" value="(\d+)"><input type="hidden" name="last" value="(\d+)"', answer.text)
    assert undo and len(made(data)) == len(numbers) > 1
    answer = send(desk, "/reviews/undo", name="Anna Berg", first=undo[1], last=undo[2])
    assert made(data) == [] and waiting(data) == numbers and "data-undo" not in answer.text
    assert "Taken back by Anna Berg" in Markup(desk.get(f"/verdicts/{numbers[0]}").text).text
