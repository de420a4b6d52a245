// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a program uses to run tile kernels on the ranks of one machine.
///
///     tileput::Worker worker({.ranks = 4});
///     auto callable = worker.load({.orchestration = "kernels/my_orch.so",
///                                  .entry = "my_orchestration",
///                                  .kernels = {{0, tileput::Core::kAiv, "kernels/my_kernel.so"}}});
///     worker.run([&](tileput::Orchestrator& o) {
///       auto domain = o.allocate_domain({.ranks = {0, 1, 2, 3}, .buffers = {{.name = "scratch", .bytes = 4096}}});
///       std::vector<tileput::RankTask> group;
///       for (int rank = 0; rank < 4; ++rank) {
///         tileput::TaskArgs args;
///         args.add_input(in[rank]).add_output(out[rank]).add_inout(domain.buffer("scratch"));
///         args.add_scalar(domain.size()).add_context(domain);
///         group.push_back({rank, args});
///       }
///       o.submit_group(callable, group);
///     });
///
/// Every call throws tileput::Error; what a call refuses, it refuses before anything is sent or allocated.
/// One thread at a time per Worker. Several Workers in one process are independent.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tileput/error.hpp"

namespace tileput {

/// Element types of tensors; the values are those of the kernel ABI (tensor.h).
enum class DataType : std::uint8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kInt32 = 2,
  kInt16 = 3,
  kInt8 = 4,
  kUint8 = 5,
  kBfloat16 = 6,
  kInt64 = 7,
  kUint64 = 8,
  kUint16 = 9,
  kUint32 = 10,
  kBool = 11,
};

/// Bytes of one element.
std::size_t element_bytes(DataType type) noexcept;

/// The DataType of a C++ element type; ill-formed for others. Half-precision data is given by address and DataType.
template <class T>
constexpr DataType data_type_of() {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<U, float>) {
    return DataType::kFloat32;
  } else if constexpr (std::is_same_v<U, bool>) {
    return DataType::kBool;
  } else {
    static_assert(std::is_integral_v<U> && sizeof(U) <= 8, "tensors hold float, bool or integers of up to 64 bits");
    constexpr DataType kSigned[] = {DataType::kInt8, DataType::kInt16, DataType::kInt32, DataType::kInt64};
    constexpr DataType kUnsigned[] = {DataType::kUint8, DataType::kUint16, DataType::kUint32, DataType::kUint64};
    constexpr int kIndex = sizeof(U) == 1 ? 0 : sizeof(U) == 2 ? 1 : sizeof(U) == 4 ? 2 : 3;
    return std::is_signed_v<U> ? kSigned[kIndex] : kUnsigned[kIndex];
  }
}

/// The most ranks a worker, and a domain for kernels, can have: a CommContext has room for 64.
inline constexpr int kRanksMax = 64;

/// The kind of core a kernel object was built for.
enum class Core : std::uint8_t { kAiv, kAic };

/// Whether ranks are processes (what you want) or threads of this process (for tests and race detectors).
enum class RanksAs : std::uint8_t { kProcess, kThread };

/// Whether each rank process is bound to one core. Ranks that are threads are never bound.
enum class Binding : std::uint8_t { kCores, kNone };

/// Where kernels run: on this machine's processors, or on the checked machine, which reports what nothing orders.
enum class Platform : std::uint8_t { kCpu, kCheck };

/// What the checked machine takes as ordered; docs/checker.md has the rules.
enum class MemoryModel : std::uint8_t {
  kHardware,  ///< exactly the portable contract
  kParanoid,  ///< also warns of what only holds on some hardware
  kCoherent,  ///< a CPU: coherent caches, pipes in program order
};

struct CheckOptions {
  MemoryModel memory_model = MemoryModel::kHardware;
  /// Decides who goes on and when writes land, in the first run(); the n-th run() has seed + n - 1. A run is the same,
  /// bit for bit, whenever its seed, its program and the worker's options are.
  std::uint64_t seed = 1;
  /// A run that takes more steps fails with kNoProgress.
  std::uint64_t steps_max = 10'000'000;
};

