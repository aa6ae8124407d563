"""How the pages look: at every width, by day and by night, and to those who do not see them.

Screenshots are written to build/screenshots, to be looked at; `make screenshot` takes the one of the documentation.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from retrieval.verdicts.log import VerdictLog
from tests.serve.conftest import ROOT, artifact, opened, serving

pytestmark = pytest.mark.slow
PICTURES = ROOT / "build" / "screenshots"
WIDTHS = (390, 800, 1400, 2560)
LOOKED_INTO = (390, 1400)  # widths at which axe looks too: of a telephone, where rows become cards, and of a desk
PAGES = {
    "bring": "/",
    "queue": "/queue",
    "queue-empty": "/queue?text=nothing-has-this-word",
    "verdict": "/verdicts/{changed}",
    "alert": "/verdicts/{stolen}",
    "compare": "/verdicts/{changed}/compare",
    "objects": "/objects",
    "object": "/objects/05",
    "screenings": "/screenings",
    "about": "/about",
    "phone": "/phone",
    "error": "/nothing-here",
}
PICTURES_IN_VIEW = """() => Promise.all([...document.images].map(one =>
    one.complete || one.getBoundingClientRect().top > innerHeight
    || new Promise(done => { one.onload = one.onerror = done; })))"""  # those that are read lazily come after the page


@pytest.fixture(scope="module")
def address(works, tmp_path_factory) -> Iterator[str]:
    """A desk on the screened catalogue."""
    import shutil

    data = shutil.copytree(works / "data", tmp_path_factory.mktemp("looks") / "data")
    with serving(data, "--allow", works / "inbox") as served:
        yield served.address


@pytest.fixture(scope="module")
def numbers(works) -> dict[str, int]:
    """The last verdict on each photograph of the inbox, by its name."""
    with VerdictLog.reading(works / "data") as log:
        return {Path(entry.photo).stem: entry.number for entry in reversed(log.entries()) if entry.number}


def shown(page: Page, address: str, name: str, numbers: dict[str, int]) -> None:
    page.goto(address + PAGES[name].format(**numbers))
    page.evaluate(PICTURES_IN_VIEW)
    if name == "compare":  # its tiles come after it; all others are whole by now
        page.wait_for_selector("#pane-photograph canvas")
        page.wait_for_load_state("networkidle")


def serious(page: Page) -> Iterator[tuple[str, list[str]]]:
    """Yield what axe holds to be serious on a page: the rule, and the first elements."""
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] in ("serious", "critical"):
            yield violation["id"], [node["html"][:120] for node in violation["nodes"]][:3]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_its_width_and_axe_finds_nothing_serious(chromium: Browser, address, numbers, width, dark):
    PICTURES.mkdir(parents=True, exist_ok=True)
    found = []
    with opened(chromium, width=width, height=900, dark=dark) as page:
        for name in PAGES:
            shown(page, address, name, numbers)
            page.screenshot(path=PICTURES / f"{name}-{width}-{'dark' if dark else 'light'}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert page.inner_text("h1"), name
            if width in LOOKED_INTO:
                found += [(name, *violation) for violation in serious(page)]
    assert found == []


def test_a_photograph_that_was_judged_looks_right_too(chromium: Browser, address, inbox):
    for width, dark in ((390, False), (1400, True), (1400, False)):
        with opened(chromium, width=width, dark=dark) as page:
            page.goto(address)
            page.set_input_files("#photo", inbox / "wall.jpg")
            page.click("button.main")
            page.wait_for_selector("article.work")
            page.wait_for_load_state("networkidle")
            scheme = "dark" if dark else "light"
            page.screenshot(path=PICTURES / f"judged-{width}-{scheme}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert list(serious(page)) == []


def test_no_request_leaves_the_machine(chromium: Browser, address, numbers):
    with opened(chromium) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for name in PAGES:
            shown(page, address, name, numbers)
            page.wait_for_load_state("networkidle")
        assert len(asked) > 2 * len(PAGES)
        assert [url for url in asked if not re.match(rf"{re.escape(address)}/|data:|blob:", url)] == []


def test_everything_is_reached_by_the_keyboard_in_order(chromium: Browser, address):
    with opened(chromium) as page:
        page.goto(address)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_picture_of_the_documentation(chromium: Browser, tmp_path):
    artifact("demo", tmp_path / "demo")
    data = tmp_path / "demo/index_data"
    artifact("index", tmp_path / "demo/catalogue", "--data", data)
    with serving(data) as served, opened(chromium, width=1400, height=860) as page:
        page.goto(served.address)
        page.fill("#your-name", "Anna Berg")
        page.keyboard.press("Enter")
        page.wait_for_selector("details.me")
        page.set_input_files("#photo", tmp_path / "demo/incoming/lot-103.jpg")
        page.click("button.main")
        page.wait_for_selector("article.work")
        page.get_by_role("link", name="Compare").click()
        page.wait_for_selector("#pane-photograph canvas")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1000)  # tiles come in softly
        page.screenshot(path=PICTURES / "desk.png")
        assert "D-023" in page.inner_text("main")
