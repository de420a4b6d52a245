#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: run_kernels.sh <tileput> <kernels of this test>
#
# `tileput run` with kernels of both cores, of several types, and with such as fail: what they compute, and what it says.
set -euo pipefail
tileput=$1
own=$2
# shellcheck source=tests/scene/run_support.sh
source "$(dirname "$0")/run_support.sh"
add=$scratch/kernels/run_add.cpp
matmul=$scratch/kernels/run_matmul.cpp

# On the cube core: a product of each type and of odd extents, by both compilers, on the checked machine too.
save=(--save in0=a_%r.npy --save in1=b_%r.npy --save out0=product_%r.npy)
product() { # product <type> <its name in kernels> <type of the sum> <its name> <arguments>...
  local type=$1 element=$2 to=$3 to_element=$4
  shift 4
  works --core aic --kernel "$matmul" -D ELEMENT="$element" -D SUM="$to_element" -n 2 \
    --in "$type:random:17x33" --in "$type:random:33x21" --out "$to:17x21" "${save[@]}" "$@"
  saved_are product 2 "$type"
}
product f32 float f32 float --compiler g++
product f32 float f32 float --compiler clang++
product f16 half f32 float -p check --schedules 3
product bf16 bfloat16_t f32 float
product i8 int8_t i32 int32_t
works --core aic --kernel "$matmul" -D ELEMENT=float -D SUM=float --in f32:random:64x64 --in f32:random:64x64 \
  --out f32:64x64 "${save[@]}"
saved_are product 1 f32
cp product_0.npy before.npy
works --core aic --kernel "$matmul" -D ELEMENT=float -D SUM=float --in f32:@a_%r.npy --in f32:@b_%r.npy --out f32:64x64 \
  --save out0=product_%r.npy
cmp before.npy product_0.npy || fail "the product of what was saved"
works --core aic --kernel "$matmul" -D ELEMENT=float -D SUM=float --in f32:1:3x0 --in f32:1:0x5 --out f32:3x5
grep -qxF 'rank 0: out0 f32[3x5]: 0 0 0 0 0 0 0 0 ...; min 0, max 0, 0 NaN' out || fail "a product of nothing"
# Without the flag between the load and the move the checker objects.
grep -v 'PIPE_MTE2, PIPE_MTE1' "$matmul" >kernels/unordered.cpp
run --core aic --kernel kernels/unordered.cpp -D ELEMENT=float -D SUM=float --in f32:1:8x8 --in f32:1:8x8 --out f32:8x8 \
  -p check
[[ $code == 73 ]] || fail "without its flag"
grep -qE 'missing: .*set_flag.*TLOAD unordered\.cpp:[0-9]+' out || fail "the missing flag"
# Both kinds of core, by an orchestration.
works --kernel "aic:$matmul" --kernel "aiv:$add" --orch kernels/run_layer_orch.cpp --entry layer -D ELEMENT=float \
  -D SUM=float --in f32:random:16x24 --in f32:random:24x8 --in f32:random:16x8 --out f32:16x8 --out f32:16x8 \
  --save in0=a_%r.npy --save in1=b_%r.npy --save in2=bias_%r.npy --save out0=product_%r.npy --save out1=result_%r.npy
saved_are product 1 f32
saved_are layer 1

# A kernel that fails: its line, whichever compiler, what it was given, and what to change.
line=$(grep -n 'TLOAD(right, b)' "$add" | cut -d: -f1)
for compiler in g++ clang++; do
  run --compiler "$compiler" --kernel "$add" --in f32:1:16 --in f32:1:8 --out f32:16
  [[ $code == 1 ]] || fail "a tensor that is too small"
  grep -qF "TLOAD at run_add.cpp:$line: 64 bytes" err || fail "the line of an object of $compiler"
  grep -qF 'was given args[0] in0 (f32:1:16), args[1] in1 (f32:1:8), args[2] out0 (f32:16))' err || fail "arguments"
done
run --kernel "$matmul" --core aic -D ELEMENT=float -D SUM=float --in f32:1:65x8 --in f32:1:8x8 --out f32:65x8
[[ $code == 1 ]] || fail "a tile that is too small"
grep -qF 'a tile with 65 x 8 valid of 64 x 64 elements' err || fail "the size of the tile"
sed 's/^  TLOAD(left, a);/  *reinterpret_cast<volatile int*>(args[2] - args[2]) = 1;/' "$add" >kernels/null.cpp
run --kernel kernels/null.cpp --in f32:1:8 --in f32:1:8 --out f32:8
[[ $code == 71 ]] || fail "a null pointer"
grep -qE 'null\.cpp:[0-9]+ .* a null pointer \(check what is accessed there, and the number and order' err ||
  fail "a null pointer"
line=$(grep -n 'args\[2\] - args\[2\]' kernels/null.cpp | cut -d: -f1)
run --kernel kernels/null.cpp --in f32:1:8 --in f32:1:8 --out f32:8 -n 2 -p check
[[ $code == 71 ]] || fail "a null pointer on the checked machine"
grep -qE "^tileput: rank-died: .* at null\.cpp:$line: signal 11 .*, accessing 0x0 \(.*given args\[0\] in0" err ||
  fail "a null pointer on the checked machine"

# An orchestration that is not given what it asks for.
refused "asks for tensor 3 (the first is 0), and there are 2 (" --kernel "aic:$matmul" --kernel "aiv:$add" -D SUM=float \
  -D ELEMENT=float --orch kernels/run_layer_orch.cpp --entry layer --in f32:1:8x8 --in f32:1:8x8
refused "the orchestration was given tensor(0) in0 (f32:1:8), scalar(0) n, scalar(1) 7)" --kernel "$add" \
  --orch kernels/run_layer_orch.cpp --entry layer --in f32:1:8 --scalars n,7
refused "function with --entry" --kernel "$add" --orch kernels/run_layer_orch.cpp
echo "multiplies, adds, and says what fails"