struct WorkerOptions {
  int ranks = 1;  ///< 1..kRanksMax
  /// With kCheck ranks are neither processes nor threads: they run in turn, inside the calls of the worker, all of
  /// which then come from one thread. Nothing is bound, and TaskOptions::observe has no effect.
  Platform platform = Platform::kCpu;
  CheckOptions check = {};
  RanksAs ranks_as = RanksAs::kProcess;
  Binding binding = Binding::kCores;
  /// Hard limit of one run(), of one load(), and of starting the ranks; 0: none. When it passes, the call fails with
  /// kNoProgress and says who waits for what.
  /// A run whose ranks provably wait forever fails so within a second, without any limit.
  std::chrono::nanoseconds timeout{0};
  /// How often a run that is not complete is reported on stderr: who waits for what, since when; 0: never. Slow and
  /// stopped ranks are not dead: the run goes on.
  std::chrono::nanoseconds wait_report = std::chrono::seconds(30);
  /// Most bytes that windows and shared tensors of this worker may hold together; none: what the machine has.
  std::optional<std::uint64_t> memory_limit_bytes = std::nullopt;
  /// Address space per rank for windows, rounded up to a power of two; none: chosen for the machine.
  std::optional<std::uint64_t> heap_bytes = std::nullopt;
  /// Simulated chip ids, one per rank; empty: 0..ranks-1. Ids are labels: distinct, not negative.
  std::vector<int> devices = {};
  /// Ranks say on stderr what they do: domains, loaded objects, runs.
  bool verbose = false;
  /// This rank, and what replaces it after a failure, waits for a debugger before its first task; stderr says how to
  /// attach.
  std::optional<int> debug_rank = std::nullopt;
};

/// Who a rank is.
struct RankInfo {
  int rank = 0;
  int device = 0;
  std::int64_t process_id = 0;   ///< of its process; this process for ranks that are threads
  std::optional<int> core = {};  ///< that it is bound to
};

/// One kernel object of a callable, by the func_id under which the orchestration submits it.
struct KernelSpec {
  std::int32_t func_id = 0;
  Core core = Core::kAiv;
  std::filesystem::path path;
};

/// An orchestration with its kernels. Relative paths are looked for beside the executable, then in each directory of
/// TILEPUT_KERNEL_PATH, then in lib/tileput of the installation.
struct CallableSpec {
  std::filesystem::path orchestration;
  std::string entry = "aicpu_orchestration_entry";
  /// Symbol of the configuration function; empty: "<entry>_config" or the ABI's default name, where exported.
  std::string config = "";
  std::vector<KernelSpec> kernels;
};

class Worker;

/// Names a callable that a Worker has loaded on its ranks. Valid as long as that Worker.
class Callable {
 public:
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

 private:
  friend class Worker;
  explicit Callable(std::uint64_t id) noexcept : id_(id) {}
  std::uint64_t id_;
};

/// A view of host memory as a dense tensor of 1 to 5 dimensions; it does not own the memory, which must outlive the
/// run that uses it. Shapes are 32-bit by the kernel ABI: a larger extent is refused.
class Tensor {
 public:
  Tensor(void* data, DataType type, std::vector<std::uint32_t> shape);
  /// Only valid as an input.
  Tensor(const void* data, DataType type, std::vector<std::uint32_t> shape);

  /// One dimension over contiguous elements; const elements are only valid as an input.
  template <class T>
  static Tensor of(std::span<T> elements) {
    return Tensor(elements.data(), data_type_of<T>(), {extent(elements.size())});
  }
  template <class T>
  static Tensor of(std::vector<T>& elements) {
    return of(std::span<T>(elements));
  }
  template <class T>
  static Tensor of(const std::vector<T>& elements) {
    return of(std::span<const T>(elements));
  }

  [[nodiscard]] const void* data() const noexcept { return data_; }
  [[nodiscard]] bool is_writable() const noexcept { return writable_; }
  [[nodiscard]] DataType type() const noexcept { return type_; }
  [[nodiscard]] const std::vector<std::uint32_t>& shape() const noexcept { return shape_; }
  [[nodiscard]] std::uint64_t elements() const noexcept;
  [[nodiscard]] std::uint64_t bytes() const noexcept { return elements() * element_bytes(type_); }

