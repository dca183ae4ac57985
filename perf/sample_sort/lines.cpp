#include "sample_sort/lines.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace sample_sort {

std::vector<std::string_view> Lines::views() const {
  std::vector<std::string_view> found;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    found.emplace_back(text.data() + start, end - start);
    start = end + 1;
  }
  return found;
}

bool read_file(const char* name, std::string& text) {
  FILE* file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
  if (!file) return false;
  char piece[65536];
  for (std::size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0;) text.append(piece, got);
  const bool good = !ferror(file);
  if (file != stdin) fclose(file);
  if (!text.empty() && text.back() != '\n') text.push_back('\n');  // sort(1) completes the last line too
  return good;
}

bool write_file(const char* name, std::string_view text) {
  FILE* file = strcmp(name, "-") == 0 ? stdout : fopen(name, "wb");
  if (!file) return false;
  bool good = fwrite(text.data(), 1, text.size(), file) == text.size();
  good = (file == stdout ? fflush(file) : fclose(file)) == 0 && good;
  return good;
}

std::vector<std::size_t> cut_at_lines(std::string_view text, int parts) {
  std::vector<std::size_t> cuts{0};
  for (int part = 1; part < parts; ++part) {
    const std::size_t wanted = text.size() * static_cast<std::size_t>(part) / static_cast<std::size_t>(parts);
    const std::size_t newline = wanted == 0 ? std::string_view::npos : text.find('\n', wanted - 1);
    const std::size_t cut = wanted == 0 ? 0 : newline == std::string_view::npos ? text.size() : newline + 1;
    cuts.push_back(std::max(cut, cuts.back()));
  }
  cuts.push_back(text.size());
  return cuts;
}

}  // namespace sample_sort
