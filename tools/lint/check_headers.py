#!/usr/bin/env python3
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
"""Every source file begins with the licence lines; every C++ header has `#pragma once`."""

import re

import lintlib

LICENCE = ["SPDX-FileCopyrightText: The tileput authors", "SPDX-License-Identifier: Apache-2.0"]

# Included several times on purpose: to define the address-space macros again after foreign definitions, and once for
# each instruction set.
UNGUARDED = {
    "include/pto/common/address_space.hpp",
    "include/pto/pto-inst.hpp",
    "src/machine/vector_lanes-inl.hpp",
}

HASH_SUFFIXES = {".cmake", ".sh", ".py", ".rb"}
HASH_NAMES = {"CMakeLists.txt", "Makefile"}


def comment_of(root, path):
    """The comment sign of a source file, or None for what is no source file."""
    if path.suffix in lintlib.CPP_SOURCES or path.name.endswith((".hpp.in", ".h.in", ".cpp.in")):
        return "//"
    if path.suffix in HASH_SUFFIXES or path.name in HASH_NAMES or path.name.endswith(".cmake.in"):
        return "#"
    if lintlib.first_line(root / path).startswith("#!"):
        return "#"
    return None


def check(root, path):
    comment = comment_of(root, path)
    if comment is None:
        return
    lines = lintlib.read_text(root / path).splitlines()
    start = 1 if lines and lines[0].startswith("#!") else 0
    for offset, text in enumerate(LICENCE, start):
        wanted = f"{comment} {text}"
        if offset >= len(lines) or lines[offset] != wanted:
            yield offset + 1, f"licence: this line should be '{wanted}'"
            break
    if path.suffix in lintlib.CPP_HEADERS:
        guarded = any(re.match(r"#\s*pragma\s+once\b", line) for line in lines)
        if str(path) in UNGUARDED:
            if guarded:
                yield 1, "this header is included several times on purpose: no '#pragma once'"
        elif not guarded:
            yield 1, "a header needs '#pragma once'"


CPP = "// " + "\n// ".join(LICENCE) + "\n"
HASH = CPP.replace("//", "#")
CASES = [
    ("licence and guard", {"src/base/a.hpp": CPP + "\n#pragma once\n"}, 0),
    ("licence without guard", {"src/base/a.hpp": CPP}, 1),
    ("guard without licence", {"src/base/a.hpp": "#pragma once\n"}, 1),
    ("a source needs no guard", {"src/base/a.cpp": CPP}, 0),
    ("another licence", {"src/base/a.cpp": CPP.replace("Apache-2.0", "MIT")}, 1),
    ("an empty source", {"src/base/a.cpp": ""}, 1),
    ("the header without a guard", {"include/pto/common/address_space.hpp": CPP}, 0),
    ("a guard where none may be", {"include/pto/common/address_space.hpp": CPP + "#pragma once\n"}, 1),
    ("scripts", {"a.sh": "#!/bin/sh\n" + HASH, "run": "#!/bin/sh\n" + HASH, "a.py": HASH}, 0),
    ("a script without", {"run": "#!/bin/sh\necho\n"}, 1),
    ("cmake", {"CMakeLists.txt": HASH, "cmake/a.cmake": "project(a)\n"}, 1),
    ("no source", {"README.md": "text\n", "data.json": "{}\n"}, 0),
]

if __name__ == "__main__":
    lintlib.main(check, CASES, __doc__)
