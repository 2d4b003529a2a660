"""Submitting from the page: every task, as a form and as JSON, with errors where they belong."""

import json
import re

import pytest
from playwright.sync_api import Route, expect

from tests.stacks.browser.watch import Watch
from tests.stacks.browser.website import Site, unique


def test_numbers_pasted_in_are_sorted_while_one_watches(site: Site) -> None:
    site.open("/new").page.get_by_label("array").fill("5\n3.50\n12345678901234567890\n-2")
    expect(site.page.get_by_text("4 numbers, one a line")).to_be_visible()
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.status).to_have_text("completed")
    expect(site.page.get_by_label("Output", exact=True).locator("pre")).to_have_text("-2, 3.5, 5, 12345678901234567890")


def test_json_and_csv_are_read_as_well(site: Site) -> None:
    field = site.open("/new").page.get_by_label("array")
    for text, said in (
        ("[3, 1, 2]", "3 numbers, JSON"),
        ("3;1;2;+4", "4 numbers, separated values"),
        ('{"array": [1]}', "1 number, JSON"),
    ):
        field.fill(text)
        expect(site.page.get_by_text(said)).to_be_visible()


def test_bad_number_is_named_beside_its_field_and_can_be_found(site: Site) -> None:
    site.open("/new").page.get_by_label("array").fill("1, 2, three, 4")
    site.page.get_by_role("button", name="Submit", exact=True).click()
    error = site.field("array").get_by_role("alert")
    expect(error).to_contain_text("Number 3:")
    expect(site.page.get_by_label("array")).to_have_attribute("aria-invalid", "true")
    error.get_by_role("button", name="Show it").click()
    assert site.page.evaluate("getSelection().toString()") == "three"


@pytest.mark.parametrize("size", [(1280, 900), (1440, 500), (768, 1024), (390, 844)])
def test_the_submit_bar_covers_no_field(site: Site, size: tuple[int, int]) -> None:
    width, height = size
    site.page.set_viewport_size({"width": width, "height": height})
    site.open("/new").page.locator("summary").click()
    covered = site.page.evaluate(
        """async () => {
          const bar = document.querySelector("main button[type=submit]").closest(".send");
          const fields = [...document.querySelectorAll("main .field")].filter((field) => field.getClientRects().length);
          const hits = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
          const covered = new Set();
          for (let y = 0; y <= document.documentElement.scrollHeight; y += 120) {
            window.scrollTo(0, y);
            await new Promise(requestAnimationFrame);
            const over = bar.getBoundingClientRect();
            const under = fields.filter((field) => hits(over, field.getBoundingClientRect()));
            for (const field of under) covered.add(field.dataset.field || "task");
          }
          return fields.length > 8 ? [...covered] : ["no fields"];
        }"""
    )
    assert covered == []


def test_a_held_window_says_in_hours_when_it_ends(site: Site) -> None:
    thing = unique("held")
    window = {"seconds": 10_000, "on_repeat": "reject"}
    site.submit({"array": [1], "object_id": thing, "window": window})
    site.open("/new").page.get_by_label("array").fill("1, 2")
    site.field("object_id").locator("input").fill(thing)
    site.field("window.seconds").locator("input").fill("10000")
    site.field("window.on_repeat").locator("select").select_option('"reject"')
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.page.locator(".wrong")).to_contain_text(re.compile(r"Try again in 2 h 4\d m\."))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("window.seconds", "0", "1"),
        ("max_attempts", "11", "10"),
        ("run_in", "soon", ""),
        ("timeout", "never", ""),
    ],
)
def test_error_of_an_option_stands_beside_it(site: Site, field: str, value: str, said: str) -> None:
    site.open("/new").page.get_by_label("array").fill("1, 2")
    site.field("object_id").locator("input").fill("thing")
    site.field(field).locator("input").fill(value)
    site.page.get_by_role("button", name="Submit", exact=True).click()
    error = site.field(field).get_by_role("alert")
    expect(error).to_be_visible()
    expect(error).to_contain_text(said)
    expect(site.field(field).locator("input")).to_be_focused()


