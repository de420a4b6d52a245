# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
"""What the lint scripts share: which files to read, how to report, how to test themselves.

A check is a function `check(root, path) -> iterable of (line, message)`; `path` is relative to `root`, the top of the
checkout. `main` runs it over the files named on the command line, or over every file that git tracks, and prints one
line per finding. `--self-test` runs the cases of the script in a temporary folder instead.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP_HEADERS = {".h", ".hh", ".hpp", ".cuh"}
CPP_SOURCES = CPP_HEADERS | {".c", ".cc", ".cpp", ".cu"}


def read_text(path):
    return path.read_text(encoding="utf-8", errors="replace")


def first_line(path):
    with open(path, "rb") as stream:
        return stream.readline(256).decode("utf-8", errors="replace")


def tracked_files():
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    return [name for name in out.decode().split("\0") if name]


def run_check(check, root, names):
    """Yields one line of text per finding."""
    for name in names:
        path = pathlib.PurePosixPath(name)
        if (root / path).is_file() and not (root / path).is_symlink():
            for line, message in check(root, path):
                yield f"{path}:{line}: {message}"


def run_self_test(check, cases):
    """Cases are (what it shows, {name: content}, number of findings expected). Returns the number of failures."""
    failures = 0
    for title, files, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, content in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content, encoding="utf-8", newline="")
            found = list(run_check(check, root, files))
        if len(found) != expected:
            failures += 1
            print(f"self-test failed: {title}: expected {expected} findings, got {len(found)}: {found}")
    return failures


def main(check, cases, description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--self-test", action="store_true", help="show that the check refuses and accepts what it should")
    parser.add_argument("files", nargs="*", help="relative to the top of the checkout; default: all tracked files")
    arguments = parser.parse_args()
    script = pathlib.Path(sys.argv[0]).name
    if arguments.self_test:
        failures = run_self_test(check, cases)
        print(f"{script}: self-test {'failed' if failures else 'ok'}, {len(cases)} cases")
        sys.exit(1 if failures else 0)
    found = list(run_check(check, ROOT, arguments.files or tracked_files()))
    for line in found:
        print(line)
    sys.exit(1 if found else 0)
