"""Names of columns: many for one field, one for each, none twice."""

import pytest

from indexer.inputs.metadata import TABLE_FIELDS
from indexer.tables.columns import field_names, folded, understood
from indexer.tables.mapping import read_mapping
from retrieval.errors import BadTable


def fields(*header: str, **given: str) -> dict[str, str]:
    columns = understood(header, TABLE_FIELDS, given)
    assert columns.problem is None, columns.problem
    return {field: columns.header[place] for place, field in columns.fields.items()}


@pytest.mark.parametrize(
    "name",
    ["status", "Status", "STATUS", " status ", "\ufeffStatus", '"Status"', "Object Status", "object_status",
     "ObjectStatus", "object-status", "Objects.ObjectStatus", "Object\u00a0status",
     "Statut", "Estado", "Stato", "Objektstatus",
     "status (DE)"],
)  # fmt: skip
def test_a_status_is_one_however_its_column_is_called(name):
    assert list(fields("object_id", name)) == ["object_id", "status"]


@pytest.mark.parametrize(
    ("header", "number"),
    [
        (("ObjectID", "ObjectNumber"), "ObjectNumber"),
        (("object_id", "accession"), "object_id"),
        (("OBJECTID", "ACCESSNO"), "OBJECTID"),
        (("irn", "TitAccessionNo"), "TitAccessionNo"),
        (("ca_objects.object_id", "ca_objects.idno"), "ca_objects.idno"),
        (("dc:identifier", "dcterms:title"), "dc:identifier"),
        (("ID", "Inv.-Nr."), "Inv.-Nr."),
        (("Objects.ObjectID", "Objects.ObjectNumber"), "Objects.ObjectNumber"),
    ],
)
def test_of_several_numbers_that_of_the_object_names_it(header, number):
    assert fields(*header)["object_id"] == number


def test_no_name_stands_for_two_fields():
    names: dict[str, set[str]] = {}
    for field in TABLE_FIELDS:
        for name in field_names()[field]:
            names.setdefault(name, set()).add(field)
    assert {name: owners for name, owners in names.items() if len(owners) > 1} == {}


def test_a_column_that_is_mapped_is_the_field_and_the_one_that_was_is_kept_beside_it():
    columns = understood(["object_id", "status", "Lage"], TABLE_FIELDS, {"status": "lage"})
    assert columns.row(["1", "fine", "stolen"]) == {"object_id": "1", "status (column 2)": "fine", "status": "stolen"}


@pytest.mark.parametrize(
    ("header", "given", "said"),
    [
        (["id", "Title", "TITLE"], {}, "has two columns for title, 'Title' (column 2) and 'TITLE' (column 3)"),
        (["id", "note", "note"], {}, "has two columns named 'note', columns 2 and 3"),
        (["id", "Photo", "photo"], {}, "has two columns for photo, 'Photo' (column 2) and 'photo' (column 3)"),
        (["id", "x"], {"status": "Lage"}, "has no column 'Lage', which --map names"),
    ],
)
def test_columns_that_stand_twice_or_are_not_there_are_named(header, given, said):
    assert understood(header, TABLE_FIELDS, given).problem == said


def test_a_whole_text_is_the_name_of_no_column():
    assert understood([f"{'A view of the harbour. ' * 20}/title", "Titel"], TABLE_FIELDS).fields == {1: "title"}


def test_unnamed_columns_are_known_by_their_place_and_trailing_ones_are_none():
    columns = understood(["id", "", "title", "", ""], TABLE_FIELDS)
    assert columns.header == ("id", "column 2", "title", "", "")


def test_folding_leaves_letters_and_digits():
    assert folded(" Maße / N°_1 ") == "massen1"
    assert folded("Nº") == "no" and folded("作品") == "作品"


def test_a_mapping_is_field_and_column():
    assert read_mapping(["status=Lage", "Title = A=B"], TABLE_FIELDS) == {"status": "Lage", "title": "A=B"}
    for wrong in ("Lage", "colour=Farbe"):
        with pytest.raises(BadTable, match="is no FIELD=COLUMN; the fields are object_id, photo, title"):
            read_mapping([wrong], TABLE_FIELDS)
