// Where the options of a part of the command line end and its program begins, and what the options of other launchers come
// to. Which words are values of options decides that, so it knows them all.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "launcher/mpirun/command_words.hpp"

namespace cow::launch {

// An option of another launcher that is not acted on.
struct IgnoredOption {
  std::string words;    // as the user wrote them
  const char* instead;  // what is so anyway, or what to use
};

struct CommandCut {
  Words options;  // our own ones alone; long ones with two dashes
  Words program;
  std::vector<IgnoredOption> ignored;
  std::map<std::string, std::string> spelled;  // our own options' first names, as the user wrote them
  std::string error;
};

CommandCut cut_at_program(const CLI::App& app, const Words& words);

// "--mca btl self, --mca pml ob1 ignored: …": a line for each reason.
std::vector<std::string> describe_ignored(const std::vector<IgnoredOption>& ignored);

}  // namespace cow::launch
