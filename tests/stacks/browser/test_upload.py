"""Inputs too large for a request go ahead as uploads, with their progress."""

import json
import random
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.stacks.browser.watch import Watch
from tests.stacks.browser.website import Site

MILLION = 1_000_000
SLOW = {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": 4_000_000}


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A million of them, one a line."""
    chance = random.Random(1)
    path = tmp_path_factory.mktemp("upload") / "million.txt"
    path.write_text("\n".join(str(chance.randrange(-MILLION, MILLION)) for _ in range(MILLION)))
    return path


def test_million_numbers_are_uploaded_with_their_progress_and_sorted(site: Site, numbers: Path, watch: Watch) -> None:
    slow_down(site.page)
    site.open("/new").page.locator("input[type=file]").set_input_files(numbers)
    expect(site.page.get_by_text("goes as an upload")).to_be_visible()
    note_progress(site.page)
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.page.get_by_role("progressbar", name="Upload")).to_be_visible()
    expect(site.status).to_have_text("completed", timeout=60_000)
    seen = site.page.evaluate("window.seenProgress")
    assert seen == sorted(seen)
    assert any(0 < value < 100 for value in seen)
    output = site.page.get_by_label("Output", exact=True)
    output.get_by_role("button", name="Load").click()
    expect(output.get_by_text("1,000,000 numbers; the first and the last thousand are shown.")).to_be_visible()
    first, last = (line.split(", ") for line in output.locator("pre").all_inner_texts())
    ordered = sorted(map(int, numbers.read_text().split()))
    assert [int(text) for text in first] == ordered[:1000]
    assert [int(text) for text in last] == ordered[-1000:]
    expect(site.page.locator("figure.plot canvas")).to_have_count(1)


def test_separated_values_are_uploaded_as_lines(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("\n".join("9,8;7\t6" for _ in range(100_000)))
    site.open("/new").page.locator("input[type=file]").set_input_files(path)
    site.page.get_by_label("descending").check()
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.status).to_have_text("completed", timeout=60_000)
    output = site.page.get_by_label("Output", exact=True)
    expect(output.get_by_text("400,000 numbers")).to_be_visible()
    expect(output.locator("pre").first).to_have_text("9, " * 999 + "9")


def test_pasted_text_too_large_for_a_request_becomes_an_upload(site: Site, watch: Watch) -> None:
    site.open("/new").page.get_by_label("array").fill(json.dumps(list(range(200_000))))
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.status).to_have_text("completed", timeout=60_000)
    assert len(watch.asked("/uploads")) == 1


def test_dropped_file_is_taken(site: Site) -> None:
    site.open("/new")
    dropped = site.page.evaluate_handle(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["7\\n8\\n"], "dropped.txt", { type: "text/plain" }));
          return data;
        }"""
    )
    for event in ("dragenter", "dragover", "drop"):
        site.page.locator(".drop").dispatch_event(event, {"dataTransfer": dropped})
    expect(site.page.get_by_label("array")).to_have_value("7\n8\n")


def test_small_file_is_shown_in_the_form(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("3,1,2\n")
    site.open("/new").page.locator("input[type=file]").set_input_files(path)
    expect(site.page.get_by_label("array")).to_have_value("3,1,2\n")


def slow_down(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW)


def note_progress(page: Page) -> None:
    """Every value that the progress bar takes, in `window.seenProgress`."""
    page.evaluate(
        """() => {
          window.seenProgress = [];
          const bar = document.querySelector("[role=progressbar][aria-label=Upload]");
          new MutationObserver(() => window.seenProgress.push(Number(bar.getAttribute("aria-valuenow"))))
            .observe(bar, { attributes: true, attributeFilter: ["aria-valuenow"] });
        }"""
    )
