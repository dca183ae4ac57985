#include "transport/ofi/library.hpp"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <iterator>

#include "transport/ofi/quick_start.hpp"

namespace cow::transport::ofi {
namespace {

// The functions whose structures our headers describe. Later releases keep them under these versions; the newest of
// the library may have longer structures than the headers know.
#if FI_MAJOR_VERSION == 1 && FI_MINOR_VERSION < 20
constexpr const char* info_symbols = "FABRIC_1.3";
#else
constexpr const char* info_symbols = nullptr;
#endif

template <class Function>
bool find(void* handle, const char* name, const char* version, Function& out) {
  void* address = version ? dlvsym(handle, name, version) : nullptr;
  if (!address) address = dlsym(handle, name);
  out = reinterpret_cast<Function>(address);
  return address != nullptr;
}

bool find_all(void* handle, Library& out) {
  std::uint32_t (*version)() = nullptr;
  if (!find(handle, "fi_getinfo", info_symbols, out.getinfo) ||
      !find(handle, "fi_freeinfo", info_symbols, out.freeinfo) ||
      !find(handle, "fi_dupinfo", info_symbols, out.dupinfo) || !find(handle, "fi_fabric", nullptr, out.fabric) ||
      !find(handle, "fi_strerror", nullptr, out.strerror) || !find(handle, "fi_version", nullptr, version))
    return false;
  out.installed = version();
  out.version = std::min<std::uint32_t>(out.installed, FI_VERSION(FI_MAJOR_VERSION, FI_MINOR_VERSION));
  return true;
}

// Set for the time of opening unless the user has set them.
struct Variable {
  const char* name;
  const char* value;
};
constexpr Variable variables[] = {
    {"IPATH_NO_BACKTRACE", "1"},       // no signal handlers of libinfinipath …
    {"HFI_NO_BACKTRACE", "1"},         // … and of libpsm2
    {"FI_OFI_RXM_MSG_RX_SIZE", "64"},  // tcp;ofi_rxm posts this many buffers of 16 KiB for each endpoint
    {"FI_OFI_RXM_MSG_TX_SIZE", "64"},
};

}  // namespace

struct QuietScope::Saved {
  struct sigaction actions[NSIG];
  bool known[NSIG];
  bool set[std::size(variables)];
};

QuietScope::QuietScope() : saved_(new Saved) {
  for (int i = 1; i < NSIG; ++i) saved_->known[i] = sigaction(i, nullptr, &saved_->actions[i]) == 0;
  for (std::size_t i = 0; i < std::size(variables); ++i) {
    saved_->set[i] = getenv(variables[i].name) == nullptr;
    if (saved_->set[i]) setenv(variables[i].name, variables[i].value, 0);
  }
}

QuietScope::~QuietScope() {
  for (std::size_t i = 0; i < std::size(variables); ++i)
    if (saved_->set[i]) unsetenv(variables[i].name);
  for (int i = 1; i < NSIG; ++i) {
    struct sigaction now;
    if (!saved_->known[i] || sigaction(i, nullptr, &now) != 0) continue;
    const struct sigaction& before = saved_->actions[i];
    if (now.sa_handler != before.sa_handler || now.sa_flags != before.sa_flags) sigaction(i, &before, nullptr);
  }
  delete saved_;
}

namespace {

void* open_library() {
  WithoutPsm quick;
  for (const char* name : {"libfabric.so.1", "libfabric.so.2"})
    if (void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return handle;
  if (!quick.active()) return nullptr;
  quick.give_up();  // another build of libfabric may want more of these libraries than the substitutes have
  return dlopen("libfabric.so.1", RTLD_NOW | RTLD_LOCAL);
}

// The first question makes all providers start.
void start_providers(const Library& library, void* handle) {
  const WithoutKernelSymbols quick(handle);
  fi_info* info = nullptr;
  library.getinfo(library.version, nullptr, nullptr, FI_PROV_ATTR_ONLY, nullptr, &info);
  library.freeinfo(info);
}

}  // namespace

Error load(const Library*& out) {
  static Library library;
  static bool loaded = false;
  if (!loaded) {
    const QuietScope quiet;
    void* handle = open_library();
    if (!handle) {
      return fail(ErrorClass::other,
                  "the network needs libfabric (Debian package libfabric1), which cannot be opened: %s", dlerror());
    }
    Library found;
    if (!find_all(handle, found))
      return fail(ErrorClass::other, "the libfabric found lacks a function that all releases have: %s", dlerror());
    start_providers(found, handle);
    library = found;
    loaded = true;
  }
  out = &library;
  return success;
}

}  // namespace cow::transport::ofi
