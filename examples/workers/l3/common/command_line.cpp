// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "command_line.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <numeric>
#include <set>
#include <sstream>

namespace example {
namespace {

using tileput::Error;
using tileput::ErrorCode;

/// "0-3" or "0,2,5-6": chip ids, each once.
std::vector<int> parse_devices(const std::string& text) {
  const auto refuse = [&text](const char* why) {
    return Error(ErrorCode::kBadArgument, fmt::format("device list '{}': {}", text, why),
                 "write ids and ranges like 0-3 or 0,2, each id once, at most 64");
  };
  std::vector<int> devices;
  std::set<int> seen;
  std::string entry;
  std::istringstream entries(text + ",");
  while (std::getline(entries, entry, ',')) {
    int first = 0;
    int last = 0;
    int used = 0;
    if (std::sscanf(entry.c_str(), "%6d-%6d%n", &first, &last, &used) != 2 || used != static_cast<int>(entry.size())) {
      used = 0;
      if (std::sscanf(entry.c_str(), "%6d%n", &first, &used) != 1 || used != static_cast<int>(entry.size())) {
        throw refuse("not a list of ids");
      }
      last = first;
    }
    if (first < 0 || last < first) {
      throw refuse("a range runs upwards from 0");
    }
    for (int id = first; id <= last; ++id) {
      if (!seen.insert(id).second || devices.size() == static_cast<std::size_t>(tileput::kRanksMax)) {
        throw refuse("an id twice, or too many");
      }
      devices.push_back(id);
    }
  }
  return devices;
}

std::vector<int> first_devices(int ranks) {
  std::vector<int> devices(static_cast<std::size_t>(ranks));
  std::iota(devices.begin(), devices.end(), 0);
  return devices;
}

tileput::MemoryModel memory_model_of(const std::string& name) {
  return name == "paranoid"   ? tileput::MemoryModel::kParanoid
         : name == "coherent" ? tileput::MemoryModel::kCoherent
                              : tileput::MemoryModel::kHardware;
}

/// Options whose text becomes something else.
struct Words {
  std::string platform = "cpu";
  std::string devices;
  int ranks = 0;
  std::string payload = "formula";
  std::string ranks_as = "process";
  std::string memory_model = "hardware";
};

void add_common_options(CLI::App& app, ProgramOptions& options, Words& words) {
  constexpr double kSecondsMax = 1e9;  // as nanoseconds it fits into 64 bits
  app.add_option("-p,--platform", words.platform, "cpu (also called sim), or check, which reports what nothing orders")
      ->check(CLI::IsMember({"cpu", "sim", "check"}));
  CLI::Option* const list =
      app.add_option("-d,--devices", words.devices, "simulated chip ids, one rank each: 0-3 or 0,2");
  app.add_option("-n,--ranks", words.ranks, "the same as -d 0-(N-1)")->excludes(list);
  app.add_option("--payload", words.payload, "formula or random")->check(CLI::IsMember({"formula", "random"}));
  app.add_option("--iterations", options.iterations, "calls, back to back on one window")->check(CLI::PositiveNumber);
  app.add_option("--rounds", options.rounds, "runs, one after another on one worker")->check(CLI::PositiveNumber);
  app.add_option("--ranks-as", words.ranks_as, "process or thread")->check(CLI::IsMember({"process", "thread"}));
  app.add_option("--timeout", options.timeout_s, "seconds after which a run that is not complete fails; 0: never")
      ->check(CLI::Range(0.0, kSecondsMax));
  app.add_option("--wait-report", options.wait_report_s, "seconds between reports of who waits for whom; 0: none")
      ->check(CLI::Range(0.0, kSecondsMax));
  app.add_option("--debug-rank", options.debug_rank, "this rank waits for a debugger before its first task");
  app.add_flag("-v,--verbose", options.verbose, "ranks say on stderr what they do");
}

/// The options of -p check.
void add_check_options(CLI::App& app, ProgramOptions& options, Words& words) {
  constexpr std::int64_t kSchedulesMax = 1'000'000'000;
  app.add_option("--seed", options.check.seed, "with -p check: of the first schedule; the next one has the next");
  app.add_option("--schedules", options.schedules, "with -p check: how many")
      ->check(CLI::Range(std::int64_t{1}, kSchedulesMax));
  app.add_flag("--until-fail", options.until_fail, "with -p check: end with the first schedule that has a finding");
  app.add_option("--memory-model", words.memory_model, "with -p check: hardware, paranoid or coherent")
      ->check(CLI::IsMember({"hardware", "paranoid", "coherent"}));
}

/// Options that would have no effect on this platform.
void refuse_idle(const CLI::App& app, const Program& program, bool is_check) {
  for (const char* const option : {"--seed", "--schedules", "--until-fail", "--memory-model"}) {
    if (!is_check && app.count(option) != 0) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} is for -p check", option), "add -p check, or leave it out");
    }
  }
  std::vector<std::string> refused = program.options_not_for_check;
  refused.insert(refused.end(), {"--rounds", "--ranks-as", "--debug-rank"});
  for (const std::string& option : refused) {
    if (is_check && app.count(option) != 0) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} is not for -p check", option), "leave it out");
    }
  }
}

}  // namespace

std::optional<int> parse_command_line(int argc, char** argv, const Program& program, ProgramOptions& options) {
  CLI::App app(program.description, program.name);
  app.option_defaults()->always_capture_default();
  Words words;
  add_common_options(app, options, words);
  if (program.add_options) {
    program.add_options(app);
  }
  add_check_options(app, options, words);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help
      return app.exit(error);
    }
    throw Error(ErrorCode::kBadArgument, error.what(), "--help lists what there is");
  }
  options.platform = words.platform == "check" ? tileput::Platform::kCheck : tileput::Platform::kCpu;
  refuse_idle(app, program, options.platform == tileput::Platform::kCheck);
  options.check.memory_model = memory_model_of(words.memory_model);
  options.words.assign(argv, argv + argc);
  options.payload = words.payload == "random" ? Payload::kRandom : Payload::kFormula;
  options.ranks_as = words.ranks_as == "thread" ? tileput::RanksAs::kThread : tileput::RanksAs::kProcess;
  if (app.count("--ranks") != 0) {
    if (words.ranks < 1 || words.ranks > tileput::kRanksMax) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} ranks", words.ranks),
                  fmt::format("use 1 to {}", tileput::kRanksMax));
    }
    options.devices = first_devices(words.ranks);
  } else if (app.count("--devices") != 0) {
    options.devices = parse_devices(words.devices);
  } else {
    options.devices = first_devices(program.default_ranks);
  }
  return std::nullopt;
}

}  // namespace example
