"""The monitor: real charts, asked for sparingly, silent while nobody looks."""

import re

from playwright.sync_api import expect

from tests.stacks.browser.watch import Watch
from tests.stacks.browser.website import Site


def test_charts_and_numbers_are_drawn(site: Site) -> None:
    site.ended(site.submit({"array": [2, 1]}))
    page = site.open("/monitor").page
    chart = page.get_by_role("group", name="Jobs by outcome")
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart).to_contain_text(re.compile(r"\d completed, .* in the last hour"))
    expect(page.get_by_label("Percentiles").get_by_role("row", name="Duration")).to_contain_text("ms")
    expect(page.get_by_text("Table, queue and bucket answer")).to_be_visible()
    for name in ("Waiting", "In flight", "Delayed", "Oldest pending", "Failed", "Retried", "Dead letters"):
        expect(page.locator(".stat", has_text=name).locator("b")).not_to_have_text("–")


def test_last_day_is_another_view_of_the_same(site: Site, watch: Watch) -> None:
    page = site.open("/monitor").page
    page.get_by_role("link", name="Last day").click()
    expect(page.get_by_role("group", name="Jobs by outcome")).to_contain_text("in the last day")
    assert watch.asked("/stats")[-1].url.endswith("span=day")


def test_hidden_tab_asks_nothing(site: Site, watch: Watch) -> None:
    page = site.open("/board").page
    expect(page.get_by_text("Loading…")).to_have_count(0)
    page.clock.install()
    page.reload()
    expect(page.get_by_text("Loading…")).to_have_count(0)
    hide(site, True)
    before = len(watch.asked("/board"))
    page.clock.run_for(120_000)
    assert len(watch.asked("/board")) == before
    with page.expect_request("**/board"):
        hide(site, False)


def hide(site: Site, hidden: bool) -> None:
    site.page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