 private:
  static std::uint32_t extent(std::size_t elements);

  const void* data_;
  DataType type_;
  bool writable_;
  std::vector<std::uint32_t> shape_;
};

/// Memory that the worker and all its ranks share; tensors in it are passed to kernels without a copy.
/// Freed by its destructor, which must not run while a run uses it, and with its Worker. Starts as zeros. Kernels of a
/// run that fails may have written to it.
class SharedMemory {
 public:
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  ~SharedMemory();

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  template <class T>
  [[nodiscard]] std::span<T> as() const noexcept {
    return {reinterpret_cast<T*>(data_), static_cast<std::size_t>(bytes_ / sizeof(T))};
  }

 private:
  friend class Worker;
  struct Release;
  SharedMemory(std::byte* data, std::uint64_t bytes, std::shared_ptr<Release> release) noexcept;
  std::byte* data_ = nullptr;
  std::uint64_t bytes_ = 0;
  std::shared_ptr<Release> release_;
};

/// One named buffer of a window. Buffers lie one behind the other without padding, in the order given.
struct BufferSpec {
  std::string name;
  std::uint64_t bytes = 0;
  DataType type = DataType::kFloat32;
  /// Element count that the tensor handed to kernels declares; none: all of `bytes`. Kernels may index past it.
  std::optional<std::uint32_t> elements = std::nullopt;
};

struct DomainOptions {
  /// Worker ranks that take part; position is the rank inside the domain. Empty: all.
  std::vector<int> ranks = {};
  std::vector<BufferSpec> buffers = {};
  /// Bytes of each rank's window; 0: the sum of the buffers.
  std::uint64_t window_bytes = 0;
};

/// A buffer of a domain, as a task argument: on each rank it is that rank's own copy.
struct WindowBuffer {
  std::uint64_t domain = 0;
  std::uint64_t offset_bytes = 0;
  std::uint64_t bytes = 0;
  DataType type = DataType::kFloat32;
  std::uint32_t elements = 0;
};

/// Windows of one size on some ranks, zeroed, each addressable by all of them. Lives until it is released or the run
/// that made it ends.
class Domain {
 public:
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] int size() const noexcept { return static_cast<int>(ranks_.size()); }
  /// Worker ranks by rank inside the domain.
  [[nodiscard]] const std::vector<int>& ranks() const noexcept { return ranks_; }
  [[nodiscard]] std::uint64_t window_bytes() const noexcept { return window_bytes_; }
  /// The buffer of that name; Error kBadArgument names those there are.
  [[nodiscard]] WindowBuffer buffer(std::string_view name) const;

 private:
  friend class Worker;
  std::uint64_t id_ = 0;
  std::vector<int> ranks_;
  std::uint64_t window_bytes_ = 0;
  std::vector<BufferSpec> buffers_;
};

/// Arguments of one rank's task: tensors, then scalars. The order of the calls is the order the orchestration sees.
class TaskArgs {
 public:
  /// Read by the kernel: copied when its task starts, unless it lies in SharedMemory.
  TaskArgs& add_input(const Tensor& tensor) { return add(tensor, Direction::kInput); }
  /// Written by the kernel: copied back when the task is complete. What the kernel does not write stays as it is.
  TaskArgs& add_output(const Tensor& tensor) { return add(tensor, Direction::kOutput); }
  /// Read and written: copied both ways.
  TaskArgs& add_inout(const Tensor& tensor) { return add(tensor, Direction::kInout); }
  TaskArgs& add_inout(const WindowBuffer& buffer);

