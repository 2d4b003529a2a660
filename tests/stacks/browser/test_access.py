"""axe looks at every view, light and dark, and finds nothing serious."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.stacks.browser.website import Site

AXE = (Path(__file__).parent / "axe.min.js").read_text()
SERIOUS = ("serious", "critical")
VIEWS = (
    "/jobs",
    "/new",
    "/new?task=fail",
    "/board",
    "/groups",
    "/groups/group_a",
    "/schedules",
    "/monitor",
    "/nowhere",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_has_a_serious_fault(site: Site, scheme: Any) -> None:
    site.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    failed = site.submit({"task": "fail", "input": {"message": "no"}, "max_attempts": 1, "object_id": "axe"})
    site.ended(failed)
    site.submit({"array": [1], "run_in": "1h", "object_id": "axe"})
    sorted_ = site.submit({"array": [3, 1, 2]})
    site.ended(sorted_)
    for view in (*VIEWS, f"/jobs/{failed}", f"/jobs/{sorted_}"):
        site.page.goto(f"{site.url}#{view}")
        expect(site.page.locator("main").get_by_role("heading").first).to_be_visible()
        expect(site.page.get_by_text("Loading…")).to_have_count(0)
        assert faults(site.page) == [], view


def test_form_with_errors_and_open_dialog_have_no_serious_fault(site: Site) -> None:
    page = site.open("/new").page
    page.emulate_media(reduced_motion="reduce")
    page.get_by_label("array").fill("1, x")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.field("array").get_by_role("alert")).to_be_visible()
    assert faults(page) == []
    site.open("/jobs").page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert faults(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_docs_have_no_serious_fault(site: Site, scheme: Any) -> None:
    site.page.emulate_media(color_scheme=scheme)
    site.page.goto(site.url + "docs")
    site.page.locator("#operations-jobs-submitJob .opblock-summary-control").click()
    expect(site.page.get_by_role("button", name="Execute")).to_be_visible()
    assert faults(site.page) == []


def test_selection_has_no_serious_fault(site: Site) -> None:
    site.submit({"array": [1], "run_in": "1h", "object_id": "axe"})
    page = site.open("/jobs?object_id=axe").page
    page.get_by_label("Select all jobs on this page").check()
    expect(page.get_by_role("toolbar", name="Selected jobs")).to_be_visible()
    assert faults(page) == []


def faults(page: Page) -> list[str]:
    """Rule, and where, of each serious fault."""
    page.evaluate(AXE)
    report = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in report["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"][:3]
    ]
