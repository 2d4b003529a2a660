"""The monitor: real charts, asked for sparingly, silent while nobody looks."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

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
    for name in ("Waiting", "With workers", "Delayed", "Oldest pending", "Failed", "Retried", "Dead letters"):
        expect(page.locator(".stat", has_text=name).locator("b")).not_to_have_text("–")


def test_each_lane_has_a_line_of_its_own(site: Site) -> None:
    def lanes(route: Route) -> None:
        answer = route.fetch()
        depth = {"waiting": 1_200, "in_flight": 34, "delayed": 5}
        told = {"quick": depth, "long": {"waiting": 7, "in_flight": 4, "delayed": 0}}
        route.fulfill(response=answer, json=answer.json() | {"lanes": told})

    site.page.route("**/stats*", lanes)
    table = site.open("/monitor").page.get_by_label("Lanes")
    expect(table.get_by_role("row", name="Quick")).to_contain_text(re.compile(r"1.?200.*34.*5"))
    expect(table.get_by_role("row", name="Long")).to_contain_text(re.compile(r"7.*4.*0"))


def test_a_minute_that_stands_alone_is_seen(site: Site) -> None:
    site.page.route("**/stats*", with_waits({30: 40.0}))
    chart = site.open("/monitor").page.get_by_role("group", name="Wait, from due to started")
    expect(chart.locator("canvas")).to_be_visible()
    assert painted(site.page, "Wait, from due to started", "--p99") > 5


def test_a_gap_between_minutes_stays_a_gap(site: Site) -> None:
    site.page.route("**/stats*", with_waits({10: 40.0, 50: 40.0}))
    chart = site.open("/monitor").page.get_by_role("group", name="Wait, from due to started")
    expect(chart.locator("canvas")).to_be_visible()
    assert 10 < painted(site.page, "Wait, from due to started", "--p99") < 120


def test_an_axis_of_waits_counts_in_hours(site: Site) -> None:
    site.page.add_init_script(
        """const fill = CanvasRenderingContext2D.prototype.fillText;
        window.drawn = [];
        CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
          window.drawn.push(text);
          return fill.call(this, text, ...rest);
        };"""
    )
    site.page.route("**/stats*", with_waits(dict.fromkeys(range(20, 40), 30000000.0)))
    site.open("/monitor")
    expect(site.page.get_by_role("group", name="Wait, from due to started").locator("canvas")).to_be_visible()
    site.page.wait_for_function("window.drawn.includes('6 h')")
    assert not [text for text in site.page.evaluate("window.drawn") if re.search(r"\d h \d+ m", text)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_percentiles_wear_no_colour_of_an_outcome(site: Site, scheme: Any) -> None:
    site.page.emulate_media(color_scheme=scheme)
    site.page.route("**/stats*", with_waits({30: 40.0}))
    site.open("/monitor")
    expect(site.page.locator(".percentiles .p99").first).to_be_attached()
    expect(site.page.get_by_role("group", name="Wait, from due to started").locator(".u-marker").last).to_be_visible()
    worn, outcomes = site.page.evaluate(
        """() => {
          const rgb = (color) => {
            const pen = document.createElement("canvas").getContext("2d");
            pen.fillStyle = color;
            return pen.fillStyle;
          };
          const root = getComputedStyle(document.documentElement);
          const style = (selector) => [...document.querySelectorAll(selector)].map((node) => getComputedStyle(node));
          const bars = ["p50", "p95", "p99"].map((part) => style(`.percentiles .${part}`)[0].fill);
          const figure = "[aria-label='Wait, from due to started']";
          const lines = style(`${figure} .u-series .u-marker`).slice(-3).map((marker) => marker.borderTopColor);
          const names = ["scheduled", "pending", "running", "completed", "failed", "canceled"];
          return [[...bars, ...lines].map(rgb), names.map((name) => rgb(root.getPropertyValue(`--${name}`).trim()))];
        }"""
    )
    assert len(worn) == 6
    assert len(set(worn)) == 3
    assert not set(worn) & set(outcomes)


def test_what_is_in_flight_is_said_in_plain_words(site: Site) -> None:
    page = site.open("/monitor").page
    expect(page.locator(".stat", has_text="With workers")).to_contain_text(re.compile(r"\d+ running"))
    expect(page.get_by_role("group", name="Queue").locator(".u-legend")).to_contain_text("with workers")
    expect(page.get_by_text("In flight")).to_have_count(0)


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


def with_waits(waits: dict[int, float]) -> Callable[[Route], None]:
    """The service's own figures, with a wait in these minutes of the hour and in no other."""

    def answer(route: Route) -> None:
        response = route.fetch()
        figures = response.json()
        for minute, entry in enumerate(figures["per_minute"]):
            entry["wait_ms"] = dict.fromkeys(("p50", "p95", "p99"), waits.get(minute))
        figures["wait_ms"] = {"p50": 20.0, "p95": 30.0, "p99": 40.0}
        figures["duration_ms"] = {"p50": 0.04, "p95": 0.05, "p99": 1.2}
        route.fulfill(response=response, json=figures)

    return answer


def painted(page: Page, chart: str, variable: str) -> int:
    """How many pixels of a chart have the very colour of a CSS variable."""
    return int(
        page.evaluate(
            """async ([chart, variable]) => {
              await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
              const canvas = document.querySelector(`[aria-label="${chart}"] canvas`);
              const [r, g, b] = getComputedStyle(document.documentElement).getPropertyValue(variable).trim()
                .slice(1).match(/../g).map((part) => parseInt(part, 16));
              const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
              let count = 0;
              for (let at = 0; at < data.length; at += 4) {
                if (data[at] === r && data[at + 1] === g && data[at + 2] === b && data[at + 3] > 200) count += 1;
              }
              return count;
            }""",
            [chart, variable],
        )
    )
