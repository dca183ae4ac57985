// The settings: one table (settings_table.def), read from the environment. mpirun passes its options on as the same
// variables, so that a rank has one source. Used by the library, mpirun and cowinfo.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cow {

struct Settings {
  using flag = bool;
  using number = std::int64_t;
  using size = std::int64_t;      // bytes
  using duration = std::int64_t;  // milliseconds
  using choice = std::string;
  using text = std::string;
#define COW_SETTING(kind, field, name, default_value, unit, choices, meaning) kind field{};
#include "base/settings_table.def"
#undef COW_SETTING
};

// A row of the table with its present value, for cowinfo and for messages.
struct SettingInfo {
  const char* name;
  const char* kind;
  const char* default_value;
  const char* unit;
  const char* choices;
  const char* meaning;
  std::string value;   // as written by whoever set it
  const char* origin;  // "default" or "environment"
};

// The values in force. Read from the environment at the first call (malformed values keep their default there and are
// told by read_settings); plain reads afterwards.
const Settings& settings();

// Reads `environment` (NAME=value strings, as environ) into `out`. Returns what is wrong, one sentence per variable;
// empty when all is well. `unknown_too`: also complain of COW_* names that are in no row, with the nearest name.
std::vector<std::string> read_settings(const char* const* environment, bool unknown_too, Settings& out);

// All rows, with the values of `environment`.
std::vector<SettingInfo> list_settings(const char* const* environment);

// The word of `candidates` nearest to `word` (edit distance), or empty when none is near.
std::string nearest_word(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace cow