def test_error_of_another_task_stands_beside_its_field(site: Site) -> None:
    site.open("/new?task=sleep").field("seconds").locator("input").fill("-4")
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.field("seconds").get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize(
    ("task", "field", "value"), [("sleep", "seconds", "0.1"), ("log", "message", "hello"), ("fail", "message", "no")]
)
def test_every_task_has_a_form(site: Site, task: str, field: str, value: str) -> None:
    site.open("/new")
    site.choose(task)
    site.field(field).locator("input, textarea").fill(value)
    site.field("max_attempts").locator("input").fill("1")
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.status).to_have_text("failed" if task == "fail" else "completed")


def test_object_window_and_due_time_are_sent(site: Site) -> None:
    thing = unique("order")
    site.open("/new").page.get_by_label("array").fill("2, 1")
    site.field("object_id").locator("input").fill(thing)
    site.field("window.seconds").locator("input").fill("60")
    site.field("window.on_repeat").locator("select").select_option(label="reuse: give the earlier job")
    site.field("run_in").locator("input").fill("2h")
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.status).to_have_text("scheduled")
    _, job = site.api("GET", f"jobs/{site.job_id()}")
    assert job["object_id"] == thing
    assert (job["window"]["seconds"], job["window"]["on_repeat"]) == (60, "reuse")


def test_second_job_of_an_object_gets_the_earlier_one_under_reuse(site: Site) -> None:
    thing = unique("order")
    request = {
        "array": [2, 1],
        "object_id": thing,
        "window": {"seconds": 60, "on_repeat": "reuse"},
        "run_in": "1h",
    }
    first = site.submit(request)
    site.open(f"/jobs/{first}").page.get_by_role("link", name="New job like this").click()
    expect(site.field("object_id").locator("input")).to_have_value(thing)
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.page.get_by_text("An earlier job answers for this one")).to_be_visible()
    assert site.job_id() == first


def test_curl_shows_what_will_be_sent(site: Site) -> None:
    site.open("/new").page.get_by_label("array").fill("3 1")
    site.field("object_id").locator("input").fill("it's 7")
    curl = site.page.get_by_label("The curl command")
    expect(curl).to_contain_text("""-d '{"array": [3, 1], "object_id": "it'\\''s 7"}'""")
    expect(curl).to_contain_text(f"{site.url}jobs")
    site.page.get_by_role("button", name="Copy curl command").click()
    expect(site.page.get_by_role("button", name="Copy curl command")).to_have_text(re.compile("Copied"))


def test_request_can_be_written_as_json(site: Site) -> None:
    site.open("/new").page.get_by_label("array").fill("3 1")
    site.page.get_by_role("button", name="JSON", exact=True).click()
    editor = site.field("request").locator("textarea")
    expect(editor).to_have_value(re.compile(r'"array": \[3, 1\]'))
    editor.fill('{"array": [1, null]}')
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.field("request").get_by_role("alert")).to_contain_text("array[1]")
    editor.fill('{"array": [2, 1]}')
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.status).to_have_text("completed")


def test_many_of_one_job_go_in_one_request(site: Site) -> None:
    thing = unique("batch")
    site.open("/new").page.get_by_label("array").fill("3 1")
    site.field("object_id").locator("input").fill(thing)
    site.page.get_by_text("More", exact=True).click()
    site.field("copies").locator("input").fill("3")
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.page.get_by_text("3 jobs submitted")).to_be_visible()
    site.open(f"/jobs?object_id={thing}")
    expect(site.page.locator("tbody tr")).to_have_count(3)


def test_number_of_copies_is_judged_beside_its_field(site: Site) -> None:
    site.open("/new").page.get_by_label("array").fill("3 1")
    site.page.get_by_text("More", exact=True).click()
    site.field("copies").locator("input").fill("many")
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.field("copies").get_by_role("alert")).to_contain_text("from 1 to 100")


