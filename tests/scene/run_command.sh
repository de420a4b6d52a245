#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: run_command.sh <tileput> <kernels of this test> <kernels of the all-to-all>
#
# `tileput run`: compiles, caches, runs, saves and checks kernels without CMake, and says what it refuses.
set -euo pipefail
tileput=$1
own=$2
all_to_all=$3
# shellcheck source=tests/scene/run_support.sh
source "$(dirname "$0")/run_support.sh"
cp -r "$all_to_all" "$scratch/all_to_all"
add=$scratch/kernels/run_add.cpp
push=$scratch/all_to_all/aiv/all_to_all_kernel.cpp
orchestration=$scratch/all_to_all/orchestration/all_to_all_orch.cpp

# A compiler that says when it is started.
cat >compiler <<'EOF'
#!/bin/sh
echo "$*" >>"$COMPILER_LOG"
exec g++ "$@"
EOF
chmod +x compiler
export COMPILER_LOG=$scratch/log
starts() { grep -c -- '-shared' log || true; }

sum=(--in f32:random:8x16 --in f32:0.25:8x16 --out f32:8x16)
save=(--save in0=a_%r.npy --save in1=b_%r.npy --save out0=sum_%r.npy)
works --compiler ./compiler --kernel "$add" -n 3 "${sum[@]}" "${save[@]}"
[[ $(grep -cE '^rank [0-2]: out0 f32\[8x16\]: .* 0 NaN$' out) == 3 ]] || fail "one line a rank"
saved_are add 3
[[ $(starts) == 1 ]] || fail "compiled once"

# The cache: no compiler for the same again, one where anything that it read is another, both known afterwards.
works --compiler ./compiler --kernel "$add" -n 3 "${sum[@]}" "${save[@]}"
saved_are add 3
[[ $(wc -l <log) == 2 ]] || fail "a compiler was started for what is in the cache"
cp sum_0.npy before.npy
works --compiler ./compiler --kernel "$add" -n 3 --data-seed 2 "${sum[@]}" "${save[@]}"
saved_are add 3
! cmp -s sum_0.npy before.npy || fail "another seed, the same contents"
sed -i 's/16384/8192/' kernels/run_add_shape.hpp
works --compiler ./compiler --kernel "$add" "${sum[@]}"
[[ $(starts) == 2 ]] || fail "a header has changed"
sed -i 's/8192/16384/' kernels/run_add_shape.hpp
works --compiler ./compiler --kernel "$add" "${sum[@]}"
starts_before=$(starts)
works --compiler ./compiler --kernel "$add" "${sum[@]}"
[[ $(starts) == "$starts_before" ]] || fail "a header is as before"
works --compiler ./compiler --kernel "$add" -D OTHER "${sum[@]}"
[[ $(starts) == $((starts_before + 1)) ]] || fail "another macro"
works --compiler ./compiler --kernel "aic:$add" -D OTHER "${sum[@]}"
[[ $(starts) == $((starts_before + 2)) ]] || fail "another core"

# At the same time, with an empty cache: each is right, nothing but whole files is left.
export TILEPUT_CACHE_DIR=$scratch/shared
pids=()
for i in 1 2 3 4; do
  timeout 60 "$tileput" run --kernel "$add" "${sum[@]}" >"out_$i" 2>&1 &
  pids+=($!)
done
for pid in "${pids[@]}"; do
  wait "$pid" || fail "runs at the same time"
done
for i in 2 3 4; do
  cmp -s out_1 "out_$i" || fail "runs at the same time differ"
done
[[ $(find shared -type f ! -name '*.inputs' ! -name 'run_add-*.so' | wc -l) == 0 ]] || fail "left in the cache"

# The cache is bounded: the oldest go.
for i in {1..600}; do
  : >"shared/old-$i.so"
done
touch -d '2020-01-01' shared/old-*.so
works --kernel "$add" -D ANOTHER "${sum[@]}"
[[ $(find shared -type f | wc -l) -le 512 ]] || fail "$(find shared -type f | wc -l) files in the cache"
[[ $(find shared -name 'run_add-*.so' | wc -l) -ge 2 ]] || fail "the newest are gone"

