"""What is said of the layout of a folder."""

from collections import Counter
from typing import Any

from cli.runs.understood_words import doubt_lines, understood_lines
from indexer.building.understood import Understood
from indexer.inputs.layout_guesses import ViewsGuess


def understood(sizes: dict[str, int], **more: Any) -> Understood:
    values: dict[str, Any] = {"pattern": "", "unfit": (), "groups": (), "groups_pattern": "", "views": None}
    return Understood(photos=sum(sizes.values()), sizes=Counter(sizes), **(values | more))


def test_a_photograph_an_object_needs_no_word():
    assert understood_lines(understood({"a": 1, "b": 1})) == doubt_lines(understood({"a": 1, "b": 1})) == []


def test_the_largest_objects_are_named():
    (line,) = understood_lines(understood({"a": 1, "2019": 14, "Loan Tate": 9, "vase": 3, "jar": 2}))
    assert line == "understood: 5 objects of 1 to 14 photographs; the largest: 2019 (14), Loan Tate (9), vase (3)"


def test_how_many_photographs_fit_a_pattern():
    found = understood({"a": 2}, pattern="{object}_{view}", unfit=("a.jpg",))
    assert understood_lines(found)[1] == "1 of 2 photographs fits the pattern '{object}_{view}'"
    assert doubt_lines(found) == []
    none = understood({"a": 1}, pattern="{object}_{view}", unfit=("a.jpg",))
    assert doubt_lines(none) == ["nothing fits the pattern, as a.jpg; --pattern '' forgets it"]


def test_a_doubt_comes_with_what_would_work():
    views = ViewsGuess("{object}_{view}", ("1960.5", "1960.5_2"))
    found = understood({"2019": 4}, groups=("2019",), groups_pattern="{folder}/{object}")
    assert doubt_lines(found) == [
        "taken for one object each, but called like folders of many: 2019 (4)",
        "  if they are: --pattern '{folder}/{object}'",
    ]
    unsure = doubt_lines(understood({"2019": 4, "b": 1}, groups=("2019",)))
    assert unsure[1] == "  if they are: index each by itself, and the folder with --exclude 2019/"
    assert doubt_lines(understood({"1960.5": 1, "1960.5_2": 1}, views=views)) == [
        "taken for objects, but called like views of one: 1960.5, 1960.5_2",
        "  if they are: --pattern '{object}_{view}'",
    ]
