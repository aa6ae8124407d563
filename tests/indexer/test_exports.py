"""Ten exports of collections as their programs write them, each with its oddities, read without editing."""

# ruff: noqa: RUF001
import codecs
import datetime
import unicodedata

from tests.indexer.tables import known, write_workbook


def test_tms_with_both_numbers_rows_of_one_object_and_masters_on_a_server(tmp_path):
    rows = [
        "ObjectID,ObjectNumber,Title,DisplayName,Dated,Medium,Dimensions,ObjectStatus,FileName",
        r'501,1960.5,"Hills, ""red""",Ann Ward,1911,Oil on canvas,56 x 90 cm,Stolen,\\media\Masters\1960.5_V1.JPG',
        r'501,1960.5,"Hills, ""red""",Ann Ward,1911,Oil on canvas,56 x 90 cm,Stolen,\\media\Masters\1960.5_V2.JPG',
        r"502,1960.6a-b,Two jugs,Unknown,n.d.,Clay,,Accessioned,\\media\Masters\1960.6A-B.TIF",
    ]
    (tmp_path / "Objects.csv").write_bytes(codecs.BOM_UTF8 + "\r\n".join(rows).encode())
    found = known(tmp_path, "media/1960.5_v1.jpg", "media/1960.5_v2.jpg", "media/1960.6a-b.jpg")
    assert found.photos == {
        "1960.5": ["media/1960.5_v1.jpg", "media/1960.5_v2.jpg"],
        "1960.6a-b": ["media/1960.6a-b.jpg"],
    }
    assert found.metadata["1960.5"] == {
        "title": 'Hills, "red"', "maker": "Ann Ward", "date": "1911", "materials": "Oil on canvas",
        "measurements": "56 x 90 cm", "status": "Stolen", "ObjectID": "501",
    }  # fmt: skip
    assert found.bad == {} and "Objects.csv is read" in found.table.notes[0]


def test_adlib_with_record_numbers_repeated_fields_and_relative_paths(tmp_path):
    rows = [
        "priref;object_number;title;creator;production.date.start;material;current_location;status;reproduction.reference",
        r"1;BK-12;Haven;Jansen|Anoniem;1620;olieverf|doek;Depot 3;vermist;..\beeld\BK-12.jpg|..\beeld\BK-12_b.jpg",
        r"2;BK-13;Zee;onbekend;1630;paneel;Zaal 1;;..\beeld\BK-13.jpg",
        "3;BK-14;Zonder foto;onbekend;1640;;;stolen;",
    ]
    (tmp_path / "export.csv").write_text("\n".join(rows), encoding="utf-8")
    found = known(tmp_path, "BK-12.jpg", "BK-12_b.jpg", "BK-13.jpg")
    assert found.photos == {"BK-12": ["BK-12.jpg", "BK-12_b.jpg"], "BK-13": ["BK-13.jpg"]}
    assert found.metadata["BK-12"]["maker"] == "Jansen|Anoniem" and found.metadata["BK-12"]["date"] == "1620"
    assert found.metadata["BK-12"]["status"] == "vermist"
    assert found.metadata["BK-13"]["current_location"] == "Zaal 1"
    assert found.bad == {"export.csv line 4": "there is no object BK-14 in this folder"}


def test_museumplus_in_windows_1252_with_a_title_above_the_header(tmp_path):
    text = (
        "Objektliste, erstellt am 3. März\r\n\r\nInventarnummer;Titel;Beteiligte;Datierung;Material/Technik;Maße;"
        "Objektstatus;Bilddatei\r\nG 12;Mädchen – „schlafend“;Böcklin, Änne;um 1880;Öl auf Holz;30 × 40 cm;"
        "gestohlen 1998;K:\\Fotos\\G_0012.JPG\r\nG 13;Straße;unbekannt;;;;im Haus;K:\\Fotos\\Größe 13.jpg\r\n"
    )
    (tmp_path / "Liste.csv").write_bytes(text.encode("cp1252"))
    found = known(tmp_path, "G_0012.jpg", "Größe 13.jpg")
    assert found.photos == {"G 12": ["G_0012.jpg"], "G 13": ["Größe 13.jpg"]}
    assert found.metadata["G 12"] == {
        "title": "Mädchen – „schlafend“", "maker": "Böcklin, Änne", "date": "um 1880", "materials": "Öl auf Holz",
        "measurements": "30 × 40 cm", "status": "gestohlen 1998",
    }  # fmt: skip
    assert found.bad == {}
    assert "read as Windows-1252" in " ".join(found.table.notes) and "named in line 3" in found.table.notes[-1]


def test_a_french_export_of_excel_as_unicode_text_with_accents_split_on_disk(tmp_path):
    text = (
        "N° d’inventaire\tTitre\tAuteur\tDatation\tMatières et techniques\tStatut\tNom du fichier image\n"
        "D.2004.1\tForêt\tLœwe, Zoë\t1903\thuile\tvolée en 1998\tForêt.jpg\n"
    )
    (tmp_path / "inventaire.txt").write_bytes(text.encode("utf-16"))
    split = unicodedata.normalize("NFD", "Forêt.jpg")
    found = known(tmp_path, split)
    assert found.photos == {"D.2004.1": [split]}
    assert found.metadata["D.2004.1"] == {
        "title": "Forêt", "maker": "Lœwe, Zoë", "date": "1903", "materials": "huile",
        "status": "volée en 1998",
    }  # fmt: skip


