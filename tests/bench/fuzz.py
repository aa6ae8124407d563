"""Damage photographs of every format in every way, for minutes on end, and count what becomes of reading them.

`python -m tests.bench.fuzz --minutes 10`; what crashes its decoder, never ends, or raises anything but a refusal is
kept in build/bench/fuzz/.
"""

from __future__ import annotations

import argparse
import io
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageCms, features

from retrieval.errors import UnreadableImage
from retrieval.photographs.features import features_of
from retrieval.photographs.reader_process import Order, Reader, reading_apart
from tests.bench import RESULTS, ROOT, report
from tests.pictures import painting

KEPT = RESULTS / "fuzz"
SIZE = (160, 130)  # small: a damaged byte is often one of a header
SHORT_SIDE, MEGAPIXELS, SECONDS = 64, 50.0, 20.0
MAGIC = 4  # the first bytes, which say what format it is, stay as they are
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
READABLE, REFUSED, CRASHED, LATE, RAISED = "readable", "refused", "decoder crashed", "over time", "anything else"
COLUMNS = ("format", "files", READABLE, REFUSED, CRASHED, LATE, RAISED, "slowest, s", "memory, MB")
AGAIN = """
import sys
from pathlib import Path
from retrieval.errors import UnreadableImage
from retrieval.photographs.features import features_of
from retrieval.photographs.reader_process import Order, read_here
try:
    read_here(Order(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), features_of))
except UnreadableImage:
    pass
"""

Mutation = Callable[[bytes, bytes, random.Random], bytes]


def flipped(content: bytes, _other: bytes, chance: random.Random) -> bytes:
    """Return the content with up to 32 bits flipped."""
    found = bytearray(content)
    for _ in range(2 ** chance.randint(0, 5)):
        found[_place(found, chance)] ^= 1 << chance.randrange(8)
    return bytes(found)


def cut(content: bytes, _other: bytes, chance: random.Random) -> bytes:
    """Return the beginning of the content, or the content without a piece of it."""
    start = _place(content, chance)
    return content[:start] + (content[start + chance.randint(1, 64) :] if chance.random() < 0.5 else b"")


