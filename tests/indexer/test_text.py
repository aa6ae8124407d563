"""The encoding of a table: told by a mark, by zeros, by what stands well; refused where it is not sure."""

# ruff: noqa: RUF001
import pytest

from indexer.tables.text import decode
from retrieval.errors import BadTable

TABLES = [
    *[
        "object_id,title\n1,Münze\n",
        "Nr;Titel;Künstler\n12;Stillleben mit Äpfeln;Dürer\n",
        "Nr;Größe\n1;30 × 40 cm, Öl\n",
    ],
    *["photo,lot\nMädchen mit Hut.jpg,12\n", "id;t\n7;Köln – Straße nach Süden\n"],
    *["photo,title\na.jpg,Cézanne\n", "numéro;titre\n12;Nature morte à la théière\n", "id;t\n1;L’œuvre d’Émile\n"],
    *["photo;titre\nForêt près de Noël.jpg;L’été\n", "id;titre\n3;Façade à Besançon\n"],
    *["id;título\n3;La niña de España\n", "foto,autor\na.jpg,María Gutiérrez\n", "id;t\n1;Perú\n", "id;t\n2;Corazón\n"],
    *[
        "foto;t\nSeñor Núñez.jpg;Retrato\n",
        "id;t\n1;La città\n",
        "id;t\n1;Natività con più santi\n",
        "id;t\n2;San Niccolò\n",
    ],
    *[
        "id;t\n4;Carità cristiana\n",
        "id;t\n1;l’età dell’oro è più là\n",
        "id,title\n1,The artist’s café\n",
        "id,p\n1,£200\n",
    ],
    *[
        "id,d\n1,Oil on canvas – “signed”\n",
        "id,date\n1,1880–1890\n",
        "id,t\n1,Brontë Zoë\n",
        "ID;ARTISTE\n1;CÉZANNE\n",
    ],
]


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "cp850"])
def test_no_accent_is_read_for_another_one(encoding):
    wrong, refused = [], 0
    written = [text for text in TABLES if text.encode(encoding, "replace").decode(encoding) == text]
    for text in written:
        try:
            found = decode(text.encode(encoding), "t.csv")
        except BadTable:
            refused += 1
        else:
            wrong += [] if found.text == text else [(text, found)]
    assert wrong == [] and refused <= 1 < len(written)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_unicode_is_told_with_a_mark_and_without(encoding):
    text = "object_id,title\n1,Münze € 日本\n2,plain\n"
    found = decode(text.encode(encoding), "t.csv")
    assert (found.text.removeprefix("\ufeff"), found.guessed) == (text, "")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a,b\n1,x\n2,caf\xb0\xb1\xb2\n", "t.csv line 3: its encoding cannot be told for sure (not UTF-8 at byte 13)"),
        (
            "a,b\n1,M\u00fcnze\n".encode() + "2,M\u00fcnze\n".encode("cp1252"),
            "t.csv line 3: its encoding cannot be told",
        ),
        (b"\xff\xfea\0b", "is damaged utf-16 text (byte 4)"),
    ],
)
def test_what_is_not_sure_is_refused_and_not_guessed(data, said):
    with pytest.raises(BadTable) as refused:
        decode(data, "t.csv")
    assert said in str(refused.value) and "save it as CSV UTF-8" in str(refused.value)


def test_accents_that_were_spoilt_before_are_shown():
    assert decode("id,t\n1,C\u00c3\u00a9zanne\n".encode(), "t.csv").spoilt == "\u00c3\u00a9"
    assert decode("id,t\n1,C\u00e9zanne, \u00c3o, \u00c2ge\n".encode(), "t.csv").spoilt == ""
