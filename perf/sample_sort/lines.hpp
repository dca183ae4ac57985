// Lines of text in one buffer, and how they are read, written, and cut.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sample_sort {

// Complete lines, each ended by a newline. The views point into the text, without the newline; their order is that of
// bytes, as in `LC_ALL=C sort`.
struct Lines {
  std::string text;
  std::vector<std::string_view> views() const;
};

// The whole file, or standard input for "-". False when it cannot be read.
bool read_file(const char* name, std::string& text);
// The other way round: "-" is standard output.
bool write_file(const char* name, std::string_view text);

// Offsets that cut the text into `parts` pieces of whole lines and about the same size; parts + 1 of them.
std::vector<std::size_t> cut_at_lines(std::string_view text, int parts);

}  // namespace sample_sort
