// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Deliberately without an include guard: every inclusion makes the address-space and function macros of the instruction
// set empty again, whatever the kernel defined before. Kernels define `__aicore__` as `[aicore]`, which is no host C++,
// either before or after they include us (spec section 1.3); therefore every public pto header includes this one last.
// tileput's own headers use none of these macros.

#undef __gm__
#undef __aicore__
#undef __global__
#undef __in__
#undef __out__
#undef __ubuf__
#undef __cbuf__
#undef __ca__
#undef __cb__
#undef __cc__
#undef __fbuf__
#undef __biasbuf__
#undef __tf__
#undef AICORE

#define __gm__
#define __aicore__
#define __global__
#define __in__
#define __out__
#define __ubuf__
#define __cbuf__
#define __ca__
#define __cb__
#define __cc__
#define __fbuf__
#define __biasbuf__
#define __tf__
#define AICORE
