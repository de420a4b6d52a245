#!/usr/bin/env python3
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/instructions/ from the comments of the instruction headers.

    tools/docs/instruction_pages.py                   writes the pages
    tools/docs/instruction_pages.py --check           says what is wrong with comments and pages; changes nothing
    tools/docs/instruction_pages.py --examples FILE   writes a program of GoogleTest cases, one per example
    tools/docs/instruction_pages.py --self-test       shows that the check refuses and accepts what it should

A comment in front of a function is a summary, then lines "Label: text" whose continuation lines are indented, then
"Example:" and code indented by four. A function without a comment belongs to the one right above it, or to an earlier
one of its name. Every instruction states Shapes or Effect, Completion, Errors and Source, or says in its comment whose
they are ("as TPUT"); functions that only answer (get_block_idx) need not. Every page has an example.
"""

import argparse
import collections
import pathlib
import re
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = "docs/instructions"
SPECIFICATION = "docs/reference/pto-subset.md"

Family = collections.namedtuple("Family", "page title headers")
FAMILIES = [
    Family("tiles.md", "Tiles and on-chip memory", ["include/pto/common/assign.hpp"]),
    Family("load_store.md", "Load and store", ["include/pto/load_store.hpp"]),
    Family("vector.md", "Tile arithmetic", ["include/pto/vector.hpp"]),
    Family("convert.md", "Conversion", ["include/pto/convert.hpp"]),
    Family("matrix.md", "Matrix product", ["include/pto/matrix.hpp"]),
    Family("point_to_point.md", "Point-to-point copies", ["include/pto/comm/point_to_point.hpp"]),
    Family("async.md", "Asynchronous transfers", ["include/pto/comm/async.hpp"]),
    Family("collective.md", "Collectives", ["include/pto/comm/collective.hpp"]),
    Family("signal.md", "Signals", ["include/pto/comm/signal.hpp", "include/pto/comm/pto_comm_instr_impl.hpp"]),
    Family(
        "pipes_and_caches.md",
        "Pipes, flags and caches",
        ["include/pto/common/cpu_stub.hpp", "include/pto_abi/pipe_sync.h"],
    ),
    Family("deferred_completion.md", "Deferred completion", ["include/pto_abi/pto_async_kernel_api.h"]),
]

# What examples may use besides pto-inst.hpp, as kernels include it.
KERNEL_HEADERS = ["intrinsic.h", "pipe_sync.h", "platform_comm/comm_context.h", "pto_async_kernel_api.h", "tensor.h"]

# Where instructions may be; those of a header that is in no family above are a finding.
INSTRUCTION_HEADERS = "include/pto/**/*.hpp"
INSTRUCTION_NAME = re.compile(r"T[A-Z_]+(_IMPL)?")
INTERNAL_NAMESPACES = {"tileput_detail", "detail", "abi"}

# Each group is satisfied by one of its labels.
REQUIRED_LABELS = [("Shapes", "Effect"), ("Completion",), ("Errors",), ("Source",)]
LABEL = re.compile(r"([A-Z]\w*(?: \([^)]*\))?(?:, [A-Z]\w*(?: \([^)]*\))?)*):(?: +|$)(.*)")
INHERITS = re.compile(r"\b(?:as|synonym of|the same as) ((?:T[A-Z_]+|[a-z]+_[a-z_]+)\b)", re.IGNORECASE)

Finding = collections.namedtuple("Finding", "path line message")


class Form:
    """A comment with the functions it stands for."""

    def __init__(self, header, line, comment):
        self.header = header
        self.line = line  # of the comment's first line
        self.names = []
        self.signatures = []
        self.summary = []  # paragraphs
        self.labels = []  # (labels as written, text)
        self.example = []  # lines of code
        self.example_line = 0
        self.ragged_lines = []  # that continue a label without being indented
        self.parse(comment)

    def parse(self, comment):
        paragraph = None
        for offset, text in enumerate(comment):
            label = LABEL.match(text)
            if self.example_line:
                self.example.append(text[4:])
            elif text == "Example:":
                self.example_line = self.line + offset + 1
            elif label:
                paragraph = None
                self.labels.append((label.group(1), label.group(2)))
            elif not text:
                paragraph = None
            elif self.labels and (text.startswith(" ") or comment[offset - 1]):
                self.ragged_lines += [] if text.startswith(" ") else [self.line + offset]
                self.labels[-1] = (self.labels[-1][0], f"{self.labels[-1][1]} {text.strip()}".strip())
            elif paragraph is None:
                paragraph = len(self.summary)
                self.summary.append(text.strip())
            else:
                self.summary[paragraph] += " " + text.strip()

    def is_instruction(self):
        """Whether it acts: a function of another name that returns a value only answers."""
        return any(map(INSTRUCTION_NAME.fullmatch, self.names)) or any(s.startswith("void ") for s in self.signatures)

    def label_names(self):
        return {name for labels, _ in self.labels for name in re.sub(r" \([^)]*\)", "", labels).split(", ")}

    def texts(self):
        return self.summary + [text for _, text in self.labels]


class Header:
    """The public functions of a header, as forms; those without any comment are `bare`."""

    TOKEN = re.compile(
        r"(?P<doc>///(?!<)[^\n]*)|(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<directive>^[ \t]*#(?:\\\n|[^\n])*)"
        r"|(?P<string>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')"
        r"|(?P<space>\s+)|(?P<mark>[{}();])|(?P<text>[^\s{}();\"'/]+|/)",
        re.DOTALL | re.MULTILINE,
    )
    # What begins a declaration that is no function.
    OTHER = re.compile(r"(struct|class|enum|union|using|concept|typedef|static_assert|extern|friend|namespace)\b")
    PREFIX = re.compile(r"((?:\[\[[^\]]*\]\]|PTO_\w+|inline|static|constexpr|__attribute__\(\([^)]*\)\))\s*)+")

    def __init__(self, root, name):
        self.name = name
        self.intro = []
        self.forms = []
        self.bare = []  # (line, function)
        self.read((root / name).read_text(encoding="utf-8"))

    def read(self, text):
        scopes = []  # the namespace of each open brace, None for what is no namespace
        statement, statement_line, parentheses = "", 0, 0
        comment, comment_line, comment_end = [], 0, 0
        last_end = 0  # line on which the previous function ended
        line = 1
        for token in self.TOKEN.finditer(text):
            kind, value = token.lastgroup, token.group(0)
            outside = all(scope is not None for scope in scopes)
            if kind == "doc" and outside and not statement:
                if comment and comment_end != line - 1:
                    self.take_intro(comment)
                    comment = []
                comment_line = comment_line if comment else line
                comment.append(value[4:] if value[3:4] == " " else value[3:])
                comment_end = line
            elif kind == "comment":
                comment_end = line + value.count("\n") if comment and comment_end == line - 1 else comment_end
            elif kind == "directive":
                self.take_intro(comment)
                comment = []
            elif kind in ("text", "string", "space") or (value in "()" if kind == "mark" else False) or parentheses:
                if outside and (statement or kind != "space"):
                    statement_line = statement_line if statement else line
                    statement += value
                    parentheses += {"(": 1, ")": -1}.get(value, 0)
            elif value == "{":
                namespace = re.match(r"(?:inline )?namespace\s*([\w:]*)", statement.strip())
                if outside and not namespace:
                    self.take(scopes, statement, statement_line, comment, comment_line, comment_end, last_end)
                scopes.append(namespace.group(1).strip() if outside and namespace else None)
                if outside:
                    statement, comment = "", []
            elif value == "}":
                scopes.pop()
                last_end = line
            elif outside:  # ;
                self.take(scopes, statement, statement_line, comment, comment_line, comment_end, last_end)
                last_end = line if statement else last_end
                statement, comment = "", []
            line += value.count("\n")

    def take_intro(self, comment):
        if comment and not self.forms and not self.intro:
            self.intro = comment

    def take(self, scopes, statement, line, comment, comment_line, comment_end, last_end):
        """A declaration of a namespace, `statement` without its body."""
        parameters, statement = self.without_template(" ".join(statement.split()))
        if "(" not in statement or self.OTHER.match(statement):
            return
        namespace = "::".join(scope for scope in scopes if scope)
        if INTERNAL_NAMESPACES & set(namespace.split("::")):
            return
        statement = self.PREFIX.sub("", statement, count=1)
        match = re.match(r"(.*?)\b([A-Za-z_]\w*)\s*\((.*)\)(?:\s*noexcept)?$", statement)
        if not match:
            return
        result, name, arguments = match.groups()
        if name.startswith("tileput_"):
            return
        signature = f"{result}{namespace}{'::' if namespace else ''}{name}{parameters}({arguments});"
        if comment and comment_end == line - 1:
            form = Form(self.name, comment_line, comment)
            self.forms.append(form)
        elif self.forms and (last_end == line - 1 or name in self.forms[-1].names):
            form = self.forms[-1]
        else:
            form = next((form for form in reversed(self.forms) if name in form.names), None)
        if form is None:
            self.bare.append((line, name))
            return
        form.signatures.append(signature)
        if name not in form.names:
            form.names.append(name)

    @staticmethod
    def without_template(statement):
        """The template arguments that a caller may have to spell, and the declaration without template and requires."""
        spelled = ""
        head = re.match(r"template\s*<", statement)
        if head:
            end = balanced(statement, head.end() - 1, "<", ">")
            names = split_list(statement[head.end() : end - 1])
            types = re.compile(r"(class|typename)\b|[\w:]*detail::\w|[\w:<>, ]*\.\.\.")  # concepts are internal
            values = [i for i, name in enumerate(names) if not types.match(name)]
            if values:
                kept = [re.sub(r"^(class|typename) ", "", name) for name in names[: values[-1] + 1]]
                spelled = f"<{', '.join(kept)}>"
            statement = statement[end:].strip()
        while re.match(r"requires\b", statement):
            start = statement.index("(")
            statement = statement[balanced(statement, start, "(", ")") :].strip()
            while statement.startswith(("&&", "||")):
                start = statement.index("(")
                statement = statement[balanced(statement, start, "(", ")") :].strip()
        return spelled, statement


def balanced(text, start, opening, closing):
    """Behind the bracket that closes the one at `start`."""
    depth = 0
    for position in range(start, len(text)):
        depth += {opening: 1, closing: -1}.get(text[position], 0)
        if depth == 0:
            return position + 1
    return len(text)


def split_list(text):
    """The parts between commas that stand in no bracket."""
    parts, depth = [""], 0
    for sign in text:
        depth += {"<": 1, "(": 1, "{": 1, ">": -1, ")": -1, "}": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


class Book:
    """All families whose headers are there."""

    def __init__(self, root):
        self.root = root
        self.headers = {}  # name: Header
        self.families = []  # with the headers that exist
        for family in FAMILIES:
            names = [name for name in family.headers if (root / name).is_file()]
            self.headers.update((name, Header(root, name)) for name in names)
            if any(self.headers[name].forms for name in names):
                self.families.append(family._replace(headers=names))
        self.place = {}  # instruction: (page, anchor)
        for family in self.families:
            for names, _ in self.entries(family):
                for name in names:
                    self.place[name] = (family.page, anchor(", ".join(names)))
        self.sections = {}  # section number of the specification: anchor
        if (root / SPECIFICATION).is_file():
            for line in (root / SPECIFICATION).read_text(encoding="utf-8").splitlines():
                heading = re.match(r"#+ ((\d+(?:\.\d+)?)\.? .*)", line)
                if heading:
                    self.sections[heading.group(2)] = anchor(heading.group(1))

    def entries(self, family):
        """(names, forms) in the order of the headers; forms of one first name are one entry."""
        entries = []
        for header in family.headers:
            for form in self.headers[header].forms:
                entry = next((entry for entry in entries if entry[0][0] == form.names[0]), None)
                if entry is None:
                    entries.append((list(form.names), [form]))
                else:
                    entry[0].extend(name for name in form.names if name not in entry[0])
                    entry[1].append(form)
        return entries

    # -- pages ---------------------------------------------------------------------------------------------------

    def pages(self):
        made = {f"{PAGES}/{family.page}": self.page(family) for family in self.families}
        made[f"{PAGES}/README.md"] = self.index()
        return made

    def page(self, family):
        lines = [f"# {family.title}", ""]
        lines += [f"<!-- Made by tools/docs/instruction_pages.py from {' and '.join(family.headers)}. -->", ""]
        for header in family.headers:
            for paragraph in "\n".join(self.headers[header].intro).split("\n\n"):
                if paragraph.strip():
                    lines += self.wrapped(" ".join(paragraph.split()), family.page, ()) + [""]
        for names, forms in self.entries(family):
            lines += [f"## {', '.join(names)}", ""]
            for form in forms:
                signatures = [line for signature in form.signatures for line in wrapped_signature(signature)]
                lines += ["```cpp", *signatures, "```", ""]
                for paragraph in form.summary:
                    lines += self.wrapped(paragraph, family.page, names) + [""]
                for label, text in form.labels:
                    lines += self.wrapped(f"**{label}**: {text}", family.page, names, "- ")
                lines += [""] if form.labels else []
                if form.example:
                    lines += ["Example:", "", "```cpp", *form.example, "```", ""]
        return "\n".join(lines)

    def index(self):
        lines = ["# Instructions", "", "<!-- Made by tools/docs/instruction_pages.py. -->", ""]
        lines += self.wrapped(
            "What each instruction takes, does, guarantees and refuses. The pages are made from the comments in the "
            "headers; every example is compiled and run by a test. What the instructions have in common (memory, "
            "ordering, tiles) is in the [reference](../reference/pto-subset.md) and in the "
            "[memory model](../memory-model.md).",
            "README.md",
            self.place,
        )
        for family in self.families:
            lines += ["", f"## {family.title}", "", "| instruction | |", "|---|---|"]
            for names, forms in self.entries(family):
                page, place = self.place[names[0]]
                summary = re.split(r"(?<=\.)\s", forms[0].summary[0] if forms[0].summary else "")[0]
                text = self.linked(summary, page, self.place).replace("|", "\\|")
                lines.append(f"| [{', '.join(names)}]({page}#{place}) | {text} |")
        return "\n".join(lines) + "\n"

    def wrapped(self, text, page, own, bullet=""):
        text = self.linked(text, page, own)
        text = re.sub(r" ([-+*=<>]+|\d+\.)(?= |$)", "\0\\1", text)  # would begin a list or a quotation
        indent = " " * len(bullet)
        filled = textwrap.wrap(
            text, 120, initial_indent=bullet, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        return [line.replace("\0", " ") for line in filled]

    def linked(self, text, page, own):
        """Markdown of a comment's text: other instructions and sections of the specification are links."""

        def instruction(match):
            name = match.group(0)
            if name in own or name not in self.place:
                return name
            other, place = self.place[name]
            return f"[{name}]({'' if other == page else other}#{place})"

        def sections(match):
            return match.group(1) + re.sub(r"\d+(?:\.\d+)?", section, match.group(2))

        def section(match):
            number = match.group(0)
            place = self.sections.get(number)
            return f"[{number}](../reference/pto-subset.md#{place})" if place else number

        parts = re.split(r"(`[^`]*`)", text)
        for i in range(0, len(parts), 2):
            part = re.sub(r"(?<!\w)_|_(?!\w)|<|(?<!\*)\*(?!\*)", r"\\\g<0>", parts[i])
            part = re.sub(r"\b[A-Za-z_]\w*\b", instruction, part) if "](" not in part else part
            number = r"\d+(?:\.\d+)?(?!\w)"
            parts[i] = re.sub(rf"(\bsections? )({number}(?:(?:, | and | to ){number})*)", sections, part)
        return "".join(parts)

    # -- findings ------------------------------------------------------------------------------------------------

    def findings(self):
        for family in self.families:
            entries = self.entries(family)
            if not any(form.example for _, forms in entries for form in forms):
                yield Finding(family.headers[0], 1, "no instruction of this page has an 'Example:'")
            for names, forms in entries:
                for form in forms:
                    for line in form.ragged_lines:
                        yield Finding(form.header, line, f"{names[0]}: indent what continues a label")
                labels = self.labels_of(names[0], set())
                for wanted in REQUIRED_LABELS if any(form.is_instruction() for form in forms) else []:
                    if not labels & set(wanted):
                        message = f"{names[0]}: the comment has no {' or '.join(wanted)} line"
                        yield Finding(forms[0].header, forms[0].line, message)
        for header in self.headers.values():
            for line, name in header.bare:
                yield Finding(header.name, line, f"{name}: a public function without a comment")
        for path in sorted(self.root.glob(INSTRUCTION_HEADERS)):
            name = path.relative_to(self.root).as_posix()
            for form in [] if name in self.headers else Header(self.root, name).forms:
                if INSTRUCTION_NAME.fullmatch(form.names[0]):
                    message = f"{form.names[0]}: the header is on no page of tools/docs/instruction_pages.py"
                    yield Finding(name, form.line, message)
        pages = self.pages()
        for name, content in pages.items():
            path = self.root / name
            if not path.is_file() or path.read_text(encoding="utf-8") != content:
                yield Finding(name, 1, "is not what the headers' comments make: run tools/docs/instruction_pages.py")
        for path in sorted((self.root / PAGES).glob("*")):
            name = path.relative_to(self.root).as_posix()
            if name not in pages:
                yield Finding(name, 1, "belongs to no header: remove it")

    def labels_of(self, name, seen):
        """The labels an instruction states or takes over from those that its comment names."""
        labels = set()
        seen.add(name)
        for family in self.families:
            for names, forms in self.entries(family):
                for form in forms if name in names else []:
                    labels |= form.label_names()
                    others = {other for text in form.texts() for other in INHERITS.findall(text)}
                    for other in others - seen:
                        labels |= self.labels_of(other, seen)
        return labels

    # -- examples ------------------------------------------------------------------------------------------------

    def examples(self, file_name):
        lines = ["// Made by tools/docs/instruction_pages.py: the examples of the instruction headers.", ""]
        lines += ["#undef NDEBUG", "#include <gtest/gtest.h>", "", "#include <cassert>", ""]
        lines += ["#include <pto/pto-inst.hpp>", ""]
        for header in KERNEL_HEADERS:
            if (self.root / "include/pto_abi" / header).is_file():
                lines.append(f'#include "{header}"')
        for family in self.families:
            suite = "".join(word.title() for word in re.findall(r"[a-z]+", family.page[:-3]))
            count = collections.Counter()
            for names, forms in self.entries(family):
                for form in forms:
                    if form.example:
                        count[names[0]] += 1
                        number = count[names[0]] if count[names[0]] > 1 else ""
                        lines += ["", f"TEST({suite}Examples, {names[0].replace('_', '')}{number}) {{"]
                        lines += [f'#line {form.example_line + 1} "{form.header}"', *form.example]
                        lines += [f'#line {len(lines) + 2} "{file_name}"', "}"]
        return "\n".join(lines) + "\n"


