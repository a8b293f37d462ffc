"""A plant's readings as a file: every value as it was stored, at any length, for slow readers, and never half a file that
looks whole."""

import csv
import io
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote, urlsplit

import pytest
import requests

from support.api import assert_problem
from support.device import Device
from support.times import now_us, parse, rfc3339
from support.waiting import wait_until

KNOWN = ["soil_moisture", "temperature", "humidity", "light_level", "soil_temperature", "soil_ec", "co2", "pressure",
         "battery", "battery_voltage", "rssi"]
HEADER = ["time", "device_id", *KNOWN, "extra", "time_source"]
SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
NOBODY = "01890000-0000-7000-8000-000000000000"


def export(api, plant, **query):
    """The records, as dictionaries, of an export that must have succeeded."""
    answer = api.get(f"/plants/{plant}/export.csv", params=query, timeout=120)
    assert answer.status_code == 200, answer.text
    return records(answer)


def records(answer):
    text = answer.content.decode()
    assert text.endswith("\r\n") and text.count("\n") == text.count("\r\n"), "every line ends as RFC 4180 has it"
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def fill(stack, plant, device, rows, until="now()", step="1 minute"):
    """That many readings, the last at `until`, straight into the table."""
    stack.sql(f"SELECT telemetry_ensure_partitions({until} - {rows} * interval '{step}', {until})")
    stack.sql(f"""INSERT INTO telemetry (time, device_id, plant_id, soil_moisture, temperature, humidity, light_level,
            pressure, battery, rssi, time_source, received_at)
        SELECT {until} - n * interval '{step}', '{device}', '{plant}', 60 - 48 * (n % 7200) / 7200.0,
            22 + 8 * sin(n / 1440.0), 50 + n % 10, n * 37 % 20000, 1000 + n % 13, 88, -60 - n % 10, 'device', now()
        FROM generate_series(0, {rows - 1}) n""", timeout=180)


@pytest.fixture
def pot(stack):
    """A plant with one device; its readings go away with the test."""
    plant = stack.api.plant()
    device = Device(stack, plant["id"])
    device.plant = plant["id"]
    yield device
    stack.sql(f"DELETE FROM telemetry WHERE device_id = '{device.id}'", timeout=120)


@pytest.fixture
def breakable_pot(breakable):
    plant = breakable.api.plant()
    device = Device(breakable, plant["id"])
    device.plant = plant["id"]
    fill(breakable, device.plant, device.id, 300_000)
    yield device
    wait_until(lambda: breakable.value("SELECT 1") == 1, 30, "the database is back")
    breakable.sql(f"DELETE FROM telemetry WHERE device_id = '{device.id}'", timeout=120)


class SlowReader:
    """A GET whose answer is read when the test says so."""

    def __init__(self, api, path, *headers):
        to = urlsplit(api.base)
        self.socket = socket.socket()
        # As little as possible on the way: what is not read stays with the sender.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self.socket.settimeout(60)
        self.socket.connect((to.hostname, to.port))
        lines = [f"GET /api{path} HTTP/1.1", f"Host: {to.netloc}", f"Authorization: Bearer {api.token}", *headers]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.bytes = b""

    def read(self, count):
        """Up to so many more bytes; fewer when that is all there is."""
        part = b""
        try:
            while len(part) < count and (data := self.socket.recv(min(65536, count - len(part)))):
                part += data
        except ConnectionResetError:
            pass
        self.bytes += part
        return part

    def rest(self):
        while self.read(1 << 20):
            pass
        return self.bytes

    def begun(self):
        """Reads the head and a bit more."""
        self.read(20_000)
        assert self.bytes.startswith(b"HTTP/1.1 200"), self.bytes[:300]
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def under_way(stack):
    """Connections that run a COPY now."""
    return stack.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                       "AND query LIKE 'COPY (SELECT%' AND state <> 'idle'")


# What is in it.


def test_a_reading_comes_back_as_it_was_sent(stack, planted):
    at = now_us() - HOUR + 123
    values = {"soil_moisture": 45.2, "temperature": -12.345678901234567, "humidity": 100, "light_level": 0.1,
              "soil_temperature": 0, "soil_ec": 1234.5, "co2": 421, "pressure": 1013.25, "battery": 99.9,
              "battery_voltage": 3.3000000000000003, "rssi": -67}
    planted.publish({"timestamp": rfc3339(at), **values, "leaf_wetness": 3.5, "lamps": 7})
    planted.publish({"soil_moisture": 1})
    planted.stored(2)
    answer = stack.api.get(f"/plants/{planted.plant}/export.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Correlation-ID"]
    first, second = records(answer)
    assert list(first) == HEADER
    assert {name: float(first[name]) for name in KNOWN} == values, "every digit"
    assert json.loads(first["extra"]) == {"leaf_wetness": 3.5, "lamps": 7}
    assert (first["device_id"], first["time_source"]) == (planted.id, "device")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", first["time"]) and parse(first["time"]) == at
    assert second["time_source"] == "server"
    assert {name for name in KNOWN if second[name]} == {"soil_moisture"} and second["extra"] == ""


