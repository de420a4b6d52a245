#!/usr/bin/python3
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON files parse (the system's Python: python3-yaml is installed for that one only)."""

import json

import lintlib
import yaml

YAML_NAMES = {".clang-format", ".clang-tidy", ".clangd"}


def check(root, path):
    is_json = path.suffix == ".json"
    is_json_lines = path.suffix == ".jsonl"
    is_yaml = path.suffix in {".yaml", ".yml"} or path.name in YAML_NAMES
    if not (is_json or is_json_lines or is_yaml):
        return
    text = lintlib.read_text(root / path)
    try:
        if is_yaml:
            for _ in yaml.safe_load_all(text):
                pass
        elif is_json:
            json.loads(text)
    except json.JSONDecodeError as error:
        yield error.lineno, f"JSON: {error.msg}"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        yield mark.line + 1 if mark else 1, f"YAML: {getattr(error, 'problem', None) or error}"
    if is_json_lines:
        for number, line in enumerate(text.splitlines(), 1):
            try:
                json.loads(line)
            except json.JSONDecodeError as error:
                yield number, f"JSON: {error.msg}"


CASES = [
    ("good", {"a.json": '{"a": [1]}\n', "b.yaml": "a: [1]\n", ".clang-format": "A: b\n", "c.jsonl": "{}\n1\n"}, 0),
    ("bad JSON", {"a.json": '{"a": [1}\n'}, 1),
    ("bad YAML", {"a.yml": "a: [1\nb: c\n"}, 1),
    ("bad YAML without a suffix", {".clang-tidy": "a: 'b\n"}, 1),
    ("bad line", {"a.jsonl": "{}\n{\n"}, 1),
    ("something else", {"a.txt": "{"}, 0),
]

if __name__ == "__main__":
    lintlib.main(check, CASES, __doc__)
