"""What is said of what is left out of a folder."""

from cli.output.left_out_words import left_out_lines
from indexer.inputs.walk import FOLDER, Why


def test_each_reason_has_its_line():
    kinds = {".pdf": 3, ".txt": 2, "": 1, ".xlsx": 1, ".doc": 1, ".xml": 1, ".mov": 1}
    left_out = {
        **{(Why.OTHER_KIND, name): count for name, count in kinds.items()},
        (Why.SYSTEM, "@eaDir"): 2,
        (Why.SYSTEM, "Icon\r"): 1,
        (Why.HIDDEN, ""): 4,
        (Why.HIDDEN, FOLDER): 1,
        (Why.EXCLUDED, FOLDER): 2,
        (Why.LINKED, ""): 1,
    }
    assert left_out_lines(left_out) == [
        "10 files of other kinds left out: 3 .pdf, 2 .txt, 1 without a suffix, 1 .doc, 1 .mov, 2 others",
        "4 files and 1 folder left out that are hidden",
        "3 left out that systems keep there: 2 @eaDir, 1 Icon�",
        "2 folders left out by --exclude or .artifactignore",
        "1 folder left out that can be reached by another name too",
    ]
    assert left_out_lines({}) == []
    assert left_out_lines({(Why.OTHER_KIND, ".pdf"): 1}) == ["1 file of other kinds left out: 1 .pdf"]
