// cowinfo: what this installation is, and what it would do here.
#include <hwloc.h>
#include <pmix.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "api/build_info.hpp"
#include "base/settings.hpp"
#include "cowinfo/collectives.hpp"
#include "cowinfo/protocols.hpp"
#include "cowinfo/providers.hpp"
#include "cowinfo/send_modes.hpp"

extern char** environ;

namespace {

using namespace cow;

constexpr const char* unsupported_functions[] = {
#include "api/unsupported.inc"
    nullptr};
constexpr int function_count = 664;  // of MPI 5.0's C interface; tests/api counts them

constexpr char usage[] =
    "usage: cowinfo [option]\n"
    "  (nothing)      versions, what is supported, and the settings in force\n"
    "  --settings     the settings only: variable, value, unit, where the value came from, meaning\n"
    "  --providers    libfabric's providers: which are here, and what each can do\n"
    "  --collectives  which algorithm each collective takes at which size, with its predicted time; --layout LAYOUT,\n"
    "                 --ranks N and --per-node N (ranks on each node) may follow\n"
    "  --protocols    how messages of each size go, inside a node and between nodes, contiguous or not\n"
    "  --send-modes   what each way to give a send's buffer back is predicted to cost; --far (between nodes),\n"
    "                 --late MICROSECONDS (of the receiver) and --resident MIB (of the process) may follow\n"
    "  --unsupported  the MPI functions that this version does not offer yet, one a line\n"
    "  --version      the version, in one line\n";

int unsupported_count() { return static_cast<int>(sizeof unsupported_functions / sizeof *unsupported_functions) - 1; }

void print_versions() {
  printf("COW MPI %s, MPI 5.0 with its standard ABI (libmpi_abi.so.1)\n\n", build_info::version);
  printf("built with    %s, %s%s%s\n", build_info::compiler, build_info::build_type,
         *build_info::sanitizers ? ", sanitizers: " : "", build_info::sanitizers);
  const char* pmix = PMIx_Get_version();  // "OpenPMIx 4.2.2rc2 (PMIx Standard: 4.2, …"
  pmix += strcspn(pmix, "0123456789");
  printf("PMIx          %.*s (built with %s)\n", static_cast<int>(strcspn(pmix, " ,")), pmix,
         build_info::pmix_built_with);
  const unsigned hwloc = hwloc_get_api_version();
  printf("hwloc         API %u.%u.%u (built with %s)\n", hwloc >> 16, hwloc >> 8 & 255, hwloc & 255,
         build_info::hwloc_built_with);
  const std::string libfabric = libfabric_version();
  printf("libfabric     %s (built with %s)\n",
         libfabric.empty() ? "not found: only jobs of one rank" : libfabric.c_str(), build_info::libfabric_built_with);
  printf("languages     C and C++ (mpicc, mpicxx); Fortran is not supported yet\n");
  printf("functions     %d of %d supported; cowinfo --unsupported lists the others\n",
         function_count - unsupported_count(), function_count);
}

void print_meaning(const SettingInfo& setting) {
  printf("    %s", setting.meaning);
  if (*setting.choices) printf(" (one of: %s)", setting.choices);
  printf("\n");
}

void print_settings() {
  const std::vector<SettingInfo> settings = list_settings(environ);
  std::size_t width = 0;
  for (const SettingInfo& setting : settings) width = std::max(width, strlen(setting.name) + 1 + setting.value.size());
  for (const SettingInfo& setting : settings) {
    const std::string assignment = std::string(setting.name) + "=" + setting.value;
    printf("%-*s  %s%s%s%s\n", static_cast<int>(width), assignment.c_str(), setting.kind, *setting.unit ? " in " : "",
           setting.unit, strcmp(setting.origin, "default") == 0 ? "; default" : "; from the environment");
    print_meaning(setting);
  }
}

void print_unsupported() {
  for (const char* const* name = unsupported_functions; *name; ++name) puts(*name);
}

// What is wrong with the environment's COW_* variables, on standard error; the exit status.
int complain() {
  Settings ignored;
  const std::vector<std::string> complaints = read_settings(environ, true, ignored);
  fflush(stdout);
  for (const std::string& complaint : complaints) fprintf(stderr, "cowinfo: %s\n", complaint.c_str());
  return complaints.empty() ? 0 : 1;
}

int run(const std::string& option) {
  if (option.empty()) {
    print_versions();
    printf("\nSettings, from the environment or from mpirun's options:\n");
    print_settings();
    return complain();
  }
  if (option == "--settings") return print_settings(), complain();
  if (option == "--providers") return print_providers(), 0;
  if (option == "--protocols") {
    const int status = complain();
    return status ? status : print_protocols();
  }
  if (option == "--unsupported") return print_unsupported(), 0;
  if (option == "--version") return printf("COW MPI %s\n", build_info::version), 0;
  if (option == "--help" || option == "-h") return fputs(usage, stdout), 0;
  fprintf(stderr, "cowinfo: no such option: %s\n%s", option.c_str(), usage);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "--collectives") == 0) return print_collectives(argc - 2, argv + 2);
  if (argc > 1 && strcmp(argv[1], "--send-modes") == 0) return print_send_modes(argc - 2, argv + 2);
  if (argc > 2) {
    fputs(usage, stderr);
    return 2;
  }
  return run(argc == 2 ? argv[1] : "");
}
