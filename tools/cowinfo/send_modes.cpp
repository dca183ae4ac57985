#include "cowinfo/send_modes.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "coll/select/machine_file.hpp"
#include "coll/select/send_costs.hpp"

int print_send_modes(int argc, char** argv) {
  double lateness = 1000, resident = 0;
  bool far = false;
  for (int i = 0; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--far") {
      far = true;
    } else if (option == "--late" && i + 1 < argc && std::atof(argv[i + 1]) > 0) {
      lateness = std::atof(argv[++i]);
    } else if (option == "--resident" && i + 1 < argc && std::atof(argv[i + 1]) > 0) {
      resident = std::atof(argv[++i]) * (1 << 20);
    } else {
      fprintf(stderr, "usage: cowinfo --send-modes [--far] [--late MICROSECONDS] [--resident MIB]\n");
      return 2;
    }
  }
  cow::coll::Model model;
  if (const std::string wrong = cow::coll::settings_model(model); !wrong.empty())
    return fprintf(stderr, "cowinfo: %s\n", wrong.c_str()), 1;
  fputs(cow::pt2pt::describe_send_costs(cow::coll::send_costs(model, far), lateness, static_cast<std::size_t>(resident))
            .c_str(),
        stdout);
  return 0;
}
