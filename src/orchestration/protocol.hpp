// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What worker and rank say to each other. A request with an id is answered with that id, in order; id 0 is not
/// answered. A task whose completion is deferred is answered when its kernels have returned, and again, with
/// completion_of() its id, when it is complete.

#include <cstdint>
#include <string>
#include <vector>

#include "base/archive.hpp"
#include "domain/heaps.hpp"
#include "machine/phase_counter.hpp"
#include "rank/waiting.hpp"
#include "tileput/error.hpp"

namespace tileput::orchestration {

enum class RequestKind : std::uint32_t {
  kHello,        ///< who the rank is; with descriptors for a process: control, then every heap
  kNothing,      ///< answered when everything before it is
  kReserve,      ///< own window of a domain: reserve and zero; answers its offset
  kAttach,       ///< all windows of the domain exist: make them accessible, build the CommContext
  kDetach,       ///< make the windows inaccessible
  kFree,         ///< give the own window's memory back; everybody has detached
  kCloseShared,  ///< a range of the worker's heap is freed; not answered
  kLoad,         ///< a callable; answers where its objects lie (LoadedObject)
  kRun,          ///< a task; answered once or twice
  kExit,
};

struct RequestHeader {
  std::uint64_t id = 0;
  RequestKind kind = RequestKind::kExit;
};

struct Hello {
  std::int32_t rank = 0;
  std::int32_t ranks = 0;
  std::int32_t core = -1;  ///< to bind to; -1: none
  std::uint64_t stride_bytes = 0;
  rank::WaitPolicy wait_policy;
  std::uint8_t verbose = 0;  ///< say on stderr what happens
  std::uint8_t debug = 0;    ///< wait for a debugger before the first task
};

struct ReserveRequest {
  std::uint64_t domain = 0;
  std::uint64_t bytes = 0;
};

struct AttachRequest {
  std::uint64_t domain = 0;
  std::uint64_t bytes = 0;
  std::int32_t index = 0;                    ///< rank inside the domain
  std::vector<domain::HeapAddress> windows;  ///< by rank inside the domain

  void save(base::Writer& out) const { out.put(domain).put(bytes).put(index).put(windows); }
  void load(base::Reader& in) {
    in.get(domain);
    in.get(bytes);
    in.get(index);
    in.get(windows);
  }
};

struct LoadRequest {
  struct Kernel {
    std::int32_t func_id = 0;
    std::uint8_t is_cube = 0;
    std::string file;
  };
  std::uint64_t callable = 0;
  std::string orchestration;
  std::string entry;
  std::string config;  ///< empty: none
  std::vector<Kernel> kernels;

  void save(base::Writer& out) const {
    out.put(callable).put(orchestration).put(entry).put(config).put(static_cast<std::uint64_t>(kernels.size()));
    for (const Kernel& kernel : kernels) {
      out.put(kernel.func_id).put(kernel.is_cube).put(kernel.file);
    }
  }
  void load(base::Reader& in) {
    in.get(callable);
    in.get(orchestration);
    in.get(entry);
    in.get(config);
    kernels.resize(in.take_count());
    for (Kernel& kernel : kernels) {
      in.get(kernel.func_id);
      in.get(kernel.is_cube);
      in.get(kernel.file);
    }
  }
};

/// A tensor argument. In a window: `domain` is set and place.offset counts from the window's start.
struct WireTensor {
  domain::HeapAddress place;
  std::uint64_t domain = 0;  ///< 0: `place` lies in the worker's heap, in a range of range_bytes at range_offset
  std::uint64_t range_offset = 0;
  std::uint64_t range_bytes = 0;
  std::uint64_t bytes = 0;
  std::uint32_t shape[5] = {};
  std::uint32_t dims = 0;
  std::uint8_t type = 0;
};

struct WireScalar {
  std::uint64_t value = 0;
  std::uint8_t is_context = 0;  ///< `value` is a domain's id and stands for the address of its CommContext
};

struct RunRequest {
  std::uint64_t run = 0;
  std::uint64_t callable = 0;
  std::uint32_t calls = 1;
  std::uint8_t observe = 0;
  std::vector<WireTensor> tensors;
  std::vector<WireScalar> scalars;

  void save(base::Writer& out) const { out.put(run).put(callable).put(calls).put(observe).put(tensors).put(scalars); }
  void load(base::Reader& in) {
    in.get(run);
    in.get(callable);
    in.get(calls);
    in.get(observe);
    in.get(tensors);
    in.get(scalars);
  }
};

struct RunAnswer {
  std::uint64_t min_ns = 0;
  std::uint64_t median_ns = 0;
  std::uint64_t max_ns = 0;
  std::uint64_t tasks = 0;
  std::uint64_t barriers = 0;
  std::uint64_t notifies = 0;
  std::uint64_t tiles = 0;
  std::vector<machine::Phase> phases;

  void save(base::Writer& out) const {
    out.put(min_ns).put(median_ns).put(max_ns).put(tasks).put(barriers).put(notifies).put(tiles).put(phases);
  }
  void load(base::Reader& in) {
    in.get(min_ns);
    in.get(median_ns);
    in.get(max_ns);
    in.get(tasks);
    in.get(barriers);
    in.get(notifies);
    in.get(tiles);
    in.get(phases);
  }
};

/// The id of the second answer to a request.
constexpr std::uint64_t completion_of(std::uint64_t id) noexcept { return id | (std::uint64_t{1} << 63U); }

/// Every answer: the request's id, whether it worked, then the payload or the error.
struct AnswerHeader {
  std::uint64_t id = 0;
  std::uint8_t failed = 0;
  std::uint8_t deferred = 0;  ///< there will be a second one
};

inline void save_error(base::Writer& out, const Error& error) {
  out.put(error.code()).put(error.detail()).put(error.hint());
}
inline Error load_error(base::Reader& in) {
  const auto code = in.take<ErrorCode>();
  auto detail = in.take<std::string>();
  auto hint = in.take<std::string>();
  return Error(code, std::move(detail), std::move(hint));
}

}  // namespace tileput::orchestration
