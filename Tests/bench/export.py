#!/usr/bin/env python3
"""How fast a plant's history is exported, beside psql's own COPY of the same query.

    Tests/bench/export.py [ROWS]        on a stack of its own, with PLANTOPS_BIN or the newest build
"""

import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "e2e"))

COLUMNS = ("time, device_id, soil_moisture, temperature, humidity, light_level, soil_temperature, soil_ec, co2, pressure, "
           "battery, battery_voltage, rssi, extra, time_source")


def psql(url, sql, timeout=600):
    done = subprocess.run(["psql", url, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql], capture_output=True, text=True,
                          timeout=timeout)
    if done.returncode != 0:
        raise RuntimeError(f"psql: {done.stderr.strip()}")
    return done.stdout.strip()


def fill(url, plant, device, rows):
    """Readings of one device, one a minute, up to now."""
    psql(url, f"SELECT telemetry_ensure_partitions(now() - {rows} * interval '1 minute', now())")
    psql(url, f"""INSERT INTO telemetry (time, device_id, plant_id, soil_moisture, temperature, humidity, light_level,
            battery, rssi, time_source, received_at)
        SELECT now() - n * interval '1 minute', '{device}', '{plant}', 60 - 48 * (n % 7200) / 7200.0,
            22 + 8 * sin(n / 1440.0), 50 + n % 10, n * 37 % 20000, 88, -60 - n % 10, 'device', now()
        FROM generate_series(0, {rows - 1}) n""")
    psql(url, "VACUUM ANALYZE telemetry")


def copy_seconds(url, plant):
    """psql's COPY of everything the export has, to nowhere."""
    begun = time.monotonic()
    psql(url, f"\\copy (SELECT {COLUMNS} FROM telemetry WHERE plant_id = '{plant}' ORDER BY time, device_id) "
              "TO '/dev/null' WITH (FORMAT csv)")
    return time.monotonic() - begun


def export_seconds(api_url, token, plant):
    """A client that reads as fast as it can and keeps nothing. Returns the seconds and the bytes."""
    to = urlsplit(api_url)
    head = (f"GET /api/plants/{plant}/export.csv HTTP/1.1\r\nHost: {to.netloc}\r\n"
            f"Authorization: Bearer {token}\r\nConnection: close\r\n\r\n")
    buffer, count, begin, end = bytearray(1 << 20), 0, b"", b""
    begun = time.monotonic()
    with socket.create_connection((to.hostname, to.port), timeout=60) as connection:
        connection.sendall(head.encode())
        while got := connection.recv_into(buffer):
            begin = begin or bytes(buffer[:min(got, 12)])
            end = (end + bytes(buffer[max(0, got - 5):got]))[-5:]
            count += got
    seconds = time.monotonic() - begun
    if not begin.startswith(b"HTTP/1.1 200") or end != b"0\r\n\r\n":
        raise RuntimeError(f"the export began with {begin!r} and ended with {end!r}")
    return seconds, count


def measure(database_url, api_url, token, plant, repetitions=5):
    """Rows per second of both, in turn so that what else the machine does hits both: the middle of each."""
    rows = int(psql(database_url, f"SELECT count(*) FROM telemetry WHERE plant_id = '{plant}'"))
    copies, exports, count = [], [], 0
    for _ in range(repetitions):
        copies.append(copy_seconds(database_url, plant))
        seconds, count = export_seconds(api_url, token, plant)
        exports.append(seconds)
    copy, export = statistics.median(copies), statistics.median(exports)
    return {"rows": rows, "bytes": count, "copy_rows_per_second": rows / copy, "export_rows_per_second": rows / export,
            "ratio": copy / export}


def main():
    from support.device import Device
    from support.stack import Stack

    stack = Stack(PLANTOPS_DB_FSYNC="on")
    try:
        stack.up()
        url = stack.settings["DATABASE_URL"]
        plant = stack.api.plant()["id"]
        fill(url, plant, Device(stack, plant).id, int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
        idle = stack.memory()
        for name, api in (("straight", stack.settings["PLANTOPS_API_URL"]), ("through nginx", stack.settings["PLANTOPS_URL"])):
            found = measure(url, api, stack.api.token, plant)
            print(f"{name}: {found['rows']} rows, {found['bytes'] / 2**20:.0f} MiB; "
                  f"psql {found['copy_rows_per_second']:,.0f} rows/s, export {found['export_rows_per_second']:,.0f} rows/s, "
                  f"{100 * found['ratio']:.0f} %")
        print(f"backend: {idle >> 20} MiB before, at most {stack.memory(key='VmHWM') >> 20} MiB")
    finally:
        stack.destroy()


if __name__ == "__main__":
    main()
