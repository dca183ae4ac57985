// Opening a port: which provider, on which addresses.
#include <algorithm>
#include <new>

#include "base/settings.hpp"
#include "transport/ofi/ofi.hpp"
#include "transport/ofi/ofi_port.hpp"

namespace cow::transport {
namespace ofi {
namespace {

constexpr std::size_t receive_buffers = 64;  // 1 MiB for each endpoint, resident only as far as used
constexpr std::size_t send_buffers = 128;    // at most 2 MiB
constexpr std::size_t max_endpoints = 8;     // addresses of this host that are listened on

bool has(const std::vector<Interface>& interfaces, int family, bool loopback) {
  return std::any_of(interfaces.begin(), interfaces.end(), [&](const Interface& interface) {
    return interface.address.ss_family == family && interface.loopback == loopback;
  });
}

// IPv4 wherever it leads out of the host; IPv6 where only that does.
int choose_family(const std::vector<Interface>& interfaces, bool one_node) {
  if (!one_node) {
    if (has(interfaces, AF_INET, false)) return AF_INET;
    if (has(interfaces, AF_INET6, false)) return AF_INET6;
  }
  return has(interfaces, AF_INET, true) || has(interfaces, AF_INET, false) ? AF_INET : AF_INET6;
}

Error no_such_provider(const Library& library, std::string_view name) {
  return fail(ErrorClass::other, "libfabric's provider %.*s is not known to COW MPI; available here: %s",
              static_cast<int>(name.size()), name.data(), available_names(library).c_str());
}

Error not_available(const Library& library, const char* name) {
  return fail(ErrorClass::other, "libfabric's provider %s is not available here; available: %s", name,
              available_names(library).c_str());
}

Error choose_provider(const Library& library, std::string_view name, bool one_node, const Provider*& out) {
  if (name != "auto") {
    out = find_provider(name);
    if (!out) return no_such_provider(library, name);
    if (!available(library, *out)) return not_available(library, out->name);
    if (out->one_node && !one_node)
      return fail(ErrorClass::other, "libfabric's provider %s works inside one node only, and the job has several",
                  out->name);
    return success;
  }
  for (const Provider& provider : providers()) {
    out = &provider;
    if (provider.automatic && available(library, provider)) return success;
  }
  return fail(ErrorClass::other, "no reliable provider of libfabric is available here, only: %s",
              available_names(library).c_str());
}

}  // namespace

// Keeps in interfaces_ those that are listened on and published. Inside one node the loopback address is enough; else
// it is left out, since the others reach processes of this host as well.
Error OfiPort::choose_interfaces(bool one_node) {
  std::vector<Interface> found;
  if (Error error = list_interfaces(settings().interface, found)) return error;
  family_ = choose_family(found, one_node);
  const bool loopback = one_node ? has(found, family_, true) : !has(found, family_, false);
  for (Interface& interface : found) {
    if (interface.address.ss_family != family_ || interface.loopback != loopback) continue;
    interfaces_.push_back(std::move(interface));
    if (loopback || interfaces_.size() == max_endpoints) break;
  }
  return success;
}

Error OfiPort::open_endpoints() {
  if (interfaces_.empty()) return fabric_.open(provider_, nullptr);
  if (Error error = fabric_.open(provider_, &interfaces_.front().address)) return error;
  for (std::size_t i = 1; i < interfaces_.size(); ++i)
    if (Error error = fabric_.add(provider_, interfaces_[i].address)) return error;
  return success;
}

Error OfiPort::publish() {
  std::vector<std::string> texts;
  for (const Owned<fid_ep>& ep : fabric_.eps) {
    std::string name;
    if (Error error = fabric_.name(*ep.get(), name)) return error;
    sockaddr_storage address = {};
    name.copy(reinterpret_cast<char*>(&address), sizeof address);
    texts.push_back(provider_.ip ? to_text(address) : to_text(std::string_view(name)));
  }
  published_ = compose(provider_.name, texts);
  return success;
}

// The endpoint whose address the kernel would give to a packet for the candidate.
fid_ep* OfiPort::route(const Candidate& candidate) const {
  sockaddr_storage source = {};
  if (fabric_.eps.size() == 1 || !source_for(candidate.address, source)) return fabric_.eps.front().get();
  for (std::size_t i = 0; i < interfaces_.size(); ++i)
    if (same_host(interfaces_[i].address, source)) return fabric_.eps[i].get();
  return fabric_.eps.front().get();
}

Error OfiPort::open(bool one_node) {
  if (provider_.ip)
    if (Error error = choose_interfaces(one_node)) return error;
  if (Error error = open_endpoints()) return error;
  inject_size_ = std::min(fabric_.info->tx_attr->inject_size, max_inject);
  if (Error error = receives_.open(fabric_, receive_buffers, max_message)) return error;
  sends_.open(fabric_, send_buffers, max_message);
  if (Error error = transfers_.open(fabric_, provider_.piece)) return error;
  limits_ = {max_message, provider_.read, provider_.write, provider_.threshold};
  return publish();
}

}  // namespace ofi

Error open_port(std::string_view provider, bool one_node, Receiver& receiver, std::unique_ptr<Port>& out) {
  const ofi::Library* library = nullptr;
  if (Error error = ofi::load(library)) return error;
  const ofi::QuietScope quiet;
  const ofi::Provider* chosen = nullptr;
  if (Error error = ofi::choose_provider(*library, provider, one_node, chosen)) return error;
  std::unique_ptr<ofi::OfiPort> port(new (std::nothrow) ofi::OfiPort(*library, *chosen, receiver));
  if (!port) return fail(ErrorClass::no_mem, "no memory for a port");
  if (Error error = port->open(one_node)) return error;
  out = std::move(port);
  return success;
}

}  // namespace cow::transport
