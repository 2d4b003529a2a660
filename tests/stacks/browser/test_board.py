"""The board, groups and schedules."""

import re

from playwright.sync_api import expect

from tests.stacks.browser.website import Site


def test_board_shows_the_three_sides_and_calls_off(site: Site) -> None:
    later = site.submit({"array": [1], "run_in": "1m"})
    done = site.submit({"array": [2, 1]})
    site.ended(done)
    page = site.open("/board").page
    expect(page.get_by_label("History").locator(f'a[data-job="{done}"]')).to_be_visible()
    scheduled = page.get_by_label("Scheduled")
    expect(scheduled.locator(f'a[data-job="{later}"]')).to_be_visible()
    site.card(later).get_by_role("button", name="Cancel").click()
    expect(page.get_by_label("History").locator(f'a[data-job="{later}"]')).to_be_visible()


def test_group_is_triggered_and_its_run_watched(site: Site) -> None:
    site.open("/groups").page.get_by_role("button", name="Start a run of group_a").click()
    expect(site.page.get_by_role("heading", name=re.compile("^Run"))).to_be_visible()
    expect(site.page.get_by_role("progressbar", name="Progress of the run")).to_have_attribute("aria-valuenow", "100")
    expect(site.page.get_by_text("3 completed")).to_be_visible()
    run = site.page.url.rsplit("/", 1)[1]
    site.page.get_by_role("link", name="← group_a").click()
    expect(site.page.locator(f'.runs a[href$="{run}"]')).to_be_visible()


def test_group_with_problems_says_them_and_starts_nothing(site: Site) -> None:
    group = site.open("/groups").page.get_by_label("Group group_b")
    expect(group.get_by_text("3 problems")).to_be_visible()
    expect(group.get_by_text(re.compile("job_b1.*task"))).to_be_visible()
    expect(group.get_by_role("button", name="Start a run of group_b")).to_be_disabled()


def test_schedule_is_added_and_removed(site: Site) -> None:
    page = site.open("/schedules").page
    page.get_by_role("button", name="Add a schedule").click()
    form = page.get_by_role("form", name="New schedule")
    form.get_by_label("Cron line").fill("31 4 * * 1-5")
    expect(form.get_by_text("at 04:31, Monday to Friday")).to_be_visible()
    form.get_by_label("Time zone").fill("Europe/Amsterdam")
    site.choose("log")
    site.field("message").locator("textarea").fill("hello")
    form.get_by_role("button", name="Add the schedule").click()
    item = page.get_by_role("article").filter(has_text="31 4 * * 1-5")
    expect(item).to_contain_text("log")
    expect(item).to_contain_text(re.compile("next in"))
    item.get_by_role("button", name=re.compile("^Remove")).click()
    page.get_by_role("dialog").get_by_role("button", name="Remove it").click()
    expect(item).to_have_count(0)


def test_errors_of_a_schedule_stand_beside_their_fields(site: Site) -> None:
    page = site.open("/schedules").page
    page.get_by_role("button", name="Add a schedule").click()
    form = page.get_by_role("form", name="New schedule")
    form.get_by_label("Cron line").fill("61 * * * *")
    site.choose("sleep")
    site.field("seconds").locator("input").fill("1")
    form.get_by_role("button", name="Add the schedule").click()
    expect(site.field("cron").get_by_role("alert")).to_be_visible()
    form.get_by_label("Cron line").fill("1 * * * *")
    form.get_by_label("Time zone").fill("Mars/Olympus")
    form.get_by_role("button", name="Add the schedule").click()
    expect(site.field("timezone").get_by_role("alert")).to_be_visible()
    form.get_by_label("Time zone").fill("UTC")
    site.field("seconds").locator("input").fill("-1")
    form.get_by_role("button", name="Add the schedule").click()
    expect(site.field("seconds").get_by_role("alert")).to_be_visible()


def test_the_jobs_of_a_schedule_are_a_click_away_and_say_whose_they_are(site: Site) -> None:
    status, schedule = site.api("POST", "schedules", {"cron": "* * * * *", "job": {"array": [2, 1]}})
    assert status == 201
    _, answer = site.api("GET", f"jobs?schedule_id={schedule['id']}")
    [job] = answer["jobs"]
    page = site.open("/schedules").page
    item = page.get_by_role("article").filter(has=page.locator(f'a[href*="{schedule["id"]}"]'))
    item.get_by_role("link", name="its jobs").click()
    expect(page.get_by_label("Schedule", exact=True)).to_have_value(schedule["id"])
    expect(site.row(job["id"]).get_by_role("link", name="schedule", exact=True)).to_be_visible()
    site.row(job["id"]).locator(f'a[data-job="{job["id"]}"]').click()
    facts = page.get_by_label("Facts")
    expect(facts).to_contain_text("Slot")
    expect(facts.get_by_role("link", name=schedule["id"][-8:])).to_be_visible()
    assert site.api("DELETE", f"schedules/{schedule['id']}")[0] == 204