def spliced(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return the beginning of the content, and the end of another file of its format."""
    return content[: _place(content, chance)] + other[_place(other, chance) :]


def inserted(content: bytes, _other: bytes, chance: random.Random) -> bytes:
    """Return the content with up to 64 bytes put into it."""
    place = _place(content, chance)
    return content[:place] + chance.randbytes(chance.randint(1, 64)) + content[place:]


def extreme(content: bytes, _other: bytes, chance: random.Random) -> bytes:
    """Return the content with up to four numbers in it, lengths say, as small or as large as they can be."""
    found = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place, width = _place(found, chance), chance.choice([1, 2, 4])
        value = chance.choice(EXTREMES) & (256**width - 1)
        found[place : place + width] = value.to_bytes(width, chance.choice(["big", "little"]))
    return bytes(found)


MUTATIONS: Sequence[Mutation] = (flipped, cut, spliced, inserted, extreme)


def _place(content: bytes | bytearray, chance: random.Random) -> int:
    """Return where to do damage: as often among the first 256 bytes as anywhere."""
    end = len(content) if chance.random() < 0.5 else min(256, len(content))
    return chance.randrange(min(MAGIC, end - 1), end)


def mutated(files: Sequence[bytes], chance: random.Random) -> bytes:
    """Return one of the files after a mutation or a few."""
    found = chance.choice(files)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        found = chance.choice(MUTATIONS)(found, chance.choice(files), chance)
    if found.startswith(b"\x89PNG") and chance.random() < 0.7:
        found = _resealed(found)
    return found


def _resealed(content: bytes) -> bytes:
    """Return a PNG file with the right checksums, so that its damage is not refused for theirs."""
    found, start = bytearray(content), 8
    while start + 12 <= len(found):
        end = start + 8 + int.from_bytes(found[start : start + 4], "big")
        found[end : end + 4] = struct.pack(">I", zlib.crc32(found[start + 4 : end])) if end + 4 <= len(found) else b""
        start = end + 4
    return bytes(found)


def whole_files() -> Mapping[str, Sequence[bytes]]:
    """Return sound files of every format, each in the kinds that it is met in."""
    page, more = painting(3, SIZE), [painting(4, SIZE), painting(5, SIZE)]
    clear, grey, few = page.convert("RGBA"), page.convert("L"), page.convert("P", palette=Image.Palette.ADAPTIVE)
    clear.putalpha(grey)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a painting"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pages = {"save_all": True, "append_images": more}
    files = {
        "JPEG": [
            _saved(page, "JPEG"),
            _saved(page, "JPEG", progressive=True, exif=exif, icc_profile=profile),
            _saved(page.convert("CMYK"), "JPEG"),
            _saved(grey, "JPEG", restart_marker_blocks=4),
        ],
        "PNG": [
            _saved(page, "PNG", icc_profile=profile),
            _saved(clear, "PNG", exif=exif),
            _saved(few, "PNG", transparency=3),
            _saved(grey.convert("I;16"), "PNG"),
            _saved(page, "PNG", **pages),
        ],
        "TIFF": [_saved(page, "TIFF", compression=kind) for kind in (None, "tiff_lzw", "tiff_deflate", "jpeg")]
        + [_saved(clear, "TIFF", compression="packbits"), _saved(grey.convert("1"), "TIFF", compression="group4")]
        + [_saved(page, "TIFF", **pages), _saved(page.convert("CMYK"), "TIFF", big_tiff=True)],
        "WEBP": [
            _saved(page, "WEBP"),
            _saved(clear, "WEBP", exif=exif, icc_profile=profile),
            _saved(page, "WEBP", lossless=True),
            _saved(page, "WEBP", **pages),
        ],
        "BMP": [_saved(image, "BMP") for image in (page, clear, few, grey, grey.convert("1"))],
        "GIF": [_saved(few, "GIF"), _saved(few, "GIF", transparency=3), _saved(page, "GIF", **pages)],
        "HEIF": [_saved(page, "HEIF"), _saved(clear, "HEIF"), _saved(page, "HEIF", exif=exif, icc_profile=profile)],
    }
    if features.check("avif"):
        files["AVIF"] = [_saved(page, "AVIF"), _saved(clear, "AVIF", exif=exif), _saved(page, "AVIF", **pages)]
    return files


def _saved(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    if format == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    image.save(file, format, **options)
    return file.getvalue()


@dataclass(slots=True)
class Tally:
    """What became of the files of a format, read in children of its own."""

    reader: Reader
    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    memory: int = 0  # most that a child held, in kB

    def read(self, path: Path) -> str:
        """Read a file, and count what becomes of it; return that."""
        start = time.perf_counter()
        outcome = self._outcome(path)
        self.slowest = max(self.slowest, time.perf_counter() - start)
        self.memory = max([self.memory, *(_most_resident(child.process.pid) for child in self.reader._children)])
        self.counts[outcome] += 1
        return outcome

    def _outcome(self, path: Path) -> str:
        try:
            self.reader(Order(path, SHORT_SIDE, MEGAPIXELS, features_of))
        except UnreadableImage as error:
            if "longer than" in str(error):
                return LATE
            return _crash_or_raised(path) if "decoder crash" in str(error) else REFUSED
        except Exception as error:
            print(f"raised: {error!r}", file=sys.stderr)
            return RAISED
        return READABLE


def _crash_or_raised(path: Path) -> str:
    """Say whether a child ended by a signal, or by an exception that nothing in it had caught."""
    command = [sys.executable, "-c", AGAIN, str(path), str(SHORT_SIDE), str(MEGAPIXELS)]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(f"ended with {again.returncode} when read again: {again.stderr[-500:]}", file=sys.stderr)
    return RAISED if "Traceback" in again.stderr else CRASHED


def _most_resident(process: int) -> int:
    """Return the most memory that a process has had resident, in kB; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def fuzz(files: Mapping[str, Sequence[bytes]], tallies: Mapping[str, Tally], seed: int, seconds: float) -> None:
    """Read damaged files, the formats in turn, for so long; keep those that are not simply read or refused."""
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        for number, format in enumerate(_in_turn(files)):
            if time.monotonic() > end:
                return
            path = Path(folder, "damaged")
            path.write_bytes(mutated(files[format], random.Random(f"{seed} {number}")))
            outcome = tallies[format].read(path)
            if outcome not in (READABLE, REFUSED):
                shutil.copyfile(path, KEPT / f"{number}-{outcome.replace(' ', '-')}.{format.lower()}")


def _in_turn(formats: Mapping[str, object]) -> Iterator[str]:
    while True:
        yield from formats


def main() -> None:
    """Run for as long as wanted, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    files = whole_files()
    with ExitStack() as stack:
        tallies = {format: Tally(stack.enter_context(reading_apart(SECONDS))) for format in files}
        fuzz(files, tallies, arguments.seed, 60 * arguments.minutes)
    total = Tally(Reader())
    for tally in tallies.values():
        total.counts += tally.counts
        total.slowest, total.memory = max(total.slowest, tally.slowest), max(total.memory, tally.memory)
    rows = [row(format, tally) for format, tally in (tallies | {"all": total}).items()]
    report("fuzz", COLUMNS, rows, minutes=arguments.minutes, seed=arguments.seed)


def row(format: str, tally: Tally) -> Sequence[object]:
    """Return what is said of a format."""
    counts = [tally.counts[outcome] for outcome in (READABLE, REFUSED, CRASHED, LATE, RAISED)]
    return (format, tally.counts.total(), *counts, tally.slowest, round(tally.memory / 1024))


if __name__ == "__main__":
    main()
