"""A status is never lost in silence, and what changes in the metadata is kept with the revision."""

from pathlib import Path

import pytest

from indexer.building.reading import Asked
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.changes import last_changes
from retrieval.catalogue.standing import Register, RegisterEntry
from retrieval.errors import BadTable
from tests.conftest import index, make_folder


@pytest.fixture
def folder(tmp_path) -> Path:
    return make_folder(tmp_path / "photos", {"a.jpg": 1, "b.jpg": 2})


def write(folder: Path, text: str, name: str = "catalogue.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


def statuses(data: Path) -> dict[str, str]:
    with Catalogue.reading(data) as catalogue:
        return {item.object_id: item.metadata.get("status", "") for item in catalogue.objects()}


def changes(data: Path) -> list[tuple[int, str, str, str, str]]:
    with Catalogue.reading(data) as catalogue:
        found = last_changes(catalogue.db)
        return [(item.revision, item.object_id, item.field, item.before, item.after) for item in found]


@pytest.mark.parametrize("name", ["Status", "STATUS", "Object Status", "Statut", "Objekt-Status", "stato"])
def test_a_status_is_heard_whatever_its_column_is_called(folder, data, name):
    write(folder, f"Object ID,{name}\na,Stolen\n")
    index(folder, data)
    with Catalogue.reading(data) as catalogue:
        assert Register.of(catalogue.objects()).alarms == {"stolen": ("a",)}


def test_alarms_are_counted_and_doubts_are_named(folder, data):
    write(folder, 'object_id,status\na,stollen\nb,"stolen, recovered 2011"\n')
    index(folder, data)
    with Catalogue.reading(data) as catalogue:
        register = Register.of(catalogue.objects())
    assert register.alarms == {"stolen": ("a",)}
    assert register.doubts == {
        "a": "'stollen' is taken for 'stolen'",
        "b": "'stolen, recovered 2011' raises no alarm",
    }


def test_a_column_of_alarms_that_is_not_the_status_is_warned_of_by_name(folder, data):
    write(folder, "object_id,status,Bemerkung\na,on view,\nb,on view,gestohlen 1998\n")
    (warning,) = index(folder, data).warnings
    assert (
        "the column 'Bemerkung' reads like a status (line 3) but is not read as one; --map status='Bemerkung'"
        in warning
    )
    index(folder, data, asked=Asked(columns={"status": "Bemerkung"}))
    assert statuses(data) == {"a": "", "b": "gestohlen 1998"}
    assert index(folder, data).revision == 2  # what was mapped is kept
    index(folder, data, asked=Asked(columns={"status": ""}))
    assert statuses(data) == {"a": "on view", "b": "on view"}


def test_a_flag_under_a_name_that_is_an_alarm_among_others_is_warned_of(folder, data):
    write(folder, "object_id,Stolen (Y/N),State\na,1,1\nb,0,2\n")
    (warning,) = index(folder, data).warnings
    assert "the column 'Stolen (Y/N)' reads like a status (line 2)" in warning


def test_of_two_rows_of_an_object_the_one_that_raises_an_alarm_holds(folder, data):
    write(folder, "object_id,status\na,on view\na,stolen\n")
    report = index(folder, data)
    assert statuses(data)["a"] == "stolen"
    assert [(item.path, item.reason) for item in report.skipped] == [
        ("catalogue.csv line 3", "a already has another status")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "object_id,title\na,Sea\nb,Sky\n",  # the column is gone
        "object_id,Zustandsnotiz\na,gut\nb,gut\n",
        "object_id,status\nb,on view\n",  # the row is gone
    ],
)
def test_a_status_that_the_table_no_longer_speaks_of_is_kept_and_asked_about(folder, data, text):
    write(folder, "object_id,status\na,stolen\nb,on view\n")
    index(folder, data)
    write(folder, text)
    report = index(folder, data)
    assert statuses(data)["a"] == "stolen"
    assert report.warnings[0].startswith("a stays 'stolen', as the table no longer says")
    revision = report.revision
    again = index(folder, data)
    assert (again.revision, again.warnings) == (revision, report.warnings)
    write(folder, "object_id,status\na,\nb,on view\n")
    assert index(folder, data).warnings == ()
    assert statuses(data)["a"] == ""
    assert (revision + 1, "a", "status", "stolen", "") in changes(data)


def test_a_table_that_is_gone_changes_neither_metadata_nor_objects(folder, data):
    table = write(folder, "object_id,photo,status\n1960.5,a.jpg,stolen\n1960.5,b.jpg,stolen\n", "tms.csv")
    index(folder, data)
    text = table.read_text()
    table.unlink()
    report = index(folder, data)
    assert report.revision == 1 and statuses(data) == {"1960.5": "stolen"}
    assert report.warnings == ("tms.csv is gone: what it said stays as it was; --table none forgets it",)
    table.write_text(text)
    assert index(folder, data).warnings == () and statuses(data) == {"1960.5": "stolen"}


