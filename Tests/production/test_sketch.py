"""The firmware of docs/devices.md is the one the dashboard fills in, and does what the page says of it."""

import re
import shutil
import subprocess

from support.stack import ROOT

ARDUINO = ROOT / "Tests" / "production" / "arduino"
FILLED_IN = {"@ADDRESS@": "https://plants.example.org", "@TOKEN@": "the enrollment token",
             "@CA@": "-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----"}


def of_the_dashboard():
    source = (ROOT / "frontend/src/pages/devices/esp32Sketch.ts").read_text()
    text = re.search(r"String\.raw`(.*)`;", source, re.DOTALL).group(1)
    assert set(re.findall(r"@[A-Z]+@", text)) == FILLED_IN.keys()
    for name, value in FILLED_IN.items():
        text = text.replace(name, value)
    return text


def of_the_page():
    (text,) = re.findall(r"^```cpp\n(.*?)^```$", (ROOT / "docs/devices.md").read_text(), re.MULTILINE | re.DOTALL)
    return text


def test_the_page_shows_the_sketch_of_the_dashboard():
    assert of_the_page() == of_the_dashboard()


def test_it_buffers_asks_ever_more_rarely_and_loses_nothing_that_fits(tmp_path):
    """Compiled against a few lines that play Arduino, and run for days of its own clock."""
    (tmp_path / "sketch.ino.h").write_text(of_the_page())
    compiler = shutil.which("clang++") or shutil.which("g++")
    assert compiler, "there is no C++ compiler; Swift brings clang++, Debian's g++ will do"
    done = subprocess.run(
        [compiler, "-std=c++17", "-Wall", "-Werror", f"-I{ARDUINO}", f'-DSKETCH="{tmp_path}/sketch.ino.h"', ARDUINO / "run.cpp",
         "-o", tmp_path / "run"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([tmp_path / "run"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
