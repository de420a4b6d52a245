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

/// Private to tileput: how an orchestration object reaches the rank it runs on.
extern "C" {
uint64_t tileput_submit_task(int is_cube, int32_t func_id, const CoreTaskArgs* args);
[[noreturn]] void tileput_fail_argument(const char* what, long long index, long long count);
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

/// How many blocks a task runs as: 1 to 64, at the same time, with a core each. They may wait for one another.
struct PTO2LaunchSpec {
  int32_t block_num = 1;
  void set_block_num(int32_t blocks) { block_num = blocks; }
};

/// Arguments of one core task. Stores pointers to tensors, which must outlive the submit call; all tensors come before
/// the first scalar. What does not fit sets has_error, and submitting then fails with error_msg.
class CoreTaskArgs {
 public:
  static constexpr int kTensorsMax = 32;
  static constexpr int kScalarsMax = 16;

  CoreTaskArgs() {}  // NOLINT(modernize-use-equals-default): CoreTaskArgs{} would clear the arrays first
  CoreTaskArgs(const CoreTaskArgs&) = delete;
  CoreTaskArgs& operator=(const CoreTaskArgs&) = delete;

  template <class... Tensors>
  void add_input(Tensors&&... tensors) {
    check_lvalues<Tensors&&...>();
    (add_tensor(tensors, TensorArgType::INPUT), ...);
  }
  template <class... Tensors>
  void add_output(Tensors&&... tensors) {
    check_lvalues<Tensors&&...>();
    (add_tensor(tensors, TensorArgType::OUTPUT_EXISTING), ...);
  }
  template <class... Tensors>
  void add_inout(Tensors&&... tensors) {
    check_lvalues<Tensors&&...>();
    (add_tensor(tensors, TensorArgType::INOUT), ...);
  }
  template <class... Tensors>
  void add_no_dep(Tensors&&... tensors) {
    check_lvalues<Tensors&&...>();
    (add_tensor(tensors, TensorArgType::NO_DEP), ...);
  }
  template <class... Values>
  void add_scalar(const Values&... values) {
    (add_bits(to_u64(values)), ...);
  }
  void add_scalars(const uint64_t* values, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      add_bits(values[i]);
    }
  }
  void add_scalars_i32(const int32_t* values, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
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

  const ChipTensor* tensor(int index) const { return tensors_[index]; }
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
  static void check_lvalues() {
    static_assert((std::is_lvalue_reference_v<References> && ...),
                  "CoreTaskArgs keeps pointers: a tensor argument must be a variable that outlives the submit call");
  }
  void add_tensor(const ChipTensor& tensor, TensorArgType direction) {
    if (scalar_count_ != 0) {
      fail("a tensor was added after a scalar");
    } else if (tensor_count_ == kTensorsMax) {
      fail("a task has at most 32 tensors");
    } else {
      tensors_[tensor_count_] = &tensor;
      directions_[tensor_count_++] = direction;
    }
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
  TensorArgType directions_[kTensorsMax];
  uint64_t scalars_[kScalarsMax];
  int tensor_count_ = 0;
  int scalar_count_ = 0;
  const PTO2TaskId* dependencies_ = nullptr;
  int64_t dependency_count_ = 0;
};

/// What a submit call returns; runtime-allocated outputs are not part of this version, so it only names the task.
class TaskOutputTensors {
 public:
  explicit TaskOutputTensors(PTO2TaskId task) : task_(task) {}
  size_t size() const { return 0; }
  PTO2TaskId task_id() const { return task_; }

 private:
  PTO2TaskId task_;
};

/// Runs the AIV kernel registered under `func_id` with these arguments, in as many blocks as the launch specification
/// says, and returns when all of them have.
inline TaskOutputTensors rt_submit_aiv_task(int32_t func_id, const CoreTaskArgs& args) {
  return TaskOutputTensors(PTO2TaskId{tileput_submit_task(0, func_id, &args)});
}
/// The same for a cube kernel.
inline TaskOutputTensors rt_submit_aic_task(int32_t func_id, const CoreTaskArgs& args) {
  return TaskOutputTensors(PTO2TaskId{tileput_submit_task(1, func_id, &args)});
}

enum : int { PTO2_ERROR_EXPLICIT_ORCH_FATAL = 9 };

/// Ends the run with kOrchestration, the code and the formatted text. Does not return.
#define rt_report_fatal(code, ...) tileput_report_fatal((code), __VA_ARGS__)

#define LOG_ERROR(...) tileput_log(0, __FILE__, __LINE__, __VA_ARGS__)
#define LOG_WARN(...) tileput_log(1, __FILE__, __LINE__, __VA_ARGS__)
#define LOG_INFO(...) tileput_log(2, __FILE__, __LINE__, __VA_ARGS__)
#define LOG_DEBUG(...) tileput_log(3, __FILE__, __LINE__, __VA_ARGS__)
#define LOG_TIMING(...) tileput_log(3, __FILE__, __LINE__, __VA_ARGS__)