def test_it_is_what_psql_copies(stack, pot):
    fill(stack, pot.plant, pot.id, 50_001)
    columns = ["device_id", *KNOWN, "extra", "time_source"]
    expected = stack.psql(
        f"""COPY (SELECT to_char(time, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), {', '.join(columns)} FROM telemetry
            WHERE plant_id = '{pot.plant}' ORDER BY time, device_id) TO STDOUT (FORMAT csv)""").splitlines()
    lines = stack.api.get(f"/plants/{pot.plant}/export.csv").text.split("\r\n")
    assert lines.pop(0).split(",") == HEADER and lines.pop() == ""

    def digits(line):  # The database leaves zeros at the end of the fraction away.
        moment, rest = line.split(",", 1)
        return rfc3339(parse(moment)), rest

    assert len(lines) == len(expected) == 50_001
    assert [digits(line) for line in lines] == [digits(line) for line in expected]


def test_two_devices_at_the_same_instants_over_the_ends_of_pages(stack, pot):
    second = Device(stack, pot.plant)
    until = f"'{rfc3339(now_us() - 86_400_000_000)}'::timestamptz"
    fill(stack, pot.plant, pot.id, 25_000, until=until)
    fill(stack, pot.plant, second.id, 25_000, until=until)
    found = [(record["time"], record["device_id"]) for record in export(stack.api, pot.plant, metrics="rssi")]
    assert len(found) == 50_000 == len(set(found)) and found == sorted(found)
    stack.sql(f"DELETE FROM telemetry WHERE device_id = '{second.id}'")


def test_a_span_and_columns_can_be_asked_for(stack, pot):
    fill(stack, pot.plant, pot.id, 48, step="1 hour", until="date_trunc('hour', now())")
    last = now_us() // HOUR * HOUR
    assert len(export(stack.api, pot.plant)) == 48
    assert len(export(stack.api, pot.plant, hours=1.5)) in (1, 2)
    some = export(stack.api, pot.plant, **{"from": rfc3339(last - 5 * HOUR), "to": rfc3339(last - 2 * HOUR)})
    assert [parse(record["time"]) for record in some] == [last - n * HOUR for n in (5, 4, 3)], "from is in it, to is not"
    assert len(export(stack.api, pot.plant, hours=4, to=rfc3339(last))) == 4
    assert export(stack.api, pot.plant, to=rfc3339(last - 400 * DAY)) == []
    columns = export(stack.api, pot.plant, metrics="rssi,leaf_wetness,temperature", hours=3)
    assert list(columns[0]) == ["time", "device_id", "rssi", "leaf_wetness", "temperature"]
    assert all(record["leaf_wetness"] == "" and float(record["rssi"]) <= -60 for record in columns)


def test_an_extra_metric_is_a_column_where_it_is_asked_for(stack, planted):
    planted.publish({"timestamp": rfc3339(now_us() - SECOND), "lamps": 7, "temperature": 20})
    planted.publish({"timestamp": rfc3339(now_us()), "lamps": 0.30000000000000004})
    planted.stored(2)
    found = export(stack.api, planted.plant, metrics="lamps,temperature")
    assert [(float(record["lamps"]), record["temperature"]) for record in found] == [(7, "20"), (0.30000000000000004, "")]


