// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a job consists of at the moment, as reports need it: kept by the worker, published in a memfd of its own, from
/// which `tileput status` reads it.

#include <cstdint>
#include <string>
#include <vector>

#include "base/archive.hpp"
#include "base/fd.hpp"

namespace tileput::orchestration {

/// One object that a rank has loaded, in that rank's address space.
struct LoadedObject {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t callable = 0;
  std::int32_t func_id = 0;
  std::uint8_t is_kernel = 0;  ///< else the orchestration
  std::string file;

  void save(base::Writer& out) const { out.put(begin).put(end).put(callable).put(func_id).put(is_kernel).put(file); }
  void load(base::Reader& in) {
    in.get(begin);
    in.get(end);
    in.get(callable);
    in.get(func_id);
    in.get(is_kernel);
    in.get(file);
  }
};

struct JobDescription {
  struct Rank {
    std::int64_t process_id = 0;
    std::vector<LoadedObject> objects;
  };
  struct Buffer {
    std::string name;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };
  struct Domain {
    std::uint64_t id = 0;
    std::uint64_t window_bytes = 0;
    std::vector<std::int32_t> ranks;
    std::vector<std::uint64_t> windows;  ///< offset in each rank's heap
    std::vector<Buffer> buffers;
  };

  std::uint32_t heap_shift = 0;
  std::uint64_t run = 0;
  std::vector<Rank> ranks;
  std::vector<Domain> domains;

  /// A place in some window.
  struct Place {
    const Domain* domain = nullptr;  ///< null: in no window
    int rank = -1;                   ///< whose window, by worker rank
    std::uint64_t offset = 0;        ///< in that window
  };
  /// `word`: distance from the start of heap 0.
  [[nodiscard]] Place locate(std::uint64_t word) const noexcept;
  /// The object of a rank that an address lies in, null if in none.
  [[nodiscard]] const LoadedObject* object_at(int rank, std::uint64_t address) const noexcept;
  /// The kernel's, or (with is_kernel false) the orchestration's object; null if the rank has none.
  [[nodiscard]] const LoadedObject* object_of(int rank, std::uint64_t callable, bool is_kernel,
                                              std::int32_t func_id) const noexcept;

  void save(base::Writer& out) const;
  void load(base::Reader& in);
};

/// The published form: the format's number, a sequence number that is odd while it is rewritten, then the size, then
/// the bytes.
class JobBoard {
 public:
  /// The name only shows in /proc, beside the descriptor.
  explicit JobBoard(const char* name);
  JobBoard(const JobBoard&) = delete;
  JobBoard& operator=(const JobBoard&) = delete;
  ~JobBoard();
  void publish(const JobDescription& job);

  /// Reads what a worker has published; throws Error kInternal if it never holds still.
  static JobDescription read(int fd);

 private:
  void grow(std::uint64_t bytes);

  base::UniqueFd fd_;
  std::byte* memory_ = nullptr;
  std::uint64_t capacity_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace tileput::orchestration
