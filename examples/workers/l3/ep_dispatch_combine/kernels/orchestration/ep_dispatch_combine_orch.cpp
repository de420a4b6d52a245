// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Submits this rank's part of a mixture-of-experts layer as three AIV tasks: dispatch (func_id 0), local expert (1) and
// combine (2). Refuses what does not fit together, and routes that no kernel may follow, before the first of them.

#include <cinttypes>
#include <initializer_list>
#include <vector>

#include "../ep_window.hpp"
#include "platform_comm/comm_context.h"
#include "pto_orchestration_api.h"

namespace {

enum Argument {
  kIndices,
  kXNorm,
  kWPadded,
  kIdxPadded,
  kRecvX,
  kRecvW,
  kRecvIdx,
  kRecvCount,
  kRecvY,
  kRoutedY,
  kScratch,
  kTensors
};
constexpr int kArguments = kTensors + 2;  // n, CommContext

struct Shape {
  std::uint64_t ranks = 0;
  std::uint64_t rank = 0;
  std::uint32_t tokens = 0;
  std::uint32_t topk = 0;
  std::uint32_t hidden = 0;
  std::uint32_t experts = 0;
  std::uint32_t capacity = 0;

  std::uint64_t routes() const { return std::uint64_t{tokens} * topk; }
};

/// Refuses a tensor of another type or other extents.
void expect(const ChipTensor& tensor, const char* name, DataType type, std::initializer_list<std::uint64_t> extents) {
  bool same = tensor.dtype == type && tensor.is_contiguous && tensor.ndims == extents.size();
  std::uint32_t dimension = 0;
  for (const std::uint64_t extent : extents) {
    same = same && tensor.shapes[dimension] == extent;
    ++dimension;
  }
  if (!same) {
    const std::uint64_t* wanted = extents.begin();
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                    "%s is %s (%u, %u, %u) of %u dimensions; it must be dense, %s (%" PRIu64 ", %" PRIu64 ", %" PRIu64
                    ") of %zu dimensions",
                    name, get_dtype_name(tensor.dtype), tensor.shapes[0], tensor.shapes[1], tensor.shapes[2],
                    tensor.ndims, get_dtype_name(type), wanted[0], extents.size() > 1 ? wanted[1] : 0,
                    extents.size() > 2 ? wanted[2] : 0, extents.size());
  }
}

/// Sizes from indices, x_norm and recv_x; the other tensors have to agree with them.
Shape shape_of(const ChipTaskArgs& args) {
  const ChipTensor& indices = args.tensor(kIndices).ref();
  const ChipTensor& x_norm = args.tensor(kXNorm).ref();
  const ChipTensor& recv_x = args.tensor(kRecvX).ref();
  Shape shape;
  shape.ranks = args.scalar(0);
  if (shape.ranks < 1 || shape.ranks > COMM_MAX_RANK_NUM) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "%" PRIu64 " ranks; a CommContext has room for 1 to 64",
                    shape.ranks);
  }
  const auto* ctx = reinterpret_cast<const CommContext*>(args.scalar(1));
  if (shape.ranks != ctx->rankNum) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "%" PRIu64 " ranks in a domain of %u", shape.ranks, ctx->rankNum);
  }
  if (indices.ndims != 2 || x_norm.ndims != 2 || recv_x.ndims != 3) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                    "indices, x_norm and recv_x_out have %u, %u and %u dimensions; they have 2, 2 and 3", indices.ndims,
                    x_norm.ndims, recv_x.ndims);
  }
  shape.rank = ctx->rankId;
  shape.tokens = indices.shapes[0];
  shape.topk = indices.shapes[1];
  shape.hidden = x_norm.shapes[1];
  shape.experts = recv_x.shapes[0];
  shape.capacity = recv_x.shapes[1];
  if (shape.topk == 0 || shape.hidden == 0 || shape.experts == 0) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                    "%u experts per token, %u elements per row, %u experts per rank; each is at least 1", shape.topk,
                    shape.hidden, shape.experts);
  }
  if (shape.routes() > INT32_MAX || shape.ranks * shape.routes() > INT32_MAX) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                    "%u tokens for %u experts each on %" PRIu64 " ranks; counts of rows are 32-bit", shape.tokens,
                    shape.topk, shape.ranks);
  }
  return shape;
}

