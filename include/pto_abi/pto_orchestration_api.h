// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Orchestration ABI (spec section 18): what an orchestration function sees. C++17, global namespace.
///
/// An orchestration runs on its rank and submits tasks. Each task runs inside its submit call, in submission order,
/// which is the order every legal orchestration is correct under (spec section 18.5). It is complete when the call
/// returns, unless its kernel defers that (pto_async_kernel_api.h): then those that depend on it wait for it first, and
/// the orchestration's end waits for all.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tensor.h"

struct PTO2OrchestrationConfig {
  int expected_arg_count;  ///< tensors + scalars of the chip task; checked before the entry is called, if positive
};

class CoreTaskArgs;

#define TILEPUT_ARGUMENT_RULE "a tensor argument must be a variable that outlives the submit call"

/// Private to tileput: how an orchestration object reaches the rank it runs on.
extern "C" {
struct tileput_submitted_task {
  uint64_t id;
  const ChipTensor* outputs;  ///< runtime-allocated ones, in the order of addition
  int64_t output_count;
};
tileput_submitted_task tileput_submit(int is_cube, int32_t func_id, const CoreTaskArgs* args);
void tileput_begin_scope(void);
void tileput_end_scope(void) noexcept;
void tileput_get_element(const ChipTensor* tensor, uint32_t ndims, const uint32_t* indices, void* value,
                         uint64_t value_bytes);
void tileput_set_element(const ChipTensor* tensor, uint32_t ndims, const uint32_t* indices, const void* value,
                         uint64_t value_bytes);
[[noreturn]] void tileput_fail_argument(const char* what, long long index, long long count);
[[noreturn]] void tileput_fail_output(unsigned long long task, long long index, long long count);
[[noreturn]] void tileput_report_fatal(int code, const char* format, ...) __attribute__((format(printf, 2, 3)));
void tileput_log(int level, const char* file, int line, const char* format, ...) __attribute__((format(printf, 4, 5)));
}

/// Arguments of the chip task that the host submitted: tensors and scalars by index.
class ChipTaskArgs {
 public:
  /// Refers to one tensor for the whole orchestration call.
  class TensorRef {
   public:
    explicit TensorRef(const ChipTensor& tensor) : tensor_(&tensor) {}
    const ChipTensor& ref() const { return *tensor_; }

   private:
    const ChipTensor* tensor_;
  };

  ChipTaskArgs(const ChipTensor* tensors, int32_t tensor_count, const uint64_t* scalars, int32_t scalar_count)
      : tensors_(tensors), scalars_(scalars), tensor_count_(tensor_count), scalar_count_(scalar_count) {}

  TensorRef tensor(int64_t index) const {
    check("tensor", index, tensor_count_);
    return TensorRef(tensors_[index]);
  }
  uint64_t scalar(int64_t index) const {
    check("scalar", index, scalar_count_);
    return scalars_[index];
  }
  int32_t tensor_count() const { return tensor_count_; }
  int32_t scalar_count() const { return scalar_count_; }

 private:
  static void check(const char* what, int64_t index, int64_t count) {
    if (index < 0 || index >= count) {
      tileput_fail_argument(what, index, count);
    }
  }

  const ChipTensor* tensors_;
  const uint64_t* scalars_;
  int32_t tensor_count_;
  int32_t scalar_count_;
};

/// A tensor that does not exist yet: CoreTaskArgs::add_output() takes it in place of one, and submitting the task
/// allocates its buffer, dense and row-major. Any size up to what memory there is, 0 elements included.
class TensorCreateInfo {
 public:
  /// Errors: kBadArgument as make_tensor_external().
  TensorCreateInfo(const uint32_t* shapes, uint32_t ndims, DataType dtype = DataType::FLOAT32, bool manual_dep = false)
      : layout_(make_tensor_external(nullptr, shapes, ndims, dtype, manual_dep)) {}

  /// The tensor without memory.
  const ChipTensor& layout() const { return layout_; }

 private:
  ChipTensor layout_;
};

/// How many blocks a task runs as: 1 to 64, at the same time, with a core each. They may wait for one another.
struct PTO2LaunchSpec {
  int32_t block_num = 1;
  void set_block_num(int32_t blocks) { block_num = blocks; }
};

/// Arguments of one core task. Stores pointers to tensors, which must outlive the submit call; all tensors come before
/// the first scalar. What does not fit sets has_error, and submitting then fails with error_msg.
///
/// A task waits for the deferred ones that write what it reads or writes, and for those that read what it writes.
/// Tensors of add_no_dep(), and those with manual_dep, do not count for that: set_dependencies() orders them.
class CoreTaskArgs {
 public:
  static constexpr int kTensorsMax = 32;
  static constexpr int kScalarsMax = 16;

  CoreTaskArgs() {}  // NOLINT(modernize-use-equals-default): CoreTaskArgs{} would clear the arrays first
  CoreTaskArgs(const CoreTaskArgs&) = delete;
  CoreTaskArgs& operator=(const CoreTaskArgs&) = delete;

