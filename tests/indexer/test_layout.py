"""A pattern finds the id of an object in the path of a photograph."""

import unicodedata

import pytest

from indexer.inputs.layout import read_layout
from retrieval.errors import ArtifactError


@pytest.mark.parametrize(
    ("pattern", "path", "object_id"),
    [
        ("{object}_{view}", "1960.5_2.jpg", "1960.5"),
        ("{object}_{view}", "2019/1960.5_verso.jpg", "1960.5"),
        ("{object}_{view}", "a_b_2.tif", "a_b"),
        ("{object}_{view}", "1960.5.jpg", None),
        ("{object}_{view}", "1960.5_.jpg", None),
        ("{object}_{view}.jpg", "1960.5_2.tif", "1960.5"),
        ("{object}", "2019/1960.5.jpg", "1960.5"),
        ("{object}", "a/b/c", "c"),
        ("{year}/{object}/{view}", "2019/1960.5/front.jpg", "1960.5"),
        ("{year}/{object}/{view}", "2019/1960.5/details/foot.jpg", "1960.5"),
        ("{year}/{object}/{view}", "2019/1960.5.jpg", None),
        ("{year}/{object}", "2019/1960.5.jpg", "1960.5"),
        ("{year}/{object}", "2019/1960.5/front.jpg", "1960.5"),
        ("{year}/{object}", "1960.5.jpg", None),
        ("{year}/{object}_{view}", "2019/1960.5_2.jpg", "1960.5"),
        ("loans/{lender}/{object}", "loans/Tate/N01234.jpg", "N01234"),
        ("loans/{lender}/{object}", "own/Tate/N01234.jpg", None),
        ("IMG_{object}({view})", "IMG_12(3).jpg", "12"),
        ("{object} - {title}", "1960.5 - Still life.jpg", "1960.5"),
    ],
)
def test_the_id_stands_where_the_pattern_says(pattern, path, object_id):
    assert read_layout(pattern).object_id(path) == object_id


def test_accents_are_composed():
    one, other = (unicodedata.normalize(form, "é_1.jpg") for form in ("NFC", "NFD"))
    layout = read_layout("{object}_{view}")
    assert layout.object_id(one) == layout.object_id(other) == "\xe9"


@pytest.mark.parametrize("pattern", ["{view}", "{object}_{object}", "object", "{object", "{object}}", "{{object}}"])
def test_a_pattern_without_one_object_is_refused(pattern):
    with pytest.raises(ArtifactError, match=r"must hold \{object\} once"):
        read_layout(pattern)