def test_that_there_shall_be_no_table_takes_what_it_said_and_says_so(folder, data):
    write(folder, "object_id,photo,status\n1960.5,a.jpg,stolen\n,b.jpg,missing\n")
    index(folder, data)
    report = index(folder, data, asked=Asked(table="none"))
    assert "--table catalogue.csv reads it" in report.warnings[0]
    assert statuses(data) == {"a": "", "b": ""}
    assert [change[1:] for change in changes(data)] == [
        ("1960.5", "status", "stolen", ""),
        ("b", "status", "missing", ""),
    ]


def test_a_status_goes_with_the_photograph_to_another_object(folder, data):
    write(folder, "object_id,photo,status\n1960.5,a.jpg,stolen\n")
    index(folder, data)
    write(folder, "object_id,photo\nnew,a.jpg\n")
    report = index(folder, data)
    assert statuses(data) == {"b": "", "new": "stolen"}
    assert report.warnings[0].startswith("new stays 'stolen'")


def test_changes_are_kept_object_by_object_statuses_first(folder, data):
    write(folder, "object_id,title,status\na,Sea,stolen\nb,Sky,\n")
    index(folder, data)
    assert changes(data) == []  # all is new
    write(folder, "object_id,title,status\na,Lake,\nb,Sky,missing\n")
    index(folder, data)
    assert changes(data) == [
        (2, "a", "status", "stolen", ""),
        (2, "b", "status", "", "missing"),
        (2, "a", "title", "Sea", "Lake"),
    ]


def test_the_table_and_the_columns_asked_for_are_kept_for_the_folder(folder, data):
    write(folder, "Kennzahl,Bez\na,Sea\n", "one.csv")
    write(folder, "object_id,title\na,Other\n", "two.csv")
    index(folder, data, asked=Asked(table="one.csv", columns={"object_id": "Kennzahl", "title": "Bez"}))
    report = index(folder, data)
    assert report.warnings == ("two.csv is not read, but one.csv; --table two.csv reads it",)
    with Catalogue.reading(data) as catalogue:
        assert catalogue.object("a").metadata == {"title": "Sea"}
    with pytest.raises(BadTable, match="has no column 'Kennzahl', which --map names"):
        index(folder, data, asked=Asked(table="two.csv"))


def entries(data: Path) -> dict[str, RegisterEntry]:
    with Catalogue.reading(data) as catalogue:
        register = Register.of(catalogue.objects())
    return {object_id: register.entry(object_id) for object_id in register.standings}


@pytest.mark.parametrize(
    "header",
    [
        "Object ID,Status,Case No.,Date of theft,Place of theft,Police,Contact person",
        "object_id,status,case_number,theft_date,theft_place,authority,contact",
        "Inventarnummer,Objektstatus,Aktenzeichen,Tatzeit,Tatort,Dienststelle,Ansprechpartner",
        "Inv. No.,Statut,Num\u00e9ro de dossier,Date du vol,Lieu du vol,Service enqu\u00eateur,Coordonn\u00e9es",
    ],
)
def test_what_a_register_says_of_a_case_is_known_whatever_its_columns_are_called(folder, data, header):
    (folder / "catalogue.csv").write_text(
        f"{header}\na,Stolen,17/03,2003-05-01,Oslo,Kripos,desk@example.org\nb,,,,,,\n"
    )
    index(folder, data)
    entry = RegisterEntry("a", "Stolen", "17/03", "2003-05-01", "Oslo", "Kripos", "desk@example.org")
    assert entries(data) == {"a": entry}
    (folder / "catalogue.csv").write_text("object_id\na\n")
    index(folder, data)
    assert entries(data) == {"a": entry}, "kept with the status, as the table no longer says"


@pytest.mark.parametrize(
    "name", ["theft_date", "Date of theft", "Data furto", "Diebstahlsdatum", "date du vol", "date of loss", "Tatzeit"]
)
def test_a_date_of_theft_is_an_alarm_where_no_status_is_written(folder, data, name):
    write(folder, f"object_id,{name},status\na,2003-05-01,\nb,,on view\n")
    index(folder, data)
    assert statuses(data) == {"a": "stolen: 2003-05-01", "b": "on view"}
    assert entries(data)["a"].theft_date == "2003-05-01"
    write(folder, f"object_id,{name},status\na,2003-05-01,in collection\nb,-,\n")
    index(folder, data)
    assert statuses(data) == {"a": "in collection", "b": ""}
    with Catalogue.reading(data) as catalogue:
        assert Register.of(catalogue.objects()).alarms == {}, "it was found again"
