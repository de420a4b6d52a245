#!/usr/bin/env python3
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
"""Checks that the READMEs of the examples name what is there.

usage: examples_index.py <repository>

The rows of the table in examples/workers/l3/README.md are the folders beside it, and the "## Files" block of each
example's README is the files in its folder, one relative path per line.
"""

import pathlib
import re
import sys


def folders_in_table(text):
    """The names that the first cells of table rows begin with."""
    names = []
    for line in text.splitlines():
        cell = re.match(r"\|\s*\[?`?([A-Za-z0-9_]+)`?\]?(?:\([^)]*\))?/?\s*\|", line)
        if cell:
            names.append(cell.group(1))
    return names[1:]  # the first row is the heading


def files_in_block(text):
    """The paths in the first code block under "## Files"; None without one."""
    block = re.search(r"^## Files\s*$.*?^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    if not block:
        return None
    return [line.split()[0] for line in block.group(1).splitlines() if line.strip()]


def differences(what, named, present):
    for name in sorted(set(named) - set(present)):
        yield f"{what} names {name}, which is not there"
    for name in sorted(set(present) - set(named)):
        yield f"{what} does not name {name}"
    for name in sorted(set(named)):
        if named.count(name) > 1:
            yield f"{what} names {name} twice"


def check(root):
    examples = root / "examples/workers/l3"
    folders = sorted(path.parent.name for path in examples.glob("*/CMakeLists.txt"))
    index = examples / "README.md"
    if not index.is_file():
        yield f"{index.relative_to(root)} is missing"
    else:
        yield from differences(str(index.relative_to(root)), folders_in_table(index.read_text()), folders)
    for folder in folders:
        readme = examples / folder / "README.md"
        where = str(readme.relative_to(root))
        if not readme.is_file():
            yield f"{where} is missing"
            continue
        named = files_in_block(readme.read_text())
        if named is None:
            yield f'{where} has no ```text block under "## Files"'
            continue
        present = [
            str(path.relative_to(readme.parent))
            for path in readme.parent.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        ]
        yield from differences(where, named, present)


def main():
    found = list(check(pathlib.Path(sys.argv[1])))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
