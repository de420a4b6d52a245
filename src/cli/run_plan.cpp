// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/run_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <limits>
#include <set>
#include <string_view>

#include "tileput/error.hpp"

namespace tileput::cli {

namespace {

// Of one task of a core: CoreTaskArgs in pto_orchestration_api.h.
constexpr std::size_t kTaskTensorsMax = 32;
constexpr std::size_t kTaskScalarsMax = 16;

Error refuse(const std::string& what, const std::string& hint) { return Error(ErrorCode::kBadArgument, what, hint); }

template <class T>
std::optional<T> number_of(std::string_view text, int base = 10) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, value, base);
  return error == std::errc() && next == end ? std::optional<T>(value) : std::nullopt;
}

template <class T>
std::optional<std::uint64_t> bits_of_real(const std::string& text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || next != end) {
    return std::nullopt;
  }
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(value));
  return bits;
}

std::optional<std::uint64_t> bits_of(const std::string& text) {
  if (text.starts_with("f:")) {
    return bits_of_real<float>(text.substr(2));
  }
  if (text.starts_with("d:")) {
    return bits_of_real<double>(text.substr(2));
  }
  if (text.starts_with("0x")) {
    return number_of<std::uint64_t>(text.substr(2), 16);
  }
  if (text.starts_with('-')) {
    const std::optional<std::int64_t> value = number_of<std::int64_t>(text);
    return value ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
  }
  return number_of<std::uint64_t>(text);
}

std::vector<Scalar> scalars_of(const std::vector<std::string>& texts) {
  std::vector<Scalar> scalars;
  bool has_context = false;
  for (const std::string& text : texts) {
    if (text == "n") {
      scalars.push_back({Scalar::Kind::kRanks, 0});
    } else if (text == "rank") {
      scalars.push_back({Scalar::Kind::kRank, 0});
    } else if (text == "ctx") {
      if (has_context) {
        throw refuse("--scalars: ctx twice", "a kernel has one CommContext, as its last scalar");
      }
      has_context = true;
      scalars.push_back({Scalar::Kind::kContext, 0});
    } else if (const std::optional<std::uint64_t> bits = bits_of(text)) {
      scalars.push_back({Scalar::Kind::kValue, *bits});
    } else {
      throw refuse(fmt::format("--scalars: '{}' is none", text),
                   "there are n (ranks), rank, ctx, 64-bit integers (7, -7, 0x7), f:1.5 (float) and d:1.5 (double)");
    }
  }
  return scalars;
}

std::uint64_t size_of(const std::string& text) {
  std::string digits = text;
  unsigned shift = 0;
  if (!digits.empty()) {
    const std::size_t suffix = std::string("KMG").find(digits.back());
    if (suffix != std::string::npos) {
      shift = 10 * (static_cast<unsigned>(suffix) + 1);
      digits.pop_back();
    }
  }
  const std::optional<std::uint64_t> size = number_of<std::uint64_t>(digits);
  if (!size || *size == 0 || *size > (std::uint64_t{1} << 62U) >> shift) {
    throw refuse(fmt::format("--scratch {}: no size of a window", text), "write bytes, as 4096, 4K or 1M");
  }
  return *size << shift;
}

/// [ID:][CORE:]FILE; what does not begin so is all file name.
KernelFile kernel_of(const std::string& text, std::int32_t next_id, Core core) {
  KernelFile kernel{next_id, core, text};
  std::string rest = text;
  if (const std::size_t colon = rest.find(':'); colon != std::string::npos) {
    if (const std::optional<std::int32_t> id = number_of<std::int32_t>(std::string_view(rest).substr(0, colon))) {
      kernel.func_id = *id;
      rest = rest.substr(colon + 1);
    }
  }
  for (const auto& [prefix, of_prefix] : {std::pair("aiv:", Core::kAiv), std::pair("aic:", Core::kAic)}) {
    if (rest.starts_with(prefix)) {
      kernel.core = of_prefix;
      rest = rest.substr(std::strlen(prefix));
      break;
    }
  }
  kernel.file = rest;
  if (kernel.file.empty() || kernel.func_id < 0) {
    throw refuse(fmt::format("--kernel {}: no kernel", text),
                 "write FILE, CORE:FILE or ID:CORE:FILE, like 0:aiv:k.cpp");
  }
  return kernel;
}

