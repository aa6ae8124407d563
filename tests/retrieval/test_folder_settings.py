"""What is kept of a folder: set, replaced, forgotten, taken along."""

from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.folder_settings import folder_settings, keep_folder_settings, move_folder_settings


def test_settings_are_kept_by_folder_replaced_and_forgotten(tmp_path):
    with Catalogue.writing(tmp_path) as catalogue:
        keep_folder_settings(catalogue.db, "/a", {"table": "tms.csv", "map": "{}"})
        keep_folder_settings(catalogue.db, "/b", {"table": "other.csv"})
        keep_folder_settings(catalogue.db, "/a", {"table": "new.csv", "map": ""})
    with Catalogue.reading(tmp_path) as catalogue:
        assert folder_settings(catalogue.db, "/a") == {"table": "new.csv"}
        assert folder_settings(catalogue.db, "/b") == {"table": "other.csv"}
        assert folder_settings(catalogue.db, "/c") == {}


def test_a_folder_that_moves_takes_its_settings_along_but_not_over_those_of_the_new_place(tmp_path):
    with Catalogue.writing(tmp_path) as catalogue:
        keep_folder_settings(catalogue.db, "/old", {"table": "tms.csv", "map": "{}"})
        keep_folder_settings(catalogue.db, "/new", {"table": "mine.csv"})
        move_folder_settings(catalogue.db, "/old", "/new")
        assert folder_settings(catalogue.db, "/new") == {"table": "mine.csv", "map": "{}"}
        assert folder_settings(catalogue.db, "/old") == {}
