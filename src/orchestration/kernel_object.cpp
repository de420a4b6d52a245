// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/kernel_object.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gelf.h>
#include <libelf.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <sstream>
#include <utility>

#include "base/system.hpp"
#include "tileput/error.hpp"

namespace tileput::orchestration {

namespace fs = std::filesystem;

namespace {

#if defined(__x86_64__)
constexpr GElf_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr GElf_Half kMachine = EM_AARCH64;
#else
#error "tileput knows x86-64 and aarch64"
#endif

fs::path library_directory() {
  Dl_info info{};
  std::error_code error;
  if (dladdr(reinterpret_cast<const void*>(&find_object), &info) != 0 && info.dli_fname != nullptr) {
    const fs::path object = fs::canonical(info.dli_fname, error);
    if (!error) {
      return object.parent_path();
    }
  }
  return {};
}

/// Kernel objects link nothing; what they need from tileput must be visible to all objects of the process, also when
/// libtileput itself came in as somebody's private dependency.
void promote_runtime_symbols() {
  static const bool kDone = [] {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&find_object), &info) != 0 && info.dli_fname != nullptr) {
      // In a static build this names the program, whose symbols are visible already; then nothing is found.
      dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_GLOBAL);
    }
    return true;
  }();
  (void)kDone;
}

base::UniqueFd copy_file(const fs::path& file) {
  const base::UniqueFd source(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  base::UniqueFd copy(memfd_create(file.filename().c_str(), MFD_CLOEXEC));
  struct stat status {};
  if (!source || !copy || fstat(source.get(), &status) != 0) {
    base::throw_errno("copying " + file.string(), "check the file and the limit of open files");
  }
  for (off_t done = 0; done < status.st_size;) {
    if (sendfile(copy.get(), source.get(), &done, static_cast<std::size_t>(status.st_size - done)) <= 0) {
      base::throw_errno("copying " + file.string(), "free some memory");
    }
  }
  return copy;
}

}  // namespace

std::vector<fs::path> object_directories() {
  std::vector<fs::path> directories;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    directories.push_back(program.parent_path());
  }
  if (const char* const list = std::getenv("TILEPUT_KERNEL_PATH"); list != nullptr) {
    std::istringstream entries(list);
    for (std::string entry; std::getline(entries, entry, ':');) {
      std::error_code gone;
      if (fs::path place = fs::absolute(entry, gone); !entry.empty() && !gone) {
        directories.push_back(std::move(place));  // absolute: ranks load it, from wherever they are, and later again
      }
    }
  }
  if (const fs::path library = library_directory(); !library.empty()) {
    directories.push_back(library / "tileput");
  }
  return directories;
}

fs::path find_object(const fs::path& path) {
  std::vector<std::string> looked;
  const auto exists = [&looked](const fs::path& place) {
    looked.push_back(place.string());
    std::error_code error;
    return fs::is_regular_file(place, error);
  };
  if (path.is_absolute()) {
    if (exists(path)) {
      return path;
    }
  } else {
    for (const fs::path& directory : object_directories()) {
      if (fs::path place = (directory / path).lexically_normal(); exists(place)) {
        return place;
      }
      if (fs::path place = directory / path.filename(); path.has_parent_path() && exists(place)) {
        return place;
      }
    }
  }
  throw Error(
      ErrorCode::kNotFound, fmt::format("no object file '{}'; looked at {}", path.string(), fmt::join(looked, ", ")),
      "build it with tileput_add_kernel() or tileput_add_orchestration(), or add its directory to TILEPUT_KERNEL_PATH");
}

bool exports_symbol(const fs::path& file, const std::string& symbol) {
  const auto refuse = [&file](const char* why) {
    return Error(ErrorCode::kBadArgument,
                 fmt::format("{} is not a shared object of this machine: {}", file.string(), why),
                 "build it with tileput_add_kernel() on this machine");
  };
  const base::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    base::throw_errno("open of " + file.string(), "check the permissions of the file");
  }
  elf_version(EV_CURRENT);
  const std::unique_ptr<Elf, int (*)(Elf*)> elf(elf_begin(fd.get(), ELF_C_READ, nullptr), elf_end);
  GElf_Ehdr header{};
  if (elf == nullptr || elf_kind(elf.get()) != ELF_K_ELF || gelf_getehdr(elf.get(), &header) == nullptr) {
    throw refuse("no ELF file");
  }
  if (header.e_type != ET_DYN || header.e_machine != kMachine) {
    throw refuse("another kind of file or another processor");
  }
  for (Elf_Scn* section = elf_nextscn(elf.get(), nullptr); section != nullptr;
       section = elf_nextscn(elf.get(), section)) {
    GElf_Shdr table{};
    if (gelf_getshdr(section, &table) == nullptr || table.sh_type != SHT_DYNSYM || table.sh_entsize == 0) {
      continue;
    }
    Elf_Data* const data = elf_getdata(section, nullptr);
    for (GElf_Xword i = 0; data != nullptr && i < table.sh_size / table.sh_entsize; ++i) {
      GElf_Sym entry{};
      if (gelf_getsym(data, static_cast<int>(i), &entry) == nullptr || entry.st_shndx == SHN_UNDEF) {
        continue;
      }
      const char* const name = elf_strptr(elf.get(), table.sh_link, entry.st_name);
      if (name != nullptr && symbol == name) {
        return true;
      }
    }
  }
  return false;
}

KernelObject::KernelObject(const fs::path& file, bool private_copy) {
  promote_runtime_symbols();
  std::string name = file.string();
  static std::mutex loading;  // between asking whether the file is loaded and loading it
  const std::lock_guard lock(loading);
  if (private_copy) {
    // Whoever comes first may have the file itself, which symbolisers of reports can read.
    if (void* const loaded = dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD); loaded != nullptr) {
      dlclose(loaded);
      copy_ = copy_file(file);
      name = fmt::format("/proc/self/fd/{}", copy_.get());
    }
  }
  handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) {
    const char* const reason = dlerror();
    throw Error(ErrorCode::kMissingSymbol,
                fmt::format("{} cannot be loaded: {}", file.string(), reason != nullptr ? reason : "?"),
                "kernels call nothing but instructions and the standard library");
  }
}

KernelObject::KernelObject(KernelObject&& other) noexcept
    : copy_(std::move(other.copy_)), handle_(std::exchange(other.handle_, nullptr)) {}

KernelObject& KernelObject::operator=(KernelObject&& other) noexcept {
  std::swap(copy_, other.copy_);
  std::swap(handle_, other.handle_);
  return *this;
}

KernelObject::~KernelObject() {
  if (handle_ != nullptr) {
    dlclose(handle_);
  }
}

void* KernelObject::symbol(const std::string& name) const noexcept { return dlsym(handle_, name.c_str()); }

KernelObject::Span KernelObject::span() const noexcept {
  struct Search {
    const link_map* map = nullptr;
    Span span;
  } search;
  if (handle_ == nullptr || dlinfo(handle_, RTLD_DI_LINKMAP, &search.map) != 0) {
    return {};
  }
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        auto& wanted = *static_cast<Search*>(data);
        if (info->dlpi_addr != wanted.map->l_addr) {
          return 0;
        }
        wanted.span.begin = info->dlpi_addr;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            wanted.span.end = std::max<std::uint64_t>(
                wanted.span.end, info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz);
          }
        }
        return 1;
      },
      &search);
  return search.span;
}

}  // namespace tileput::orchestration
