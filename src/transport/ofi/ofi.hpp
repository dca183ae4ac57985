// Ports over libfabric. This is all that the rest of the library sees of it: rdma/*.h is included below this folder
// only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transport/port.hpp"

namespace cow::transport {

// Opens libfabric (when it is the first port), an endpoint of the provider and a port on it. `provider` is a name or
// "auto": the first reliable one of the table that this machine has. With `one_node` only processes of this host can
// reach the port: it listens on the loopback address alone.
// The receiver must outlive the port. To be called by the thread that will use the port.
Error open_port(std::string_view provider, bool one_node, Receiver& receiver, std::unique_ptr<Port>& out);

// What is known of a provider, for cowinfo and for tests. See ofi/provider_table.def for the meaning of the columns.
struct ProviderInfo {
  std::string name;
  bool available = false;  // the libfabric of this machine has it
  bool automatic = false;  // "auto" may choose it
  bool one_node = false;
  bool multi_receive = false;
  bool wait_descriptor = false;
  bool read = false;
  bool write = false;
  bool garbage = false;
  std::size_t remote_threshold = 0;  // bytes; 0 where neither read nor write is used
  std::size_t memory_kib = 0;        // resident memory that an open port adds, as measured
  std::string notes;
};

// Every provider of the table, in the order in which "auto" tries them. Without libfabric none is available.
std::vector<ProviderInfo> list_providers();

// "1.17" of the libfabric found here, or empty.
std::string library_version();

}  // namespace cow::transport
