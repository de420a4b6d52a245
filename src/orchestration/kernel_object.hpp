// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Object files of kernels and orchestrations: finding, checking, loading.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace tileput::orchestration {

/// The file that `path` names: absolute as it is; relative beside the executable, then in each directory of
/// TILEPUT_KERNEL_PATH, then in lib/tileput of the installation; in each first as it is written, then the bare file
/// name. Throws Error kNotFound with every place looked at.
std::filesystem::path find_object(const std::filesystem::path& path);

/// Every directory that find_object() looks in, in order.
std::vector<std::filesystem::path> object_directories();

/// Whether the shared object exports `symbol`; read from the file, nothing of it is executed.
/// Throws Error kBadArgument if the file is not a shared object of this machine.
bool exports_symbol(const std::filesystem::path& file, const std::string& symbol);

/// One loaded object; unloaded when destroyed.
class KernelObject {
 public:
  KernelObject() = default;
  /// Loads `file`; with `private_copy` from a copy of it if this process has it already, so that its statics are this
  /// rank's alone although other ranks of the process load the same file. Makes the run-time symbols of tileput visible
  /// to it first.
  KernelObject(const std::filesystem::path& file, bool private_copy);
  KernelObject(KernelObject&& other) noexcept;
  KernelObject& operator=(KernelObject&& other) noexcept;
  ~KernelObject();

  /// Address of an exported symbol, null if there is none.
  [[nodiscard]] void* symbol(const std::string& name) const noexcept;

  struct Span {
    std::uint64_t begin = 0;  ///< where offset 0 of the file's addresses lies
    std::uint64_t end = 0;
  };
  /// The addresses that the loaded object covers.
  [[nodiscard]] Span span() const noexcept;

 private:
  base::UniqueFd copy_;  // keeps /proc/self/fd/<n> alive for symbolisers
  void* handle_ = nullptr;
};

}  // namespace tileput::orchestration
