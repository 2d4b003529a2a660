"""The API docs: the service's own description, drawn offline, with requests to try."""

from playwright.sync_api import expect

from tests.stacks.browser.watch import Watch
from tests.stacks.browser.website import Site


def test_operations_of_the_spec_are_listed(site: Site) -> None:
    _, spec = site.api("GET", "openapi.json")
    site.page.goto(site.url + "docs")
    expect(site.page.locator(".opblock")).to_have_count(sum(len(path) for path in spec["paths"].values()))


def test_request_is_tried_from_the_page(site: Site, watch: Watch) -> None:
    page = site.page
    page.goto(site.url + "docs")
    page.locator("#operations-jobs-submitJob .opblock-summary-control").click()
    page.locator(".opblock.is-open textarea").first.fill('{"array": [3, 1, 2]}')
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("202")
    assert watch.asked("/jobs")[-1].post_data == '{"array": [3, 1, 2]}'


def test_docs_lead_back_to_the_dashboard(site: Site) -> None:
    site.page.goto(site.url + "docs")
    site.page.get_by_role("link", name="← Dashboard").click()
    expect(site.page.get_by_role("heading", name="Jobs")).to_be_visible()
