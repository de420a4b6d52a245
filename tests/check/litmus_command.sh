#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: litmus_command.sh <tileput> <folder of listings> <docs/litmus.md>
#
# `tileput litmus`: its exit status, what it prints for people and for programs, that a replay command repeats the run
# it was printed for, and that the examples of its documentation print what they are said to.
set -euo pipefail
tileput=$1
cases=$2
page=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  printf 'FAIL: %s\n' "$*"
  sed 's/^/  stdout: /' "$scratch/out"
  sed 's/^/  stderr: /' "$scratch/err"
  exit 1
}

# expect_status <status> <arguments of tileput litmus...>
expect_status() {
  local expected=$1 status=0
  shift
  timeout 100 "$tileput" litmus "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
  [[ $status == "$expected" ]] || fail "exit status $status instead of $expected: litmus $*"
}

expect_line() { grep -qE -- "$1" "$scratch/out" || fail "no line matches '$1'"; }
expect_error() {
  [[ ! -s $scratch/out ]] || fail "a refusal prints on stdout"
  [[ $(wc -l <"$scratch/err") == 1 ]] || fail "a refusal is one line"
  grep -qE -- "$1" "$scratch/err" || fail "no error matches '$1'"
}

cp "$cases"/BC-01.litmus "$cases"/BC-69.litmus "$cases"/BC-104.litmus "$cases"/BC-26.litmus "$scratch"
cd "$scratch"

# Verdicts that agree.
expect_status 0 BC-01.litmus
expect_line '^BC-01.litmus  buggy    RW:data +expect RW:data +agree +[0-9]+ schedules?, all$'
expect_line '^BC-01.litmus  correct  clean +expect clean +agree '
expect_line '^  rank 0  MTE3  TSTORE writes data@1\[0:8\] +\(line 7\)$'
expect_status 0 BC-01.litmus BC-69.litmus BC-26.litmus
[[ $(wc -l <out) == 6 ]] || fail "one line for each file and variant"
expect_status 0 -v BC-01.litmus BC-69.litmus
expect_line '^  reason: a cycle'
expect_status 0 --variant correct BC-01.litmus
[[ $(wc -l <out) == 1 ]] || fail "one line for one variant"
expect_status 0 --variant buggy --mode random --schedules 50 --seed 3 BC-69.litmus
expect_line ' 50 schedules$'
expect_status 0 --variant buggy --mode priority --depth 2 --until-fail BC-69.litmus
expect_line ' 1 schedule$'
expect_status 0 --variant buggy --schedules 2 BC-104.litmus
expect_line ' [12] schedules?, more left$'

# Verdicts that do not: a finding too many, one too few, none expected.
sed 's/^# expect: .*/# expect: clean/' BC-01.litmus >too_many.litmus
expect_status 73 too_many.litmus BC-69.litmus
expect_line '^too_many.litmus  buggy    RW:data +expect clean +DISAGREE '
expect_line '^too_many.litmus  correct  clean +expect clean +agree '
expect_line '^  missing: '
expect_line '^found and not expected: RW:data$'
sed 's/^# expect: .*/# expect: RW:data, OOB:data/' BC-01.litmus >too_few.litmus
expect_status 73 too_few.litmus
expect_line '^expected and not found: OOB:data$'
sed 's/^# expect: .*/# expect: OOB:data/' BC-01.litmus >other.litmus
expect_status 73 other.litmus
expect_line '^expected and not found: OOB:data; found and not expected: RW:data$'
sed '/^# expect/d' BC-01.litmus >silent.litmus
expect_status 73 silent.litmus
expect_line '^silent.litmus  buggy    RW:data +nothing expected +- '
expect_status 0 --variant correct silent.litmus

# The replay command that is printed repeats the deadlock.
for mode in systematic random priority; do
  expect_status 0 --variant buggy --mode "$mode" BC-104.litmus
  replay=$(sed -n 's/^replay: tileput litmus //p' out)
  [[ -n $replay ]] || fail "no replay command"
  # shellcheck disable=SC2086 # words of a command line
  expect_status 0 $replay
  expect_line '^BC-104.litmus +buggy +DEADLOCK .* 1 schedule'
  cp out first
  # shellcheck disable=SC2086
  expect_status 0 $replay
  cmp -s out first || fail "a replay differs from the next one"
