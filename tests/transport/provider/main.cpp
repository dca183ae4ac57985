// What libfabric's providers really do on this machine, as a table. Usage: provider_probe [--effort N] [PROVIDER …]
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "provider/probe.hpp"

namespace {

using namespace cow::probe;

const char* to_text(cow::transport::ofi::Wait wait) {
  static constexpr const char* texts[] = {"none", "descriptor", "stale"};
  return texts[static_cast<int>(wait)];
}

void print(const Provider& provider, const Findings& found) {
  printf("%-12s %-7s", provider.name, cow::probe::to_text(found.opens));
  if (found.opens == Verdict::yes) {
    printf(" %-7s %-8s %-9s %-10s %-7s %-7s %-7s %7.1f %7.1f %7zu  %s", cow::probe::to_text(found.order_small),
           cow::probe::to_text(found.order_large), cow::probe::to_text(found.multi_receive), to_text(found.wait),
           cow::probe::to_text(found.garbage), cow::probe::to_text(found.read), cow::probe::to_text(found.write),
           found.load_ms, found.open_ms, found.memory_kib, found.dead_peer.c_str());
  }
  printf("\n");
  fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  int effort = 1, first = 1;
  if (argc > 2 && strcmp(argv[1], "--effort") == 0) {
    effort = atoi(argv[2]);
    first = 3;
  }
  printf("%-12s %-7s %-7s %-8s %-9s %-10s %-7s %-7s %-7s %7s %7s %7s  %s\n", "provider", "opens", "order", "order",
         "multi-", "wait", "garbage", "read", "write", "load", "open", "memory", "a message to a dead peer");
  printf("%-12s %-7s %-7s %-8s %-9s %-10s %-7s %-7s %-7s %7s %7s %7s\n", "", "", "<=16K", "<=60000", "receive", "", "",
         "", "", "ms", "ms", "KiB");
  for (const Provider& provider : cow::transport::ofi::providers()) {
    bool wanted = first >= argc;
    for (int i = first; i < argc; ++i) wanted |= strcmp(argv[i], provider.name) == 0;
    if (wanted) print(provider, examine(provider, effort, false));
  }
}
