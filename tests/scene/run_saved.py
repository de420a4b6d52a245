#!/usr/bin/env python3
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
"""Reads files that `tileput run` has saved without NumPy, and compares them: run_saved.py CASE RANKS [TYPE]."""
import ast
import struct
import sys


def npy(name):
    data = open(name, "rb").read()
    assert data[:8] == b"\x93NUMPY\x01\x00", name
    (length,) = struct.unpack("<H", data[8:10])
    assert (10 + length) % 64 == 0 and data[9 + length : 10 + length] == b"\n", name
    head = ast.literal_eval(data[10 : 10 + length].decode())
    assert not head["fortran_order"]
    return head, data[10 + length :]


def floats(name):
    head, data = npy(name)
    assert head["descr"] == "<f4", head
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def matrix(name):
    """Rows, columns and elements; uint16 has the bits of bfloat16."""
    head, data = npy(name)
    code = {"<f4": "f", "<f2": "e", "<u2": "H", "|i1": "b", "<i4": "i"}[head["descr"]]
    values = [x for (x,) in struct.iter_unpack(f"<{code}", data)]
    if code == "H":
        values = [struct.unpack("<f", struct.pack("<I", bits << 16))[0] for bits in values]
    return *head["shape"], values


what, ranks = sys.argv[1], int(sys.argv[2])
if what == "add":
    seen = []
    for rank in range(ranks):
        a, b, out = (floats(f"{name}_{rank}.npy") for name in ("a", "b", "sum"))
        assert npy(f"sum_{rank}.npy")[0]["shape"] == (8, 16)
        assert len(set(a)) > 100 and all(-1 <= x < 1 for x in a)
        assert b == [0.25] * 128 and out == [single(x + 0.25) for x in a]
        assert a not in seen, "ranks have the same random contents"
        seen.append(a)
elif what == "all_to_all":
    sources = [floats(f"in_{rank}.npy") for rank in range(ranks)]
    count = len(sources[0]) // ranks
    for rank in range(ranks):
        wanted = [x for source in sources for x in source[rank * count : (rank + 1) * count]]
        assert floats(f"out_{rank}.npy") == wanted, rank
elif what == "product":
    # Exact for integers. The order in which floats are added is not specified: 1e-4 is the tolerance of the spec.
    tolerance = 0 if sys.argv[3] == "i8" else 1e-4
    seen = []
    for rank in range(ranks):
        (m, k, a), (depth, n, b), (rows, columns, out) = (matrix(f"{name}_{rank}.npy") for name in ("a", "b", "product"))
        assert depth == k and (rows, columns) == (m, n)
        for i in range(m):
            for j in range(n):
                wanted = sum(a[i * k + t] * b[t * n + j] for t in range(k))
                assert abs(out[i * n + j] - wanted) <= tolerance, (rank, i, j, out[i * n + j], wanted)
        assert a not in seen, "ranks have the same random contents"
        seen.append(a)
elif what == "layer":
    product, bias, result = (floats(f"{name}_0.npy") for name in ("product", "bias", "result"))
    assert result == [single(x + y) for x, y in zip(product, bias)]
elif what == "bits":
    assert open("bits_0.bin", "rb").read() == struct.pack("<8H", *[0x3FC0] * 8)
    head, data = npy("bits_0.npy")
    assert head == {"descr": "<u2", "fortran_order": False, "shape": (8,)} and len(data) == 16