std::vector<KernelFile> kernels_of(const RunCommand& command) {
  const Core core = command.core == "aic" ? Core::kAic : Core::kAiv;
  std::vector<KernelFile> kernels;
  std::set<std::int32_t> ids;
  for (const std::string& text : command.kernels) {
    kernels.push_back(kernel_of(text, kernels.empty() ? 0 : kernels.back().func_id + 1, core));
    if (!ids.insert(kernels.back().func_id).second) {
      throw refuse(fmt::format("--kernel {}: there is a kernel with id {}", text, kernels.back().func_id),
                   "give each kernel an id of its own");
    }
  }
  if (command.orchestration.empty() && (kernels.size() != 1 || kernels.front().func_id != 0)) {
    throw refuse(fmt::format("{} kernel{}, the first with id {}, and no orchestration", kernels.size(),
                             kernels.size() == 1 ? "" : "s", kernels.front().func_id),
                 "without --orch there is one kernel, with id 0; an orchestration submits others");
  }
  return kernels;
}

/// Tensors in the order in which the options stand on the command line.
std::vector<TensorSpec> tensors_of(const CLI::App& run, const RunCommand& command) {
  struct Source {
    Role role;
    const char* option;
    const std::vector<std::string>* texts;
    std::size_t used = 0;
  };
  std::array<Source, 3> sources{Source{Role::kIn, "--in", &command.in}, Source{Role::kInout, "--inout", &command.inout},
                                Source{Role::kOut, "--out", &command.out}};
  std::vector<TensorSpec> tensors;
  for (const CLI::Option* const option : run.parse_order()) {
    for (Source& source : sources) {
      if (option == run.get_option(source.option)) {
        tensors.push_back(parse_tensor(source.role, source.used, source.texts->at(source.used)));
        ++source.used;
      }
    }
  }
  return tensors;
}

std::vector<SaveFile> saves_of(const RunCommand& command, const std::vector<TensorSpec>& tensors) {
  std::vector<SaveFile> saves;
  for (const std::string& text : command.saves) {
    const std::size_t sign = text.find('=');
    const std::string name = text.substr(0, sign);
    const auto tensor = std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; });
    if (sign == std::string::npos || sign + 1 == text.size() || tensor == tensors.end()) {
      std::string names;
      for (const TensorSpec& known : tensors) {
        names += (names.empty() ? "" : " ") + known.name;
      }
      throw refuse(fmt::format("--save {}: no tensor and file", text),
                   fmt::format("write NAME=FILE, for example out0=out_%r.npy; tensors are: {}", names));
    }
    const std::string pattern = text.substr(sign + 1);
    if (command.ranks > 1 && file_of_rank(pattern, 0) == file_of_rank(pattern, 1)) {
      throw refuse(fmt::format("--save {}: one file for {} ranks", text, command.ranks),
                   "put %r into its name, where the rank's number goes");
    }
    for (int rank = 0; rank < command.ranks; ++rank) {
      const std::filesystem::path directory = std::filesystem::path(file_of_rank(pattern, rank)).parent_path();
      if (!directory.empty() && !std::filesystem::is_directory(directory)) {
        throw refuse(fmt::format("--save {}: no directory '{}'", text, directory.string()), "make it first");
      }
    }
    saves.push_back({static_cast<std::size_t>(tensor - tensors.begin()), pattern});
  }
  return saves;
}

