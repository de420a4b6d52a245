// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "base/source_line.hpp"

#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string_view>
#include <utility>

namespace tileput::base {

namespace {

/// Headers whose code is the machine's, not the kernel's.
bool is_instruction_header(std::string_view file) noexcept {
  for (const char* const part : {"include/pto/", "include/pto_abi/", "include/tileput/"}) {
    if (file.find(part) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

struct Line {
  std::string file;
  int number = 0;
};

int attribute_number(Dwarf_Die& die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  return dwarf_attr(&die, name, &attribute) != nullptr && dwarf_formudata(&attribute, &value) == 0
             ? static_cast<int>(value)
             : 0;
}

/// Where an inlined function was called.
Line call_of(Dwarf_Die& inlined, Dwarf_Die& unit) {
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  const auto index = static_cast<std::size_t>(attribute_number(inlined, DW_AT_call_file));
  if (dwarf_getsrcfiles(&unit, &files, &count) != 0 || index >= count) {
    return {};
  }
  const char* const name = dwarf_filesrc(files, index, nullptr, nullptr);
  return {name != nullptr ? name : "", attribute_number(inlined, DW_AT_call_line)};
}

/// The unit whose code is at `address`; sets `bias` to what lies between its addresses and those of the module.
/// Compilers need not write .debug_aranges, which dwfl_module_addrdie() looks into, and clang does not: so each unit is
/// asked.
Dwarf_Die* unit_of(Dwfl_Module* module, Dwarf_Addr address, Dwarf_Addr& bias) {
  Dwarf_Die* unit = nullptr;
  while ((unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr) {
    if (dwarf_haspc(unit, address - bias) == 1) {
      return unit;
    }
  }
  return nullptr;
}

}  // namespace

SourceLines::SourceLines() = default;
SourceLines::~SourceLines() = default;
void SourceLines::Close::operator()(Dwfl* dwfl) const noexcept { dwfl_end(dwfl); }

std::string SourceLines::find(const std::filesystem::path& object, std::uint64_t offset) {
  static char* no_debug_path = nullptr;
  // Only what the object itself has: dwfl_standard_find_debuginfo asks servers of the network where it is told to.
  static constexpr auto kNowhere = [](Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*,
                                      GElf_Word, char**) { return -1; };
  static const Dwfl_Callbacks kCallbacks{dwfl_build_id_find_elf, kNowhere, dwfl_offline_section_address,
                                         &no_debug_path};
  auto& dwfl = objects_[object];
  if (dwfl == nullptr) {
    dwfl.reset(dwfl_begin(&kCallbacks));
    dwfl_report_begin(dwfl.get());
    dwfl_report_offline(dwfl.get(), object.c_str(), object.c_str(), -1);
    dwfl_report_end(dwfl.get(), nullptr, nullptr);
  }
  Dwarf_Addr bias = 0;
  Dwfl_Module* module = nullptr;
  dwfl_getmodules(
      dwfl.get(),
      [](Dwfl_Module* found, void**, const char*, Dwarf_Addr, void* result) {
        *static_cast<Dwfl_Module**>(result) = found;
        return static_cast<int>(DWARF_CB_ABORT);
      },
      &module, 0);
  if (module == nullptr || dwfl_module_getdwarf(module, &bias) == nullptr) {
    return {};
  }
  // The first segment of a shared object is linked at 0, so the bias is where it is "loaded".
  const Dwarf_Addr address = bias + offset;
  Dwarf_Die* const unit = unit_of(module, address, bias);
  Dwarf_Line* const source = unit == nullptr ? nullptr : dwarf_getsrc_die(unit, address - bias);
  if (source == nullptr) {
    return {};
  }
  Line line;
  dwarf_lineno(source, &line.number);
  const char* const name = dwarf_linesrc(source, nullptr, nullptr);
  line.file = name != nullptr ? name : "";
  // Outwards through the inlined calls, as long as the code is an instruction's.
  Dwarf_Die* scopes = nullptr;
  const int count = dwarf_getscopes(unit, address - bias, &scopes);
  Dwarf_Die* chain = nullptr;
  const int depth = count > 0 ? dwarf_getscopes_die(&scopes[0], &chain) : 0;
  for (int i = 0; i < depth && is_instruction_header(line.file); ++i) {
    if (dwarf_tag(&chain[i]) == DW_TAG_inlined_subroutine) {
      if (Line call = call_of(chain[i], *unit); !call.file.empty()) {
        line = std::move(call);
      }
    }
  }
  std::free(chain);   // NOLINT(cppcoreguidelines-no-malloc): libdw's
  std::free(scopes);  // NOLINT(cppcoreguidelines-no-malloc): libdw's
  if (line.file.empty() || is_instruction_header(line.file)) {
    return {};
  }
  return fmt::format("{}:{}", std::filesystem::path(line.file).filename().string(), line.number);
}

std::string line_here(const void* address) {
  Dl_info object{};
  if (dladdr(address, &object) == 0 || object.dli_fname == nullptr) {
    return {};
  }
  return SourceLines().find(object.dli_fname, static_cast<std::uint64_t>(static_cast<const char*>(address) -
                                                                         static_cast<char*>(object.dli_fbase)));
}

}  // namespace tileput::base
