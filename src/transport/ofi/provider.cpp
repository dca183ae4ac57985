#include "transport/ofi/provider.hpp"

#include "transport/ofi/fabric.hpp"
#include "transport/ofi/library.hpp"
#include "transport/ofi/ofi.hpp"

namespace cow::transport {
namespace ofi {
namespace {

constexpr Provider table[] = {
#define COW_PROVIDER(name, automatic, one_node, ip, multi_receive, wait, read, write, garbage, threshold, piece, \
                     memory, notes)                                                                              \
  {name, automatic, one_node, ip, multi_receive, Wait::wait, read, write, garbage, threshold, piece, memory, notes},
#include "transport/ofi/provider_table.def"
#undef COW_PROVIDER
};

}  // namespace

std::span<const Provider> providers() { return table; }

const Provider* find_provider(std::string_view name) {
  for (const Provider& provider : table)
    if (name == provider.name) return &provider;
  return nullptr;
}

bool available(const Library& library, const Provider& provider) {
  Info info(library);
  return find_info(library, provider, nullptr, info) == 0;
}

std::string available_names(const Library& library) {
  std::string names;
  for (const Provider& provider : table) {
    if (!available(library, provider)) continue;
    names += (names.empty() ? "" : ", ") + std::string(provider.name);
  }
  return names.empty() ? "none" : names;
}

}  // namespace ofi

std::vector<ProviderInfo> list_providers() {
  const ofi::Library* library = nullptr;
  if (ofi::load(library)) library = nullptr;
  std::vector<ProviderInfo> out;
  for (const ofi::Provider& row : ofi::providers()) {
    out.push_back({row.name, library && ofi::available(*library, row), row.automatic, row.one_node, row.multi_receive,
                   row.wait != ofi::Wait::none, row.read, row.write, row.garbage, row.threshold, row.memory_kib,
                   row.notes});
  }
  return out;
}

std::string library_version() {
  const ofi::Library* library = nullptr;
  if (ofi::load(library)) return "";
  return std::to_string(FI_MAJOR(library->installed)) + "." + std::to_string(FI_MINOR(library->installed));
}

}  // namespace cow::transport
