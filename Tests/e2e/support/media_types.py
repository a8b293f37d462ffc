"""What Schemathesis has to be told to send the bodies of our own requests (SCHEMATHESIS_HOOKS)."""

import schemathesis
from hypothesis import strategies

COLUMNS = ["scientific_name", "common_name", "light", "water", "usda_zone_min", "soil_moisture_min", "soil_moisture_max"]
FIELDS = strategies.sampled_from(["", "Aloe vera", "shade", "low", "9", "30", "-1", "x", '"', "=1"])


def table(header):
    """Good and bad ones, with these columns."""
    rows = strategies.lists(strategies.lists(FIELDS, min_size=len(header), max_size=len(header)), max_size=3)
    return rows.map(lambda rows: "\r\n".join(",".join(row) for row in [header, *rows]))


tables = strategies.lists(strategies.sampled_from(COLUMNS), min_size=1, max_size=4).flatmap(table)
schemathesis.openapi.media_type("text/csv", (tables | strategies.text()).map(lambda text: text.encode()))
