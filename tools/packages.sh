#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# The one list of what tileput needs from the system, and the one place that installs it.
#
#   tools/packages.sh GROUP...         install what is missing of these groups (or of all: "all")
#   tools/packages.sh --list GROUP...  print the names of the packages, one per line
#
# Exit status: 0 everything is there; 1 the installation failed; 2 wrong usage, or packages are missing and there is
# neither root nor sudo to install them (the message names them).
set -euo pipefail

groups=(build clang lint mpi)

# packages_of GROUP: names of Debian 12.
packages_of() {
  case "$1" in
    build)
      echo g++ cmake make ninja-build pkg-config git \
        libfmt-dev libspdlog-dev libcli11-dev nlohmann-json3-dev libhwloc-dev libdw-dev libelf-dev libhwy-dev libeigen3-dev \
        libboost-context-dev \
        libgtest-dev libgmock-dev libbenchmark-dev
      ;;
    clang) echo clang libclang-rt-dev ;;
    lint)
      echo pre-commit cpplint clang-format clang-tidy cmake-format shellcheck ruby-mdl codespell python3 python3-yaml
      ;;
    mpi) echo openmpi-bin libopenmpi-dev ;;
    *) return 1 ;;
  esac
}

# commands_of GROUP: what stands for the group where packages have other names.
commands_of() {
  case "$1" in
    build) echo g++ cmake make ninja pkg-config git ;;
    clang) echo clang++ ;;
    lint) echo pre-commit cpplint clang-format clang-tidy cmake-format shellcheck mdl codespell python3 ;;
    mpi) echo mpirun mpicc ;;
  esac
}

say() { printf 'packages: %s\n' "$*" >&2; }

usage() {
  sed -n '5,11s/^# \{0,1\}//p' "$0"
  printf 'groups: %s\n' "${groups[*]} all"
}

# Prints those of its arguments that dpkg does not have installed.
missing_of() {
  { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null || true; } |
    awk -v wanted="$*" '
      substr($1, 2, 1) == "i" { have[$2] = 1 }
      END { n = split(wanted, name, " "); for (i = 1; i <= n; i++) if (!(name[i] in have)) print name[i] }'
}

# Other distributions: names differ, so look for the commands and go on where they are there.
without_apt() {
  local group command absent=()
  for group in "$@"; do
    for command in $(commands_of "$group"); do
      command -v "$command" >/dev/null || absent+=("$command ($group)")
    done
  done
  if ((${#absent[@]} == 0)); then
    say "not a Debian system; the commands of the groups $* are there, libraries are left to the build to find"
    return 0
  fi
  say "not a Debian system: install what corresponds to the groups $* yourself; their names in Debian 12 are"
  for group in "$@"; do say "  $group: $(packages_of "$group")"; done
  say "commands not found here: ${absent[*]}"
  return 2
}

main() {
  local list=0
  case "${1-}" in
    "") usage >&2; return 2 ;;
    -h | --help) usage; return 0 ;;
    --list) list=1; shift ;;
  esac

  local wanted=() names=() group
  for group in "$@"; do
    if [[ $group == all ]]; then wanted+=("${groups[@]}"); else wanted+=("$group"); fi
  done
  for group in "${wanted[@]}"; do
    packages_of "$group" >/dev/null || { say "no such group: $group"; usage >&2; return 2; }
    # shellcheck disable=SC2207  # names of packages have no blanks
    names+=($(packages_of "$group"))
  done
  if ((list)); then
    printf '%s\n' "${names[@]}"
    return 0
  fi

  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    without_apt "${wanted[@]}"
    return
  fi

  local absent missing
  absent=$(missing_of "${names[@]}")
  [[ -n $absent ]] || return 0
  mapfile -t missing <<<"$absent"

  local as_root=()
  if ((EUID != 0)); then
    if command -v sudo >/dev/null && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; then
      as_root=(sudo)
    else
      say "neither root nor sudo here; please ask the administrator for: apt-get install ${missing[*]}"
      return 2
    fi
  fi

  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
  local log
  log=$(mktemp)
  # shellcheck disable=SC2064  # the name of today's file
  trap "rm -f '$log'" EXIT
  say "reading the package lists (apt-get update)"
  "${apt[@]}" update >"$log" 2>&1 </dev/null || say "apt-get update failed, trying with the lists at hand: $(tail -n 1 "$log")"
  say "installing ${#missing[@]} packages: ${missing[*]}"
  if ! "${apt[@]}" install --no-install-recommends "${missing[@]}" >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    say "the installation failed (above: the end of what apt-get said)"
    return 1
  fi
  say "installed in $SECONDS s"
}

main "$@"
