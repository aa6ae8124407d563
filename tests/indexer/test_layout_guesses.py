"""Names tell where a layout was meant otherwise than it is understood."""

import pytest

from indexer.inputs.layout_guesses import guess_views, is_group, shows_another_side


@pytest.mark.parametrize(
    "name",
    [
        "2019",
        "1980s",
        "1990-1995",
        "2019 acquisitions",
        "Loan Tate",
        "loans_2019",
        "Leihgaben",
        "images",
        "Photos (new)",
        "box 3",
        "100CANON",
        "DCIM",
        "prêts",
        "Gifts",
    ],
)
def test_folders_that_are_called_like_many_objects(name):
    assert is_group(name)


@pytest.mark.parametrize(
    "name",
    ["vase", "1960.5", "1984-12", "1960-5", "2019a", "3019", "Scandinavia", "Imagery", "Boxer", "Loano", "N01234"],
)
def test_folders_that_are_called_like_an_object(name):
    assert not is_group(name)


@pytest.mark.parametrize(
    ("names", "pattern", "shown"),
    [
        (["1960.5", "1960.5_2", "1961.2"], "{object}_{view}", ("1960.5", "1960.5_2")),
        (["1960.5", "1960.5_detail", "1961.2"], "{object}_{view}", ("1960.5", "1960.5_detail")),
        (["1960.5", "1960.5-verso", "x"], "{object}-{view}", ("1960.5", "1960.5-verso")),
        (["1970", "1970_2", "1971"], "{object}_{view}", ("1970", "1970_2")),
        (["1960.5", "1960.5 (2)"], "{object} {view}", ("1960.5", "1960.5 (2)")),
        (["1960.5_recto", "1960.5_verso"], "{object}_{view}", ("1960.5_recto", "1960.5_verso")),
        (["1960.5_1", "1960.5_2", "1961.2_1"], "{object}_{view}", ("1960.5_1", "1960.5_2")),
        (["1960.5", "1960.5_2", "self_portrait"], "", ("1960.5", "1960.5_2")),
    ],
)
def test_files_that_are_called_like_views_of_one_object(names, pattern, shown):
    found = guess_views(names)
    assert found is not None and (found.pattern, found.names) == (pattern, shown)


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["000", "001", "002"],
        ["1984-12", "1984-13", "1985-1"],
        ["2019_1", "2019_2"],
        ["IMG_1", "IMG_2", "IMG_3"],
        ["NG_12", "NG_13", "RA_1", "RA_2"],
        ["self_portrait", "self_love"],
        ["a_verso"],
    ],
)
def test_files_that_are_objects_each(names):
    assert guess_views(names) is None


def test_another_side_is_told_by_a_word_and_not_by_a_part_of_one():
    assert shows_another_side("vase/1960.5_Verso.jpg") and shows_another_side("a/détail 2.tif")
    assert not shows_another_side("vase/front.jpg") and not shows_another_side("diversos/1.jpg")
