"""Pure: when an EventBridge rule fires next, for rate(...) and cron(...) expressions (UTC)."""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
# EventBridge counts the days of a week from Sunday = 1.
DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
LAST_YEAR = 2199


@dataclass(frozen=True, slots=True)
class Rate:
    seconds: float

    def after(self, moment: datetime) -> datetime | None:
        return moment + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    on_day: Callable[[date], bool]

    def after(self, moment: datetime) -> datetime | None:
        """The first time strictly later than `moment`; None when there is none."""
        day = moment.date()
        while day.year <= max(self.years):
            if day.year in self.years and day.month in self.months and self.on_day(day):
                times = (time(h, m, tzinfo=moment.tzinfo) for h in sorted(self.hours) for m in sorted(self.minutes))
                if found := next((t for t in times if datetime.combine(day, t) > moment), None):
                    return datetime.combine(day, found)
            day += timedelta(days=1)
        return None


def parse(expression: str) -> Rate | Cron:
    """ValueError names what EventBridge would refuse."""
    if found := re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression):
        count, unit, plural = int(found[1]), found[2], bool(found[3])
        if count < 1 or plural != (count > 1):
            raise ValueError(f"{expression}: rate takes a whole number above 0, and a plural unit above 1")
        return Rate(count * UNITS[unit])
    if found := re.fullmatch(r"cron\((.+)\)", expression):
        return _cron(expression, found[1].upper().split())
    raise ValueError(f"{expression}: neither rate(...) nor cron(...)")


def _cron(expression: str, fields: list[str]) -> Cron:
    if len(fields) != 6:
        raise ValueError(f"{expression}: cron takes six fields")
    minutes, hours, month_day, months, week_day, years = fields
    if (month_day == "?") == (week_day == "?"):
        raise ValueError(f"{expression}: one of day-of-month and day-of-week must be ?")
    return Cron(
        minutes=_numbers(minutes, 0, 59, {}),
        hours=_numbers(hours, 0, 23, {}),
        months=_numbers(months, 1, 12, MONTHS),
        years=_numbers(years, 1970, LAST_YEAR, {}),
        on_day=_month_day(month_day) if week_day == "?" else _week_day(week_day),
    )


def _numbers(field: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    return frozenset(number for part in field.split(",") for number in _range(part, low, high, names))


def _range(part: str, low: int, high: int, names: dict[str, int]) -> range:
    span, _, step = part.partition("/")
    first, _, last = ("", "", "") if span == "*" else span.partition("-")
    start = low if span == "*" else _number(first, names)
    end = _number(last, names) if last else (high if span == "*" or step else start)
    every = int(step) if step else 1
    if not low <= start <= end <= high or every < 1:
        raise ValueError(f"cron field {part!r} is not within {low}-{high}")
    return range(start, end + 1, every)


def _number(text: str, names: dict[str, int]) -> int:
    return names[text] if text in names else int(text)


def _month_day(field: str) -> Callable[[date], bool]:
    if field == "L":
        return lambda day: day.day == _length(day)
    if found := re.fullmatch(r"(\d+)W", field):
        wanted = int(found[1])
        return lambda day: day == _nearest_weekday(day, wanted)
    days = _numbers(field, 1, 31, {})
    return lambda day: day.day in days


def _week_day(field: str) -> Callable[[date], bool]:
    if found := re.fullmatch(r"(\w+)#([1-5])", field):
        wanted, which = _number(found[1], DAYS), int(found[2])
        return lambda day: _aws_weekday(day) == wanted and (day.day + 6) // 7 == which
    if found := re.fullmatch(r"(\w+)L", field):
        wanted = _number(found[1], DAYS)
        return lambda day: _aws_weekday(day) == wanted and day.day > _length(day) - 7
    days = _numbers("7" if field == "L" else field, 1, 7, DAYS)
    return lambda day: _aws_weekday(day) in days


def _nearest_weekday(day: date, wanted: int) -> date:
    """The weekday nearest to a day of the month, never leaving the month."""
    last = _length(day)
    near = day.replace(day=min(wanted, last))
    if near.weekday() == 5:
        return near + timedelta(days=2 if near.day == 1 else -1)
    if near.weekday() == 6:
        return near + timedelta(days=-2 if near.day == last else 1)
    return near


def _aws_weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]