  /// The bits of a value of up to 8 bytes; integers are sign- or zero-extended.
  template <class T>
    requires(std::is_arithmetic_v<T> || std::is_enum_v<T>)
  TaskArgs& add_scalar(T value) {
    static_assert(sizeof(T) <= 8);
    if constexpr (std::is_enum_v<T>) {
      return add_scalar(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_floating_point_v<T>) {
      std::uint64_t bits = 0;
      __builtin_memcpy(&bits, &value, sizeof(value));
      return add_bits(bits);
    } else if constexpr (std::is_signed_v<T>) {
      return add_bits(static_cast<std::uint64_t>(static_cast<std::int64_t>(value)));
    } else {
      return add_bits(static_cast<std::uint64_t>(value));
    }
  }
  /// The address of the rank's CommContext of that domain; kernels expect it as the last scalar.
  TaskArgs& add_context(const Domain& domain);

  enum class Direction : std::uint8_t { kInput = 0, kOutput = 3, kInout = 2 };  // TensorArgType of the ABI
  struct TensorArg {
    Direction direction;
    std::optional<Tensor> host;  ///< set: host memory; else `window`
    WindowBuffer window;
  };
  struct ScalarArg {
    bool is_context;
    std::uint64_t value;  ///< bits, or the domain's id
  };
  [[nodiscard]] const std::vector<TensorArg>& tensors() const noexcept { return tensors_; }
  [[nodiscard]] const std::vector<ScalarArg>& scalars() const noexcept { return scalars_; }

 private:
  TaskArgs& add(const Tensor& tensor, Direction direction);
  TaskArgs& add_bits(std::uint64_t bits);

  std::vector<TensorArg> tensors_;
  std::vector<ScalarArg> scalars_;
};

/// One member of a group: a worker rank and its arguments.
struct RankTask {
  int rank = 0;
  TaskArgs args;
};

/// Names a submission of the current run.
class Submission {
 public:
  /// Its place in the order of submission, and in RunReport::submissions.
  [[nodiscard]] std::size_t index() const noexcept { return index_; }

 private:
  friend class Worker;
  Submission(std::uint64_t run, std::size_t index) noexcept : run_(run), index_(index) {}
  std::uint64_t run_;
  std::size_t index_;
};

struct TaskOptions {
  /// How often the orchestration's entry is called, back to back on the same windows, at least 1.
  std::uint32_t calls = 1;
  /// Count instructions and times per phase with an observer on the waist. It slows the kernels; timings of interest
  /// come from runs without it.
  bool observe = false;
  /// Submissions of the same run that are complete before this one starts, besides those that its tensors name.
  std::vector<Submission> after = {};
};

/// A maximal run of data instructions of one task between two barriers, as the observer saw it.
struct PhaseReport {
  std::string kind;         ///< "push", "pull", "stage-in", "copy-out" or "local": where the data came from and went to
  std::uint64_t puts = 0;   ///< TPUT
  std::uint64_t gets = 0;   ///< TGET
  std::uint64_t loads = 0;  ///< TLOAD
  std::uint64_t stores = 0;        ///< TSTORE
  std::uint64_t remote_loads = 0;  ///< TLOADs and TGETs from windows, the own included, if any is from a peer's
  std::uint64_t bytes = 0;         ///< moved by all of these
  std::chrono::nanoseconds time{0};
};

/// What one rank did in one task.
struct RankReport {
  int rank = 0;
  std::uint32_t calls = 0;
  std::chrono::nanoseconds min{0};
  std::chrono::nanoseconds median{0};  ///< of one call of the orchestration's entry
  std::chrono::nanoseconds max{0};
  std::uint64_t tasks = 0;  ///< core tasks that the orchestration submitted in the last call

  // With TaskOptions::observe, of the last call:
  std::vector<PhaseReport> phases;
  std::uint64_t puts = 0;
  std::uint64_t remote_loads = 0;
  std::uint64_t barriers = 0;  ///< maximal runs of TNOTIFY/TWAIT that contain both
  std::uint64_t notifies = 0;
  std::uint64_t tiles = 0;  ///< distinct places in on-chip memory that instructions were given as tiles
};

struct SubmissionReport {
  std::vector<RankReport> ranks;  ///< in the order of the submission's members
};

/// What the checked machine found, once for all accesses of the same instructions.
struct CheckFinding {
  std::string kind;    ///< "RW", "DEADLOCK", ...; docs/checker.md lists them
  std::string region;  ///< the window buffer, "arg0" for a tensor argument, an on-chip memory; may be empty
  std::string place;   ///< the instructions: "TPUT all_to_all_kernel.cpp:79 / TLOAD all_to_all_kernel.cpp:102"
  std::string text;    ///< several lines: both accesses, and the instruction that would order them
  bool is_warning = false;
  std::uint64_t count = 1;
};

/// One run on the checked machine.
struct CheckReport {
  std::vector<CheckFinding> findings;
  std::uint64_t seed = 0;
  std::uint64_t event_hash = 0;  ///< the same for two runs that did the same
  std::uint64_t events = 0;
  std::uint64_t shadow_bytes = 0;  ///< memory that the analysis took

