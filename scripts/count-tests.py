#!/usr/bin/env python3
"""Adds up what test runners wrote as JUnit/xUnit XML.

    count-tests.py FILE...             prints: passed failed skipped
    count-tests.py --failed FILE...    prints the name of each test that failed, a line each
    count-tests.py --unfinished LOG    prints what Swift Testing has begun and not ended, a line each

Counts test cases, not the totals in the files: Swift Testing leaves skipped tests out of its
"tests", pytest does not. A file that is missing counts nothing, one that is broken is an error.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def count(path: Path) -> tuple[int, int, int]:
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            failed += 1
        elif "skipped" in outcomes:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def names_of_failed(path: Path) -> list[str]:
    cases = ElementTree.parse(path).getroot().iter("testcase")
    return [
        f"{case.get('classname')} {case.get('name')}"
        for case in cases if {child.tag for child in case} & {"failure", "error"}
    ]


def unfinished(log: str) -> list[str]:
    begun = re.findall(r"^\S+ Test (?!case |run )(.+) started\.$", log, re.M)
    ended = re.findall(r"^\S+ Test (?!case |run )(.+?)(?: with \d+ test cases?)? (?:passed|failed) after ", log, re.M)
    return [name for name in begun if name not in set(ended)]


def main() -> None:
    if sys.argv[1:2] == ["--unfinished"]:
        for name in unfinished(Path(sys.argv[2]).read_text(errors="replace")):
            print(name)
        return
    if sys.argv[1:2] == ["--failed"]:
        for path in filter(Path.exists, map(Path, sys.argv[2:])):
            for name in names_of_failed(path):
                print(name)
        return
    counts = [count(path) for path in map(Path, sys.argv[1:]) if path.exists()]
    print(*(sum(column) for column in zip(*counts)) if counts else (0, 0, 0))


if __name__ == "__main__":
    main()
