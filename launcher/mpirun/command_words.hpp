// The words of a command line before they mean anything: parts that colons separate, and files that hold more of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cow::launch {

using Words = std::vector<std::string>;

// One program with its options.
struct CommandPart {
  Words words;
  std::string source;  // "FILE: line 3: " for one that a file holds, which begins each message about it; else empty
};

std::vector<CommandPart> split_at_colons(int argc, const char* const* argv);

// The words of a line, as a shell splits them; # begins a comment. Quotes and backslashes keep blanks together. Returns what
// is wrong, or nothing.
std::string split_line(std::string_view line, Words& out);

// The parts that a file gives, one a line; a line may also hold several, separated by colons. A line that ends with a
// backslash goes on with the next one. Returns what is wrong, with file and line, or nothing.
std::string read_command_file(const std::string& path, std::vector<CommandPart>& out);

}  // namespace cow::launch
