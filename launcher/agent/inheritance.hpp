// What every rank of a node inherits by descriptor: the job's key, and the memory that the ranks of the node share. A
// program between the agent and a rank may close them (Python's subprocess does, and Java's ProcessBuilder), so they stay
// open here for as long as there are ranks, and a rank gets them once more at its line (rank_lines.hpp).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cow::launch {

class Inheritance {
 public:
  Inheritance() = default;
  Inheritance(const Inheritance&) = delete;
  Inheritance& operator=(const Inheritance&) = delete;
  ~Inheritance() { close(); }

  // What went wrong; empty when nothing did. Memory is shared where there is more than one rank.
  std::string open(const std::string& key, std::size_t ranks);

  // When nobody is left who could want it: memory is large.
  void close();

  int key() const { return key_; }
  int memory() const { return memory_; }       // -1: there is none
  std::vector<std::string> variables() const;  // that tell a rank the numbers

 private:
  int key_ = -1;
  int memory_ = -1;
};

}  // namespace cow::launch