/// "kernel_entry() was given args[0] in0 (f32:rank:64), args[1] ctx", or the same of an orchestration.
std::string arguments_of(const RunCommand& command, const RunPlan& plan) {
  std::vector<std::string> tensors;
  tensors.reserve(plan.tensors.size() + 1);
  for (const TensorSpec& tensor : plan.tensors) {
    tensors.push_back(fmt::format("{} ({})", tensor.name, tensor.text));
  }
  if (plan.scratch_bytes) {
    tensors.push_back(fmt::format("scratch ({} bytes)", *plan.scratch_bytes));
  }
  const bool is_kernel = command.orchestration.empty();
  std::vector<std::string> texts;
  texts.reserve(tensors.size() + command.scalars.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    texts.push_back(is_kernel ? fmt::format("args[{}] {}", i, tensors[i])
                              : fmt::format("tensor({}) {}", i, tensors[i]));
  }
  for (std::size_t i = 0; i < command.scalars.size(); ++i) {
    texts.push_back(is_kernel ? fmt::format("args[{}] {}", tensors.size() + i, command.scalars[i])
                              : fmt::format("scalar({}) {}", i, command.scalars[i]));
  }
  return fmt::format("{} was given {}", is_kernel ? "kernel_entry()" : "the orchestration",
                     texts.empty() ? "nothing" : fmt::format("{}", fmt::join(texts, ", ")));
}

void refuse_what_does_not_fit(const CLI::App& run, const RunCommand& command, const RunPlan& plan) {
  for (const char* const option : {"--seed", "--schedules", "--until-fail", "--memory-model"}) {
    if (plan.platform != Platform::kCheck && run.count(option) != 0) {
      throw refuse(fmt::format("{} is for -p check", option), "add -p check, or leave it out");
    }
  }
  if (plan.platform == Platform::kCheck && run.count("--timeout") != 0) {
    throw refuse("--timeout is not for -p check", "leave it out");
  }
  if (plan.ranks < 1 || plan.ranks > kRanksMax) {
    throw refuse(fmt::format("{} ranks", plan.ranks), fmt::format("use 1 to {}", kRanksMax));
  }
  const bool has_context = std::any_of(plan.scalars.begin(), plan.scalars.end(),
                                       [](const Scalar& scalar) { return scalar.kind == Scalar::Kind::kContext; });
  if (has_context && !plan.scratch_bytes) {
    throw refuse("--scalars: ctx without a window", "add --scratch with the bytes of the window");
  }
  if (command.orchestration.empty()) {
    const std::size_t tensors = plan.tensors.size() + (plan.scratch_bytes ? 1 : 0);
    if (tensors > kTaskTensorsMax || plan.scalars.size() > kTaskScalarsMax) {
      throw refuse(fmt::format("{} tensors and {} scalars for one task", tensors, plan.scalars.size()),
                   fmt::format("a task has at most {} and {}", kTaskTensorsMax, kTaskScalarsMax));
    }
    if (run.count("--entry") != 0) {
      throw refuse("--entry without an orchestration", "name its file with --orch");
    }
  }
}

void add_check_options(CLI::App& run, RunCommand& command) {
  constexpr std::int64_t kSchedulesMax = 1'000'000'000;
  run.add_option("--seed", command.check.seed, "with -p check: of the first schedule; the next one has the next");
  run.add_option("--schedules", command.schedules, "with -p check: how many")
      ->check(CLI::Range(std::int64_t{1}, kSchedulesMax));
  run.add_flag("--until-fail", command.until_fail, "with -p check: end with the first schedule that has a finding");
  run.add_option("--memory-model", command.memory_model, "with -p check: hardware, paranoid or coherent")
      ->check(CLI::IsMember({"hardware", "paranoid", "coherent"}));
}

void add_compiler_options(CLI::App& run, RunCommand& command) {
  run.add_option("--compiler", command.compiler.compiler, "default: CXX, else g++ or clang++");
  run.add_option("-I,--include", command.compiler.include_directories, "a further directory of headers")
      ->check(CLI::ExistingDirectory)
      ->allow_extra_args(false);
  run.add_option("-D,--define", command.compiler.definitions, "a further macro, NAME or NAME=VALUE")
      ->allow_extra_args(false);
  run.add_option("--keep", command.compiler.keep_directory, "copy the objects into this directory")
      ->check(CLI::ExistingDirectory);
  run.add_flag("-v,--verbose", command.compiler.is_verbose, "say on stderr what is compiled, and with which command");
}

}  // namespace

