"""The desk under load: twenty people who read while a screening runs, photographs judged alone, and memory that stays.

All traffic goes to a server that this starts on this machine, and ends by itself.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np

from retrieval.machine import cpu_count
from tests.bench import report, shared_data
from tests.serve.conftest import free_port

READERS, THINK = 20, (0.5, 1.5)  # people, and the seconds that one looks at a page
CSRF = re.compile(r'name="csrf" content="([^"]+)"')
LINKS = re.compile(r'href="(/(?:objects|verdicts|queue|screenings|about)[^"#]*)"')
IMAGES = re.compile(r'src="(/(?:verdicts|exemplars)/[^"]*)"')


@contextmanager
def serving(data: Path) -> Iterator[tuple[str, int]]:
    """Give the address of a desk on a data folder, and the id of its process."""
    port = free_port()
    command = [sys.executable, "-m", "cli.main", "serve", "--no-browser", "--data", str(data), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1500):
            try:
                httpx2.get(f"{address}/static/icon.svg", timeout=60)
                break
            except httpx2.TransportError:
                time.sleep(0.02)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(30)


def started(data: Path) -> float:
    """Return the seconds from the command to the first page."""
    begun = time.perf_counter()
    with serving(data) as (address, _):
        httpx2.get(address, timeout=60).raise_for_status()
        return time.perf_counter() - begun


class Reader(threading.Thread):
    """Somebody who goes from page to page by the links on them, and sees the pictures."""

    def __init__(self, address: str, seed: int, until: threading.Event) -> None:
        super().__init__(daemon=True)
        self.address, self.random, self.until = address, random.Random(seed), until
        self.pages: list[float] = []
        self.pictures: list[float] = []
        self.refused = self.wrong = 0

    def run(self) -> None:
        path = "/queue"
        with httpx2.Client(base_url=self.address, timeout=60) as client:
            while not self.until.wait(self.random.uniform(*THINK)):
                answer = self._get(client, path, self.pages)
                links = LINKS.findall(answer.text) if answer.status_code == 200 else []
                links = [link for link in links if "/compare" not in link and "events" not in link]
                path = self.random.choice(links).replace("&amp;", "&") if links else "/objects"
                for picture in self.random.sample(found := IMAGES.findall(answer.text), min(4, len(found))):
                    self._get(client, picture.replace("&amp;", "&"), self.pictures)

    def _get(self, client: httpx2.Client, path: str, times: list[float]) -> httpx2.Response:
        begun = time.perf_counter()
        answer = client.get(path)
        times.append(time.perf_counter() - begun)
        self.refused += answer.status_code == 503
        self.wrong += answer.status_code >= 500 and answer.status_code != 503
        return answer


def judged_alone(address: str, photos: list[Path]) -> list[float]:
    """Return the seconds from sending a photograph to seeing what was found, one photograph after the other."""
    times = []
    with httpx2.Client(base_url=address, timeout=60, follow_redirects=True) as client:
        found = CSRF.search(client.get("/").text)
        assert found
        for photo in photos:
            begun = time.perf_counter()
            files = {"photo": (photo.name, photo.read_bytes())}
            answer = client.post("/photographs", data={"csrf": found[1]}, files=files)
            while "hx-get" in answer.text:
                time.sleep(0.05)
                answer = client.get(str(answer.url))
            times.append(time.perf_counter() - begun)
            assert "data-outcome" in answer.text, answer.text
    return times


def memory(pid: int) -> float:
    """Return the megabytes that a process holds in memory; those that it started aside."""
    (line,) = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(line) / 1024


def percentile(times: list[float], share: float) -> float:
    return float(np.quantile(times, share)) if times else float("nan")


def screening(folder: Path, data: Path, out: Path) -> subprocess.Popen[bytes]:
    """Begin a screening as the desk runs one: a process of its own that gives way to others."""
    run = ["nice", "-n", "10", sys.executable, "-m", "cli.main", "screen"]
    command = [*run, str(folder), "--data", str(data), "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def reading(address: str, seconds: float, pid: int) -> tuple[list[Reader], list[float]]:
    """Have people read for so long; return them, and the memory of the desk every second."""
    until, held = threading.Event(), []
    readers = [Reader(address, seed, until) for seed in range(READERS)]
    for reader in readers:
        reader.start()
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        time.sleep(1.0)
        held.append(memory(pid))
    until.set()
    for reader in readers:
        reader.join(60)
    return readers, held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long people read")
    parser.add_argument("--alone", type=int, default=30, help="photographs judged alone")
    asked = parser.parse_args()
    museum = shared_data("museum")
    photos = sorted((museum / "queries").glob("*.jpg"))
    with tempfile.TemporaryDirectory() as folder:
        data, inbox = Path(folder, "data"), Path(folder, "inbox")
        run = [sys.executable, "-m", "cli.main"]
        subprocess.run([*run, "index", museum / "catalogue", "--data", data], check=True, capture_output=True)
        subprocess.run([*run, "screen", museum / "queries", "--data", data], check=True, capture_output=True)
        inbox.mkdir()
        for number in range(2000):  # what follows the end of a JPEG changes the file, not the picture
            photo = photos[number % len(photos)]
            (inbox / f"{number:04}.jpg").write_bytes(photo.read_bytes() + number.to_bytes(4, "big"))
        starts = [started(data) for _ in range(5)]
        with serving(data) as (address, pid):
            alone = judged_alone(address, photos[: asked.alone + 1])[1:]  # the first one opens the catalogue
            quiet, _ = reading(address, min(30.0, asked.seconds), pid)
            working = screening(inbox, data, Path(folder, "report.html"))
            busy, held = reading(address, asked.seconds, pid)
            still = working.poll() is None
            beside = judged_alone(address, photos[: asked.alone // 3])
            working.terminate()
            working.wait(60)
        shutil.rmtree(inbox)
    columns = ("what", "count", "median s", "p95 s", "refused", "wrong")
    rows = [row for name, readers in (("quiet", quiet), ("screening", busy)) for row in of_reading(name, readers)]
    rows += [("photograph judged alone", len(alone), statistics.median(alone), percentile(alone, 0.95), 0, 0)]
    rows += [("photograph beside a screening", len(beside), statistics.median(beside), percentile(beside, 0.95), 0, 0)]
    rows += [("from the command to the first page", len(starts), statistics.median(starts), max(starts), 0, 0)]
    third = max(1, len(held) // 3)
    report(
        "load",
        columns,
        rows,
        readers=READERS,
        cores=cpu_count(),
        screening_ran_to_the_end=still,
        memory_mb_first_third=max(held[:third]),
        memory_mb_last_third=max(held[-third:]),
    )


def of_reading(name: str, readers: list[Reader]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of what people read: pages, and pictures on them."""
    pages = [one for reader in readers for one in reader.pages]
    pictures = [one for reader in readers for one in reader.pictures]
    refused, wrong = (sum(getattr(reader, what) for reader in readers) for what in ("refused", "wrong"))
    yield f"pages, {name}", len(pages), statistics.median(pages), percentile(pages, 0.95), refused, wrong
    if pictures:
        yield f"pictures, {name}", len(pictures), statistics.median(pictures), percentile(pictures, 0.95), 0, 0


if __name__ == "__main__":
    main()
