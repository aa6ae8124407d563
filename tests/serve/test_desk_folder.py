"""The folder in which the desk keeps what only it keeps."""

from tests.serve.conftest import open_desk


def test_nobody_else_reads_it_also_where_it_was_there_before(data):
    (data / "desk").mkdir(exist_ok=True)
    (data / "desk").chmod(0o755)
    with open_desk(data):
        assert (data / "desk").stat().st_mode & 0o777 == 0o700
