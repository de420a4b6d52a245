// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/kernel_compiler.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/shell.hpp"
#include "base/system.hpp"
#include "cli/command_line.hpp"
#include "orchestration/kernel_object.hpp"
#include "tileput/error.hpp"
#include "tileput/worker.hpp"

extern char** environ;

namespace tileput::cli {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    words.push_back(word);
  }
  return words;
}

/// The first of the places in which `probe` is. The build tree has the shape of an installation.
fs::path beside_program(const std::vector<const char*>& places, const std::string& probe) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  std::vector<std::string> looked;
  for (const char* const place : places) {
    fs::path candidate = (program / place).lexically_normal();
    if (fs::exists(candidate / probe, error)) {
      return candidate;
    }
    looked.push_back((candidate / probe).string());
  }
  throw Error(ErrorCode::kNotFound, fmt::format("a part of tileput is missing; looked at {}", fmt::join(looked, ", ")),
              "install tileput completely");
}

std::vector<std::string> flags_of(ObjectKind kind) {
  std::vector<std::string> flags;
  const auto add = [&flags](const char* text) {
    for (std::string& word : words_of(text)) {
      flags.push_back(std::move(word));
    }
  };
  if (kind == ObjectKind::kOrchestration) {
    add(TILEPUT_ORCHESTRATION_FLAGS);
  } else {
    add(TILEPUT_KERNEL_FLAGS);
    add(kind == ObjectKind::kVectorKernel ? TILEPUT_AIV_FLAGS : TILEPUT_AIC_FLAGS);
  }
  add(TILEPUT_OBJECT_FLAGS);
  add("-O2 -shared -fPIC");
  const fs::path root = beside_program({TILEPUT_BIN_TO_INCLUDE, "../include"}, "pto/pto-inst.hpp");
  flags.push_back("-I" + root.string());
  flags.push_back("-I" + (root / "pto_abi").string());
  return flags;
}

/// Runs a program without a shell, its stdout in `output`, or where stderr goes. Returns its wait status.
int run_program(const std::vector<std::string>& words, const fs::path& output) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // not written to
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (output.empty()) {
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  }
  pid_t child = 0;
  const int refused = posix_spawn(&child, words.front().c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (refused != 0) {
    errno = refused;
    base::throw_errno("starting " + words.front(), "check that it is a program of this machine");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      base::throw_errno("waiting for " + words.front(), "run it again");
    }
  }
  return status;
}

/// The prerequisites of a rule as compilers write it with -MD.
std::vector<std::string> prerequisites(const std::string& rule) {
  std::vector<std::string> files;
  std::string file;
  const auto end_file = [&] {
    if (!file.empty()) {
      files.push_back(std::exchange(file, ""));
    }
  };
  // The target is a path of the cache: it ends with the first colon before a blank.
  for (std::size_t i = std::min(rule.find(": "), rule.size() - 1) + 1; i < rule.size(); ++i) {
    const char next = i + 1 < rule.size() ? rule[i + 1] : '\0';
    const bool is_escaped = rule[i] == '\\' && (next == ' ' || next == '#' || next == '\\');
    if (is_escaped || (rule[i] == '$' && next == '$')) {
      file += next;
      ++i;
    } else if (rule[i] == ' ' || rule[i] == '\n' || (rule[i] == '\\' && next == '\n')) {
      end_file();
    } else {
      file += rule[i];
    }
  }
  end_file();
  return files;
}

/// Removes what a compiler may have left.
struct Scratch {
  fs::path base;
  [[nodiscard]] fs::path object() const { return base.string() + ".so"; }
  [[nodiscard]] fs::path rule() const { return base.string() + ".d"; }
  [[nodiscard]] fs::path version() const { return base.string() + ".version"; }

  explicit Scratch(fs::path path) : base(std::move(path)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code error;
    for (const fs::path& file : {object(), rule(), version()}) {
      fs::remove(file, error);
    }
  }
};

/// What tells one compiler from another without starting it, and what else it reads.
void add_identity(Hasher& hasher, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    std::error_code error;
    hasher.add(word);
    if (const std::optional<fs::path> program = find_program(word)) {
      const fs::path file = fs::canonical(*program, error);
      hasher.add(file.string());
      hasher.add(fmt::format("{} {}", fs::file_size(file, error),
                             fs::last_write_time(file, error).time_since_epoch().count()));
    }
  }
  for (const char* const name : {"CPATH", "CPLUS_INCLUDE_PATH"}) {
    const char* const value = std::getenv(name);
    hasher.add(value == nullptr ? "" : value);
  }
}

/// The source's name, for reports, as far as it is harmless in a file name.
std::string short_name(const fs::path& source) {
  constexpr std::size_t kLengthMax = 64;
  std::string name = source.stem().string().substr(0, kLengthMax);
  for (char& c : name) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    c = is_plain ? c : '_';
  }
  return name;
}

}  // namespace

