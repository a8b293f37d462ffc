"""The tests' own quick hand: a year that was put in is a year that is read."""

from browsing.things import fill_past


def test_a_year_that_was_put_in_can_be_read(stack, planted):
    fill_past(stack, planted, planted.plant, 365, step="2 hours")
    history = stack.api.ok("GET", f"/plants/{planted.plant['id']}/history", params={"hours": 365 * 24, "metrics": "soil_moisture"})
    values = [value for value in history["series"]["soil_moisture"]["avg"] if value is not None]
    assert 300 < len(values) <= 1000 and 20 < min(values) < max(values) < 70