done

# For programs.
expect_status 73 --json BC-01.litmus silent.litmus too_many.litmus BC-26.litmus
python3 - out <<'EOF' || fail "the JSON is not as documented"
import json, sys

lines = [json.loads(line) for line in open(sys.argv[1])]
assert len(lines) == 8
for line in lines:
    assert list(line) == ["file", "variant", "model", "seed", "findings", "expect", "agree", "schedules",
                          "complete", "replay"], line
    for finding in line["findings"]:
        assert list(finding) == ["kind", "region", "accesses", "missing_edge", "count", "warning"], finding
        for access in finding["accesses"]:
            assert list(access) == ["rank", "core", "pipe", "instruction", "place", "access"], access
race = lines[0]
assert (race["file"], race["variant"], race["model"]) == ("BC-01.litmus", "buggy", "hardware")
assert (race["expect"], race["agree"]) == ("RW:data", True)
finding = race["findings"][0]
assert (finding["kind"], finding["region"], finding["warning"]) == ("RW", "data", False)
assert finding["accesses"][0] == {"rank": 0, "core": "rank 0", "pipe": "MTE3", "instruction": "TSTORE",
                                  "place": "line 7", "access": "writes data@1[0:8]"}
assert finding["missing_edge"]
assert [line["agree"] for line in lines] == [True, True, None, None, False, True, True, True]
assert race["complete"] is True and race["replay"].startswith("--replay "), race
assert lines[1]["replay"] == ""
assert [line["expect"] for line in lines[:6]] == ["RW:data", "clean", None, None, "clean", "clean"]
EOF
expect_status 0 --json --memory-model paranoid --variant buggy BC-26.litmus
python3 -c 'import json, sys; assert json.load(sys.stdin)["model"] == "paranoid"' <out || fail "the JSON names the model"

# What is refused: status 2, one line, nothing on stdout, also where other files are fine.
printf 'ranks 2\nrank 0:\n  TSTROE x <- ub0\n' >typing.litmus
expect_status 2 BC-01.litmus typing.litmus
expect_error 'typing.litmus:3:3: .TSTROE. is no statement \(expected '
printf 'ranks 2\nrank 0:\n  TSTORE x <- ub0\n' >undeclared.litmus
expect_status 2 BC-01.litmus undeclared.litmus
expect_error 'undeclared.litmus:3:10: .x. is not declared \(expected '
expect_status 2 missing.litmus
expect_error 'missing.litmus'
expect_status 2 --variant other BC-01.litmus
expect_error 'variant'
expect_status 2 --replay 0.x BC-01.litmus
expect_error '0\.x'
for schedules in 0 -5 abc; do
  expect_status 2 --schedules "$schedules" BC-01.litmus
  expect_error "--schedules: Value $schedules not in range 1 to 1000000000 "
done
expect_status 2 --memory-model x BC-01.litmus
expect_error '--memory-model: x not in '
mkdir folder
expect_status 2 BC-01.litmus folder
expect_error "bad-argument: 'folder' is a directory "
expect_status 2
expect_error 'file'
# The page: a listing, then the command that reads it and its output.
python3 - "$tileput" "$page" <<'EOF' || fail "the examples of the page are not what the program prints"
import subprocess, sys

tileput, page = sys.argv[1:]
blocks = [[]]
for line in open(page).read().split("\n"):
    if line.startswith("    "):
        blocks[-1].append(line[4:])
    elif line and blocks[-1]:
        blocks.append([])
prompt = "$ tileput litmus "
shown = [(before, block) for before, block in zip(blocks, blocks[1:]) if block and block[0].startswith(prompt)]
assert len(shown) == 2, len(shown)
for listing, (command, *expected) in shown:
    name, *options = command[len(prompt):].split()
    with open(name, "w") as out:
        out.write("\n".join(listing) + "\n")
    run = subprocess.run([tileput, "litmus", name, *options], stdout=subprocess.PIPE, text=True, timeout=100)
    printed = [line.rstrip() for line in run.stdout.splitlines()]
    assert printed == expected, "\n".join(printed)
EOF
echo "tileput litmus behaves as documented"