  template <class... Tensors>
  void add_input(Tensors&&... tensors) {
    check_tensors<Tensors&&...>();
    (add_tensor(tensors, TensorArgType::INPUT), ...);
  }
  /// Tensors that exist, and TensorCreateInfo objects for those that the runtime allocates, in any mix.
  template <class... Outputs>
  void add_output(Outputs&&... outputs) {
    static_assert((std::is_lvalue_reference_v<Outputs&&> && ...),
                  "CoreTaskArgs keeps pointers: " TILEPUT_ARGUMENT_RULE);
    (add_output_of(outputs), ...);
  }
  template <class... Tensors>
  void add_inout(Tensors&&... tensors) {
    check_tensors<Tensors&&...>();
    (add_tensor(tensors, TensorArgType::INOUT), ...);
  }
  template <class... Tensors>
  void add_no_dep(Tensors&&... tensors) {
    check_tensors<Tensors&&...>();
    (add_tensor(tensors, TensorArgType::NO_DEP), ...);
  }
  template <class... Values>
  void add_scalar(const Values&... values) {
    (add_bits(to_u64(values)), ...);
  }
  void add_scalars(const uint64_t* values, int64_t count) {
    for (int64_t i = 0; i < count_of(values, count); ++i) {
      add_bits(values[i]);
    }
  }
  void add_scalars_i32(const int32_t* values, int64_t count) {
    for (int64_t i = 0; i < count_of(values, count); ++i) {
      add_bits(static_cast<uint64_t>(static_cast<int64_t>(values[i])));
    }
  }
  /// Tasks that are complete before this one starts, besides those that its tensors name. Keeps the pointer, which must
  /// be valid until the submit call; ids that name none are skipped.
  void set_dependencies(const PTO2TaskId* tasks, int64_t count) {
    if (count < 0 || (tasks == nullptr && count != 0)) {
      fail("set_dependencies() with a negative count, or without tasks");
    } else {
      dependencies_ = tasks;
      dependency_count_ = count;
    }
  }

  void reset() {
    tensor_count_ = 0;
    scalar_count_ = 0;
    dependency_count_ = 0;
    launch_spec = PTO2LaunchSpec();
    has_error = false;
    error_msg = nullptr;
  }

  /// Null for one that the runtime allocates.
  const ChipTensor* tensor(int index) const { return tensors_[index]; }
  /// Of an argument with direction OUTPUT.
  const TensorCreateInfo& create_info(int index) const { return *create_infos_[index]; }
  TensorArgType direction(int index) const { return directions_[index]; }
  uint64_t scalar(int index) const { return scalars_[index]; }
  PTO2TaskId dependency(int64_t index) const { return dependencies_[index]; }
  int tensor_count() const { return tensor_count_; }
  int scalar_count() const { return scalar_count_; }
  int64_t dependency_count() const { return dependency_count_; }

  PTO2LaunchSpec launch_spec;
  bool has_error = false;
  const char* error_msg = nullptr;

 private:
  template <class... References>
  static void check_tensors() {
    static_assert((std::is_lvalue_reference_v<References> && ...),
                  "CoreTaskArgs keeps pointers: " TILEPUT_ARGUMENT_RULE);
    static_assert((!std::is_same_v<std::decay_t<References>, TensorCreateInfo> && ...),
                  "what the runtime allocates is an output: add_output() takes TensorCreateInfo objects");
  }
  void add_tensor(const ChipTensor& tensor, TensorArgType direction) {
    if (has_room()) {
      tensors_[tensor_count_] = &tensor;
      directions_[tensor_count_++] = direction;
    }
  }
  void add_output_of(const ChipTensor& tensor) { add_tensor(tensor, TensorArgType::OUTPUT_EXISTING); }
  void add_output_of(const TensorCreateInfo& info) {
    if (has_room()) {
      tensors_[tensor_count_] = nullptr;
      create_infos_[tensor_count_] = &info;
      directions_[tensor_count_++] = TensorArgType::OUTPUT;
    }
  }
  bool has_room() {
    if (scalar_count_ != 0) {
      fail("a tensor was added after a scalar");
      return false;
    }
    if (tensor_count_ == kTensorsMax) {
      fail("a task has at most 32 tensors");
      return false;
    }
    return true;
  }
  int64_t count_of(const void* values, int64_t count) {
    if (count < 0 || (values == nullptr && count != 0)) {
      fail("add_scalars() with a negative count, or without values");
      return 0;
    }
    return count;
  }
  void add_bits(uint64_t bits) {
    if (scalar_count_ == kScalarsMax) {
      fail("a task has at most 16 scalars");
    } else {
      scalars_[scalar_count_++] = bits;
    }
  }
  void fail(const char* message) {
    has_error = true;
    error_msg = message;
  }

