"""A day at the desk in a real browser: everything once, with a server that is killed in the middle of it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.reviews import reviews
from tests.serve.conftest import free_port, opened, serving

pytestmark = pytest.mark.slow


def decided(data: Path) -> list[tuple[int, str, str]]:
    with VerdictLog.reading(data) as log:
        return [(review.verdict, review.decision, review.name) for review in reviews(log)]


def bring_and_compare(page: Page, home: str, photo: Path) -> None:
    """Bring a photograph, see what it is, and lay it over its exemplar."""
    page.goto(home)
    page.set_input_files("#photo", photo)
    page.click("button.main")
    expect(page.locator("article.work .badge")).to_have_text(re.compile("divergent"))
    page.get_by_role("link", name="Compare").click()
    expect(page.locator("#pane-exemplar canvas").first).to_be_visible(timeout=60_000)
    expect(page.locator("#pane-photograph canvas").first).to_be_visible()
    page.keyboard.press("1")
    page.wait_for_url(re.compile("#"))  # where one looks stands in the address
    page.wait_for_timeout(2000)  # until it has arrived at the place
    near = page.url.partition("#")[2]
    page.keyboard.press("o")
    expect(page.locator("input[name=mode][value=over]")).to_be_checked()
    page.locator("#slide").press("ArrowRight")
    page.keyboard.press("d")
    expect(page.locator("input[name=map]")).to_be_checked()
    assert number(page.url, "w") == number(f"#{near}", "w"), "the zoom is kept"


def number(address: str, name: str) -> str:
    found = re.search(rf"{name}=([\d.]+)", address.partition("#")[2])
    return found[1] if found else address.partition("#")[2].split(",")[-1]


def decide_and_undo(page: Page, home: str, data: Path) -> None:
    """Say who one is, decide by the keyboard, take that back, and decide again."""
    page.goto(home)
    page.fill("#your-name", "Anna Berg")
    page.keyboard.press("Enter")
    expect(page.locator("header.top")).to_contain_text("Anna Berg")
    page.goto(f"{home}/queue")
    waiting = page.locator("li.row").count()
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("li.row")).to_have_count(waiting - 1)
    page.wait_for_load_state()
    page.keyboard.press("u")
    expect(page.locator("li.row")).to_have_count(waiting)
    page.wait_for_load_state()
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("li.row")).to_have_count(waiting - 1)
    assert [name for _, _, name in decided(data)] == ["Anna Berg"] * len(decided(data))


def screen(page: Page, home: str) -> None:
    """Screen the folder that is allowed, and read the report of it."""
    page.goto(f"{home}/screenings")
    page.get_by_role("button", name="Screen", exact=True).click()
    page.wait_for_url(re.compile(r"/screenings/\d+$"))
    expect(page.get_by_role("link", name=re.compile("[Rr]eport")).first).to_be_visible(timeout=90_000)


def test_a_day(data, inbox, chromium):
    port = free_port()
    with opened(chromium) as page:
        with serving(data, "--allow", inbox, port=port) as served:
            bring_and_compare(page, served.address, inbox / "changed.jpg")
            decide_and_undo(page, served.address, data)
            before = decided(data)
            served.process.kill()
            served.process.wait()
        with serving(data, "--allow", inbox, port=port) as served:
            page.goto(f"{served.address}/queue")
            expect(page.locator("header.top")).to_contain_text("Anna Berg")  # the browser is known still
            assert decided(data) == before
            page.goto(f"{served.address}/objects")
            page.get_by_role("searchbox").first.fill("morgenl")
            expect(page.locator("main")).to_contain_text("Hafen im Morgenlicht")
            expect(page.locator("main")).not_to_contain_text("Two Sisters")
            screen(page, served.address)
