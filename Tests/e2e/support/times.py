"""Times as devices and the API write them. An instant here is an integer: microseconds since 1970."""

import time
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def now_us():
    return time.time_ns() // 1000


def rfc3339(us):
    return (EPOCH + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text):
    """Microseconds of an RFC 3339 time, or of what PostgreSQL's JSON gives."""
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // timedelta(microseconds=1)
