// Opening a port: which provider, on which addresses.
#include <algorithm>
#include <new>

#include "base/settings.hpp"
#include "transport/ofi/ofi.hpp"
#include "transport/ofi/ofi_port.hpp"

namespace cow::transport {
namespace ofi {
namespace {

constexpr std::size_t receive_buffers = 64;  // 1 MiB, resident only as far as used
constexpr std::size_t send_buffers = 128;    // at most 2 MiB

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

void set_port(sockaddr_storage& address, const sockaddr_storage& from) {
  if (address.ss_family == AF_INET) {
    reinterpret_cast<sockaddr_in&>(address).sin_port = reinterpret_cast<const sockaddr_in&>(from).sin_port;
  } else {
    reinterpret_cast<sockaddr_in6&>(address).sin6_port = reinterpret_cast<const sockaddr_in6&>(from).sin6_port;
  }
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
      return fail(ErrorClass::other, "libfabric's provider %s works inside one node only, and the job has several", out->name);
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

// The address to listen on: one, not all. With the address of zeros net and tcp;ofi_rxm lose messages when two
// endpoints connect to each other at the same time, since each then takes the other's address for the greater one and
// drops its own connection.
Error OfiPort::choose_source(bool one_node, sockaddr_storage& out) {
  std::vector<Interface> found;
  if (Error error = list_interfaces(settings().interface, found)) return error;
  family_ = choose_family(found, one_node);
  const bool loopback = one_node ? has(found, family_, true) : !has(found, family_, false);
  for (Interface& interface : found) {
    if (interface.address.ss_family != family_ || interface.loopback != loopback) continue;
    interfaces_.push_back(std::move(interface));
    break;
  }
  out = interfaces_.front().address;
  return success;
}

Error OfiPort::publish() {
  std::string name;
  if (Error error = endpoint_.name(name)) return error;
  std::vector<std::string> texts;
  if (!provider_.ip) texts.push_back(to_text(std::string_view(name)));
  sockaddr_storage bound = {};
  name.copy(reinterpret_cast<char*>(&bound), sizeof bound);
  for (Interface& interface : interfaces_) {
    sockaddr_storage address = interface.address;
    set_port(address, bound);
    texts.push_back(to_text(address));
  }
  published_ = compose(provider_.name, texts);
  return success;
}

Error OfiPort::open(bool one_node) {
  sockaddr_storage source = {};
  if (provider_.ip)
    if (Error error = choose_source(one_node, source)) return error;
  if (Error error = endpoint_.open(provider_, provider_.ip ? &source : nullptr)) return error;
  inject_size_ = std::min(endpoint_.info->tx_attr->inject_size, max_inject);
  if (Error error = receives_.open(endpoint_, receive_buffers, max_message)) return error;
  sends_.open(endpoint_, send_buffers, max_message);
  if (Error error = transfers_.open(endpoint_, provider_.piece)) return error;
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
