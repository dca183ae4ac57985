#include "launcher/mpirun/passed_variables.hpp"

#include <algorithm>

namespace cow::launch {
namespace {

using std::string;
using std::string_view;

// What an outer launcher told this process is not true of the ranks.
bool is_of_outer_launcher(string_view entry) {
  if (entry.starts_with("PMIX_MCA_")) return false;
  constexpr string_view prefixes[] = {
      "PMIX_",       "PMI_",        "OMPI_COMM_WORLD_", "MPI_LOCALRANKID=", "MPI_LOCALNRANKS=",
      "COW_KEY_FD=", "COW_SHM_FD=", "COW_AGENT=",       "COW_JOB_SIZE="};
  return std::any_of(std::begin(prefixes), std::end(prefixes), [&](string_view p) { return entry.starts_with(p); });
}

}  // namespace

void PassedVariables::list(Which what, const string& comma_separated) {
  which = what;
  names.assign(1, {});
  for (const char c : comma_separated) {
    if (c == ',') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
}

bool PassedVariables::passes(string_view entry) const {
  if (entry.starts_with("COW_")) return true;
  const bool named = std::find(names.begin(), names.end(), entry.substr(0, entry.find('='))) != names.end();
  switch (which) {
    case Which::none: return false;
    case Which::listed: return named;
    case Which::all_but: return !named;
    default: return true;
  }
}

std::vector<string> select_variables(const char* const* environment, const PassedVariables& passed) {
  std::vector<string> out;
  for (const char* const* entry = environment; entry && *entry; ++entry) {
    if (passed.passes(*entry) && !is_of_outer_launcher(*entry)) out.emplace_back(*entry);
  }
  return out;
}

}  // namespace cow::launch
