"""Numbers of objects: found however they are written, two that fit are neither."""

import pytest

from indexer.inputs.object_names import ObjectNames


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("007", ["007"]), ("7", ["007"]), ("0007", ["007"]), ("Vase", ["Vase"]), ("VASE", ["Vase"]),
        (" vase ", ["Vase"]),
        ("1984.12", ["Vase"]), ("1984.12 ", ["Vase"]), ("1984/12", ["Vase"]), ("1984-12", ["Vase"]),
        ("19 84.12", ["Vase"]),
        ("NG 12", ["ng12"]), ("NG\u00a012", ["ng12"]), ("a\u201312", ["A-12"]), ("a_12", ["A-12"]),
        ("E\u0301ve", ["\u00c9ve"]),
        ("x", ["x1", "x2"]), ("nobody", []), ("", []), ("0", []), ("198412", []),
    ],
)  # fmt: skip
def test_a_number_is_found_however_it_is_written(name, meant):
    accessions = {"007": "", "Vase": "1984.12", "ng12": "", "A-12": " ", "\u00c9ve": "", "x1": "X", "x2": "x "}
    assert ObjectNames(accessions).meant(name) == meant
