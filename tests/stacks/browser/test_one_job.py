"""One job: its life, its payloads to the last digit, its pictures."""

import re

from playwright.sync_api import expect

from tests.stacks.browser.website import Site, unique


def test_every_digit_is_shown_as_it_was_sent(site: Site) -> None:
    job_id = site.submit({"array": [10**40, 1]})
    raw = '{"array": [1.10, 1e2, 123456789012345678901234567890, -0.0]}'
    answer = site.page.request.fetch(
        site.url + "jobs", method="POST", data=raw, headers={"Content-Type": "application/json"}
    )
    exact = str(answer.json()["id"])
    site.ended(job_id)
    site.open(f"/jobs/{job_id}")
    expect(site.page.get_by_label("Output", exact=True).locator("pre")).to_have_text(f"1, {10**40}")
    site.ended(exact)
    site.open(f"/jobs/{exact}")
    expect(site.page.get_by_label("Input", exact=True).locator("pre")).to_contain_text("123456789012345678901234567890")


def test_life_shows_each_attempt_with_what_went_wrong(site: Site) -> None:
    job_id = site.submit({"task": "fail", "input": {"message": "flaky upstream", "times": 1}, "max_attempts": 2})
    site.ended(job_id)
    life = site.open(f"/jobs/{job_id}").page.get_by_label("Time line")
    expect(life.locator("li")).to_have_count(4)
    expect(life.locator("li").nth(0)).to_contain_text("Created")
    expect(life.locator("li").nth(1)).to_contain_text(re.compile("Attempt 1.*failed after.*flaky upstream"))
    expect(life.locator("li").nth(2)).to_contain_text(re.compile("Attempt 2.*waited.*completed after"))
    expect(life.locator("li").nth(3)).to_contain_text("Ended: completed")
    assert life.locator(".strip i").count() >= 3


def test_before_and_after_are_drawn(site: Site) -> None:
    job_id = site.submit({"array": [5, -3, 9, 1]})
    site.ended(job_id)
    site.open(f"/jobs/{job_id}")
    for caption in ("Before", "After"):
        picture = site.page.get_by_role("img", name=f"{caption}: 4 numbers between -3 and 9")
        expect(picture).to_be_visible()
        inked = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)"
        assert picture.evaluate(inked)


def test_ends_of_large_arrays_are_shown_and_said_so(site: Site) -> None:
    job_id = site.submit({"array": list(range(5000, 0, -1))})
    site.ended(job_id)
    output = site.open(f"/jobs/{job_id}").page.get_by_label("Output", exact=True)
    expect(output.get_by_text("5,000 numbers; the first and the last thousand are shown.")).to_be_visible()
    first, last = (text.split(", ") for text in output.locator("pre").all_inner_texts())
    assert (first[0], first[-1], last[0], last[-1]) == ("1", "1000", "4001", "5000")


def test_output_is_downloaded_whole(site: Site) -> None:
    job_id = site.submit({"array": list(range(5000, 0, -1))})
    site.ended(job_id)
    site.open(f"/jobs/{job_id}")
    with site.page.expect_download() as waiting:
        site.page.get_by_role("button", name="Download Output").click()
    assert waiting.value.suggested_filename == f"{job_id}-output.json"
    assert waiting.value.path().read_text().replace(" ", "") == f'{{"array":{list(range(1, 5001))}}}'.replace(" ", "")


def test_window_and_its_other_jobs_are_a_link_away(site: Site) -> None:
    thing = unique("window")
    first = site.submit({"array": [1], "object_id": thing, "window": {"seconds": 600}})
    second = site.submit({"array": [1], "object_id": thing, "window": {"seconds": 600}})
    site.open(f"/jobs/{second}")
    expect(site.status).to_have_text("scheduled")
    expect(site.page.get_by_label("Facts")).to_contain_text("10 m, delay")
    site.page.get_by_role("link", name=thing).click()
    expect(site.row(first)).to_be_visible()


def test_job_is_looked_up_by_its_id(site: Site) -> None:
    job_id = site.submit({"array": [2, 1]})
    site.open()
    site.page.get_by_role("searchbox", name="Look up a job by its id").fill(job_id)
    site.page.keyboard.press("Enter")
    expect(site.page.get_by_label("Facts").get_by_text(job_id)).to_be_visible()


def test_unknown_id_says_what_to_do(site: Site) -> None:
    site.open("/jobs/01nosuchjob0000000000000000")
    expect(site.page.get_by_role("heading", name="No such job")).to_be_visible()
    site.page.get_by_role("link", name="Look at all jobs").click()
    expect(site.page.get_by_role("heading", name="Jobs")).to_be_visible()


def test_way_back_leads_to_the_list_as_it_was(site: Site) -> None:
    thing = unique("back")
    job_id = site.submit({"array": [1], "object_id": thing, "run_in": "1h"})
    site.open(f"/jobs?object_id={thing}")
    site.row(job_id).get_by_role("link", name="sort").first.click()
    site.page.get_by_role("link", name="← Jobs").click()
    expect(site.page.get_by_label("Object", exact=True)).to_have_value(thing)


def test_an_ended_job_runs_again_as_a_new_one_that_names_it(site: Site) -> None:
    job_id = site.submit({"task": "sleep", "input": {"seconds": 0}, "run_in": "1h"})
    site.open(f"/jobs/{job_id}")
    expect(site.page.get_by_role("button", name=re.compile("^Run again sleep "))).to_have_count(0)
    site.page.get_by_role("button", name=re.compile("^Cancel")).click()
    expect(site.page.get_by_label("Facts")).to_contain_text("Canceled by")
    site.page.get_by_role("button", name=re.compile("^Run again sleep ")).click()
    expect(site.page.get_by_label("Facts").get_by_role("link", name=job_id[-6:])).to_be_visible()
    assert site.job_id() != job_id
    assert site.ended(site.job_id())["parent_id"] == job_id
