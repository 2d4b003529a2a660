"""The token flow: asked for when needed, kept for the tab, and a role's limits shown as not possible.

The guard in front of the open stack answers as an authorizer does; test_deployed.py meets a real one.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.stacks.browser.watch import Watch
from tests.stacks.browser.website import Site

ROLES = {"reader-token": "read", "sender-token": "submit", "owner-token": "admin"}
OPEN = re.compile(r"/(docs|openapi\.json|health|web/.*)?$")


@pytest.fixture
def guarded(site: Site) -> Iterator[Site]:
    site.page.route("**/*", guard)
    yield site
    site.page.unroute_all(behavior="ignoreErrors")


def test_token_is_asked_for_and_sent_with_every_request(guarded: Site, watch: Watch) -> None:
    page = guarded.open("/jobs").page
    guarded.give_token("sender-token")
    expect(page.get_by_role("button", name="Role: submit")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Role: submit")).to_be_visible()
    page.get_by_role("link", name="New job").click()
    page.get_by_label("array").fill("2, 1")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(guarded.status).to_have_text("completed")
    assert watch.asked("/jobs")[-1].headers["authorization"] == "Bearer sender-token"


def test_wrong_token_is_said_and_another_asked_for(guarded: Site) -> None:
    page = guarded.open("/jobs").page
    guarded.give_token("made-up")
    expect(page.get_by_role("dialog")).to_contain_text("was not accepted")
    guarded.give_token("owner-token")
    expect(page.get_by_role("button", name="Role: admin")).to_be_visible()


def test_read_role_sees_what_it_may_not_do(guarded: Site) -> None:
    job_id = guarded.submit({"array": [1], "run_in": "1h"})
    page = guarded.open("/jobs?status=scheduled").page
    guarded.give_token("reader-token")
    expect(page.get_by_text("You are looking with a read token")).to_be_visible()
    cancel = guarded.row(job_id).get_by_role("button", name="Cancel")
    expect(cancel).to_be_disabled()
    expect(cancel).to_have_attribute("title", re.compile("role “read”"))
    guarded.open("/new")
    expect(page.get_by_role("button", name="Submit", exact=True)).to_be_disabled()
    guarded.open("/groups")
    expect(page.get_by_role("button", name="Start a run of group_a")).to_be_disabled()
    guarded.open("/schedules")
    expect(page.get_by_role("button", name="Add a schedule")).to_be_disabled()


def test_token_can_be_forgotten(guarded: Site) -> None:
    page = guarded.open("/jobs").page
    guarded.give_token("owner-token")
    page.get_by_role("button", name="Role: admin").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget it").click()
    expect(page.get_by_role("dialog")).to_contain_text("bearer token")
    assert page.evaluate("sessionStorage.length") == 0


def test_who_says_not_now_is_left_in_peace_and_may_change_their_mind(guarded: Site) -> None:
    page = guarded.open("/board").page
    page.get_by_role("dialog").get_by_role("button", name="Not now").click()
    expect(page.get_by_text("The board is not fresh")).to_be_visible()
    page.get_by_role("link", name="Groups").click()
    expect(page.get_by_text("The groups could not be read")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Give a token").click()
    guarded.give_token("owner-token")
    expect(page.get_by_role("button", name="Role: admin")).to_be_visible()
    expect(page.get_by_label("Group group_a")).to_be_visible()


def test_docs_try_requests_with_the_same_token(guarded: Site, watch: Watch) -> None:
    page = guarded.open("/jobs").page
    guarded.give_token("owner-token")
    page.get_by_role("link", name="API", exact=True).click()
    try_list(page)
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
    assert watch.asked("/jobs")[-1].headers["authorization"] == "Bearer owner-token"


def try_list(page: Page) -> None:
    page.locator("#operations-jobs-listJobs .opblock-summary-control").click()
    page.get_by_role("button", name="Execute").click()


def guard(route: Route) -> None:
    """Answers as API Gateway's authorizer would; what it lets through carries the role of its token."""
    request = route.request
    same = urlsplit(request.url).netloc == urlsplit(request.frame.url).netloc
    if not same or OPEN.search(urlsplit(request.url).path):
        return route.continue_()
    sent = request.headers.get("authorization")
    if sent is None:
        return route.fulfill(status=401, json={"message": "Unauthorized"})
    role = ROLES.get(sent.removeprefix("Bearer "))
    if role is None:
        return route.fulfill(status=403, json={"Message": "User is not authorized to access this resource"})
    answer = route.fetch()
    return route.fulfill(response=answer, headers={**answer.headers, "sortie-role": role})
