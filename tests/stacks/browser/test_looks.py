"""Light and dark, phone to wide screen, the keyboard alone, nothing that jumps, and little to fetch."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stacks.browser.watch import Watch
from tests.stacks.browser.website import Site, unique

VIEWS = ("/jobs", "/new", "/board", "/groups", "/groups/group_a", "/schedules", "/monitor")
LIMIT_BYTES = 100_000
WIDTHS = (360, 390, 768, 1024, 1440, 2200)


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True
    )
    yield context.new_page()
    context.close()


@pytest.fixture
def job(site: Site) -> str:
    job_id = site.submit({"array": [5, 3, 9, 1], "object_id": unique("a-rather-long-object-id-" + "x" * 60)})
    site.ended(job_id)
    return job_id


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen(site: Site, job: str, width: int) -> None:
    site.page.set_viewport_size({"width": width, "height": 844})
    for view in (*VIEWS, f"/jobs/{job}"):
        site.open(view)
        expect(site.page.get_by_text("Loading…")).to_have_count(0)
        over = site.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{view} at {width}"


def test_phone_can_do_the_whole_round(phone: Page, url: str) -> None:
    site = Site(phone, url).open("/jobs")
    phone.get_by_role("link", name="New job").tap()
    phone.get_by_label("array").fill("4 2")
    phone.get_by_role("button", name="Submit", exact=True).tap()
    expect(site.status).to_have_text("completed")
    phone.get_by_role("link", name="Board").tap()
    expect(phone.get_by_role("heading", name="Board")).to_be_visible()
    small = phone.evaluate(
        "[...document.querySelectorAll('.nav a, .tools a, .tools button')]"
        ".filter((e) => e.getClientRects().length && e.getBoundingClientRect().height < 24).length"
    )
    assert small == 0


def test_dark_follows_the_system_and_the_switch(site: Site) -> None:
    page = site.open("/jobs").page
    light = background(page)
    page.emulate_media(color_scheme="dark")
    dark = background(page)
    assert brightness(light) > 200
    assert brightness(dark) < 60
    page.get_by_role("button", name="Switch between light and dark").click()
    assert background(page) == light
    page.reload()
    assert background(page) == light


def test_page_moves_nothing_while_it_loads_and_lives(site: Site, job: str) -> None:
    for view in (*VIEWS, f"/jobs/{job}"):
        site.open(view)
        expect(site.page.get_by_text("Loading…")).to_have_count(0)
        site.page.wait_for_load_state("networkidle") if view == "/groups" else None
        shift = site.page.evaluate(
            """() => new Promise((resolve) => {
              let sum = 0;
              const seen = (list) => list.getEntries().forEach((one) => (sum += one.hadRecentInput ? 0 : one.value));
              new PerformanceObserver(seen).observe({ type: "layout-shift", buffered: true });
              requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
            })"""
        )
        assert shift < 0.1, f"{view} moved by {shift}"


def test_first_view_takes_little(site: Site, watch: Watch) -> None:
    site.open("/jobs")
    assets = [request for request in watch.requests if "/web/" in request.url or request.url.rstrip("/#") in site.url]
    sizes = {}
    for request in assets:
        answer = request.response()
        assert answer is not None
        sizes[request.url] = len(answer.body())
    assert len(sizes) > 5
    assert sum(sizes.values()) < LIMIT_BYTES, sizes


def test_charts_are_fetched_only_for_the_monitor(site: Site, watch: Watch) -> None:
    site.open("/jobs")
    expect(site.page.locator("tbody tr").first.or_(site.page.locator(".empty"))).to_be_visible()
    assert watch.asked("uPlot.iife.min.js") == []
    site.open("/monitor")
    expect(site.page.locator(".chart canvas").first).to_be_visible()
    assert len(watch.asked("uPlot.iife.min.js")) == 1


def test_keyboard_alone_submits_and_steers(site: Site) -> None:
    page = site.open("/jobs").page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="New job")).to_be_focused()
    page.get_by_label("array").focus()
    page.keyboard.type("2 1")
    page.get_by_label("Run in").focus()
    page.keyboard.type("1h")
    page.keyboard.press("Enter")
    expect(site.status).to_have_text("scheduled")
    page.get_by_role("button", name="Cancel").focus()
    page.keyboard.press("Enter")
    expect(site.status).to_have_text("canceled")


def test_focus_is_always_visible(site: Site) -> None:
    page = site.open("/new").page
    for _ in range(25):
        page.keyboard.press("Tab")
        drawn = page.evaluate(
            """() => {
              const at = document.activeElement;
              const near = [at, at.nextElementSibling].filter(Boolean).map((one) => getComputedStyle(one));
              const outlined = (s) => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1;
              return at === document.body || near.some(outlined);
            }"""
        )
        assert drawn, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


def test_keys_are_listed_and_can_be_switched_off(site: Site) -> None:
    page = site.open("/jobs").page
    page.keyboard.press("?")
    page.get_by_role("dialog").get_by_label("Use single-letter keys").uncheck()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.keyboard.press("n")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()


def test_unknown_place_leads_back(site: Site) -> None:
    site.page.goto(f"{site.url}#/nowhere")
    expect(site.page.get_by_text("There is no such page")).to_be_visible()
    site.page.get_by_role("link", name="Go to the jobs").click()
    expect(site.page.get_by_role("heading", name="Jobs")).to_be_visible()


def test_title_names_the_place(site: Site) -> None:
    site.open("/board")
    expect(site.page).to_have_title(re.compile("^Board · Sortie$"))


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def brightness(color: str) -> float:
    channels = [float(channel) for channel in re.findall(r"[\d.]+", color)[:3]]
    return sum(channels) / 3
