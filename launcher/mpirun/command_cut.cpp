#include "launcher/mpirun/command_cut.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/settings.hpp"
#include "launcher/mpirun/foreign_options.hpp"

namespace cow::launch {
namespace {

using std::string;
using std::string_view;

constexpr int deepest_file = 8;  // files of options may name further ones

string unknown_option(const CLI::App& app, const string& name) {
  Words names;
  for (const CLI::Option* option : app.get_options()) {
    for (const string& word : option->get_lnames()) names.push_back("--" + word);
    for (const string& word : option->get_snames()) names.push_back("-" + word);
  }
  const bool single = name.size() > 2 && name[1] != '-';
  const string near =
      name.size() <= 2 ? ""
                       : nearest_word(single ? "-" + name : name, std::vector<string_view>(names.begin(), names.end()));
  return "unknown option " + name + (near.empty() ? "" : " (did you mean " + near + "?)") + "; --help lists all";
}

int count_values(const CLI::Option& option) { return option.get_expected_max() > 0 ? option.get_type_size() : 0; }

class Cutter {
 public:
  Cutter(const CLI::App& app, Words words, int depth) : app_(app), words_(std::move(words)), depth_(depth) {}

  CommandCut cut() {
    while (next_ < words_.size() && out_.error.empty()) {
      const string& word = words_[next_];
      if (word == "--") {
        ++next_;
        break;
      }
      if (word.size() < 2 || word[0] != '-') break;
      take(word);
    }
    out_.program.assign(words_.begin() + static_cast<std::ptrdiff_t>(std::min(next_, words_.size())), words_.end());
    return std::move(out_);
  }

 private:
  void take(const string& word) {
    const size_t equals = word.find('=');
    const string name = word.substr(0, equals);
    const string long_name = name.starts_with("--") ? name : "-" + name;  // other launchers write -np and -wdir
    const CLI::Option* own = name.size() > 2 ? app_.get_option_no_throw(long_name) : app_.get_option_no_throw(name);
    if (own) return take_own(*own, name.size() > 2 ? long_name : name, equals);
    if (is_number_attached(word)) return out_.options.push_back(words_[next_++]);
    take_foreign(name, equals);
  }

  // -n4. Only numbers: of letters nobody could tell whether they are a value or the rest of a long option.
  bool is_number_attached(const string& word) const {
    if (word.size() < 3 || word[1] == '-' || !isdigit(static_cast<unsigned char>(word[2]))) return false;
    const CLI::Option* option = app_.get_option_no_throw(word.substr(0, 2));
    return option && count_values(*option) == 1 && option->get_type_name() == "N";
  }

  void take_own(const CLI::Option& option, const string& name, size_t equals) {
    const string word = words_[next_++];
    if (option.get_expected_max() == 1 && !given_.insert(&option).second) {
      out_.error = word.substr(0, equals) + " is given twice";
      return;
    }
    out_.spelled[option.get_name()] = word.substr(0, equals);
    int values = count_values(option);
    Words taken{equals == string::npos ? name : name + word.substr(equals)};
    if (equals != string::npos) --values;
    if (equals != string::npos && name.size() == 2) taken = {name, word.substr(equals + 1)};  // -n=4
    for (; values > 0 && next_ < words_.size(); --values) {
      taken.push_back(words_[next_++]);
      if (values == 2) values -= split_assignment(taken);
    }
    if (values > 0) {
      out_.error = word.substr(0, equals) + ": a value is missing";
      return;
    }
    if (option.check_lname("file")) return take_file(taken, equals != string::npos ? word.substr(equals + 1) : "");
    out_.options.insert(out_.options.end(), taken.begin(), taken.end());
  }

  // -env NAME=VALUE in place of -env NAME VALUE. Returns how many words less are to come.
  static int split_assignment(Words& taken) {
    const string last = taken.back();
    const size_t equals = last.find('=');
    if (equals == string::npos || equals == 0) return 0;
    taken.back() = last.substr(0, equals);
    taken.push_back(last.substr(equals + 1));
    return 1;
  }

  // -file FILE: the options that it holds stand in place of this one.
  void take_file(const Words& taken, string path) {
    if (taken.size() > 1) path = taken[1];
    std::vector<CommandPart> parts;
    out_.error = depth_ == 0 ? path + ": files of options name each other without end" : read_command_file(path, parts);
    for (const CommandPart& part : parts) {
      if (!out_.error.empty()) return;
      CommandCut inside = Cutter(app_, part.words, depth_ - 1).cut();
      if (inside.error.empty() && !inside.program.empty()) {
        inside.error =
            "'" + inside.program[0] + "' is no option (hosts are named with --hostfile, programs with --configfile)";
      }
      if (!inside.error.empty()) out_.error = part.source + inside.error;
      out_.options.insert(out_.options.end(), inside.options.begin(), inside.options.end());
      out_.ignored.insert(out_.ignored.end(), inside.ignored.begin(), inside.ignored.end());
    }
  }

  void take_foreign(const string& name, size_t equals) {
    const string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
    string value = equals != string::npos      ? words_[next_].substr(equals + 1)
                   : next_ + 1 < words_.size() ? words_[next_ + 1]
                                               : string();
    const ForeignOption* found = find_foreign_option(bare, value);
    if (!found) {
      out_.error = unknown_option(app_, name);
      return;
    }
    const int values = found->values - (equals != string::npos ? 1 : 0);
    string spelled = words_[next_++];
    for (int i = 0; i < values; ++i, ++next_) {
      if (next_ >= words_.size()) {
        out_.error = name + ": a value is missing";
        return;
      }
      value = words_[next_];
      spelled += " " + value;
    }
    act(*found, spelled, value);
  }

  void act(const ForeignOption& found, const string& spelled, const string& value) {
    using enum ForeignOption::Kind;
    if (found.kind == refused) out_.error = spelled + " is not offered: " + found.text;
    if (found.kind == ignored) out_.ignored.push_back({spelled, found.text});
    if (found.kind != means) return;
    Words words;
    split_line(found.text, words);
    for (string& word : words) {
      if (const size_t at = word.find('%'); at != string::npos) word.replace(at, 1, value);
      out_.options.push_back(std::move(word));
    }
  }

  const CLI::App& app_;
  Words words_;
  int depth_;
  size_t next_ = 0;
  std::set<const CLI::Option*> given_;
  CommandCut out_;
};

}  // namespace

CommandCut cut_at_program(const CLI::App& app, const Words& words) { return Cutter(app, words, deepest_file).cut(); }

std::vector<string> describe_ignored(const std::vector<IgnoredOption>& ignored) {
  std::vector<std::pair<const char*, string>> lines;
  for (const IgnoredOption& option : ignored) {
    auto line = std::find_if(lines.begin(), lines.end(),
                             [&](const auto& known) { return strcmp(known.first, option.instead) == 0; });
    if (line == lines.end()) line = lines.insert(line, {option.instead, {}});
    line->second += (line->second.empty() ? "" : ", ") + option.words;
  }
  std::vector<string> out;
  for (const auto& [instead, words] : lines) out.push_back(words + " ignored: " + instead);
  return out;
}

}  // namespace cow::launch
