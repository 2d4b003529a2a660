"""Data full of markup stays text, and the page asks nobody but this service."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.stacks.browser.modules import Modules
from tests.stacks.browser.watch import Watch, origin
from tests.stacks.browser.website import Site

MARKUP = "</code><img src=x onerror=\"document.title='broken in'\"><script>document.title='broken in'</script>&lt;b>"
WEB = Path(__file__).parents[3] / "chalicelib" / "web"
VIEWS = ("/jobs", "/new", "/board", "/groups", "/schedules", "/monitor", "/nowhere")


@pytest.fixture
def hostile(site: Site) -> str:
    """A failed job whose input, message, object id and error are markup."""
    request = {"task": "fail", "input": {"message": MARKUP}, "object_id": MARKUP, "max_attempts": 1}
    job_id = site.submit({**request, "window": {"seconds": 60, "on_repeat": "reuse"}})
    site.ended(job_id)
    return job_id


@pytest.mark.parametrize("path", ["/jobs?status=failed", "/board", "/jobs/{id}", "/new?from={id}"])
def test_markup_of_a_job_is_shown_as_text(site: Site, hostile: str, path: str) -> None:
    site.open(path.format(id=hostile))
    markup = site.page.get_by_text("</code><img src=x").or_(site.page.locator("textarea"))
    expect(markup.first).to_be_visible()
    nothing_came_alive(site.page)


def test_markup_in_a_schedule_is_shown_as_text(site: Site) -> None:
    """Its list leaves the job out; the job of its next slot shows it."""
    job = {"task": "log", "input": {"message": MARKUP}, "object_id": MARKUP}
    status, schedule = site.api("POST", "schedules", {"cron": "* * * * *", "timezone": "UTC", "job": job})
    assert status == 201
    site.open(f"/jobs?schedule_id={schedule['id']}")
    expect(site.page.get_by_text("</code><img").first).to_be_visible()
    nothing_came_alive(site.page)
    site.api("DELETE", f"schedules/{schedule['id']}")


def test_markup_in_the_address_is_shown_as_text(site: Site) -> None:
    code = "%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D'broken%20in'%22%3E"
    places = (f"/jobs/{code}", f"/groups/{code}", f"/groups/{code}/runs/{code}", f"/jobs?object_id={code}", f"/{code}")
    for path in places:
        site.page.goto("about:blank")
        site.page.goto(f"{site.url}#{path}")
        expect(site.page.locator("main").get_by_role("heading").first).to_be_visible()
        nothing_came_alive(site.page)


def test_an_address_that_cannot_be_read_is_told(site: Site) -> None:
    for path in ("/jobs/%", "/groups/%E0%A4", "/groups/a/runs/%zz"):
        site.page.goto("about:blank")
        site.page.goto(f"{site.url}#{path}")
        expect(site.page.get_by_role("heading", name="This page could not be drawn")).to_be_visible()


def test_no_input_of_a_job_becomes_a_command_in_what_is_copied_to_a_shell(modules: Modules) -> None:
    """What stands beside the numbers of an earlier job is told in a comment, on one line."""
    rest = '"a": {\n"$(touch broken)": 1}'
    body, name = '{"it\'s": 1}', "x'; touch broken '.json"
    words = modules.call("parts/curl.js", "curlOf", "jobs", body, {"file": {"size": 1, "name": name}, "rest": rest})
    comments = [line for line in words.split("\n") if "touch" in line and line.startswith("#")]
    commands = [shlex.split(line, comments=True) for line in words.replace("\\\n", " ").split("\n")]
    assert len(comments) == 1
    assert ["curl", "-T", name, "$HREF"] in commands
    assert all(not command or command[0] == "curl" for command in commands)


def test_markup_in_group_names_and_refusals_is_shown_as_text(site: Site) -> None:
    """Groups and errors are the service's own words today; the page trusts them no more than the rest."""
    group = {"name": MARKUP, "jobs": [MARKUP], "problems": [{"job": MARKUP, "loc": MARKUP, "msg": MARKUP}]}
    problem = {"title": MARKUP, "status": 422, "detail": MARKUP, "errors": [{"loc": MARKUP, "msg": MARKUP}]}
    site.page.route(re.compile(r"/groups$"), lambda route: route.fulfill(json={"groups": [group]}))
    site.page.route(re.compile(r"/jobs$"), refuse(problem))
    site.open("/groups")
    expect(site.page.get_by_text("</code><img").first).to_be_visible()
    nothing_came_alive(site.page)
    site.open("/new").page.get_by_label("array").fill("1")
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.page.get_by_role("alert").filter(has_text="</code><img").first).to_be_visible()
    nothing_came_alive(site.page)


def test_no_request_leaves_the_service(site: Site, watch: Watch, hostile: str) -> None:
    for view in (*VIEWS, f"/jobs/{hostile}"):
        site.page.goto(f"{site.url}#{view}")
        expect(site.page.locator("main").get_by_role("heading").first).to_be_visible()
    site.page.goto(f"{site.url}docs")
    expect(site.page.get_by_role("heading", name=re.compile("^Sortie"))).to_be_visible()
    own = {request for request in watch.requests if urlsplit(request.url).scheme not in ("data", "blob", "about")}
    assert {origin(request.url) for request in own} <= {origin(site.url)} | allowed(site)
    elsewhere = {request.resource_type for request in own if origin(request.url) != origin(site.url)}
    assert elsewhere <= {"fetch", "xhr"}


@pytest.mark.parametrize("name", ["", "docs"])
def test_policy_is_strict(site: Site, name: str) -> None:
    policy = site.page.request.get(site.url + name).headers["content-security-policy"]
    parts = {part.split()[0]: part.split()[1:] for part in policy.split(";") if part.strip()}
    assert parts["default-src"] == ["'none'"]
    assert parts["script-src"] == parts["style-src"] == ["'self'"]
    assert parts["frame-ancestors"] == parts["base-uri"] == parts["form-action"] == ["'none'"]


@pytest.mark.parametrize("name", ["pages/index.html", "pages/docs.html"])
def test_pages_hold_no_inline_script_or_style(name: str) -> None:
    text = (WEB / name).read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)


def test_our_scripts_never_parse_data_as_markup() -> None:
    ours = [path for path in WEB.rglob("*.js") if "vendor" not in path.parts]
    assert len(ours) > 20
    for path in ours:
        parsing = re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function", path.read_text()
        )
        assert parsing is None, f"{path.name}: {parsing}"


def allowed(site: Site) -> set[str]:
    """Where the policy lets the page send uploads."""
    policy = site.page.request.get(site.url).headers["content-security-policy"]
    (connect,) = (part.split()[1:] for part in policy.split(";") if part.strip().startswith("connect-src"))
    return {origin(source) for source in connect if source.startswith("http")}


def nothing_came_alive(page: Page) -> None:
    assert page.title() != "broken in"
    assert page.locator("main img, main script, main [onerror]").count() == 0


def refuse(problem: dict[str, object]) -> Callable[[Route], None]:
    def answer(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(
                status=422, json=problem, headers={"Sortie-Role": "admin"}, content_type="application/problem+json"
            )
        else:
            route.continue_()

    return answer


def test_token_is_kept_for_the_tab_only(context: BrowserContext, url: str) -> None:
    first, second = context.new_page(), context.new_page()
    first.goto(url)
    first.evaluate("sessionStorage.setItem('sortie-token', 'secret')")
    second.goto(url)
    assert second.evaluate("sessionStorage.getItem('sortie-token')") is None
    assert first.evaluate("Object.keys(localStorage).length + document.cookie.length") == 0
