#include "cowinfo/providers.hpp"

#include <cstdio>

#include "transport/ofi/ofi.hpp"

namespace cow {

std::string libfabric_version() { return transport::library_version(); }

namespace {

const char* yes(bool value) { return value ? "yes" : "-"; }

void print_row(const transport::ProviderInfo& provider) {
  char remote[32];
  if (provider.remote_threshold > 0)
    snprintf(remote, sizeof remote, "%zu", provider.remote_threshold);
  else
    snprintf(remote, sizeof remote, "-");
  printf("%-14s %-5s %-5s %-9s %-9s %-6s %-5s %-6s %10s %8zu  %s\n", provider.name.c_str(), yes(provider.available),
         yes(provider.automatic), yes(provider.one_node), yes(provider.multi_receive), yes(provider.wait_descriptor),
         yes(provider.read), yes(provider.write), remote, provider.memory_kib, provider.notes.c_str());
}

}  // namespace

void print_providers() {
  printf("%-14s %-5s %-5s %-9s %-9s %-6s %-5s %-6s %10s %8s  %s\n", "provider", "here", "auto", "one-node", "multi-rec",
         "waits", "read", "write", "from bytes", "KiB", "notes");
  for (const auto& provider : transport::list_providers()) print_row(provider);
  printf(
      "\nhere: this machine's libfabric has it. auto: COW_PROVIDER=auto may choose it, the first in this order.\n"
      "one-node: reaches processes of the same host only. multi-rec: several messages share a receive buffer.\n"
      "waits: an idle rank sleeps on a descriptor. read, write: remote memory access, used from so many bytes on.\n"
      "KiB: resident memory that an open port adds, as measured.\n");
}

}  // namespace cow