def wrapped_signature(signature):
    if len(signature) <= 110:
        return [signature]
    kept = re.sub(r"(?<!,) ", "\0", signature)  # breaks between parameters only
    lines = textwrap.wrap(kept, 110, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines]


def write_if_changed(path, content):
    if not path.is_file() or path.read_text(encoding="utf-8") != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def write_pages(root):
    pages = Book(root).pages()
    for path in (root / PAGES).glob("*"):
        if path.relative_to(root).as_posix() not in pages:
            path.unlink()
    for name, content in pages.items():
        write_if_changed(root / name, content)


def run_self_test():
    failures = 0
    for title, files, edits, expected in CASES:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, content in files.items():
                write_if_changed(root / name, content)
            write_pages(root)
            for name, content in edits.items():
                write_if_changed(root / name, content)
            found = [finding.message for finding in Book(root).findings()]
        if len(found) != len(expected) or not all(part in message for part, message in zip(expected, found)):
            failures += 1
            print(f"self-test failed: {title}: expected {expected}, got {found}")
    print(f"instruction_pages.py: self-test {'failed' if failures else 'ok'}, {len(CASES)} cases")
    return failures


STORE = "include/pto/load_store.hpp"
COPY = "include/pto/comm/point_to_point.hpp"
SUMMARY = "/// Loads.\n///\n"
LABELS = "/// Shapes:     equal.\n/// Completion: on return.\n/// Errors:     none.\n/// Source:     section 8.\n"
EXAMPLE = "///\n/// Example:\n///     assert(true);\n"
FUNCTION = "template <class T>\n  requires(true)\nPTO_INST RecordEvent TLOAD(T& t) { if (t) { f(); } }\n"


