#include "cowinfo/protocols.hpp"

#include <algorithm>
#include <cstdio>

#include "base/settings.hpp"
#include "pt2pt/protocol.hpp"
#include "transport/local_peers.hpp"
#include "transport/ofi/ofi.hpp"

using namespace cow;

namespace {

// The provider that carries messages between nodes; false: there is none here.
bool find_provider(transport::ProviderInfo& out) {
  const std::string& wanted = settings().provider;
  for (const auto& each : transport::list_providers()) {
    if (wanted == "auto" ? !each.automatic || !each.available || each.one_node : each.name != wanted) continue;
    out = each;
    return true;
  }
  return false;
}

void print(const char* where, const char* carrier, const transport::Port::Limits& limits) {
  const pt2pt::Route route(std::min(pt2pt::eager_limit_of_settings(), limits.eager), limits);
  printf("%s: %s\n%s\n", where, carrier, pt2pt::describe_protocols(route).c_str());
}

}  // namespace

int print_protocols() {
  pt2pt::decide_protocols();
  transport::ProviderInfo provider;
  const bool found = find_provider(provider);
  const transport::Port::Limits network{.message = wire::max_message,
                                        .read = provider.read,
                                        .write = provider.write,
                                        .remote_threshold = provider.remote_threshold};
  const bool in_memory = transport::shared_memory_is_wanted();
  if (in_memory)
    print("inside a node", "shared memory", transport::ShmPort::limits_for(settings().cma != "no"));
  else if (found)
    print("inside a node", provider.name.c_str(), network);
  if (found && !provider.one_node) print("between nodes", provider.name.c_str(), network);
  if (!found) printf("between nodes: no provider of libfabric is found here\n\n");
  fputs(pt2pt::explain_protocols().c_str(), stdout);
  return 0;
}