fs::path find_support_file(const std::string& place) {
  return beside_program({TILEPUT_BIN_TO_LIB "/tileput", "../lib/tileput"}, place) / place;
}

const std::vector<std::string>& KernelCompiler::compiler() {
  if (!compiler_.empty()) {
    return compiler_;
  }
  const char* const variable = std::getenv("CXX");
  std::vector<std::string> words = words_of(options_.compiler);
  if (words.empty() && variable != nullptr) {
    words = words_of(variable);
  }
  if (!words.empty()) {
    const std::optional<fs::path> program = find_program(words.front());
    if (!program) {
      throw Error(ErrorCode::kNotFound, fmt::format("no compiler '{}'", words.front()),
                  "correct --compiler or CXX, or leave both out");
    }
    words.front() = program->string();
    return compiler_ = words;
  }
  for (const char* const name : {"g++", "clang++"}) {
    if (const std::optional<fs::path> program = find_program(name)) {
      return compiler_ = {program->string()};
    }
  }
  throw Error(ErrorCode::kNotFound, "no compiler: neither g++ nor clang++ in PATH",
              "install one, or name one with --compiler or CXX");
}

bool KernelCompiler::is_gnu(const fs::path& scratch) {
  std::vector<std::string> words = compiler();
  words.emplace_back("--version");
  if (run_program(words, scratch) != 0) {
    throw Error(ErrorCode::kBadArgument, fmt::format("{} fails", base::quoted(words)),
                "name another with --compiler or CXX");
  }
  return read_file(scratch).value_or("").find("clang") == std::string::npos;
}

fs::path KernelCompiler::compile(const fs::path& source, ObjectKind kind) {
  std::vector<std::string> command = compiler();
  for (const std::string& flag : flags_of(kind)) {
    command.push_back(flag);
  }
  for (const std::string& directory : options_.include_directories) {
    command.push_back("-I" + fs::absolute(directory).string());
  }
  for (const std::string& definition : options_.definitions) {
    command.push_back("-D" + definition);
  }
  command.push_back(source.string());  // absolute, so never taken for an option

  Hasher hasher;
  hasher.add(version());
  add_identity(hasher, compiler());
  for (const std::string& word : command) {
    hasher.add(word);
  }
  if (!cache_) {
    cache_.emplace();
  }
  const std::string key = hasher.digits();
  const std::string name = short_name(source);
  if (const std::optional<fs::path> object = cache_->find(key, name)) {
    if (options_.is_verbose) {
      fmt::print(stderr, "{}: compiled before, {}\n", source.string(), object->string());
    }
    return *object;
  }

  const Scratch scratch(cache_->scratch_path(key));
  if (is_gnu(scratch.version())) {
    for (const std::string& flag : words_of(TILEPUT_GNU_FLAGS)) {
      command.push_back(flag);
    }
  }
  for (const std::string& word : {std::string("-MD"), std::string("-MF"), scratch.rule().string(), std::string("-o"),
                                  scratch.object().string()}) {
    command.push_back(word);
  }
  if (options_.is_verbose) {
    fmt::print(stderr, "{}\n", base::quoted(command));
  }
  const auto started = fs::file_time_type::clock::now();
  if (const int status = run_program(command, {}); status != 0) {
    throw Error(ErrorCode::kBadArgument, fmt::format("{} does not compile", source.string()),
                "the compiler's messages are above; --verbose shows its command");
  }
  const std::optional<std::string> rule = read_file(scratch.rule());
  if (!rule) {
    throw Error(ErrorCode::kBadArgument, fmt::format("{} writes no dependencies", base::quoted(compiler())),
                "name g++ or clang++ with --compiler or CXX");
  }
  return cache_->store(key, name, scratch.object(), prerequisites(*rule), started);
}

fs::path KernelCompiler::object_of(const std::string& file, ObjectKind kind) {
  std::error_code error;
  const bool is_object = fs::path(file).extension() == ".so";
  fs::path path = fs::canonical(file, error);
  if (error || !fs::is_regular_file(path, error)) {
    if (is_object) {
      return orchestration::find_object(file);
    }
    throw Error(ErrorCode::kNotFound, fmt::format("no file '{}'", file), "name a C++ source, or an object (.so)");
  }
  if (is_object) {
    return path;
  }
  fs::path object = compile(path, kind);
  if (!options_.keep_directory.empty()) {
    const fs::path kept = fs::path(options_.keep_directory) / (path.stem().string() + ".so");
    fs::copy_file(object, kept, fs::copy_options::overwrite_existing, error);
    if (error) {
      throw Error(ErrorCode::kSystem,
                  fmt::format("copying {} to {}: {}", object.string(), kept.string(), error.message()),
                  "name a directory that is there, and writable, with --keep");
    }
  }
  return object;
}

}  // namespace tileput::cli