CLI::App* add_run(CLI::App& app, RunCommand& command) {
  constexpr double kSecondsMax = 1e9;  // as nanoseconds it fits into 64 bits
  CLI::App* const run = app.add_subcommand("run", "compiles a kernel, runs it on ranks and prints what it wrote");
  run->option_defaults()->always_capture_default();
  run->add_option("--kernel", command.kernels, "source or object (.so): FILE, CORE:FILE or ID:CORE:FILE; repeatable")
      ->required()
      ->allow_extra_args(false);
  run->add_option("--core", command.core, "of kernels without one: aiv or aic")->check(CLI::IsMember({"aiv", "aic"}));
  run->add_option("--orch", command.orchestration, "source or object; default: submits kernel 0 with all arguments");
  run->add_option("--entry", command.entry, "the orchestration's function");
  run->add_option("-n,--ranks", command.ranks, "how many ranks");
  run->add_option("--in", command.in, "TYPE:FILL:SHAPE, TYPE:@FILE.npy or TYPE:@FILE:SHAPE; repeatable, as all tensors")
      ->allow_extra_args(false);
  run->add_option("--inout", command.inout, "the same, written as well")->allow_extra_args(false);
  run->add_option("--out", command.out, "TYPE:SHAPE")->allow_extra_args(false);
  run->add_option("--scratch", command.scratch, "bytes of each rank's window, the last tensor: 4096, 4K, 1M");
  run->add_option("--scalars", command.scalars, "after the tensors: n, rank, ctx, integers, f:FLOAT, d:DOUBLE")
      ->delimiter(',')
      ->allow_extra_args(false);
  run->add_option("--calls", command.calls, "back to back on one window")
      ->check(CLI::Range(std::uint32_t{1}, std::numeric_limits<std::uint32_t>::max()));
  run->add_option("--save", command.saves, "NAME=FILE, .npy or raw: out0=out_%r.npy; %r is the rank; repeatable")
      ->allow_extra_args(false);
  run->add_option("--data-seed", command.data_seed, "of random contents");
  run->add_option("--timeout", command.timeout_s, "seconds after which a run that is not complete fails; 0: never")
      ->check(CLI::Range(0.0, kSecondsMax));
  run->add_option("-p,--platform", command.platform,
                  "cpu (also called sim), or check, which reports what nothing orders")
      ->check(CLI::IsMember({"cpu", "sim", "check"}));
  add_check_options(*run, command);
  add_compiler_options(*run, command);
  return run;
}

RunPlan plan_of(const CLI::App& run, const RunCommand& command, const std::vector<std::string>& words) {
  RunPlan plan;
  plan.ranks = command.ranks;
  plan.platform = command.platform == "check" ? Platform::kCheck : Platform::kCpu;
  plan.scalars = scalars_of(command.scalars);
  if (!command.scratch.empty()) {
    plan.scratch_bytes = size_of(command.scratch);
  }
  plan.tensors = tensors_of(run, command);
  refuse_what_does_not_fit(run, command, plan);
  plan.kernels = kernels_of(command);
  plan.orchestration = command.orchestration;
  plan.entry = command.entry;
  plan.arguments = arguments_of(command, plan);
  plan.saves = saves_of(command, plan.tensors);
  plan.calls = command.calls;
  plan.data_seed = command.data_seed;
  plan.check = command.check;
  plan.check.memory_model = command.memory_model == "paranoid"   ? MemoryModel::kParanoid
                            : command.memory_model == "coherent" ? MemoryModel::kCoherent
                                                                 : MemoryModel::kHardware;
  plan.schedules = command.schedules;
  plan.until_fail = command.until_fail;
  plan.timeout = std::chrono::nanoseconds(static_cast<std::int64_t>(command.timeout_s * 1e9));
  plan.compiler = command.compiler;
  plan.words = words;
  return plan;
}

}  // namespace tileput::cli
