#!/usr/bin/env python3
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
"""No file of an example's kernels tests a platform macro: the same kernel runs everywhere."""

import re

import lintlib

PLATFORM = r"\b(__CPU_SIM|__CCE_AICORE__|__CCE_KT_TEST__|__COSTMODEL|__DAV_\w+|TILEPUT_\w+)\b"
CONDITION = re.compile(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|elifdef|elifndef)\b(.*)$", re.MULTILINE)
DEFINED = re.compile(r"\bdefined\b\s*\(?\s*" + PLATFORM)


def blank(match):
    """Keeps the line numbers of what a comment took."""
    return " " + "\n" * match.group(0).count("\n")


def check(root, path):
    parts = path.parts
    if parts[:1] != ("examples",) or "kernels" not in parts[1:-1] or path.suffix not in lintlib.CPP_SOURCES:
        return
    text = lintlib.read_text(root / path)
    text = re.sub(r"/\*.*?\*/|//[^\n]*", blank, text, flags=re.DOTALL)
    # Joins continued lines; the newlines come after the joined line, so that later lines keep their numbers.
    text = re.sub(
        r"[^\n]*\\\n(?:[^\n]*\\\n)*[^\n]*",
        lambda match: match.group(0).replace("\\\n", " ") + "\n" * match.group(0).count("\\\n"),
        text,
    )
    found = {}
    for directive in CONDITION.finditer(text):
        for macro in re.finditer(PLATFORM, directive.group(2)):
            found[directive.start(2) + macro.start()] = macro.group(1)
    for macro in DEFINED.finditer(text):
        found[macro.start(1)] = macro.group(1)
    for position, macro in sorted(found.items()):
        yield text.count("\n", 0, position) + 1, f"a kernel tests the platform macro {macro}"


KERNEL = "examples/workers/l3/a/kernels/aiv/a.cpp"
CASES = [
    ("a kernel without conditions", {KERNEL: '#include "pto/pto-inst.hpp"\n'}, 0),
    ("other macros", {KERNEL: "#ifndef __gm__\n#define __gm__\n#endif\n#if defined(NDEBUG)\n#endif\n"}, 0),
    ("ifdef", {KERNEL: "#ifdef __CPU_SIM\n#endif\n"}, 1),
    ("ifndef, indented", {KERNEL: "  #  ifndef __CCE_AICORE__\n#endif\n"}, 1),
    ("if defined", {KERNEL: "#if defined(__DAV_VEC__) || defined(__COSTMODEL)\n#endif\n"}, 2),
    ("elif", {KERNEL: "#if 0\n#elif TILEPUT_CHECK\n#endif\n"}, 1),
    ("on a continued line", {KERNEL: "#if 0 || \\\n    defined(__CCE_KT_TEST__)\n#endif\n"}, 1),
    ("hidden in a definition", {KERNEL: "#define ON_DEVICE defined(__DAV_C220__)\n"}, 1),
    ("in a comment", {KERNEL: "// #ifdef __CPU_SIM\n/*\n#ifdef __CPU_SIM\n*/\n"}, 0),
    ("a name that only begins so", {KERNEL: "#ifdef __CPU_SIMILAR\n#endif\n"}, 0),
    ("a header beside kernels", {"examples/workers/l3/a/kernels/b.hpp": "#ifdef __CPU_SIM\n#endif\n"}, 1),
    ("not a kernel", {"include/pto/a.hpp": "#ifdef __CPU_SIM\n#endif\n", "examples/a/main.cpp": "#if __CPU_SIM\n#endif\n"}, 0),
]

if __name__ == "__main__":
    lintlib.main(check, CASES, __doc__)
