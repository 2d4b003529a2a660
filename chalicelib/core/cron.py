"""Cron lines of five fields in IANA time zones: which are valid, and the instants at which they fire.

cronsim reads a line and walks the wall clock, without a time zone. Which instants a wall time stands for is
decided here, as Debian's cron does: cronsim's own zones lose firings where the clock shifts by half an hour.

    the clock is set   "30 2 * * *"                    "*/15 * * * *", a star in the minute or hour
    forward            once, when the gap ends         missing times do not fire
    back               only the first of two times     both times fire
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_FIELDS = (
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of month", "1-31, L or LW"),
    ("month", "1-12 or JAN-DEC"),
    ("day of week", "0-7 or SUN-SAT"),
)
# Where a range that falls starts anew: after Sunday, which is 7 then, comes Monday.
_LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7))
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_NAMES = {name: i for i, name in enumerate(_MONTHS, start=1)} | {name: i for i, name in enumerate(_DAYS)}
_RANGE = re.compile(r"([0-9]+|[A-Za-z]{3})-([0-9]+|[A-Za-z]{3})")
_LONGEST_LINE = 400
# IANA names are capitalised; "localtime", "posixrules" and "right/..." are files of one machine, not zones.
_ZONE_NAME = re.compile(r"[A-Z][A-Za-z0-9_+-]{0,31}(/[A-Z][A-Za-z0-9_+-]{0,31}){0,2}")

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_NEVER = timedelta(days=50 * 366)
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def check(cron: str, timezone: str) -> None:
    """Raise ValueError, naming the field at fault, unless the line is valid in this zone and fires at some time."""
    for field, (name, _), (_, high) in zip(_split(cron), _FIELDS, _LIMITS, strict=True):
        if any(_step_of(part) > high for part in field.split(",")):
            raise ValueError(f'{name} "{field}" is not valid: write a step from 1 to {high}, such as */2')
    next_after(cron, timezone, _SOME_DAY)


def check_timezone(timezone: str) -> None:
    """Raise ValueError unless `timezone` is an IANA name."""
    _zone(timezone)


def next_after(cron: str, timezone: str, after: datetime) -> datetime:
    """The first firing strictly after `after`, in UTC."""
    zone = _zone(timezone)
    # Where the clock goes back within a day, wall times that have passed come again.
    start = min(_wall(after, zone), _wall(after + _DAY, zone) - _DAY)
    passes = [_instants(cron, zone, start, fold) for fold in _folds(cron)]
    firsts = [t for instants in passes if (t := next((t for t in instants if t > after), None))]
    if not firsts:
        raise ValueError(_never_fires(cron))
    return min(firsts)


def following(cron: str, timezone: str, first: datetime, count: int) -> list[datetime]:
    """`first`, which is a firing, and those after it: `count` in all."""
    firings = [first]
    while len(firings) < count:
        firings.append(next_after(cron, timezone, firings[-1]))
    return firings


def latest_due(cron: str, timezone: str, last: datetime, now: datetime) -> datetime | None:
    """The newest firing in (last, now], in UTC: however many were missed, one is caught up."""
    zone = _zone(timezone)
    # Where the clock went back within a day, later wall times have already been.
    start = max(_wall(now, zone), _wall(now - _DAY, zone) + _DAY).replace(second=0, microsecond=0) + _MINUTE
    passes = [_instants(cron, zone, start, fold, backwards=True) for fold in _folds(cron)]
    newest = [t for instants in passes if (t := next((t for t in instants if t <= now), None))]
    return max((t for t in newest if t > last), default=None)


def _instants(cron: str, zone: ZoneInfo, start: datetime, fold: int, *, backwards: bool = False) -> Iterator[datetime]:
    keeps_missing = _is_fixed(cron)
    for wall in _walls(cron, start, backwards=backwards):
        instant = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if _wall(instant, zone) == wall:
            yield instant
        elif keeps_missing:
            yield _end_of_gap(wall, zone)


def _walls(cron: str, start: datetime, *, backwards: bool) -> Iterator[datetime]:
    """Wall times that match, from `start` (not included) for fifty years."""
    fields = _split(cron)
    try:
        walls = CronSim(" ".join(fields), start, reverse=backwards)
    except CronSimError:
        raise ValueError(_fault(fields) or _never_fires(cron)) from None
    return takewhile(lambda wall: abs(wall - start) < _NEVER, walls)


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    while _wall(instant, zone) != wall:
        wall += _MINUTE
        instant = wall.replace(tzinfo=zone).astimezone(UTC)
    return instant


def _wall(t: datetime, zone: ZoneInfo) -> datetime:
    return t.astimezone(zone).replace(tzinfo=None, fold=0)


def _is_fixed(cron: str) -> bool:
    minute, hour, *_ = _split(cron)
    return not minute.startswith("*") and not hour.startswith("*")


def _folds(cron: str) -> tuple[int, ...]:
    return (0,) if _is_fixed(cron) else (0, 1)


def _split(cron: str) -> list[str]:
    if len(cron) > _LONGEST_LINE or not cron.isascii():
        raise ValueError(f"write five fields in ASCII of at most {_LONGEST_LINE} characters together")
    fields = cron.split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(name for name, _ in _FIELDS)
        example = '"0 3 * * *" for 03:00 daily'
        raise ValueError(f"write five fields ({names}), such as {example}: this has {len(fields)}")
    return fields


def _fault(fields: list[str]) -> str | None:
    for i, (name, values) in enumerate(_FIELDS):
        alone = ["*"] * i + [fields[i]] + ["*"] * (len(_FIELDS) - i - 1)
        if not _is_valid(alone):
            rising = _rising(fields[i], *_LIMITS[i])
            return f'{name} "{fields[i]}" is not valid: write ' + (
                rising or f"{values}, or *, a list such as 1,2, a rising range such as 1-5, or a step such as */2"
            )
    return None


def _step_of(part: str) -> int:
    """0 where there is none."""
    step = part.partition("/")[2]
    return int(step) if step.isdigit() else 0


def _rising(field: str, low: int, high: int) -> str | None:
    """A range that falls, such as 22-3 or SAT-SUN, as one that does not; None where the field is none."""
    ends = _RANGE.fullmatch(field)
    numbers = [int(end) if end.isdigit() else _NAMES.get(end.upper(), -1) for end in ends.groups()] if ends else []
    if not numbers or not 0 <= min(numbers) <= max(numbers) <= high or numbers[0] <= numbers[1]:
        return None
    rest = numbers[1] - low
    return f"{numbers[0]}-{high}" + ("" if rest < 0 else f",{low}" if rest == 0 else f",{low}-{numbers[1]}")


def _is_valid(fields: list[str]) -> bool:
    try:
        CronSim(" ".join(fields), _SOME_DAY)
    except CronSimError:
        return False
    return True


def _never_fires(cron: str) -> str:
    return f'"{cron}" never fires: write a day and time that exist in the months it names'


def _zone(timezone: str) -> ZoneInfo:
    try:
        if _ZONE_NAME.fullmatch(timezone):
            return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        pass
    raise ValueError('is not a known time zone: write an IANA name such as "Europe/Berlin" or "UTC"')
