// Which variables of mpirun's own environment the ranks see: -genvall, -genvnone, -genvlist and their like.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cow::launch {

struct PassedVariables {
  enum class Which : std::uint8_t { unsaid, all, none, listed, all_but };
  Which which = Which::unsaid;
  std::vector<std::string> names;  // of listed and all_but

  void list(Which what, const std::string& comma_separated);
  // Settings (COW_…) always pass: they are addressed to the job.
  bool passes(std::string_view entry) const;
};

// NAME=value of what passes, without what an outer launcher told this process alone.
std::vector<std::string> select_variables(const char* const* environment, const PassedVariables& passed);

}  // namespace cow::launch