def test_lost_answer_does_not_make_a_second_job(site: Site, watch: Watch) -> None:
    thing = unique("once")
    site.open("/new").page.get_by_label("array").fill("3 1")
    site.field("object_id").locator("input").fill(thing)
    site.page.route("**/jobs", lose_the_answer, times=1)
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.page.get_by_text("The job was not submitted")).to_be_visible()
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.status).to_have_text("completed")
    _, answer = site.api("GET", f"jobs?object_id={thing}")
    assert len(answer["jobs"]) == 1
    watch.errors = [error for error in watch.errors if "ERR_FAILED" not in error]


def changes(site: Site, parent: str) -> None:
    """The form that runs an ended job again, filled."""
    site.ended(parent)
    site.open(f"/jobs/{parent}").page.get_by_role("link", name="Run again with changes").click()
    expect(site.page.get_by_text("again as a new job")).to_be_visible()


def sent(watch: Watch, parent: str) -> str:
    """The body of the one request that ran the job again."""
    (request,) = watch.asked(f"/jobs/{parent}/run-again")
    assert watch.asked("/jobs") == []
    return request.post_data or ""


def test_a_job_runs_again_with_the_changed_fields_alone(site: Site, watch: Watch) -> None:
    thing = unique("again")
    array = {"task": "sort", "input": {"array": [1, 5, 3], "descending": True}}
    parent = site.submit({**array, "object_id": thing, "timeout": 9, "max_attempts": 2})
    changes(site, parent)
    expect(site.page.get_by_label("array")).to_have_value("[1, 5, 3]")
    expect(site.page.get_by_label("descending")).to_be_checked()
    expect(site.field("object_id").locator("input")).to_have_value(thing)
    expect(site.page.get_by_role("radio", name="sleep", exact=True)).to_be_disabled()
    site.page.get_by_label("array").fill("[4, 6, 5]")
    site.field("timeout").locator("input").fill("7")
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.status).to_have_text("completed")
    assert json.loads(sent(watch, parent)) == {"input": {"array": [4, 6, 5], "descending": True}, "timeout": 7}
    _, child = site.api("GET", f"jobs/{site.job_id()}")
    assert (child["parent_id"], child["output"]) == (parent, {"array": [6, 5, 4]})
    assert (child["object_id"], child["timeout"], child["max_attempts"]) == (thing, 7, 2)


def test_what_is_left_as_it_is_or_taken_out_is_told_apart_in_a_new_run(site: Site, watch: Watch) -> None:
    window = {"seconds": 600, "on_repeat": "delay"}
    parent = site.submit({"array": [2, 1], "object_id": unique("once"), "window": window})
    changes(site, parent)
    curl = site.page.get_by_label("The curl command")
    expect(curl).to_contain_text(f"jobs/{parent}/run-again")
    expect(curl).to_contain_text("-d '{}'")
    site.field("object_id").locator("input").fill("")
    site.page.get_by_role("button", name="JSON", exact=True).click()
    expect(site.field("request").locator("textarea")).to_have_value(re.compile('^{\\s+"object_id": null\\s+}$'))
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.status).to_have_text("completed")
    assert json.loads(sent(watch, parent)) == {"object_id": None}
    _, child = site.api("GET", f"jobs/{site.job_id()}")
    assert (child["parent_id"], child["object_id"], child["window"]) == (parent, None, None)


def test_a_large_input_that_stays_is_not_sent_again(site: Site, watch: Watch) -> None:
    parent = site.submit({"task": "sort", "input": {"array": list(range(120_000)), "descending": True}})
    changes(site, parent)
    expect(site.page.get_by_text("goes as an upload")).to_be_visible()
    expect(site.page.get_by_label("descending")).to_be_checked()
    site.field("run_in").locator("input").fill("1h")
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.status).to_have_text("scheduled")
    assert sent(watch, parent) == '{"run_in": "1h"}'
    assert watch.asked("/uploads") == []


def test_a_wrong_change_is_named_beside_its_field(site: Site) -> None:
    parent = site.submit({"array": [2, 1]})
    changes(site, parent)
    site.page.get_by_label("array").fill("1, x")
    site.page.get_by_role("button", name="Submit", exact=True).click()
    expect(site.field("array").get_by_role("alert")).to_contain_text("Number 2:")


def lose_the_answer(route: Route) -> None:
    """The request is done, and its answer never arrives."""
    route.fetch()
    route.abort()
