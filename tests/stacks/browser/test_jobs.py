"""The list of jobs: filters that can be shared, paging, life without reloading, steering one job or many."""

import re

from playwright.sync_api import expect

from tests.stacks.browser.watch import Watch
from tests.stacks.browser.website import Site, unique


def test_filters_are_in_the_address_bar_and_come_from_it(site: Site) -> None:
    thing = unique("order")
    kept = site.submit({"array": [2, 1], "object_id": thing, "run_in": "1h"})
    site.submit({"task": "sleep", "input": {"seconds": 0}, "object_id": thing, "run_in": "1h"})
    site.open(f"/jobs?object_id={thing}")
    expect(site.page.locator("tbody tr")).to_have_count(2)
    site.page.get_by_label("Task").select_option("sort")
    site.page.wait_for_url(re.compile("task=sort"))
    expect(site.page.locator("tbody tr")).to_have_count(1)
    expect(site.row(kept)).to_be_visible()
    site.page.reload()
    expect(site.page.get_by_label("Task")).to_have_value("sort")
    expect(site.page.get_by_label("Object", exact=True)).to_have_value(thing)
    expect(site.row(kept)).to_be_visible()
    site.page.get_by_role("link", name=re.compile("^completed")).click()
    expect(site.page.get_by_text("No job fits these filters")).to_be_visible()
    site.page.get_by_role("link", name="Clear the filters").click()
    expect(site.page.get_by_label("Object", exact=True)).to_have_value("")


def test_time_is_a_filter_in_the_address_bar_too(site: Site) -> None:
    thing = unique("when")
    job_id = site.submit({"array": [2, 1], "object_id": thing})
    site.open(f"/jobs?object_id={thing}")
    site.page.get_by_label("Since").fill("1h")
    site.page.get_by_label("Since").press("Enter")
    site.page.wait_for_url(re.compile("since=1h"))
    expect(site.row(job_id)).to_be_visible()
    site.page.get_by_label("Since").fill("")
    site.page.get_by_label("Since").press("Enter")
    site.page.wait_for_url(lambda url: "since=" not in url)
    expect(site.row(job_id)).to_be_visible()
    site.page.get_by_label("Until").fill("1h")
    site.page.get_by_label("Until").press("Enter")
    site.page.wait_for_url(re.compile("until=1h"))
    expect(site.page.get_by_text("No job fits these filters")).to_be_visible()
    site.page.reload()
    expect(site.page.get_by_label("Until")).to_have_value("1h")


def test_what_is_typed_while_another_filter_is_taken_up_stays(site: Site) -> None:
    site.open("/jobs").page.evaluate(
        """() => {
          const [object, group] = ["f-object", "f-group"].map((id) => document.getElementById(id));
          object.value = "some";
          object.dispatchEvent(new Event("change"));
          group.focus();
          group.value = "night";
        }"""
    )
    pending = site.page.get_by_role("navigation", name="Status").get_by_role("link", name="pending")
    expect(pending).to_have_attribute("href", re.compile("object_id=some"))
    expect(site.page.get_by_label("Group")).to_have_value("night")
    site.page.get_by_label("Group").press("Enter")
    site.page.wait_for_url(re.compile("object_id=some&group=night"))


def test_text_that_looks_like_a_number_is_not_the_number(site: Site) -> None:
    number = int(unique("")[1:], 16)
    as_number = site.submit({"array": [1], "object_id": number, "run_in": "1h"})
    as_text = site.submit({"array": [1], "object_id": str(number), "run_in": "1h"})
    site.open(f"/jobs?object_id={number}")
    expect(site.row(as_number)).to_be_visible()
    expect(site.row(as_text)).to_have_count(0)
    site.open(f"/jobs/{as_text}").page.get_by_role("link", name=str(number)).click()
    expect(site.row(as_text)).to_be_visible()
    expect(site.row(as_number)).to_have_count(0)


def test_older_jobs_are_a_page_away(site: Site) -> None:
    thing = unique("many")
    request = {"array": [1], "object_id": thing, "run_in": "2h"}
    status, answer = site.api("POST", "jobs/bulk", {"jobs": [request] * 30})
    assert status == 207
    ids = [result["job"]["id"] for result in answer["results"]]
    site.open(f"/jobs?object_id={thing}")
    expect(site.page.locator("tbody tr")).to_have_count(25)
    site.page.get_by_role("link", name="Older jobs").click()
    expect(site.page.locator("tbody tr")).to_have_count(5)
    expect(site.row(min(ids))).to_be_visible()
    site.page.get_by_role("link", name="Back to the newest").click()
    expect(site.page.locator("tbody tr")).to_have_count(25)


