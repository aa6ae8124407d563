"""Hostile and broken input: every file is accounted for once, the good ones are judged, and nobody sees a traceback."""

import csv
import io
import json
import os
import random
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, features
from typer.testing import CliRunner, Result

from cli.main import app
from tests.test_registration import painting, write_paintings

READABLE, UNREADABLE, EITHER = "readable", "unreadable", "either"  # a flipped bit may or may not be noticed


def encoded(format: str, **options: object) -> bytes:
    file = io.BytesIO()
    if format == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    painting(3, (320, 260)).save(file, format, **options)
    return file.getvalue()


def flipped(content: bytes, seed: int) -> bytes:
    """Return the content with sixteen bits flipped, none of them among the first bytes that name the format."""
    found, chance = bytearray(content), random.Random(seed)
    for _ in range(16):
        found[chance.randrange(32, len(found))] ^= 1 << chance.randrange(8)
    return bytes(found)


def png(width: int, height: int, body: bytes = b"") -> bytes:
    """Return a PNG whose header claims that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def with_exif(text: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E], exif[0x013B], exif[0x8298] = text, text, text
    return saved(painting(3, (320, 260)), "JPEG", exif=exif)


FORMATS = {"JPEG": "jpg", "PNG": "png", "TIFF": "tif", "WEBP": "webp", "BMP": "bmp", "GIF": "gif", "HEIF": "heic"}
if features.check("avif"):
    FORMATS["AVIF"] = "avif"


def corpus() -> Iterator[tuple[str, bytes, str]]:
    """Yield the name, the content, and what may be made of each input."""
    for format, suffix in FORMATS.items():
        whole = encoded(format)
        yield f"whole.{suffix}", whole, READABLE
        yield f"cut-early.{suffix}", whole[: max(24, len(whole) // 50)], UNREADABLE
        yield f"cut-half.{suffix}", whole[: len(whole) // 2], UNREADABLE if format != "GIF" else EITHER
        yield f"flipped.{suffix}", flipped(whole, 7), EITHER
        yield f"head-only.{suffix}", whole[:16], UNREADABLE
        yield f"tail-garbage.{suffix}", whole + os.urandom(200), EITHER
    page = painting(3, (320, 260))
    yield "wrong-suffix.jpg", encoded("PNG"), READABLE
    yield "wrong-suffix.png", encoded("JPEG"), READABLE
    yield "svg.jpg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', UNREADABLE
    yield "html.jpg", b"<!DOCTYPE html><script>alert(1)</script>", UNREADABLE
    yield "empty.jpg", b"", UNREADABLE
    yield "zeros.jpg", bytes(5000), UNREADABLE
    yield "text.png", b"no picture at all\n" * 40, UNREADABLE
    yield "pdf.tif", b"%PDF-1.7\n%\xe2\xe3", UNREADABLE
    yield "zip.webp", b"PK\x03\x04" + bytes(60), UNREADABLE
    yield "huge-header.png", png(30_000, 30_000), UNREADABLE
    yield "largest-header.png", png(2**31 - 1, 2**31 - 1), UNREADABLE
    yield "no-pixels.png", png(0, 0), UNREADABLE
    yield "bomb.png", png(20_000, 20_000, bytes(1_000_000)), UNREADABLE
    yield "huge.gif", b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b",", UNREADABLE
    yield "huge.bmp", b"BM" + struct.pack("<IHHIIiiHH", 54, 0, 0, 54, 40, 2**30, 2**30, 1, 24) + bytes(24), UNREADABLE
    yield (
        "huge.webp",
        b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff" * 6,
        UNREADABLE,
    )
    yield "endless.tif", b"II*\0\x08\0\0\0\x01\0\0\x01\x04\0\x01\0\0\0\xff\xff\xff\x7f\x08\0\0\0", UNREADABLE
    yield "one-pixel.png", saved(Image.new("RGB", (1, 1)), "PNG"), READABLE
    yield "thread.png", saved(Image.new("RGB", (1, 5000), "red"), "PNG"), READABLE
    yield "ribbon.jpg", saved(Image.new("RGB", (5000, 1), "red"), "JPEG"), READABLE
    yield "cmyk.jpg", saved(page.convert("CMYK"), "JPEG", icc_profile=b"no profile at all"), READABLE
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield "cut-profile.jpg", saved(page, "JPEG", icc_profile=profile[:200]), READABLE
    yield "animated.gif", saved(page, "GIF", save_all=True, append_images=[painting(4, (320, 260))] * 3), READABLE
    yield "animated.webp", saved(page, "WEBP", save_all=True, append_images=[painting(4, (320, 260))] * 3), READABLE
    yield "pages.tif", saved(page, "TIFF", save_all=True, append_images=[painting(4, (320, 260))] * 3), READABLE
    yield "sixteen.png", saved(Image.fromarray(np.full((200, 200), 40_000, np.uint16)), "PNG"), READABLE
    yield "clear.png", saved(Image.new("RGBA", (200, 200), (0, 0, 0, 0)), "PNG"), READABLE
    yield "script.jpg", with_exif("<script>alert(1)</script>"), READABLE
    yield "formula.jpg", with_exif("=cmd|'/c calc'!A0"), READABLE
    for name in (
        "two\nlines.jpg",
        "quote'\"`.jpg",
        "<script>alert(1)<\\script>.jpg",
        "=cmd('calc').jpg",
        "-rf.jpg",
        "emoji \U0001f5bc.jpg",
        "\u202egpj.exe.jpg",
        "tab\tand\rreturn.jpg",
        "%s{0}$HOME.jpg",
        "a" * 251 + ".jpg",
    ):
        yield name, encoded("JPEG"), READABLE


CORPUS = {name: (content, kind) for name, content, kind in corpus()}


def artifact(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A catalogue of three paintings in `data`, and the corpus in `bad`, with links that lead nowhere and a pipe."""
    root = tmp_path_factory.mktemp("hostile")
    write_paintings(root / "works", 3)
    assert artifact("index", root / "works", "--data", root / "data").exit_code == 0
    (root / "bad").mkdir()
    for name, (content, _) in CORPUS.items():
        (root / "bad" / name).write_bytes(content)
    (root / "bad/loop").symlink_to(root / "bad")
    (root / "bad/itself.jpg").symlink_to(root / "bad/itself.jpg")
    (root / "bad/dangling.jpg").symlink_to(root / "nowhere.jpg")
    os.mkfifo(root / "bad/pipe.jpg")
    (root / "bad").joinpath(os.fsdecode(b"latin-\xe9.jpg")).write_bytes(encoded("JPEG"))
    return root


