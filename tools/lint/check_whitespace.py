#!/usr/bin/env python3
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
"""No trailing blanks, no tabs outside Makefiles, no carriage returns, one newline at the end."""

import lintlib

TABS_ALLOWED = {"Makefile", ".gitmodules"}
VERBATIM = {"LICENSE"}


def check(root, path):
    data = (root / path).read_bytes()
    if not data or b"\0" in data or str(path) in VERBATIM:
        return
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if b"\r" in line:
            yield number, "carriage return"
        elif line != line.rstrip():
            yield number, "trailing blank"
        if b"\t" in line and path.name not in TABS_ALLOWED and path.suffix != ".mk":
            yield number, "tab"
    if lines[-1] != b"":
        yield len(lines), "no newline at the end of the file"
    elif len(lines) > 1 and lines[-2].strip() == b"":
        yield len(lines) - 1, "empty line at the end of the file"


CASES = [
    ("clean", {"a.md": "one\n\ntwo\n"}, 0),
    ("empty", {"a.md": ""}, 0),
    ("trailing blank", {"a.md": "one \ntwo\n"}, 1),
    ("tab", {"a.cpp": "\tint a;\n"}, 1),
    ("tab in a Makefile", {"Makefile": "a:\n\techo\n"}, 0),
    ("carriage return", {"a.md": "one\r\n"}, 1),
    ("no final newline", {"a.md": "one"}, 1),
    ("empty last line", {"a.md": "one\n\n"}, 1),
    ("binary", {"a.bin": "\0 \t"}, 0),
]

if __name__ == "__main__":
    lintlib.main(check, CASES, __doc__)
