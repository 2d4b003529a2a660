"""The same page on a deployed stack: below a path of its own, with real tokens and a real authorizer."""

import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.stacks.browser.watch import Watch
from tests.stacks.browser.website import Site
from tests.support.deployed_stack import DeployedStack

SLOW_MS = 90_000


@pytest.fixture
def site(page: Page, deployed: DeployedStack) -> Site:
    return Site(page, deployed.url.rstrip("/") + "/")


def test_job_is_submitted_with_a_token_and_watched(site: Site, deployed: DeployedStack) -> None:
    page = site.open("/jobs").page
    site.give_token(deployed.token)
    expect(page.get_by_role("button", name="Role: admin")).to_be_visible()
    page.get_by_role("link", name="New job").click()
    page.get_by_label("array").fill("3, 1, 2")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.status).to_have_text("completed", timeout=SLOW_MS)
    expect(page.get_by_label("Output", exact=True).locator("pre")).to_have_text("1, 2, 3")


def test_wrong_token_is_refused_and_a_readers_token_shows_its_limits(site: Site, deployed: DeployedStack) -> None:
    page = site.open("/schedules").page
    site.give_token("made-up")
    expect(page.get_by_role("dialog")).to_contain_text("was not accepted")
    site.give_token(deployed.new_token("reader", "read"))
    expect(page.get_by_role("button", name="Role: read")).to_be_visible()
    expect(page.get_by_role("button", name="Add a schedule")).to_be_disabled()
    page.get_by_role("link", name="Groups").click()
    expect(page.get_by_role("button", name="Start a run of group_a")).to_be_disabled()


def test_upload_reaches_the_bucket_past_the_policy(site: Site, deployed: DeployedStack, tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    chance = random.Random(3)
    path.write_text("\n".join(str(chance.random()) for _ in range(100_000)))
    page = site.open("/new").page
    site.give_token(deployed.token)
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.status).to_have_text("completed", timeout=SLOW_MS)
    output = page.get_by_label("Output", exact=True)
    load = output.get_by_role("button", name=re.compile("^Load"))
    if load.is_visible():
        load.click()
    expect(output.get_by_text("100,000 numbers; the first and the last thousand are shown.")).to_be_visible()


def test_every_view_is_drawn_below_the_path(site: Site, deployed: DeployedStack, watch: Watch) -> None:
    page = site.open("/jobs").page
    site.give_token(deployed.token)
    for view, heading in (("board", "Board"), ("groups", "Groups"), ("schedules", "Schedules"), ("monitor", "Monitor")):
        page.goto(f"{site.url}#/{view}")
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        expect(page.get_by_text("Loading…")).to_have_count(0)
    expect(page.locator(".chart canvas").first).to_be_visible()
    assert {request.url.startswith(site.url) for request in watch.requests if request.url.startswith("http")} == {True}


def test_docs_send_requests_below_the_path_with_the_token(site: Site, deployed: DeployedStack) -> None:
    page = site.open("/jobs").page
    site.give_token(deployed.token)
    page.get_by_role("link", name="API", exact=True).click()
    page.locator("#operations-jobs-listJobs .opblock-summary-control").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