def test_a_spanish_workbook_with_a_cover_numbers_dates_and_zeros_that_are_only_shown(tmp_path):
    write_workbook(
        tmp_path / "export.xlsx",
        Portada=[["Museo"], ["Listado"]],
        Inventario=[
            [None, "Inventario general"],
            ["Nº Inventario", "Título", "Autor/es", "Datación", "Alta", "Situación", "Imagen"],
            [(7, "000"), "Bodegón", "Anónimo", 1650, (datetime.datetime(2003, 5, 1), "dd/mm/yyyy"), "robado", 7],
            [(1960.1, "0.00"), "Niña", None, "s. XVII", None, "en sala", "1960.10.png"],
        ],
    )
    found = known(tmp_path, "007.jpg", "1960.10.png")
    assert found.photos == {"007": ["007.jpg"], "1960.10": ["1960.10.png"]}
    assert found.metadata["007"] == {
        "title": "Bodegón", "maker": "Anónimo", "date": "1650", "Alta": "2003-05-01", "status": "robado",
    }  # fmt: skip
    assert "the sheet 'Inventario' is read, not 'Portada'" in found.table.notes


def test_an_italian_export_of_an_old_macintosh(tmp_path):
    text = (
        "Numero inventario;Titolo;Autore;Misure;Stato;Fotografia\rOA 21;La città;Niccolò;30 x 40;trafugata;"
        "Disco:foto:OA 21 caffè.jpg\rOA 22;Virtù;;;;:foto:OA 22.jpg\r"
    )
    (tmp_path / "Catalogo.csv").write_bytes(text.encode("mac_roman"))
    found = known(tmp_path, "foto/OA 21 caffè.jpg", "foto/OA 22.jpg")
    assert found.photos == {"OA 21": ["foto/OA 21 caffè.jpg"], "OA 22": ["foto/OA 22.jpg"]}
    assert found.metadata["OA 21"]["title"] == "La città" and found.metadata["OA 21"]["status"] == "trafugata"
    assert "read as Mac Roman" in " ".join(found.table.notes)


def test_past_perfect_with_capitals_and_a_group_number_beside_the_objects_own(tmp_path):
    rows = [
        "OBJECTID,ACCESSNO,OBJNAME,TITLE,ARTIST,STATUS,IMAGEFILE",
        r"1984.12.1,1984.12,Painting,Sea,Ward,OK,001\1984121.JPG",
    ]
    (tmp_path / "pp5.csv").write_text("\r\n".join([*rows, ",,,,,,"]), encoding="ascii")
    found = known(tmp_path, "Images/001/1984121.jpg")
    assert found.photos == {"1984.12.1": ["Images/001/1984121.jpg"]}
    assert found.metadata["1984.12.1"] == {
        "accession": "1984.12", "title": "Sea", "maker": "Ward", "status": "OK", "OBJNAME": "Painting",
    }  # fmt: skip


def test_collectiveaccess_with_dotted_names_and_an_address_in_place_of_a_file(tmp_path):
    media = "ca_object_representations.media.original"
    names = f"ca_objects.idno\tca_objects.preferred_labels\tca_entities.preferred_labels\t{media}\n"
    rows = "CA.1\tSea\tWard\t/var/1/CA.1.jpg;/var/1/CA.1_alt.jpg\nCA.2\tSky\tWard\thttps://media.example.org/CA.2.jpg\n"
    (tmp_path / "catalog.tab").write_bytes((names + rows).encode("utf-16-le"))  # without a mark
    found = known(tmp_path, "CA.1.jpg", "CA.1_alt.jpg", "CA.2.jpg")
    assert found.photos["CA.1"] == ["CA.1.jpg", "CA.1_alt.jpg"]
    assert found.metadata == {"CA.1": {"title": "Sea", "maker": "Ward"}, "CA.2": {"title": "Sky", "maker": "Ward"}}
    assert found.bad == {"catalog.tab line 3": "https://media.example.org/CA.2.jpg is an address, not a file"}


def test_emu_beside_its_table_of_media_is_asked_for_and_then_read(tmp_path):
    (tmp_path / "ecatalogue.csv").write_text(
        '"irn","TitAccessionNo","TitMainTitle","CreCreatorLocal","TitObjectStatus","MulIdentifier"\n'
        '"9001","2002.17","Boats","Chen, Wei","Missing since 2011","12345.jpg"\n'
    )
    (tmp_path / "emultimedia.csv").write_text('"irn","MulMimeType"\n"12345","image"\n')
    found = known(tmp_path, "12345.jpg", asked="ecatalogue.csv")
    assert found.photos == {"2002.17": ["12345.jpg"]}
    assert found.metadata["2002.17"] == {
        "title": "Boats", "maker": "Chen, Wei", "status": "Missing since 2011", "irn": "9001",
    }  # fmt: skip
    assert found.table.warnings == (
        "emultimedia.csv is not read, but ecatalogue.csv; --table emultimedia.csv reads it",
    )


def test_a_home_made_list_with_bars_sep_no_break_spaces_and_a_column_of_yes(tmp_path):
    text = "\ufeffsep=|\r\n\r\n Inv.\u00a0No. |TITLE|Stolen|Photo 1|Photo 2|\r\n"
    text += "7\u00a0|Sea|yes|7.jpg|7 verso.jpg|\r\n8|Sky|no|8||\r\n"
    (tmp_path / "CATALOGUE.CSV").write_bytes(text.encode())
    found = known(tmp_path, "0007.jpg", "7 verso.jpg", "8.jpg")
    assert found.photos == {"7": ["0007.jpg", "7 verso.jpg"], "8": ["8.jpg"]}
    assert found.metadata["7"] == {"title": "Sea", "Stolen": "yes", "status": "Stolen"}
    assert found.metadata["8"] == {"title": "Sky", "Stolen": "no"}
    assert found.table.has_status and found.bad == {}