  // Filled up to the counts; clearing half a KiB for every task would cost a tenth of a small one.
  const ChipTensor* tensors_[kTensorsMax];
  const TensorCreateInfo* create_infos_[kTensorsMax];
  TensorArgType directions_[kTensorsMax];
  uint64_t scalars_[kScalarsMax];
  int tensor_count_ = 0;
  int scalar_count_ = 0;
  const PTO2TaskId* dependencies_ = nullptr;
  int64_t dependency_count_ = 0;
};

/// What a submit call returns: the task's id, and the tensors that the runtime allocated for it.
class TaskOutputTensors {
 public:
  explicit TaskOutputTensors(const tileput_submitted_task& task) : task_(task) {}

  /// The `index`-th runtime-allocated output, by order of addition. The reference is valid for the orchestration call.
  /// Its memory lives as long as that, or as the innermost PTO2_SCOPE around the submit call, and until the deferred
  /// tasks that were given it are complete. What it holds before somebody writes it is unspecified.
  /// Errors: kBadArgument when there is none.
  const ChipTensor& get_ref(int64_t index) const& {
    if (index < 0 || index >= task_.output_count) {
      tileput_fail_output(task_.id, index, task_.output_count);
    }
    return task_.outputs[index];
  }
  const ChipTensor& get_ref(int64_t index) const&& = delete;

  size_t size() const { return static_cast<size_t>(task_.output_count); }
  PTO2TaskId task_id() const { return PTO2TaskId{task_.id}; }

 private:
  tileput_submitted_task task_;
};

/// Runs the AIV kernel registered under `func_id` with these arguments, in as many blocks as the launch specification
/// says, and returns when all of them have.
/// Errors: kOutOfMemory where an output of TensorCreateInfo does not fit into memory; kBadArgument for a tensor that
/// was allocated in a scope that has ended.
inline TaskOutputTensors rt_submit_aiv_task(int32_t func_id, const CoreTaskArgs& args) {
  return TaskOutputTensors(tileput_submit(0, func_id, &args));
}
/// The same for a cube kernel.
inline TaskOutputTensors rt_submit_aic_task(int32_t func_id, const CoreTaskArgs& args) {
  return TaskOutputTensors(tileput_submit(1, func_id, &args));
}

/// One element of a tensor, read by the orchestration.
///
/// Shapes:     `indices` has `ndims` entries, as many as the tensor has dimensions; T has the size of its type.
///
/// Blocking:   waits for every deferred task with a tensor that shares memory with this one and writes it, manual_dep
///             or not; add_no_dep() tensors do not count. What peers write must be ordered before by the kernels.
///
/// Errors:     kBadArgument for an index or a size that does not fit; kOutOfWindow where the element is in no memory
///             that the task knows.
template <class T>
inline __attribute__((always_inline)) T get_tensor_data(const ChipTensor& tensor, uint32_t ndims,
                                                        const uint32_t* indices) {
  static_assert(std::is_trivially_copyable_v<T>, "get_tensor_data: an element is copied as bytes");
  T value;
  tileput_get_element(&tensor, ndims, indices, &value, sizeof(T));
  return value;
}
/// The same to write it; waits for those that only read, too. Later tasks see it.
template <class T>
inline __attribute__((always_inline)) void set_tensor_data(const ChipTensor& tensor, uint32_t ndims,
                                                           const uint32_t* indices, T value) {
  static_assert(std::is_trivially_copyable_v<T>, "set_tensor_data: an element is copied as bytes");
  tileput_set_element(&tensor, ndims, indices, &value, sizeof(T));
}

/// Private to tileput: what PTO2_SCOPE opens.
class TileputScope {
 public:
  TileputScope() { tileput_begin_scope(); }
  ~TileputScope() { tileput_end_scope(); }
  TileputScope(const TileputScope&) = delete;
  TileputScope& operator=(const TileputScope&) = delete;
};

#define TILEPUT_JOIN_(a, b) a##b
#define TILEPUT_JOIN(a, b) TILEPUT_JOIN_(a, b)

/// PTO2_SCOPE() { ... }: outputs that are allocated inside live until its end, however it is left. Scopes
/// nest. It is no loop: break and continue inside belong to the loop around it.
#define PTO2_SCOPE()                                                           \
  if (const TileputScope TILEPUT_JOIN(tileput_scope_, __COUNTER__){}; false) { \
  } else

enum : int { PTO2_ERROR_EXPLICIT_ORCH_FATAL = 9 };

/// Ends the run with kOrchestration, the code and the formatted text. Does not return.
#define rt_report_fatal(code, ...) tileput_report_fatal((code), __VA_ARGS__)

#define LOG_ERROR(...) tileput_log(0, __FILE__, __LINE__, __VA_ARGS__)
#define LOG_WARN(...) tileput_log(1, __FILE__, __LINE__, __VA_ARGS__)
#define LOG_INFO(...) tileput_log(2, __FILE__, __LINE__, __VA_ARGS__)
#define LOG_DEBUG(...) tileput_log(3, __FILE__, __LINE__, __VA_ARGS__)
#define LOG_TIMING(...) tileput_log(3, __FILE__, __LINE__, __VA_ARGS__)