# Odd file names are file names.
# shellcheck disable=SC2016  # that nothing expands it is the point
odd='odd $(touch injected); name'
mkdir "$odd"
cp kernels/run_add_shape.hpp "$odd"
cp "$add" "$odd/-o.cpp"
(cd "$odd" && timeout 60 "$tileput" run --kernel=-o.cpp "${sum[@]}" >../out 2>../err) ||
  fail "odd names"
[[ $(find . -name injected | wc -l) == 0 ]] || fail "a shell has seen a file name"

# Order, types, files.
works --kernel "$add" --inout f32:iota:8 --out f32:8 --in f32:rank:8
grep -qE '^rank 0: out0 f32\[8\]: -4.31602e\+08 .* 8 of 8 still poison' out || fail "an output is poisoned before"
works --kernel "$add" --out f32:8 --in f32:iota:8 --inout f32:7:8
grep -qF 'inout0 f32[8]: -4.31602e+08' out || fail "tensors in the order of the command line"
works --kernel "$add" --in=f32:iota:8 --in=f32:rank:8 --out=f32:8 -n 2
grep -qxF 'rank 1: out0 f32[8]: 1 2 3 4 5 6 7 8; min 1, max 8, 0 NaN' out || fail "iota and rank"
works --kernel "$add" --in f32:@sum_0.npy --in f32:zeros:128 --out f32:128 --save out0=again.npy
cmp <(tail -c 512 sum_0.npy) <(tail -c 512 again.npy) || fail "a .npy file in"
tail -c 512 sum_0.npy >raw_0
tail -c 512 sum_1.npy >raw_1
works --kernel "$add" -n 2 --in f32:@raw_%r:128 --in f32:zeros:128 --out f32:128 --save out0=raw_out_%r
for rank in 0 1; do
  cmp "raw_$rank" "raw_out_$rank" || fail "raw files, one for each rank"
done
for type in f16 i32 i16 i8 u8 u16 u32 i64 u64 bool; do
  works --kernel "$add" --in f32:1:8 --in f32:1:8 --out f32:8 --inout "$type:random:3x5" --inout "$type:1:3" \
    --save "inout0=$type.npy"
  grep -qF "inout1 ${type}[3]: 1 1 1; min 1, max 1" out || fail "$type"
  works --kernel "$add" --in f32:1:8 --in f32:1:8 --out f32:8 --inout "$type:@$type.npy" --save "inout0=again.npy"
  cmp "$type.npy" again.npy || fail "$type from a file"
done
works --kernel "$add" --in f32:1:8 --in f32:1:8 --out f32:8 --in bf16:1.5:8 --save in2=bits_0.bin
works --kernel "$add" --in f32:1:8 --in f32:1:8 --out f32:8 --in bf16:1.5:8 --save in2=bits_0.npy
saved_are bits 1

# A distributed kernel: with the default orchestration, with its own, and as objects.
exchange=(-n 4 --in f32:random:256 --out f32:256 --scratch 4K --save in0=in_%r.npy --save out0=out_%r.npy)
for by in "" "--orch $orchestration --entry all_to_all_push"; do
  # shellcheck disable=SC2086  # several words or none
  works --kernel "$push" $by "${exchange[@]}" --scalars n,ctx --calls 3 --keep .
  saved_are all_to_all 4
  grep -qE '^3 calls, median [0-9.]+ us$' out || fail "the time of a call"
  rm out_?.npy
done
works --kernel 0:aiv:all_to_all_kernel.so --orch all_to_all_orch.so --entry all_to_all_push "${exchange[@]}" \
  --scalars n --scalars ctx
saved_are all_to_all 4

