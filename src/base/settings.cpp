#include "base/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <numeric>

extern char** environ;

namespace cow {
namespace {

using std::string;
using std::string_view;

struct Row {
  const char* name;
  const char* kind;
  const char* default_value;
  const char* unit;
  const char* choices;
  const char* meaning;
};

constexpr Row rows[] = {
#define COW_SETTING(kind, field, name, default_value, unit, choices, meaning) \
  {name, #kind, default_value, unit, choices, meaning},
#include "base/settings_table.def"
#undef COW_SETTING
};

// Variables beginning with COW_ that are not settings: what the launcher tells a rank, and the compilers that mpicc and
// mpicxx use.
constexpr string_view launcher_names[] = {"COW_AGENT", "COW_JOB_SIZE", "COW_KEY_FD", "COW_SHM_FD", "COW_CC", "COW_CXX"};

std::vector<string_view> words(string_view text) {
  std::vector<string_view> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// A whole number with a unit from `units`; false when malformed or too large.
struct Unit {
  string_view name;
  std::int64_t factor;
};

bool parse_scaled(string_view text, std::initializer_list<Unit> units, std::int64_t& out) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) return false;
  const string_view rest = text.substr(static_cast<size_t>(end - text.data()));
  for (const Unit& unit : units) {
    std::int64_t scaled;
    if (rest != unit.name) continue;
    if (__builtin_mul_overflow(number, unit.factor, &scaled)) return false;
    out = scaled;
    return true;
  }
  return false;
}

// Each returns what would have been right, or null when the value was taken.
const char* take_flag(string_view text, bool& out) {
  for (string_view yes : {"yes", "true", "on", "1"})
    if (text == yes) return out = true, nullptr;
  for (string_view no : {"no", "false", "off", "0"})
    if (text == no) return out = false, nullptr;
  return "yes or no";
}

const char* take_number(string_view text, std::int64_t& out) {
  return parse_scaled(text, {{"", 1}}, out) ? nullptr : "a whole number that is not negative";
}

const char* take_size(string_view text, std::int64_t& out) {
  const bool good = parse_scaled(
      text, {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}},
      out);
  return good ? nullptr : "a number of bytes, with K, M or G if wanted";
}

const char* take_duration(string_view text, std::int64_t& out) {
  const bool good = parse_scaled(text, {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60'000}}, out);
  return good ? nullptr : "a time in milliseconds, or with ms, s or m";
}

bool known_choice(const Row& row, string_view text) {
  const auto choices = words(row.choices);
  return std::find(choices.begin(), choices.end(), text) != choices.end();
}

const char* find_value(const char* const* environment, string_view name) {
  for (const char* const* entry = environment; entry && *entry; ++entry) {
    if (strncmp(*entry, name.data(), name.size()) == 0 && (*entry)[name.size()] == '=') return *entry + name.size() + 1;
  }
  return nullptr;
}

string take_into(const Row& row, string_view kind, string_view text, void* field) {
  const char* expected = nullptr;
  if (kind == "flag") {
    expected = take_flag(text, *static_cast<bool*>(field));
  } else if (kind == "number") {
    expected = take_number(text, *static_cast<std::int64_t*>(field));
  } else if (kind == "size") {
    expected = take_size(text, *static_cast<std::int64_t*>(field));
  } else if (kind == "duration") {
    expected = take_duration(text, *static_cast<std::int64_t*>(field));
  } else if (kind == "choice" && !known_choice(row, text)) {
    const string near = nearest_word(text, words(row.choices));
    string message = string(row.name) + "=" + string(text) + ": expected one of: " + row.choices;
    if (!near.empty()) message += " (did you mean " + near + "?)";
    return message;
  } else {
    *static_cast<string*>(field) = text;
  }
  return expected ? string(row.name) + "=" + string(text) + ": expected " + expected : string();
}

void complain_of_unknown(const char* const* environment, std::vector<string>& complaints) {
  std::vector<string_view> names;
  for (const Row& row : rows) names.emplace_back(row.name);
  for (const char* const* entry = environment; entry && *entry; ++entry) {
    const string_view text = *entry;
    if (!text.starts_with("COW_")) continue;
    const string_view name = text.substr(0, text.find('='));
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    if (std::find(std::begin(launcher_names), std::end(launcher_names), name) != std::end(launcher_names)) continue;
    const string near = nearest_word(name, names);
    complaints.push_back(string(name) + ": no such setting" + (near.empty() ? "" : " (did you mean " + near + "?)") +
                         "; cowinfo lists all");
  }
}

}  // namespace

string nearest_word(string_view word, const std::vector<string_view>& candidates) {
  string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (string_view candidate : candidates) {
    std::vector<size_t> row(candidate.size() + 1);  // Levenshtein's distance, a row at a time
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 0; i < word.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i + 1;
      for (size_t j = 0; j < candidate.size(); ++j) {
        const size_t above = row[j + 1];
        row[j + 1] = std::min({row[j] + 1, above + 1, diagonal + (word[i] == candidate[j] ? 0 : 1)});
        diagonal = above;
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

std::vector<string> read_settings(const char* const* environment, bool unknown_too, Settings& out) {
  std::vector<string> complaints;
  const Row* row = rows;
#define COW_SETTING(kind, field, name, default_value, unit, choices, meaning)             \
  {                                                                                       \
    if (string wrong = take_into(*row, #kind, default_value, &out.field); !wrong.empty()) \
      complaints.push_back("default of " + wrong);                                        \
    if (const char* value = find_value(environment, name)) {                              \
      if (string wrong = take_into(*row, #kind, value, &out.field); !wrong.empty())       \
        complaints.push_back(std::move(wrong));                                           \
    }                                                                                     \
    ++row;                                                                                \
  }
#include "base/settings_table.def"
#undef COW_SETTING
  if (unknown_too) complain_of_unknown(environment, complaints);
  return complaints;
}

std::vector<SettingInfo> list_settings(const char* const* environment) {
  std::vector<SettingInfo> out;
  for (const Row& row : rows) {
    const char* value = find_value(environment, row.name);
    out.push_back({row.name, row.kind, row.default_value, row.unit, row.choices, row.meaning,
                   value ? value : row.default_value, value ? "environment" : "default"});
  }
  return out;
}

const Settings& settings() {
  static const Settings values = [] {
    Settings out;
    read_settings(environ, false, out);
    return out;
  }();
  return values;
}

}  // namespace cow
