"""What may be screened at the desk: photographs in allowed folders, whatever a table, a link or a form names."""

import time

import pytest

from cli.serve.screenings.kept import Folders, State
from cli.serve.screenings.sources import OutsideAllowed, chosen, count_lots, offers
from retrieval.errors import UnreadableImage
from tests.page import Page as Markup
from tests.pictures import painting
from tests.serve.conftest import send
from tests.serve.screened import LOTS, allowed, begin, here, left_behind, number_of, screens, verdicts, wait

__all__ = ["allowed", "here", "screens"]  # fixtures


@pytest.mark.parametrize(
    "name",
    ["../../data/catalogue.db", "/etc/passwd", "empty/../../../secret.jpg", "link/a.jpg", "../outside.jpg"],
)
def test_a_table_that_names_a_file_elsewhere_is_refused_with_its_line(screens, data, allowed, name):
    elsewhere = allowed.parent / "elsewhere"
    elsewhere.mkdir()
    for file in (elsewhere / "a.jpg", allowed.parent / "outside.jpg", allowed.parent / "secret.jpg"):
        painting(3).save(file)
    folder = "0/" if "link" not in name else "0/empty"
    if "link" in name:
        (allowed / "empty/link").symlink_to(elsewhere)
    answer = begin(screens, folder, table=f"photo,lot\nlots/fine.jpg,1\n{name},2\n")
    assert answer.status_code == 422
    said = Markup(answer.text).text
    assert "out of the folders that are allowed" in said or "outside of the folders that are allowed" in said
    assert "Line 3" in said or "link" in said
    assert str(data) not in said and left_behind(data) == [] and ("elsewhere/a.jpg", "") not in verdicts(data)


@pytest.mark.parametrize(
    "name", ["a\0b.jpg", "x" * 5000, "\ud83d.jpg", "..", ".", "C:\\photos\\none.jpg", "-rf", "a\tb"]
)
def test_odd_names_in_a_table_are_said_and_break_nothing(screens, here, data, name):
    answer = begin(screens, table=f"photo,lot\n{name},1\nfine.jpg,2\n".encode(errors="surrogatepass"))
    if answer.status_code != 200:
        assert answer.status_code == 422 and "Traceback" not in answer.text and left_behind(data) == []
        return
    kept = wait(screens, number_of(answer))
    assert kept["standing"]["outcomes"]["consistent"] == 1 and kept["standing"]["count"] == 2


@pytest.mark.parametrize(
    "name", ["../../x.csv", "/etc/x.csv", "report.html", "screening.json", "-rf.csv", "\n.csv", "…" * 99]
)
def test_whatever_a_table_is_called_it_lies_in_its_folder(screens, here, data, name):
    number = number_of(begin(screens, table="photo,lot\nfine.jpg,1\n", name=name))
    kept = wait(screens, number)
    (source,) = (data / f"desk/screenings/{number}/source").iterdir()
    assert source.name == kept["table"] and kept["standing"]["count"] == 1


def test_what_is_no_table_is_refused_without_its_place(screens, data):
    for content, name in (
        (b"PK\3\4 broken", "lots.xlsx"),
        (b"a,b\n1,2\n", "lots.csv"),
        (b"", "empty.csv"),
        (b"x", "a.jpg"),
    ):
        answer = begin(screens, table=content, name=name)
        said = Markup(answer.text).text
        assert answer.status_code == 422 and name in said and str(data) not in said, said
    assert left_behind(data) == []


@pytest.mark.parametrize(
    "value", ["", "1/", "0/..", "0/../..", "0//etc", "0/lots/../../..", "-1/", "0/nothing", "0/\0", "½/", "9" * 5000]
)
def test_a_folder_that_is_not_offered_cannot_be_chosen(screens, data, value):
    answer = begin(screens, value)
    assert answer.status_code == 422, value
    assert left_behind(data) == []


def test_folders_are_offered_below_those_that_are_allowed_and_no_link_or_hidden_one(allowed, tmp_path):
    (allowed / "lots/deep/er").mkdir(parents=True)
    (allowed / ".hidden").mkdir()
    (allowed / "away").symlink_to(tmp_path)
    roots = (allowed.resolve(),)
    found = {offer.value: offer.shown for offer in offers(roots)}
    assert list(found) == ["0/", "0/empty", "0/lots", "0/lots/deep", "0/lots/deep/er"]
    assert found["0/lots/deep"] == "allowed/lots/deep"
    assert all(chosen(roots, value).is_relative_to(roots[0]) for value in found)
    with pytest.raises(OutsideAllowed):
        chosen(roots, "0/away")


def test_a_link_that_comes_after_the_start_is_noticed_before_it_goes_on(screens, data, allowed, tmp_path):
    number = number_of(begin(screens))
    screens.app.state.service.screenings.stop(number)
    wait(screens, number, "stopped", "done")
    painting(3).save(tmp_path / "private.jpg")
    (allowed / "lots/x.jpg").symlink_to(tmp_path / "private.jpg")
    folders = Folders(data / "desk/screenings")
    kept = folders.read(number)
    if kept.state is State.DONE:
        pytest.skip("it was quicker than the stop")
    send(screens, f"/screenings/{number}/go-on")
    assert "leads out" in wait(screens, number, "failed")["problem"]


def test_a_large_folder_has_its_own_patience_and_what_was_wrong_with_it_is_said(screens, data, monkeypatch):
    screenings = screens.app.state.service.screenings
    assert screenings._apart.__self__.time_limit >= 600, "a minute is for one photograph"

    def slow(count):
        raise UnreadableImage("reading it took longer than 600 s")

    monkeypatch.setattr(screenings, "_apart", slow)
    said = Markup(begin(screens).text).text
    assert "lots cannot be read: reading it took longer than 600 s." in said and "table" not in said
    assert "as a table or a list of photographs: reading" in Markup(begin(screens, table=LOTS).text).text
    assert left_behind(data) == []


def test_an_empty_folder_is_said(screens, data):
    answer = begin(screens, "0/empty")
    assert answer.status_code == 422 and "No photograph was found in empty" in answer.text
    assert left_behind(data) == []


def test_without_an_allowed_folder_the_page_says_how_to_allow_one(desk):
    shown = desk.get("/screenings").text
    assert "--allow DIR" in shown and '<form method="post" action="/screenings/new"' not in shown
    answer = send(desk, "/screenings/new", folder="0/")
    assert answer.status_code == 403 and "--allow DIR" in answer.text


def test_a_link_that_leads_out_is_refused_and_one_that_stays_inside_is_not(screens, data, allowed, tmp_path):
    inside = allowed / "lots/again.jpg"
    inside.symlink_to(allowed / "lots/fine.jpg")
    (allowed / "lots/round").symlink_to(allowed)  # a circle
    assert count_lots(allowed / "lots", None, (allowed.resolve(),), ()) == 9
    painting(3).save(tmp_path / "private.jpg")
    (allowed / "lots/x.jpg").symlink_to(tmp_path / "private.jpg")
    answer = begin(screens)
    assert answer.status_code == 422 and "x.jpg is a link that leads out" in answer.text
    assert left_behind(data) == []
    (allowed / "lots/x.jpg").unlink()
    (allowed / "lots/disk").symlink_to("/")
    begun = time.monotonic()
    assert "disk is a link that leads out" in begin(screens).text
    assert time.monotonic() - begun < 5, "it was walked through"
