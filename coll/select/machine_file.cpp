#include "coll/select/machine_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/settings.hpp"

namespace cow::coll {
namespace {

// The file's bytes; false with errno set.
bool read_file(const std::string& path, std::string& out) {
  FILE* const file = std::fopen(path.c_str(), "re");
  if (!file) return false;
  char piece[4096];
  while (const std::size_t n = std::fread(piece, 1, sizeof piece, file)) out.append(piece, n);
  const bool good = !std::ferror(file);
  const int reason = errno;
  std::fclose(file);
  errno = reason;
  return good;
}

std::string read_settings(Model& out) {
  const std::string& path = settings().machine;
  if (!path.empty()) {
    std::string text;
    if (!read_file(path, text)) return "COW_MACHINE: " + path + ": " + std::strerror(errno);
    if (const std::string wrong = parse_machine(text, out); !wrong.empty())
      return "COW_MACHINE: " + path + ", " + wrong;
  }
  if (const std::string wrong = parse_model(settings().coll_model, out); !wrong.empty())
    return "COW_COLL_MODEL: " + wrong;
  return {};
}

}  // namespace

std::string parse_machine(std::string_view text, Model& out) {
  Model read = out;
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    std::string item;
    for (char c : line)
      if (c != ' ' && c != '\t' && c != '\r') item += c;
    if (const std::string wrong = parse_model(item, read); !wrong.empty())
      return "line " + std::to_string(number) + ": " + wrong;
  }
  out = read;
  return {};
}

std::string settings_model(Model& out) {
  static Model model;
  static const std::string wrong = read_settings(model);
  out = model;
  return wrong;
}

void add_processors(Model& model) {
  static const long online = sysconf(_SC_NPROCESSORS_ONLN);
  if (model.processors == 0 && online > 0) model.processors = static_cast<double>(online);
}

}  // namespace cow::coll
