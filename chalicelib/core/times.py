"""When a job is due: `run_in` and `run_at` as clients write them, and times as API and table hold them.

Durations are seconds, times are aware UTC datetimes; bad input raises ValueError with words for the client.
"""

import math
import re
from datetime import UTC, datetime, timedelta

MAX_AHEAD = timedelta(days=366)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
MAX_AHEAD_MS = MAX_AHEAD // _MILLISECOND
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd])")
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_RFC3339 = re.compile(
    rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[Tt ]{_CLOCK}(?:\.(?P<fraction>\d+))?"
    r"(?P<offset>[Zz]|(?P<sign>[+-])(?P<off_hour>\d\d):(?P<off_minute>\d\d))?",
    re.ASCII,
)
_DAY_FIRST = re.compile(rf"(?P<day>\d\d)-(?P<month>\d\d)-(?P<year>\d{{4}}) {_CLOCK}", re.ASCII)


def parse_run_in(value: str | int | float) -> float:
    """Seconds from "30s", "2m", "1.5h", "4d" or a number of seconds; 0 to 366 days."""
    seconds = _seconds_of_text(value) if isinstance(value, str) else value
    if isinstance(seconds, bool) or (isinstance(seconds, float) and math.isnan(seconds)):
        raise ValueError('write seconds as a number, or a duration such as "30s", "2m", "1h" or "4d"')
    if seconds < 0:
        raise ValueError("must not be negative: write 0 to run at once")
    if seconds > MAX_AHEAD.total_seconds():
        raise ValueError('is too far ahead: write at most "366d" (31622400 seconds)')
    return float(seconds)


def parse_run_at(text: str, now: datetime) -> datetime:
    """Aware UTC from RFC 3339 with an offset, or `dd-mm-YYYY HH:MM:SS` in UTC; `now` to 366 days later."""
    at = _read_time(text)
    if at < now:
        raise ValueError(f"is in the past: write a time from now on, it is {to_rfc3339(now)}")
    if at > now + MAX_AHEAD:
        latest = to_rfc3339(now + MAX_AHEAD)
        raise ValueError(f"is too far ahead: write a time within 366 days, until {latest}")
    return at


def parse_moment(text: str, now: datetime) -> datetime:
    """A time to look back to: how long ago, such as "1h", or a time as in `parse_run_at`, past or not."""
    if _DURATION.fullmatch(text):
        try:
            return now - timedelta(seconds=_seconds_of_text(text))
        except OverflowError:
            raise ValueError('is too long ago: write at most "36500d"') from None
    try:
        return _read_time(text)
    except ValueError as error:
        ago = ', or how long ago, such as "30m", "1h" or "7d"' if "is not a time" in str(error) else ""
        raise ValueError(f"{error}{ago}") from None


def to_rfc3339(t: datetime) -> str:
    """UTC with milliseconds, rounded down, and Z."""
    return from_millis(to_millis(t)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_millis(ms: int) -> datetime:
    """Aware UTC from milliseconds since 1970."""
    return _EPOCH + ms * _MILLISECOND


def to_millis(t: datetime) -> int:
    """Milliseconds since 1970, rounded down; `t` must be aware."""
    return (t - _EPOCH) // _MILLISECOND


def _seconds_of_text(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError('is not a duration: write a number and s, m, h or d, such as "30s", "2m", "1.5h" or "4d"')
    return float(match[1]) * _UNITS[match[2]]


def _read_time(text: str) -> datetime:
    match = _RFC3339.fullmatch(text)
    if match is None:
        match = _DAY_FIRST.fullmatch(text)
    elif match["offset"] is None:
        raise ValueError(f'has no offset: end it with Z for UTC, "{text}Z", or with an offset, "{text}+02:00"')
    if match is None:
        raise ValueError(
            'is not a time: write RFC 3339 such as "2027-03-28T14:30:00Z" or "2027-03-28T14:30:00+02:00",'
            ' or "28-03-2027 14:30:00" in UTC'
        )
    return _build(match.groupdict())


def _build(part: dict[str, str | None]) -> datetime:
    year, month, day = (int(part[name] or 0) for name in ("year", "month", "day"))
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    try:
        wall = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return wall + _fraction(part.get("fraction")) - _offset(part)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is not a real date and time: {error}") from None


def _fraction(digits: str | None) -> timedelta:
    return timedelta(microseconds=int((digits or "")[:6].ljust(6, "0")))


def _offset(part: dict[str, str | None]) -> timedelta:
    hours, minutes = int(part.get("off_hour") or 0), int(part.get("off_minute") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError("offset must be in -23:59..+23:59")
    size = timedelta(hours=hours, minutes=minutes)
    return -size if part.get("sign") == "-" else size
