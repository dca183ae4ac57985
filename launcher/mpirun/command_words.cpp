#include "launcher/mpirun/command_words.hpp"

#include <string.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

namespace cow::launch {
namespace {

using std::string;
using std::string_view;

// A line with those that it goes on with, and the number of the first. False: there is none.
bool next_line(std::istream& file, string& line, int& number, int& next) {
  number = next;
  line.clear();
  string piece;
  bool any = false;
  while (std::getline(file, piece)) {
    any = true;
    ++next;
    if (piece.ends_with('\r')) piece.pop_back();
    const bool goes_on = piece.ends_with('\\') && !piece.ends_with("\\\\");
    if (goes_on) piece.back() = ' ';
    line += piece;
    if (!goes_on) break;
  }
  return any;
}

void add_parts(Words words, const string& source, std::vector<CommandPart>& out) {
  if (words.empty()) return;
  out.push_back({{}, source});
  for (string& word : words) {
    if (word != ":") {
      out.back().words.push_back(std::move(word));
    } else if (!out.back().words.empty()) {
      out.push_back({{}, source});
    }
  }
}

}  // namespace

std::vector<CommandPart> split_at_colons(int argc, const char* const* argv) {
  std::vector<CommandPart> out(1);
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], ":") == 0) {
      out.emplace_back();
    } else {
      out.back().words.emplace_back(argv[i]);
    }
  }
  return out;
}

string split_line(string_view line, Words& out) {
  string word;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\r')) {
      if (in_word) out.push_back(std::exchange(word, {}));
      in_word = false;
    } else if (quote == 0 && !in_word && c == '#') {
      break;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
      in_word = true;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else {
      if (c == '\\' && quote != '\'' && i + 1 < line.size()) ++i;
      word += line[i];
      in_word = true;
    }
  }
  if (in_word) out.push_back(word);
  return quote == 0 ? string() : "a quote is not closed";
}

string read_command_file(const string& path, std::vector<CommandPart>& out) {
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path)) {
    return "cannot read " + path + ": " + strerror(file ? EISDIR : errno);
  }
  int number = 1, next = 1;
  for (string line; next_line(file, line, number, next);) {
    const string source = path + ": line " + std::to_string(number) + ": ";
    Words words;
    if (const string wrong = split_line(line, words); !wrong.empty()) return source + wrong;
    add_parts(std::move(words), source, out);
  }
  return {};
}

}  // namespace cow::launch