OTHERS = {"itself.jpg", "dangling.jpg", "pipe.jpg", "latin-?.jpg"}


@pytest.fixture(scope="module")
def screened(place) -> dict[str, dict]:
    result = artifact("screen", place / "bad", "--data", place / "data", "--format", "jsonl")
    assert result.exit_code == 3
    records = [json.loads(line) for line in result.stdout.splitlines()]
    found = {os.path.relpath(record["photo"], place / "bad"): record for record in records}
    assert len(found) == len(records)
    return found


def test_the_corpus_is_large_enough():
    assert len(CORPUS) + len(OTHERS) >= 60


def test_every_input_is_accounted_for_once(screened):
    assert set(screened) == set(CORPUS) | OTHERS


@pytest.mark.parametrize("name", CORPUS, ids=ascii)
def test_what_is_readable_is_judged_and_the_rest_has_one_line_of_reason(screened, name):
    record, kind = screened[name], CORPUS[name][1]
    if kind != EITHER:
        assert bool(record["works"]) is (kind == READABLE), record["error"]
    if record["error"] is not None:
        assert record["works"] == [] and record["error"].isprintable() and 0 < len(record["error"]) < 250
    assert bool(record["works"]) is (record["error"] is None)


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_what_is_no_file_is_said(screened, name):
    assert screened[name]["works"] == [] and screened[name]["error"].isprintable()