def instruction(name="TLOAD", comment=SUMMARY + LABELS + EXAMPLE):
    return comment + FUNCTION.replace("TLOAD", name)


def namespace(*functions):
    return "#pragma once\n\nnamespace pto {\n\n" + "\n".join(functions) + "\n}  // namespace pto\n"


def stored(*functions):
    return {STORE: namespace(*functions)}


CASES = [
    ("a complete instruction", stored(instruction()), {}, []),
    ("nothing", {}, {}, []),
    ("an overload without a comment", stored(instruction(), instruction(comment="")), {}, []),
    ("another without a comment", stored(instruction(), instruction("TSTORE", "")), {}, ["TSTORE: a public"]),
    ("two under one comment", stored(instruction() + instruction("TSTORE", "")), {}, []),
    ("internals", stored(instruction(), "namespace tileput_detail {\nvoid f(int) {}\n}\n"), {}, []),
    ("types", stored(instruction(), "struct A { void f(); };\nusing B = void (*)(int);\n"), {}, []),
    ("a label of a second comment", stored(instruction(), instruction(comment="/// Or so.\n")), {}, []),
    (
        "no labels",
        stored(instruction(comment=SUMMARY + EXAMPLE)),
        {},
        ["no Shapes or Effect", "no Completion", "no Errors", "no Source"],
    ),
    *(
        (f"no {label}", stored(instruction().replace(f"/// {label}:", "/// Threads:")), {}, [label])
        for label in ("Shapes", "Completion", "Errors", "Source")
    ),
    ("labels of another", stored(instruction(), instruction("TSTORE", "/// In all else as TLOAD.\n")), {}, []),
    (
        "labels of one that has none",
        stored(instruction(), instruction("TSTORE", "/// As TPUT.\n")),
        {},
        ["TSTORE"] * len(REQUIRED_LABELS),
    ),
    (
        "labels together",
        stored(instruction(comment=SUMMARY + "/// Shapes, Completion (local), Errors, Source: x.\n" + EXAMPLE)),
        {},
        [],
    ),
    ("a label's second line", stored(instruction().replace("equal.", "equal,\n///             always.")), {}, []),
    ("not indented", stored(instruction().replace("equal.", "equal,\n/// always.")), {}, ["indent what continues"]),
    ("a query", stored(instruction(), "/// What is it?\nint get_it(int which);\n"), {}, []),
    (
        "an action",
        stored(instruction(), "/// As TLOAD.\nvoid f(int a);\n", "/// Acts.\nvoid g(int a);\n"),
        {},
        ["g:"] * len(REQUIRED_LABELS),
    ),
    ("no example", stored(instruction(comment=SUMMARY + LABELS)), {}, ["'Example:'"]),
    ("a header of no page", {"include/pto/new.hpp": namespace(instruction("TNEW"))}, {}, ["TNEW: the header is on no"]),
    ("no instruction, no page", {"include/pto/new.hpp": namespace(instruction("helper"))}, {}, []),
    ("a page edited by hand", stored(instruction()), {f"{PAGES}/load_store.md": "# Load\n"}, ["is not what"]),
    ("a comment edited", stored(instruction()), stored(instruction().replace("equal", "other")), ["is not what"]),
    ("an instruction added", stored(instruction()), {COPY: namespace(instruction("TPUT"))}, ["is not what"] * 2),
    ("a page of nothing", {}, {f"{PAGES}/old.md": "# Old\n"}, ["belongs to no header"]),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true")
    action.add_argument("--examples", metavar="FILE", type=pathlib.Path)
    action.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        sys.exit(1 if run_self_test() else 0)
    if arguments.check:
        found = list(Book(ROOT).findings())
        for finding in found:
            print(f"{finding.path}:{finding.line}: {finding.message}")
        sys.exit(1 if found else 0)
    if arguments.examples:
        arguments.examples.write_text(Book(ROOT).examples(arguments.examples.name), encoding="utf-8")
        return
    write_pages(ROOT)


if __name__ == "__main__":
    main()
