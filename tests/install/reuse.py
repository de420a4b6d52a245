#!/usr/bin/env python3
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
"""A compiler launcher that takes an object from another build tree where that compiles the same source by the same command.

Everything else is compiled. Headers are not looked at: the other tree has to be up to date. Each object taken is a line
in reused.txt of the current folder.

usage: reuse.py BUILD_TREE COMPILER ARGUMENT...     (CMAKE_CXX_COMPILER_LAUNCHER=reuse.py;BUILD_TREE)
"""

import json
import os
import shlex
import shutil
import sys


def without_dependencies(command):
    """The command without -MD -MT <object> -MF <file>, and that file."""
    depfile = None
    words = []
    i = 0
    while i < len(command):
        if command[i] == "-MF":
            depfile = command[i + 1]
        if command[i] in ("-MT", "-MF"):
            i += 2
            continue
        if command[i] != "-MD":
            words.append(command[i])
        i += 1
    return words, depfile


def main():
    tree, command = sys.argv[1], sys.argv[2:]
    words, depfile = without_dependencies(command)
    if "-o" in words:
        target = words[words.index("-o") + 1]
        with open(os.path.join(tree, "compile_commands.json"), encoding="utf-8") as file:
            others = [entry["command"] for entry in json.load(file)]
        made = os.path.join(tree, target)
        if os.path.exists(made) and any(words == shlex.split(other) for other in others if target in other):
            shutil.copyfile(made, target)
            if depfile:
                with open(depfile, "w", encoding="utf-8") as file:
                    file.write(target + ":\n")
            with open("reused.txt", "a", encoding="utf-8") as file:
                file.write(target + "\n")
            return
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