  [[nodiscard]] bool has_errors() const noexcept;
};

struct RunReport {
  std::vector<SubmissionReport> submissions;  ///< in the order they were submitted
  CheckReport check;                          ///< with Platform::kCheck
};

/// Handed to the function that run() calls; valid only inside it.
class Orchestrator {
 public:
  /// Collective over the ranks named: reserves and zeroes the windows everywhere, and only then gives out addresses.
  /// Waits for what these ranks execute, and, where memory does not suffice, for domains that were released.
  /// Errors: kBadArgument (ranks, buffers), kOutOfMemory with the numbers; nothing stays allocated.
  Domain allocate_domain(const DomainOptions& options);

  /// Gives a domain back once the tasks that name it, by a buffer or its context, are complete; returns at once. No
  /// later submission can name it. What is not released is when the run ends. Errors: kBadArgument for a domain that
  /// this run has not allocated, or has released.
  void release_domain(const Domain& domain);

  /// Submits one task per member, and returns when it has started or is queued. It starts when all its ranks are free
  /// and everything that it comes after is complete: tasks of earlier submissions that name memory in common with it
  /// where one of both writes (host memory; buffers of the own rank's windows, which count as written), and
  /// TaskOptions::after. Nothing else orders submissions: a later one overtakes one that waits, so a group may wait as
  /// long as others are submitted that keep one of its ranks busy. With 256 that have not started it waits for one.
  ///
  /// A rank executes one task at a time. A task whose kernels have deferred its completion does not occupy its rank.
  /// Host memory that a submission names is its own until the run ends: inputs are read when it starts, outputs are
  /// written when it is complete. Queued work starts inside calls of the Orchestrator, and in the end of the run.
  Submission submit_group(const Callable& callable, const std::vector<RankTask>& members,
                          const TaskOptions& options = {});

  /// A group of one.
  Submission submit(const Callable& callable, int rank, const TaskArgs& args, const TaskOptions& options = {}) {
    return submit_group(callable, {{rank, args}}, options);
  }

 private:
  friend class Worker;
  explicit Orchestrator(Worker& worker) noexcept : worker_(worker) {}
  Worker& worker_;
};

/// Owns the ranks of one machine. The destructor ends them; ranks never outlive their worker.
class Worker {
 public:
  explicit Worker(const WorkerOptions& options);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  [[nodiscard]] int ranks() const noexcept;
  [[nodiscard]] std::vector<RankInfo> rank_infos() const;

  /// Checks every file and symbol here, then loads them on all ranks.
  /// Errors: kNotFound with every place looked at, kMissingSymbol, kBadArgument (two kernels with one func_id).
  Callable load(const CallableSpec& spec);

  /// Memory that kernels use without a copy. Errors: kOutOfMemory with the numbers.
  SharedMemory allocate_tensor(std::uint64_t bytes);

  /// Calls `program`, then waits until everything submitted is complete, copies outputs back and releases the domains.
  /// Throws the first failure; the ranks that took part are then replaced, and the next run starts clean. Outputs of a
  /// failed submission are not written. After an exception of `program` itself, submitted work is completed first,
  /// where it can be. With Platform::kCheck ranks that wait for ever are a finding, whose text the kNoProgress has.
  /// Other findings are no failure: see RunReport::check.
  RunReport run(const std::function<void(Orchestrator&)>& program);

  /// RunReport::check of the latest run(), also where that failed.
  [[nodiscard]] const CheckReport& last_check() const noexcept;

 private:
  friend class Orchestrator;
  friend class SharedMemory;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// The library's version, "major.minor.patch".
std::string_view version() noexcept;

}  // namespace tileput
