#include "cowinfo/collectives.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/layout.hpp"
#include "base/settings.hpp"
#include "coll/select/select.hpp"

int print_collectives(int argc, char** argv) {
  cow::coll::Imagined machine;
  std::string& layout = machine.layout = cow::settings().layout;
  int ranks = 0;
  for (int i = 0; i < argc; i += 2) {
    const std::string_view option = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (option == "--layout" && value) {
      layout = value;
    } else if (option == "--ranks" && value && std::atoi(value) > 0) {
      ranks = std::atoi(value);
    } else if (option == "--per-node" && value && std::atoi(value) > 0) {
      machine.per_node = std::atoi(value);
    } else {
      fprintf(stderr, "usage: cowinfo --collectives [--layout LAYOUT] [--ranks N] [--per-node N]\n");
      return 2;
    }
  }
  cow::Layout read;
  if (ranks == 0 && cow::Layout::parse(layout, read).empty()) ranks = read.size();
  if (ranks == 0) ranks = 8;
  machine.ranks = ranks;
  std::string complaint;
  const std::string table = cow::coll::describe_selection(machine, complaint);
  if (!complaint.empty()) return fprintf(stderr, "cowinfo: %s\n", complaint.c_str()), 1;
  fputs(table.c_str(), stdout);
  return 0;
}