# On the checked machine: clean with its fence, found without.
# shellcheck disable=SC2054  # the comma is one of --scalars
check=(-p check -n 3 --in f32:random:48 --out f32:48 --scratch 4K --scalars n,ctx --calls 3)
works --kernel "$push" "${check[@]}" --schedules 10 --save in0=in_%r.npy --save out0=out_%r.npy
grep -qxF 'no findings in 10 schedules' out || fail "clean"
saved_are all_to_all 3
python3 - "$push" all_to_all/aiv/unfenced.cpp <<'EOF'
import sys
text = open(sys.argv[1]).read()
cut = text.replace("  dsb(DSB_DDR);\n\n  // Barrier", "\n  // Barrier")
assert cut != text
open(sys.argv[2], "w").write(cut)
EOF
run --kernel all_to_all/aiv/unfenced.cpp "${check[@]}" --schedules 3 --seed 5
[[ $code == 73 ]] || fail "without its fence"
grep -qE '^RW scratch: ' out || fail "without its fence"
grep -qE 'missing: dsb\(DSB_DDR\) between TPUT unfenced\.cpp:[0-9]+' out || fail "the missing instruction"
grep -qE '^to see it again: .*/tileput run .* --calls 3 --seed 5$' out || fail "how to see it again"
again=$(sed -n 's/^to see it again: //p' out)
code=0
bash -c "$again" >out 2>err || code=$?
[[ $code == 73 ]] || fail "the printed command: $again"
run --kernel all_to_all/aiv/unfenced.cpp "${check[@]}" --schedules 3 --until-fail
grep -q 'in 1 of 1 schedules' out || fail "--until-fail"

# What is refused, before anything runs.
refused "--calls: Value 0 not in range 1 to 4294967295 (tileput run --help" --kernel "$add" --calls 0
refused "no element type 'f31'" --kernel "$add" --in f31:zeros:8
refused "'8y8' is no shape" --kernel "$add" --in f32:zeros:8y8
refused "'1x2x3x4x5x6' is no shape" --kernel "$add" --out f32:1x2x3x4x5x6
refused "too many elements" --kernel "$add" --out f32:4294967295x4294967295
refused "'some' is no contents" --kernel "$add" --in f32:some:8
refused "'300' is no contents of type u8" --kernel "$add" --in u8:300:8
refused "'70000' is no contents of type f16" --kernel "$add" --in f16:70000:8
refused "'-1e39' is no contents of type bf16" --kernel "$add" --in bf16:-1e39:8
refused "'-129' is no contents of type i8" --kernel "$add" --in i8:-129:8
refused "an output has no contents" --kernel "$add" --out f32:zeros:8
refused "raw_0 has 512 bytes" --kernel "$add" --in f32:@raw_0:127
refused "no file 'none_0.npy'" --kernel "$add" --in f32:@none_%r.npy
refused "not i32" --kernel "$add" --in i32:@sum_0.npy
refused "has the shape 8x16, not 128" --kernel "$add" --in f32:@sum_0.npy:128
head -c 100 sum_0.npy >short.npy
refused "short.npy" --kernel "$add" --in f32:@short.npy
refused "a raw file without a shape" --kernel "$add" --in f32:@raw_0
refused "no file 'none.cpp'" --kernel none.cpp
refused "none.so" --kernel none.so
refused "ctx twice" --kernel "$add" --scratch 64 --scalars n,ctx,ctx
refused "'m' is none" --kernel "$add" --scalars n,m
refused "ctx without a window" --kernel "$add" --scalars ctx
refused "no size of a window" --kernel "$add" --scratch 4Q
refused "0 ranks" --kernel "$add" -n 0
refused "65 ranks" --kernel "$add" -n 65
refused "there is a kernel with id 3" --kernel "3:aiv:$add" --kernel "3:aiv:$add" --orch "$orchestration"
refused "no orchestration" --kernel "$add" --kernel "$add"
refused "--entry without" --kernel "$add" --entry other
refused "one file for 2 ranks" --kernel "$add" -n 2 --out f32:8 --save out0=x.npy
refused "no tensor and file" --kernel "$add" --out f32:8 --save out1=x.npy
refused "no directory" --kernel "$add" --out f32:8 --save out0=nowhere/x.npy
refused "--seed is for -p check" --kernel "$add" --seed 1
refused "Directory does not exist: nowhere" --kernel "$add" -I nowhere
refused "no compiler 'nothing'" --kernel "$add" --compiler nothing
refused "kernel_entry" --kernel "$orchestration"
sed 's/TADD(left, left, right)/TADD(left, left, wrong)/' "$add" >kernels/broken.cpp
line=$(grep -n wrong kernels/broken.cpp | cut -d: -f1)
refused "broken.cpp does not compile" --kernel kernels/broken.cpp "${sum[@]}"
grep -qE "broken\.cpp:$line:.*wrong" err || fail "the compiler's own message"
chmod go+w shared
refused "the cache" --kernel "$add" "${sum[@]}"
echo "runs, caches, checks and refuses"
