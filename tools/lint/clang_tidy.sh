#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs clang-tidy on the given files, in parallel, with the compile commands of build/tidy, else of build/dev.
#
#   tools/lint/clang_tidy.sh FILE...     relative to the top of the checkout
#
# A header has no compile command: it is checked through a source that includes it. What the build does not compile is
# left out with a message. Flags that only g++ knows are errors to clang-tidy, so build/tidy should be clang's.
# Exit status: 0 no finding; 1 findings, or no build folder to take the commands from.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD

say() { printf 'clang-tidy: %s\n' "$*" >&2; }

database=""
for folder in build/tidy build/dev; do
  if [[ -f $folder/compile_commands.json ]]; then
    database=$folder
    break
  fi
done
if [[ -z $database ]]; then
  say "no build/tidy/compile_commands.json and none in build/dev; configure first: cmake --preset tidy"
  exit 1
fi

mapfile -t compiled < <(sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$database/compile_commands.json" | sort -u)
((${#compiled[@]})) || {
  say "no compile command in $database/compile_commands.json"
  exit 1
}

# Prints the compiled source that a header is checked through: the nearest one that includes it, directly or by way of
# other headers, and of several the one of the same name.
source_of_header() {
  { git ls-files -- '*.hpp' '*.h' && git ls-files --others --exclude-standard -- '*.hpp' '*.h'; } |
    sed "s|^|$root/|" | cat - <(printf '%s\n' "${compiled[@]}") | tr '\n' '\0' |
    xargs -0 grep -HoE '^#include "[^"]+"' 2>/dev/null | awk -v root="$root/" -v wanted="$1" '
      function spelling(path) { sub(/^(src|include)\//, "", path); return path }
      {
        split($0, part, ":#include ")
        file = substr(part[1], length(root) + 1)
        included = part[2]
        gsub(/"/, "", included)
        users[included] = users[included] file "\n"
      }
      END {
        stem = wanted; sub(/^.*\//, "", stem); sub(/\.[^.]*$/, "", stem)
        queue[1] = wanted; last = 1; seen[wanted] = 1
        for (first = 1; first <= last; first++) {
          best = ""
          count = split(users[spelling(queue[first])], user, "\n")
          for (i = 1; i < count; i++) {
            if (user[i] ~ /\.(hpp|h)$/) {
              if (!(user[i] in seen)) { queue[++last] = user[i]; seen[user[i]] = 1 }
            } else if (best == "" || user[i] ~ ("/" stem "\\.[a-z]+$")) best = user[i]
          }
          if (best != "") { print root best; exit }
        }
        exit 1
      }'
}

# Prints the compiled source that a file is checked through; fails if there is none.
source_of() {
  case "$1" in
    *.h | *.hpp) source_of_header "$1" ;;
    *) printf '%s\n' "${compiled[@]}" | grep -xF "$root/$1" ;;
  esac
}

declare -A sources=()
for file in "$@"; do
  file=${file#"$root"/}
  if path=$(source_of "$file"); then
    sources[$path]=1
  else
    say "left out, no compile command reaches it: $file"
  fi
done
((${#sources[@]})) || exit 0

jobs=$(nproc)
say "${#sources[@]} sources with $database, $jobs at a time"

export TIDY_DATABASE=$database
export TIDY_HEADERS="^$root/(src|cli|include/tileput)/.*\\.hpp\$"
# One process per file; its output is printed in one piece, and only if there is something to say.
# shellcheck disable=SC2016  # expanded by the inner shell
printf '%s\0' "${!sources[@]}" | sort -z | xargs -0 -n 1 -P "$jobs" bash -c '
  if ! out=$(clang-tidy --quiet -p "$TIDY_DATABASE" --header-filter="$TIDY_HEADERS" \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument "$1" 2>&1); then
    printf "%s\n" "$out" | grep -vE "^[0-9]+ (warning|error)s?( and [0-9]+ errors?)? (generated|treated as errors)" || true
    exit 1
  fi' clang-tidy || exit 1
