"""Statuses as people write them: understood, doubted, or left alone."""

import pytest

from retrieval.catalogue.status_words import Status, Understood, understood

STOLEN, MISSING, FORGERY = Status.STOLEN, Status.MISSING, Status.KNOWN_FORGERY


@pytest.mark.parametrize(
    ("status", "texts"),
    [
        (STOLEN, ["Stolen", "Stolen (2003)", "reported stolen 1990, not yet recovered", "lost, presumed stolen"]),
        (STOLEN, ["Gestohlen", "gestohlen 12.3.2003", "Raubkunst", "NS-Raubgut", "Entwendet", "geplündert"]),
        (STOLEN, ["volé", "VOLÉE", "vole\u0301 en 1998", "Vol", "spolié", "dérobé"]),
        (STOLEN, ["robado", "Hurtada", "expoliado", "rubato", "furto 1999", "trafugata", "looted", "theft"]),
        (STOLEN, ["Stolen, police case no. 12", "stolen; no trace since", "gestohlen, nie wiedergefunden"]),
        (STOLEN, ["Stolen 2003; possible forgery in circulation", "not a forgery; stolen 2003", "No. 12, stolen"]),
        (STOLEN, ["Not on view (stolen)", "not for sale. Stolen 1999", "stolen and has not so far been recovered"]),
        (MISSING, ["not stolen, missing since 2001", "possibly a fake; lost"]),
        (MISSING, ["Missing", "Missing since 1998", "lost", "Lost in the war", "whereabouts unknown", "not found"]),
        (MISSING, ["vermisst", "Vermißt", "verschollen", "Kriegsverlust", "nicht auffindbar", "found missing 2003"]),
        (MISSING, ["disparu", "Disparue en 1944", "non localisé", "desaparecido", "paradero desconocido", "smarrito"]),
        (FORGERY, ["known forgery", "KNOWN_FORGERY", "Fälschung", "faux", "fake", "falsificación", "contraffatto"]),
        (Status.IN_COLLECTION, ["in collection", "In-Collection", "IN_COLLECTION"]),
        (Status.SOLD, ["sold", "Verkauft", "vendu 1923"]),
        (None, ["on loan", "unbekannt", "en préstamo", "lot 12", "cost", "a fakir", "on display", "", "12"]),
    ],
)  # fmt: skip
def test_what_is_written_is_understood_without_a_doubt(status, texts):
    assert {text: understood(text) for text in texts} == dict.fromkeys(texts, Understood(status))


@pytest.mark.parametrize(
    "text", ["stollen", "stoeln", "gestolen", "Gestohlenn", "missng", "misssing", "vermist", "robadoo"]
)
def test_a_slip_of_the_pen_raises_the_alarm_and_is_doubted(text):
    found = understood(text)
    assert found.status in (STOLEN, MISSING) and repr(text) in found.doubt and "is taken for" in found.doubt


@pytest.mark.parametrize(
    "text",
    [
        "not stolen", "never been stolen", "nicht gestohlen", "non volé", "no robado", "no longer missing",
        "stolen, recovered 2011", "gestohlen 1990, wiedergefunden", "volé puis retrouvé", "robado (recuperado)",
        "stolen 1990, recovered 2003", "stolen from the museum in 1911 and recovered in Italy in 1913",
        "gestohlen 1990 in Wien und 2003 wieder aufgefunden", "stolen; recovered 12.3.2003", "stolen - later found",
        "not a forgery", "possibly a fake", "Fälschung?", "not stollen",
    ],
)  # fmt: skip
def test_what_is_denied_undone_or_suspected_is_no_alarm_but_a_doubt(text):
    found = understood(text)
    assert found == Understood(None, f"{text!r} raises no alarm")


def test_of_two_alarms_a_known_forgery_is_taken_and_doubted():
    text = "stolen, fake signature added"
    assert understood(text) == Understood(FORGERY, f"{text!r} may mean stolen, but is taken for known forgery")


@pytest.mark.parametrize(
    "text",
    [
        "stolen; frame recovered", "stolen; to be returned to owner", "stolen, reward offered if returned",
        "stolen, recovered frame only", "stolen; 2 of 3 panels recovered 2003", "2 stolen, 1 of 2 recovered 2003",
        "stolen 1990, recovered 2003, stolen again",
        "gestohlen; Rahmen wiedergefunden", "volé; cadre retrouvé", "stolen, recovered (frame only)",
    ],
)  # fmt: skip
def test_an_alarm_that_is_perhaps_undone_is_raised_and_doubted(text):
    assert understood(text) == Understood(STOLEN, f"{text!r} may be undone, but is taken for stolen")