def test_list_follows_a_job_without_reloading(site: Site) -> None:
    thing = unique("live")
    site.open(f"/jobs?object_id={thing}")
    expect(site.page.get_by_text("No job fits these filters")).to_be_visible()
    job_id = site.submit({"task": "sleep", "input": {"seconds": 8}, "object_id": thing})
    row = site.row(job_id)
    expect(row.locator(".pill")).to_have_text("running")
    bar = row.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?$"))
    expect(row.locator(".pill")).to_have_text("completed")


def test_new_jobs_wait_while_the_reader_is_busy_with_the_list(site: Site) -> None:
    thing = unique("calm")
    first = site.submit({"array": [1], "object_id": thing, "run_in": "1h"})
    site.open(f"/jobs?object_id={thing}")
    site.row(first).get_by_role("checkbox").check()
    second = site.submit({"array": [1], "object_id": thing, "run_in": "1h"})
    fresh = site.page.get_by_role("button", name="1 newer job: show")
    expect(fresh).to_be_visible()
    expect(site.row(second)).to_have_count(0)
    fresh.click()
    expect(site.row(second)).to_be_visible()
    expect(site.row(first).get_by_role("checkbox")).to_be_checked()


def test_scheduled_job_is_canceled(site: Site) -> None:
    job_id = site.submit({"array": [1], "object_id": unique("off"), "run_in": "1h"})
    site.open("/jobs?status=scheduled")
    site.row(job_id).get_by_role("button", name="Cancel").click()
    expect(site.row(job_id).locator(".pill")).to_have_text("canceled")
    assert site.ended(job_id)["status"] == "canceled"


def test_running_job_is_canceled_after_a_question(site: Site) -> None:
    job_id = site.submit({"task": "sleep", "input": {"seconds": 50}})
    site.open(f"/jobs/{job_id}")
    expect(site.status).to_have_text("running")
    site.page.get_by_role("button", name="Cancel").click()
    site.page.get_by_role("dialog").get_by_role("button", name="Let it run").click()
    site.page.get_by_role("button", name="Cancel").click()
    site.page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    expect(site.status).to_have_text("canceled")


def test_failed_job_is_retried(site: Site) -> None:
    job_id = site.submit({"task": "fail", "input": {"message": "not yet", "times": 1}, "max_attempts": 1})
    assert site.ended(job_id)["status"] == "failed"
    site.open(f"/jobs/{job_id}")
    expect(site.page.get_by_role("alert").filter(has_text="Failed")).to_contain_text("not yet")
    site.page.get_by_role("button", name="Retry").click()
    expect(site.status).to_have_text("completed")
    life = site.page.get_by_label("Time line")
    expect(life.get_by_text("Attempt 1", exact=True)).to_be_visible()
    expect(life.get_by_text("Attempt 2", exact=True)).to_be_visible()


def test_many_are_canceled_and_retried_after_one_question(site: Site) -> None:
    thing = unique("sweep")
    ids = [site.submit({"array": [1], "object_id": thing, "run_in": "1h"}) for _ in range(3)]
    site.open(f"/jobs?object_id={thing}")
    expect(site.page.locator("tbody tr")).to_have_count(3)
    site.page.get_by_label("Select all jobs on this page").check()
    tools = site.page.get_by_role("toolbar", name="Selected jobs")
    expect(tools.get_by_role("button", name="Retry")).to_be_disabled()
    tools.get_by_role("button", name="Cancel").click()
    site.page.get_by_role("dialog").get_by_role("button", name="Cancel 3 jobs").click()
    for job_id in ids:
        expect(site.row(job_id).locator(".pill")).to_have_text("canceled")
    site.page.get_by_label("Select all jobs on this page").check()
    tools.get_by_role("button", name="Retry").click()
    site.page.get_by_role("dialog").get_by_role("button", name="Retry 3 jobs").click()
    for job_id in ids:
        expect(site.row(job_id).locator(".pill")).to_have_text("completed")


def test_relative_times_tell_the_exact_one_on_hover(site: Site) -> None:
    job_id = site.submit({"array": [1], "run_in": "1h"})
    _, job = site.api("GET", f"jobs/{job_id}")
    site.open("/jobs?status=scheduled")
    created = site.row(job_id).locator(".created time")
    expect(created).to_have_attribute("title", re.compile(re.escape(job["created_at"])))
    expect(created).to_have_text(re.compile(r"ago|now"))


def test_unreachable_service_is_said_and_found_again(site: Site, watch: Watch) -> None:
    site.open("/jobs")
    site.page.context.set_offline(True)
    expect(site.page.get_by_text("The list is not fresh")).to_be_visible()
    site.page.context.set_offline(False)
    expect(site.page.get_by_text("The list is not fresh")).to_be_hidden(timeout=30_000)
    watch.errors = [error for error in watch.errors if "ERR_INTERNET_DISCONNECTED" not in error]
