"""What is said on the terminal: notices, the first of many."""

from cli.output.terminal import list_notices
from cli.output.text import some


def test_of_many_notices_the_first_are_named_and_where_the_others_are(capsys):
    list_notices("left out", [f"{number}\n" for number in range(21)], where="; see the report")
    list_notices("empty", ["a"])
    list_notices("gone", [])
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] + lines[20:] == [
        "21 left out:", "  0\ufffd", "  19\ufffd", "  ... and 1 more; see the report", "1 empty:", "  a",
    ]  # fmt: skip


def test_of_many_names_three_are_said():
    assert some(["a", "b", "c"]) == "a, b, c" and some(["a\n", "b", "c", "d", "e"]) == "a\ufffd, b, c, and 2 more"
