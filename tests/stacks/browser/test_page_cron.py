"""lib/cron.js: a cron line in words, and no words where they would not be the whole truth."""

import pytest

from tests.stacks.browser.modules import Modules

WORDS = {
    "* * * * *": "every minute",
    "*/15 * * * *": "every 15 minutes",
    "5 * * * *": "every hour at :05",
    "0 3 * * *": "at 03:00",
    "  0   3 * * * ": "at 03:00",
    "30 6,18 * * *": "at 06:30, 18:30",
    "0 9 * * 1": "at 09:00, on Monday",
    "0 9 * * 0": "at 09:00, on Sunday",
    "0 9 * * 7": "at 09:00, on Sunday",
    "0 9 * * 1-5": "at 09:00, Monday to Friday",
    "0 9 * * 1,3,5": "at 09:00, on Monday, Wednesday, Friday",
    "0 0 1 * *": "at 00:00, on day 1 of the month",
    "0 0 1,15 * *": "at 00:00, on day 1, 15 of the month",
    "0 0 31 12 *": "at 00:00, on day 31 of December",
    "0 12 * 6,7 *": "at 12:00 in June, July",
    "0 12 * 1 1-5": "at 12:00, Monday to Friday in January",
    "*/5 * * * 6": "every 5 minutes, on Saturday",
}
NO_WORDS = [
    "",
    "nonsense",
    "0 3 * *",
    "0 3 * * * *",
    "0 9 1 * 1",
    "0-30 9 * * *",
    "*/5 9 * * *",
    "0 */2 * * *",
    "0 9 */2 * *",
    "0 9 * 13 *",
    "0 9 * 0 *",
    "0 9 * * 8",
    "0 9 * * MON",
    "@daily",
]


@pytest.mark.parametrize(("line", "words"), WORDS.items())
def test_a_line_is_said_in_words(modules: Modules, line: str, words: str) -> None:
    assert modules.call("lib/cron.js", "inWords", line) == words


@pytest.mark.parametrize("line", NO_WORDS)
def test_what_words_would_get_wrong_is_left_unsaid(modules: Modules, line: str) -> None:
    assert modules.call("lib/cron.js", "inWords", line) == ""
