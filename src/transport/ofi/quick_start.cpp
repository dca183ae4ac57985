#include "transport/ofi/quick_start.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

// The libraries made of no_psm.c and no_psm2.c.
#define EMBED(name, file)                                                                               \
  asm(".section .rodata.cow_" name ",\"a\",@progbits\n.balign 16\ncow_" name "_begin:\n.incbin \"" file \
      "\"\n"                                                                                            \
      "cow_" name "_end:\n.previous\n")
EMBED("no_psm", COW_NO_PSM_FILE);
EMBED("no_psm2", COW_NO_PSM2_FILE);
extern "C" {
[[gnu::visibility("hidden")]] extern const char cow_no_psm_begin[], cow_no_psm_end[];
[[gnu::visibility("hidden")]] extern const char cow_no_psm2_begin[], cow_no_psm2_end[];
}

namespace cow::transport::ofi {
namespace {

bool exists(const char* path) { return access(path, F_OK) == 0; }

bool has_entries(const char* path) {
  DIR* directory = opendir(path);
  if (!directory) return false;
  bool found = false;
  while (const dirent* entry = readdir(directory)) found |= entry->d_name[0] != '.';
  closedir(directory);
  return found;
}

std::FILE* fopen_without_symbols(const char* path, const char* mode) {
  return strcmp(path, "/proc/kallsyms") == 0 ? nullptr : std::fopen(path, mode);
}

#if defined(__x86_64__)
constexpr unsigned jump_slot = R_X86_64_JUMP_SLOT, global_data = R_X86_64_GLOB_DAT;
#elif defined(__aarch64__)
constexpr unsigned jump_slot = R_AARCH64_JUMP_SLOT, global_data = R_AARCH64_GLOB_DAT;
#else
constexpr unsigned jump_slot = ~0u, global_data = ~0u;  // found nowhere: nothing is exchanged
#endif

// What of a library's dynamic section is needed to find where it keeps the address of a function.
struct Dynamic {
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  const ElfW(Rela) * tables[2] = {};
  std::size_t counts[2] = {};
};

Dynamic read_dynamic(const link_map& map) {
  Dynamic out;
  for (const ElfW(Dyn)* entry = map.l_ld; entry->d_tag != DT_NULL; ++entry) {
    switch (entry->d_tag) {
      case DT_SYMTAB: out.symbols = reinterpret_cast<const ElfW(Sym)*>(entry->d_un.d_ptr); break;
      case DT_STRTAB: out.names = reinterpret_cast<const char*>(entry->d_un.d_ptr); break;
      case DT_JMPREL: out.tables[0] = reinterpret_cast<const ElfW(Rela)*>(entry->d_un.d_ptr); break;
      case DT_PLTRELSZ: out.counts[0] = entry->d_un.d_val / sizeof(ElfW(Rela)); break;
      case DT_RELA: out.tables[1] = reinterpret_cast<const ElfW(Rela)*>(entry->d_un.d_ptr); break;
      case DT_RELASZ: out.counts[1] = entry->d_un.d_val / sizeof(ElfW(Rela)); break;
    }
  }
  return out;
}

void** find_slot(const link_map& map, const char* function) {
  const Dynamic dynamic = read_dynamic(map);
  if (!dynamic.symbols || !dynamic.names) return nullptr;
  for (int table = 0; table < 2; ++table) {
    for (std::size_t i = 0; dynamic.tables[table] && i < dynamic.counts[table]; ++i) {
      const ElfW(Rela)& relocation = dynamic.tables[table][i];
      const auto type = static_cast<unsigned>(ELF64_R_TYPE(relocation.r_info));
      if (type != jump_slot && type != global_data) continue;
      const char* name = dynamic.names + dynamic.symbols[ELF64_R_SYM(relocation.r_info)].st_name;
      if (strcmp(name, function) == 0) return reinterpret_cast<void**>(map.l_addr + relocation.r_offset);
    }
  }
  return nullptr;
}

// The dynamic linker has made the table read-only, and so it becomes again.
bool exchange(void** slot, void* expected, void* wanted) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  void* begin = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(slot) & ~(page - 1));
  if (*slot != expected || mprotect(begin, page, PROT_READ | PROT_WRITE) != 0) return false;
  __atomic_store_n(slot, wanted, __ATOMIC_RELEASE);
  mprotect(begin, page, PROT_READ);
  return true;
}

// A memory file with these bytes, or -1.
int memory_file(const char* name, const char* begin, const char* end) {
  const int fd = memfd_create(name, MFD_CLOEXEC);
  const auto size = static_cast<std::size_t>(end - begin);
  if (fd < 0 || write(fd, begin, size) == static_cast<ssize_t>(size)) return fd;
  close(fd);
  return -1;
}

// The dynamic linker takes two libraries opened by the same path for one: hence the unusual path.
void* open_library_of(int fd) {
  if (fd < 0) return nullptr;
  const std::string path = "/proc/self/task/" + std::to_string(gettid()) + "/fd/" + std::to_string(fd);
  return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
}

void* address_of(std::FILE* (*function)(const char*, const char*)) { return reinterpret_cast<void*>(function); }

}  // namespace

WithoutPsm::WithoutPsm() {
  if (exists("/dev/ipath") || exists("/dev/ipath0") || exists("/dev/hfi1") || exists("/dev/hfi1_0")) return;
  const int files[] = {memory_file("libpsm_infinipath", cow_no_psm_begin, cow_no_psm_end),
                       memory_file("libpsm2", cow_no_psm2_begin, cow_no_psm2_end)};
  for (int i = 0; i < 2; ++i) handles_[i] = open_library_of(files[i]);
  for (int file : files)
    if (file >= 0) close(file);
}

void WithoutPsm::give_up() {
  for (void*& handle : handles_) {
    if (handle) dlclose(handle);
    handle = nullptr;
  }
}

WithoutKernelSymbols::WithoutKernelSymbols(void* libfabric) {
  link_map* map = nullptr;
  if (has_entries("/sys/class/infiniband_verbs") || dlinfo(libfabric, RTLD_DI_LINKMAP, &map) != 0) return;
  void** slot = find_slot(*map, "fopen");
  // Only a slot that the dynamic linker has filled, in a table that it has made read-only, is touched.
  if (slot && exchange(slot, address_of(std::fopen), address_of(fopen_without_symbols))) slot_ = slot;
}

WithoutKernelSymbols::~WithoutKernelSymbols() {
  if (slot_) exchange(slot_, address_of(fopen_without_symbols), address_of(std::fopen));
}

}  // namespace cow::transport::ofi
