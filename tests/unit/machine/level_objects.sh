#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Checks that the objects compiled for one instruction-set level share no function with the rest of the library: every
# symbol that the linker may merge with another object's carries the name of the level's own namespace.
#
# usage: level_objects.sh <nm> <object>...     looks at those named dense_product_<level>
set -u

nm=$1
shift
objects=0
failures=0
for object in "$@"; do
  [[ $(basename "$object") =~ ^dense_product_([a-z0-9]+)\. ]] || continue
  level=${BASH_REMATCH[1]}
  if ! symbols=$("$nm" "$object"); then
    echo "FAIL $object: no symbols to read"
    failures=$((failures + 1))
    continue
  fi
  # V, W and u: weak and unique definitions. DW.ref is a pointer to the C++ run time's handler, the same for every level.
  shared=$(awk '$2 ~ /^[VWu]$/ { print $3 }' <<<"$symbols" | grep -v "tileput_eigen_$level\|^DW\.ref\." | c++filt)
  if [[ -n $shared ]]; then
    echo "FAIL $object may share"
    echo "$shared" | head -n 20
    failures=$((failures + 1))
  fi
  objects=$((objects + 1))
done
echo "$objects objects, $failures failures"
((objects > 0 && failures == 0))