void check_tensors(const ChipTaskArgs& args, const Shape& shape) {
  const auto tensor = [&args](Argument index) -> const ChipTensor& { return args.tensor(index).ref(); };
  expect(tensor(kIndices), "indices", DataType::INT32, {shape.tokens, shape.topk});
  expect(tensor(kXNorm), "x_norm", DataType::BFLOAT16, {shape.tokens, shape.hidden});
  expect(tensor(kWPadded), "w_padded", DataType::FLOAT32, {shape.routes(), ep::kPadded});
  expect(tensor(kIdxPadded), "idx_padded", DataType::INT32, {shape.routes(), ep::kPadded});
  expect(tensor(kRecvX), "recv_x_out", DataType::BFLOAT16, {shape.experts, shape.capacity, shape.hidden});
  expect(tensor(kRecvW), "recv_w_out", DataType::FLOAT32, {shape.experts, shape.capacity});
  expect(tensor(kRecvIdx), "recv_idx_out", DataType::INT32, {shape.experts, shape.capacity});
  expect(tensor(kRecvCount), "recv_count_out", DataType::INT32, {shape.experts, 1});
  expect(tensor(kRecvY), "recv_y", DataType::BFLOAT16, {shape.experts, shape.capacity, shape.hidden});
  expect(tensor(kRoutedY), "routed_y", DataType::FLOAT32, {shape.tokens, shape.hidden});
  const ChipTensor& scratch = tensor(kScratch);
  const std::uint64_t needed =
      ep::window_of({shape.ranks, shape.experts, shape.capacity, shape.hidden, shape.routes()}).bytes;
  if (scratch.buffer.size < needed) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "scratch has %" PRIu64 " bytes and needs %" PRIu64,
                    scratch.buffer.size, needed);
  }
  if (scratch.buffer.addr % ep::kLineBytes != 0) {
    rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                    "scratch is not aligned to %" PRIu64 " bytes; make it the first buffer", ep::kLineBytes);
  }
}

/// Refuses an expert that does not exist or already lacks room for this rank's rows, and a route number that is not the
/// row's own: the owner's rows are addressed by it.
void check_routes(const ChipTaskArgs& args, const Shape& shape) {
  const auto* indices = args.tensor(kIndices).ref().data_as<std::int32_t>();
  const auto* idx_padded = args.tensor(kIdxPadded).ref().data_as<std::int32_t>();
  const std::uint64_t experts = shape.ranks * shape.experts;
  std::vector<std::uint64_t> rows(experts, 0);
  for (std::uint64_t route = 0; route < shape.routes(); ++route) {
    const std::int64_t expert = indices[route];
    if (expert < 0 || expert >= static_cast<std::int64_t>(experts)) {
      rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL, "token %" PRIu64 " is routed to expert %" PRId64 " of %" PRIu64,
                      route / shape.topk, expert, experts);
    }
    ++rows[static_cast<std::size_t>(expert)];
    std::int64_t number = 0;
    for (std::uint64_t column = 0; column < ep::kPadded; ++column) {
      number += idx_padded[route * ep::kPadded + column];
    }
    if (number != static_cast<std::int64_t>(route)) {
      rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                      "row %" PRIu64 " of idx_padded sums to %" PRId64 "; it has its own number in column 0", route,
                      number);
    }
  }
  for (std::uint64_t expert = 0; expert < experts; ++expert) {
    if (rows[expert] > shape.capacity) {
      rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                      "expert %" PRIu64 " of rank %" PRIu64 " gets %" PRIu64 " rows from rank %" PRIu64
                      " alone, %u fit",
                      expert % shape.experts, expert / shape.experts, rows[expert], shape.rank, shape.capacity);
    }
  }
}

/// The dispatch kernel leaves a count above the capacity where rows of all ranks together did not fit.
void check_capacity(const ChipTensor& recv_count, const Shape& shape) {
  const auto* counts = recv_count.data_as<std::int32_t>();
  for (std::uint32_t expert = 0; expert < shape.experts; ++expert) {
    if (static_cast<std::uint32_t>(counts[expert]) > shape.capacity) {
      rt_report_fatal(PTO2_ERROR_EXPLICIT_ORCH_FATAL,
                      "expert %u of rank %" PRIu64 " gets %d rows, %u fit; raise the capacity or route evenly", expert,
                      shape.rank, counts[expert], shape.capacity);
    }
  }
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) PTO2OrchestrationConfig ep_dispatch_combine_config(const ChipTaskArgs&) {
  return PTO2OrchestrationConfig{.expected_arg_count = kArguments};
}

__attribute__((visibility("default"))) void ep_dispatch_combine(const ChipTaskArgs& args) {
  const Shape shape = shape_of(args);
  check_tensors(args, shape);
  check_routes(args, shape);
  const auto tensor = [&args](Argument index) -> const ChipTensor& { return args.tensor(index).ref(); };

  CoreTaskArgs dispatch;
  dispatch.add_input(tensor(kIndices), tensor(kXNorm), tensor(kWPadded), tensor(kIdxPadded));
  dispatch.add_output(tensor(kRecvX), tensor(kRecvW), tensor(kRecvIdx), tensor(kRecvCount));
  dispatch.add_inout(tensor(kScratch));
  dispatch.add_scalar(args.scalar(0), args.scalar(1));
  rt_submit_aiv_task(0, dispatch);
  check_capacity(tensor(kRecvCount), shape);  // a task is complete when its submit call returns

  CoreTaskArgs expert;
  expert.add_input(tensor(kRecvX), tensor(kRecvW), tensor(kRecvCount));
  expert.add_output(tensor(kRecvY));
  expert.add_scalar(args.scalar(1));
  rt_submit_aiv_task(1, expert);

  CoreTaskArgs combine;
  combine.add_input(tensor(kRecvY), tensor(kRecvIdx));
  combine.add_output(tensor(kRoutedY));
  combine.add_inout(tensor(kScratch));
  combine.add_scalar(args.scalar(0), args.scalar(1));
  rt_submit_aiv_task(2, combine);
}

}  // extern "C"
