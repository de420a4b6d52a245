#!/usr/bin/env python3
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
"""A layer includes only itself and the layers below it; installed headers need nothing that is not installed.

Layers, bottom-up, are the folders src/<layer>/ and include/tileput/<layer>/; the headers of the instruction set
(include/pto, include/pto_abi, include/tileput/kernel) are one layer. tests/ and bench/ may include everything, and
nothing may include them.
"""

import posixpath
import re

import lintlib

LAYERS = [
    "base",
    "rank",
    "transport",
    "domain",
    "machine",
    "kernel",  # the headers that kernels include
    "check",
    "orchestration",
    "collective",
    "cli",
    "examples",
]
OUTSIDE = "tests and benchmarks"
RANK = {layer: index for index, layer in enumerate(LAYERS)}
RANK["examples"] = RANK["cli"]  # both are what a person starts

# Headers directly under include/tileput/.
PUBLIC = {
    "error.hpp": "base",
    "export.hpp": "base",
    "schedules.hpp": "orchestration",
    "version.hpp": "base",
    "worker.hpp": "orchestration",
    "world.hpp": "collective",
}

INCLUDE_ROOTS = ["src", "include", "include/pto_abi"]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)

# What an installed header may include besides other installed ones.
CXX_STANDARD = set(
    """
    algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits
    clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint
    cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem format forward_list fstream
    functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory
    memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator
    semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf string string_view
    syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray
    variant vector version
    """.split()
)
C_AND_SYSTEM = set(
    """
    assert ctype cxxabi dirent dlfcn elf endian errno execinfo fcntl features fenv float getopt immintrin inttypes
    limits link locale malloc math mqueue poll pthread sched semaphore setjmp signal spawn stdalign stdarg stdatomic
    stdbool stddef stdint stdio stdlib string strings syscall sysexits syslog termios time ucontext unistd wchar wctype
    arm_neon arm_sve x86intrin
    """.split()
)
SYSTEM_FOLDERS = {"arpa", "asm", "linux", "net", "netinet", "sys"}


def is_standard(name):
    if "/" in name:
        return name.split("/")[0] in SYSTEM_FOLDERS
    return name in CXX_STANDARD or (name.endswith(".h") and name[:-2] in C_AND_SYSTEM)


def layer_of(path):
    """The layer of a path relative to the top; None where layers do not apply; KeyError for a folder without a layer."""
    parts = path.split("/")
    if parts[0] == "src":
        if len(parts) < 3 or parts[1] not in RANK:
            raise KeyError(f"src/ has one folder per layer ({', '.join(LAYERS[:-1])}), this is none of them")
        return parts[1]
    if parts[0] == "include":
        if parts[1] == "pto_abi" and parts[2] == "platform_comm":
            return "domain"  # CommContext, the plain data that a domain hands to kernels
        if parts[1] in ("pto", "pto_abi"):
            return "kernel"
        if parts[1] == "tileput" and len(parts) == 3:
            if parts[2] not in PUBLIC:
                raise KeyError(f"the layer of {path} is not known: add it to PUBLIC in tools/lint/check_layers.py")
            return PUBLIC[parts[2]]
        if parts[1] == "tileput" and parts[2] in RANK:
            return parts[2]
        raise KeyError(f"the layer of {path} is not known to tools/lint/check_layers.py")
    if parts[0] in ("cli", "examples"):
        return parts[0]
    if parts[0] in ("tests", "bench"):
        return OUTSIDE
    return None


def is_kernel_source(path):
    parts = path.split("/")
    return parts[0] == "examples" and "kernels" in parts[1:-1]


def resolve(root, path, name, quoted):
    """The file of the checkout that an include means, relative to the top; None for a header from elsewhere."""
    candidates = [posixpath.normpath(posixpath.join(posixpath.dirname(path), name))] if quoted else []
    candidates += [posixpath.normpath(f"{folder}/{name}") for folder in INCLUDE_ROOTS]
    for candidate in candidates:
        if not candidate.startswith("..") and (root / candidate).is_file():
            return candidate
    # Generated, or not written yet: the spelling says the layer.
    first = name.split("/")[0]
    if first in ("tileput", "pto"):
        return f"include/{name}"
    if quoted and "/" in name and first in RANK:
        return f"src/{name}"
    return None


def check(root, posix_path):
    path = str(posix_path)
    if posix_path.suffix not in lintlib.CPP_SOURCES or posix_path.parts[0] not in ("src", "include", "cli", "examples"):
        return
    text = lintlib.read_text(root / posix_path)
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match.group(0).count("\n"), text, flags=re.DOTALL)
    try:
        own = layer_of(path)
    except KeyError as error:
        yield 1, error.args[0]
        return
    if is_kernel_source(path):
        own = "kernel"
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start(0)) + 1
        name = match.group(1) or match.group(2)
        target = resolve(root, path, name, match.group(1) is not None)
        if target is None:
            if path.startswith("include/") and not is_standard(name):
                yield line, f"an installed header includes '{name}', which is neither installed nor standard"
            continue
        if is_kernel_source(path) and target.split("/")[:4] == path.split("/")[:4]:
            continue  # a kernel and its host share a header of their example
        if is_kernel_source(path) and target.startswith("examples/workers/l3/common/kernels/"):
            continue  # a layout that kernels of several examples share
        if path.startswith("include/") and not target.startswith("include/"):
            yield line, f"an installed header includes '{name}', which is not installed"
            continue
        try:
            other = layer_of(target)
        except KeyError as error:
            yield line, error.args[0]
            continue
        if other is None or other == OUTSIDE:
            yield line, f"{own} includes '{name}', which belongs to no layer"
        elif RANK[other] > RANK[own]:
            yield line, f"upward include: {own} (below) includes '{name}' of {other} (above)"