@pytest.mark.slow
def test_no_cell_is_a_formula_and_no_name_is_markup(place, tmp_path):
    assert artifact("screen", place / "bad", "--data", place / "data", "-o", tmp_path / "day.csv").exit_code == 3
    with (tmp_path / "day.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert len({row[0] for row in rows}) == len(CORPUS) + len(OTHERS) + 1
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or cell.replace(".", "").lstrip("-").isdigit()
    assert artifact("screen", place / "bad", "--data", place / "data", "-o", tmp_path / "day.html").exit_code == 3
    page = (tmp_path / "day.html").read_text("utf-8")
    assert "alert(1)" in page and "<script>alert(1)" not in page and "\u202e" not in page


@pytest.mark.slow
def test_an_index_takes_what_it_can_and_names_the_rest(place, tmp_path):
    (place / "bad/catalogue.csv").write_text(
        'photo,object_id,title\nwhole.jpg,whole,<script>alert(1)</script>\nwhole.png,"=1+1",=cmd()\n', encoding="utf-8"
    )
    result = artifact("index", place / "bad", "--data", tmp_path / "data")
    assert result.exit_code == 3
    listed = json.loads(artifact("list", "--data", tmp_path / "data", "--format", "json").stdout)
    skipped = json.loads(artifact("status", "--data", tmp_path / "data", "--format", "json").stdout)["skipped"]
    named = {Path(item["file"] if isinstance(item, dict) else item[0]).name for item in skipped}
    assert {name for name, (_, kind) in CORPUS.items() if kind == UNREADABLE} <= named
    assert {"whole", "=1+1"} <= {item["object_id"] for item in listed}
    assert artifact("check", "--data", tmp_path / "data").exit_code == 0


def test_a_file_that_vanishes_is_said(place, tmp_path, monkeypatch):
    for number in range(2):
        painting(number).save(tmp_path / f"{number}.png")
    from cli import desk

    real = desk.sha256_of

    def vanishing(path: Path) -> str:
        found = real(path)
        if path.name == "0.png":
            path.unlink()
        return found

    monkeypatch.setattr(desk, "sha256_of", vanishing)
    result = artifact("screen", tmp_path, "--data", place / "data", "--format", "jsonl")
    first, second = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 3
    assert first["error"] == "cannot be opened: no such file or directory" and second["works"]


def test_a_disk_that_fills_loses_nothing(place, tmp_path, monkeypatch):
    import cli.journal

    for number in range(3):
        painting(number).save(tmp_path / f"{number}.png")
    real, calls = cli.journal.dumps, []

    def full(value: object) -> str:
        calls.append(value)
        if len(calls) == 8:  # the second record
            raise sqlite3.OperationalError("database or disk is full")
        return real(value)

    command = ("screen", tmp_path, "--data", place / "data", "-o", tmp_path / "out.jsonl")
    monkeypatch.setattr(cli.journal, "dumps", full)
    result = artifact(*command)
    assert result.exit_code == 1 and "is full. The same command goes on from there" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    monkeypatch.undo()
    result = artifact(*command)
    assert result.exit_code == 0 and "going on after" in result.stderr
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3


def test_a_locked_database_and_a_newer_one_are_said_in_a_line(place, tmp_path, monkeypatch):
    monkeypatch.setattr("retrieval.database.WAIT_SECONDS", 0.1)
    data = tmp_path / "data"
    assert artifact("index", place / "works", "--data", data).exit_code == 0
    with sqlite3.connect(data / "catalogue.db", isolation_level=None) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        for command in (["index", place / "works"], ["screen", place / "works"]):
            result = artifact(*command, "--data", data)
            assert result.exit_code in (0, 1) and len(result.stderr.splitlines()) == 1, result.stderr
        holder.execute("ROLLBACK")
    holder.close()
    assert artifact("index", place / "works", "--data", data).exit_code == 0
    with sqlite3.connect(data / "catalogue.db") as database:
        database.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "SELECT migration_set, '999_later', applied_at FROM _sqlite_migrations LIMIT 1"
        )
    database.close()
    for command in (["index", place / "works"], ["screen", place / "works"], ["status"]):
        result = artifact(*command, "--data", data)
        assert result.exit_code == 1 and "newer version of this program" in result.stderr


def test_a_data_folder_that_may_not_be_written_still_answers(place, tmp_path, monkeypatch):
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: not (mode == os.W_OK and Path(path) == place / "data") and real(path, mode)
    )
    painting(1).save(tmp_path / "photo.png")
    result = artifact("screen", tmp_path, "--data", place / "data", "--format", "jsonl")
    assert result.exit_code == 0 and "not recorded" in result.stderr
    assert json.loads(result.stdout)["verdicts"] == []