def test_buckets_have_mean_least_most_and_number(stack, pot):
    fill(stack, pot.plant, pot.id, 3000)
    raw = export(stack.api, pot.plant, metrics="temperature")

    def summarized():
        days = export(stack.api, pot.plant, resolution="1d", metrics="temperature")
        return sum(int(day["readings"]) for day in days) == 3000 and 2 <= len(days) <= 4

    # What comes late is in the buckets within a minute.
    wait_until(summarized, 180, "all readings are in the days", every=1)
    for resolution, width in (("5m", HOUR // 12), ("1h", HOUR)):
        buckets = export(stack.api, pot.plant, resolution=resolution)
        assert list(buckets[0])[:7] == ["time", "device_id", "readings", "soil_moisture_avg", "soil_moisture_min",
                                        "soil_moisture_max", "soil_moisture_count"] and list(buckets[0])[-1] == "extra"
        expected = {}
        for record in raw:
            expected.setdefault(parse(record["time"]) // width * width, []).append(float(record["temperature"]))
        assert [parse(bucket["time"]) for bucket in buckets] == list(expected)
        for bucket, values in zip(buckets, expected.values()):
            assert int(bucket["readings"]) == int(bucket["temperature_count"]) == len(values)
            assert (float(bucket["temperature_min"]), float(bucket["temperature_max"])) == (min(values), max(values))
            assert float(bucket["temperature_avg"]) == pytest.approx(sum(values) / len(values))
            assert bucket["co2_avg"] == "" and bucket["co2_count"] == "0"
    name = stack.api.get(f"/plants/{pot.plant}/export.csv", params={"resolution": "1h"}).headers["Content-Disposition"]
    assert "Monstera 1h.csv" in name


def test_a_plant_without_readings_has_a_header(stack, plant):
    answer = stack.api.get(f"/plants/{plant['id']}/export.csv")
    assert answer.content == (",".join(HEADER) + "\r\n").encode()
    assert records(answer) == []


@pytest.mark.parametrize("name", ["Grüne Lilie", 'a"b\\c;d', "植物 🌱", "../../etc/passwd", "%41'",
                                  "x" * 100, "Monstera"])
def test_the_file_is_called_what_the_plant_is_called(stack, name):
    plant = stack.api.plant(name)
    for api in (stack.api, stack.web):
        got = api.get(f"/plants/{plant['id']}/export.csv")
        assert got.status_code == 200 and "X-Evil" not in got.headers
        found = re.fullmatch(r"attachment; filename=\"([A-Za-z0-9 ._()-]+)\.csv\"; filename\*=UTF-8''([A-Za-z0-9._~%-]+)\.csv",
                             got.headers["Content-Disposition"])
        assert found, got.headers["Content-Disposition"]
        told = unquote(found.group(2))
        assert not set(told) & set('/\\:*?"<>|\r\n') and not told.startswith(".")
        if name in ("Grüne Lilie", "Monstera", "植物 🌱"):
            assert told == name


@pytest.mark.parametrize("query, pointers", [
    ("hours=0", ["?hours"]), ("hours=x", ["?hours"]), ("from=yesterday", ["?from"]), ("to=1", ["?to"]),
    ("hours=5&from=2026-01-01T00:00:00Z", ["?hours"]), ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", ["?from"]),
    ("metrics=", ["?metrics"]), ("metrics=A", ["?metrics"]), ("metrics=a'b", ["?metrics"]), ("metrics=moisture", ["?metrics"]),
    ("metrics=vpd_kpa", ["?metrics"]), ("metrics=temperature,dew_point_celsius", ["?metrics"]),
    ("metrics=" + ",".join(f"m{n}" for n in range(33)), ["?metrics"]),
    ("resolution=auto", ["?resolution"]), ("resolution=2h", ["?resolution"]),
    ("from=x&to=y&resolution=z&metrics=B", ["?from", "?metrics", "?resolution", "?to"])])
def test_a_question_that_makes_no_sense_is_refused(stack, plant, query, pointers):
    problem = assert_problem(stack.api.get(f"/plants/{plant['id']}/export.csv?{query}"), 422)
    assert sorted(error["pointer"] for error in problem["errors"]) == pointers


def test_who_may_ask_and_for_what(stack, plant):
    path = f"/plants/{plant['id']}/export.csv"
    assert stack.api.as_(stack.make_token("viewer")).get(path).status_code == 200
    assert_problem(stack.stranger.get(path), 401)
    for nobody in (NOBODY, "nonsense"):
        assert_problem(stack.api.get(f"/plants/{nobody}/export.csv"), 404)
    assert_problem(stack.api.post(path), 405)
    for api in (stack.api, stack.web):
        head = api.request("HEAD", path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Type"].startswith("text/csv") and "Monstera.csv" in head.headers["Content-Disposition"]


# How it comes.


def test_through_nginx_with_and_without_gzip_it_is_the_same_file(stack, pot):
    fill(stack, pot.plant, pot.id, 60_000)
    path = f"/plants/{pot.plant}/export.csv"
    plain = stack.api.get(path).content
    for encoding in ("identity", "gzip"):
        answer = stack.web.get(path, headers={"Accept-Encoding": encoding}, timeout=60)
        assert answer.content == plain
        assert answer.headers.get("Content-Encoding") == (None if encoding == "identity" else "gzip")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert len(plain.splitlines()) == 60_001


def test_a_slow_reader_costs_neither_memory_nor_a_connection(stack, pot):
    rows = 400_000
    fill(stack, pot.plant, pot.id, rows)
    path = f"/plants/{pot.plant}/export.csv"
    # What one page costs, and the program's own growth, comes first.
    stack.api.get(path, params={"hours": 500})
    before = stack.memory()
    with SlowReader(stack.api, path, "Connection: close").begun() as slow:
        assert stack.api.get(path, params={"metrics": "rssi"}, timeout=120).text.count("\n") == rows + 1
        # It waits, and nothing waits for it in the database.
        wait_until(lambda: under_way(stack) == 0, 10, "no COPY is under way")
        assert stack.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                           "AND state LIKE 'idle in transaction%'") == 0
        whole = slow.rest()
        peak = stack.memory(key="VmHWM")
    assert whole.endswith(b"\r\n0\r\n\r\n")
    assert len(whole) > 40 << 20, "more than what may be held"
    assert stack.memory() - before < 30 << 20
    print(f"{before >> 20} MiB before, at most {peak >> 20} MiB")


def test_no_more_than_four_at_the_same_time_and_then_again(stack, pot):
    fill(stack, pot.plant, pot.id, 120_000)
    path = f"/plants/{pot.plant}/export.csv"
    readers = [SlowReader(stack.api, path, "Connection: close").begun() for _ in range(4)]
    try:
        answer = stack.api.get(path)
        assert_problem(answer, 429)
        assert int(answer.headers["Retry-After"]) > 0
        assert stack.api.request("HEAD", path).status_code == 200
        assert stack.api.get(f"/plants/{pot.plant}").status_code == 200, "everything else goes on"
        # One goes away without a word, the others end.
        readers.pop().socket.close()
        wait_until(lambda: stack.api.get(path, params={"hours": 1}).status_code == 200, 20, "one is free")
        for reader in readers:
            assert reader.rest().endswith(b"\r\n0\r\n\r\n")
        with ThreadPoolExecutor(4) as pool:
            lengths = list(pool.map(lambda _: len(export(stack.api, pot.plant, metrics="rssi")), range(4)))
        assert lengths == [120_000] * 4
    finally:
        for reader in readers:
            reader.socket.close()


def test_who_goes_away_leaves_nothing_behind(stack, pot):
    fill(stack, pot.plant, pot.id, 120_000)
    path = f"/plants/{pot.plant}/export.csv"
    for api in (stack.api, stack.web):
        for _ in range(6):
            with SlowReader(api, path).begun():
                pass

            def free():
                answer = stack.api.get(path, params={"hours": 1})
                return answer.status_code == 200

            wait_until(free, 20, "its place is free")
    wait_until(lambda: under_way(stack) == 0, 10, "no COPY is under way")
    connections = stack.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'plantops'")
    assert connections <= 16
    assert "a request failed" not in stack.log("backend")


@pytest.mark.parametrize("through", ["backend", "nginx", "nginx with gzip"])
def test_a_database_that_dies_in_the_middle_makes_no_file_that_looks_whole(breakable, breakable_pot, through):
    stack = breakable
    api = stack.api if through == "backend" else stack.web
    headers = ["Accept-Encoding: gzip"] if "gzip" in through else []
    with SlowReader(api, f"/plants/{breakable_pot.plant}/export.csv", *headers).begun() as reader:
        stack.kill("postgres")
        whole = reader.rest()
    assert b"Transfer-Encoding: chunked" in whole or b"transfer-encoding: chunked" in whole
    assert not whole.endswith(b"0\r\n\r\n"), "the chunk that says 'end' must not come"
    answer = api.get(f"/plants/{breakable_pot.plant}/export.csv")
    assert_problem(answer, 503)
    assert answer.headers["Retry-After"]
    stack.start("postgres")
    stack.ready()
    assert len(export(api, breakable_pot.plant, metrics="rssi")) == 300_000
    # A library notices.
    with pytest.raises(requests.exceptions.RequestException):
        with api.get(f"/plants/{breakable_pot.plant}/export.csv", stream=True,
                     headers={"Accept-Encoding": "identity"}) as answer:
            for number, _ in enumerate(answer.iter_content(4096)):
                if number == 2:
                    stack.kill("postgres")
    stack.start("postgres")
    stack.ready()


def test_readings_that_come_meanwhile_disturb_nothing(stack, pot):
    fill(stack, pot.plant, pot.id, 100_000)
    before = {record["time"] for record in export(stack.api, pot.plant, metrics="rssi")}
    with SlowReader(stack.api, f"/plants/{pot.plant}/export.csv?metrics=rssi", "Connection: close").begun() as reader:
        # Between all the others, before and after where the export is.
        stack.sql(f"INSERT INTO telemetry (time, device_id, plant_id, rssi, time_source, received_at) "
                   f"SELECT time + interval '30 seconds', device_id, plant_id, -1, 'device', now() FROM telemetry "
                   f"WHERE plant_id = '{pot.plant}'")
        whole = reader.rest()
    times = re.findall(rb"(\d{4}-\d\d-\d\dT[0-9:.]+Z),", dechunked(whole.partition(b"\r\n\r\n")[2]))
    times = [moment.decode() for moment in times]
    assert times == sorted(times, key=parse) and len(times) == len(set(times))
    assert before <= set(times)


def dechunked(body):
    parts = []
    while True:
        size, _, body = body.partition(b"\r\n")
        count = int(size, 16)
        if count == 0:
            return b"".join(parts)
        parts.append(body[:count])
        body = body[count + 2:]