INSTRUCTION = {"include/pto/pto-inst.hpp": ""}
EXAMPLE = "examples/workers/l3/a"
CASES = [
    ("downward", {"src/rank/a.cpp": '#include "base/error.hpp"\n', "src/base/error.hpp": ""}, 0),
    ("same layer", {"src/rank/a.cpp": '#include "rank/a.hpp"\n#include "b.hpp"\n', "src/rank/b.hpp": ""}, 0),
    ("upward", {"src/base/a.cpp": '#include "rank/mesh.hpp"\n', "src/rank/mesh.hpp": ""}, 1),
    ("upward, by a relative path", {"src/base/a.cpp": '#include "../rank/mesh.hpp"\n', "src/rank/mesh.hpp": ""}, 1),
    ("upward, file not there", {"src/domain/a.cpp": '#include "machine/core.hpp"\n'}, 1),
    ("every neighbour, downward", {f"src/{b}/a.cpp": f'#include "{a}/x.hpp"\n' for a, b in zip(LAYERS, LAYERS[1:-1])}, 0),
    (
        "every neighbour, upward",
        {f"src/{a}/a.cpp": f'#include "{b}/x.hpp"\n' for a, b in zip(LAYERS, LAYERS[1:-1])},
        len(LAYERS) - 2,
    ),
    ("in a comment", {"src/base/a.cpp": '// see\n/*\n#include "rank/mesh.hpp"\n*/\n'}, 0),
    ("the error header is of base", {"src/base/a.cpp": '#include "tileput/error.hpp"\n'}, 0),
    ("the worker header is of orchestration", {"src/check/a.cpp": "#include <tileput/worker.hpp>\n"}, 1),
    ("the machine uses no instruction", {"src/machine/a.cpp": '#include "pto/pto-inst.hpp"\n', **INSTRUCTION}, 1),
    ("an instruction uses the machine", {"include/pto/a.hpp": '#include "tileput/machine/core.hpp"\n'}, 0),
    ("an instruction uses the ABI", {"include/pto/a.hpp": '#include "tensor.h"\n', "include/pto_abi/tensor.h": ""}, 0),
    ("the checker uses instructions", {"src/check/a.cpp": '#include "pto/pto-inst.hpp"\n', **INSTRUCTION}, 0),
    ("installed uses the standard", {"include/tileput/error.hpp": "#include <string>\n#include <sys/types.h>\n"}, 0),
    ("installed uses a library", {"include/tileput/error.hpp": "#include <fmt/format.h>\n"}, 1),
    ("installed uses a source", {"include/tileput/worker.hpp": '#include "base/ids.hpp"\n', "src/base/ids.hpp": ""}, 1),
    ("installed, upward", {"include/tileput/machine/a.hpp": '#include "tileput/kernel/put.hpp"\n'}, 1),
    ("a public header without a layer", {"include/tileput/new.hpp": ""}, 1),
    ("a folder without a layer", {"src/util/a.cpp": ""}, 1),
    ("a source uses a library", {"src/base/a.cpp": "#include <fmt/format.h>\n"}, 0),
    ("a source uses a test", {"src/base/a.cpp": '#include "../../tests/a.hpp"\n', "tests/a.hpp": ""}, 1),
    ("tests use everything", {"tests/unit/a.cpp": '#include "cli/main.hpp"\n#include "base/error.hpp"\n'}, 0),
    ("an example's host", {f"{EXAMPLE}/main.cpp": '#include "tileput/worker.hpp"\n'}, 0),
    ("an example's kernel", {f"{EXAMPLE}/kernels/aiv/k.cpp": '#include "pto/pto-inst.hpp"\n', **INSTRUCTION}, 0),
    ("a kernel uses the host API", {f"{EXAMPLE}/kernels/aiv/k.cpp": '#include "tileput/worker.hpp"\n'}, 1),
    (
        "a kernel and its host share a layout",
        {f"{EXAMPLE}/kernels/aiv/k.cpp": '#include "../../layout.hpp"\n', f"{EXAMPLE}/layout.hpp": ""},
        0,
    ),
    (
        "kernels of several examples share a layout",
        {
            f"{EXAMPLE}/kernels/aiv/k.cpp": '#include "../../../common/kernels/layout.hpp"\n',
            "examples/workers/l3/common/kernels/layout.hpp": "",
        },
        0,
    ),
    (
        "a kernel uses what scenes share",
        {
            f"{EXAMPLE}/kernels/aiv/k.cpp": '#include "../../../common/scene.hpp"\n',
            "examples/workers/l3/common/scene.hpp": "",
        },
        1,
    ),
    (
        "a kernel uses another example",
        {f"{EXAMPLE}/kernels/aiv/k.cpp": '#include "../../../b/layout.hpp"\n', "examples/workers/l3/b/layout.hpp": ""},
        1,
    ),
]

if __name__ == "__main__":
    lintlib.main(check, CASES, __doc__)
