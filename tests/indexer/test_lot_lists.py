"""Ten lists of lots as sale rooms write them, each with its oddities, read without editing."""

# ruff: noqa: RUF001
import codecs
from pathlib import Path

import pytest

from indexer.inputs.lots import Lot, read_lots
from tests.conftest import touch
from tests.indexer.tables import write_workbook


def lots(source: Path, **options) -> list[tuple[str, dict[str, str] | None, str | None]]:
    """Return (photograph in the folder, columns, problem) of each lot."""
    found: list[Lot] = list(read_lots(source, **options))
    return [(item.path.relative_to(source.parent).as_posix(), item.columns, item.problem) for item in found]


def test_numbered_columns_of_photographs(tmp_path):
    touch(tmp_path, "1_1.jpg", "1_2.jpg", "2.jpg")
    source = tmp_path / "catalog.csv"
    source.write_text('LotNum,Title,ImageFile.1,ImageFile.2\n1,"Oil, 22"" wide",1_1.jpg,1_2.jpg\n2,Vase,2.jpg,\n')
    one = {"lot": "1", "title": 'Oil, 22" wide'}
    assert lots(source) == [
        ("1_1.jpg", one, None),
        ("1_2.jpg", one, None),
        ("2.jpg", {"lot": "2", "title": "Vase"}, None),
    ]


def test_a_separator_that_is_said_and_file_names_with_a_hash(tmp_path):
    touch(tmp_path, "Images/#12.jpg", "Images/13 & 14.jpg")
    source = tmp_path / "lots.csv"
    source.write_bytes(
        b'"sep=;"\r\nLot No.;Sale;House;Image\r\n12;S/24;Hall & Co;#12.jpg\r\n13;S/24;Hall & Co;13 & 14.JPG\r\n'
    )
    offer = {"sale": "S/24", "house": "Hall & Co"}
    assert lots(source) == [
        ("Images/#12.jpg", {"lot": "12", **offer}, None),
        ("Images/13 & 14.jpg", {"lot": "13", **offer}, None),
    ]


def test_a_german_list_under_a_title(tmp_path):
    touch(tmp_path, "bilder/Öl_101.jpg")
    source = tmp_path / "Losliste.csv"
    source.write_bytes(
        "Auktion 7\r\n\r\nLos-Nr.;Künstler;Schätzpreis €;Bild\r\n101;Böcklin;1.200,00;bilder\\Öl_101.jpg\r\n".encode(
            "cp1252"
        )
    )
    notes: list[str] = []
    columns = {"lot": "101", "maker": "Böcklin", "Schätzpreis €": "1.200,00"}
    assert lots(source, on_note=notes.append) == [("bilder/Öl_101.jpg", columns, None)]
    assert notes[0] == "Losliste.csv: read as Windows-1252; save it as CSV UTF-8 if accents look wrong"


def test_a_french_list_in_utf_16_with_tabs(tmp_path):
    touch(tmp_path, "lot 2 été.jpg")
    source = tmp_path / "lots.tsv"
    source.write_bytes("Lot\tVente\tÉtude\tPhoto\n2\t2024-118\tLœb & Associés\tlot 2 été.jpg\n".encode("utf-16"))
    assert lots(source) == [("lot 2 été.jpg", {"lot": "2", "sale": "2024-118", "house": "Lœb & Associés"}, None)]


def test_a_spanish_workbook_with_numbers_as_names(tmp_path):
    touch(tmp_path, "0041.jpg")
    source = write_workbook(
        tmp_path / "lotes.xlsx", Subasta=[["Subasta 24"], ["Lote", "Salida", "Fotografía"], [41, 1200.0, 41]]
    )
    assert lots(source) == [("0041.jpg", {"lot": "41", "Salida": "1200"}, None)]


def test_an_italian_list_of_an_old_macintosh(tmp_path):
    touch(tmp_path, "lotto 7 più.jpg")
    source = tmp_path / "lotti.csv"
    source.write_bytes("Lotto;Asta;Casa d’aste;Immagine\r7;A9;Città;lotto 7 più.jpg\r".encode("mac_roman"))
    assert lots(source) == [("lotto 7 più.jpg", {"lot": "7", "sale": "A9", "house": "Città"}, None)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_plain_list_with_comments_hashes_and_addresses(tmp_path, encoding):
    touch(tmp_path, "#12.jpg", "b/Crème.JPG", "a, b.jpg")
    source = tmp_path / "list.txt"
    source.write_bytes(
        "# the morning\r\n#\r\n#12.jpg\r\nb\\crème.jpg\r\na, b.jpg\r\nhttps://x.example/5.jpg\r\nno.jpg\r\n".encode(
            encoding
        )
    )
    assert lots(source)[:3] == [("#12.jpg", None, None), ("b/Crème.JPG", None, None), ("a, b.jpg", None, None)]
    address, missing = lots(source)[3:]
    assert address[2] == "https://x.example/5.jpg is an address, not a file"
    assert missing == ("no.jpg", None, None) and not (tmp_path / "no.jpg").exists()


def test_claims_under_another_name_beside_an_address_that_is_no_photograph(tmp_path):
    touch(tmp_path, "a.jpg")
    source = tmp_path / "offers.csv"
    source.write_text("PHOTO,Claimed as,LOT,Link\na.jpg, 1984.01 ,1,https://x.example/1\n")
    assert lots(source) == [("a.jpg", {"claim": "1984.01", "lot": "1", "url": "https://x.example/1"}, None)]


def test_several_photographs_in_a_cell_each_row_accounted_for(tmp_path):
    touch(tmp_path, "img/5-1.jpg", "img/5-2, detail.jpg", "other/6.jpg", "img/6.jpg")
    source = tmp_path / "lots.csv"
    rows = ['5,"img/5-1.jpg\nimg/5-2, detail.jpg"', "6,6.jpg", "7,5-1.jpg; gone.jpg", "8,"]
    source.write_text("\n".join(["lot_number,photos", *rows]))
    assert lots(source) == [
        ("img/5-1.jpg", {"lot": "5"}, None),
        ("img/5-2, detail.jpg", {"lot": "5"}, None),
        ("lots.csv line 4", {"lot": "6"}, "lots.csv line 4: 6.jpg may be img/6.jpg or other/6.jpg"),
        ("img/5-1.jpg", {"lot": "7"}, None),
        ("lots.csv line 5", {"lot": "7"}, "lots.csv line 5: there is no photo gone.jpg"),
        ("lots.csv line 6", {"lot": "8"}, "lots.csv line 6 names no photo"),
    ]


def test_a_column_that_nobody_knows_is_named_on_the_command_line(tmp_path):
    touch(tmp_path, "1.jpg")
    source = tmp_path / "lots.csv"
    source.write_bytes(codecs.BOM_UTF8 + b"Position *,Scan rechts\n1,1.jpg\n")
    assert lots(source, mapping={"photo": "scan rechts", "lot": "Position *"}) == [("1.jpg", {"lot": "1"}, None)]
