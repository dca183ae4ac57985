#include "launcher/pmix/first_words.hpp"

#include <string.h>

#include <algorithm>
#include <cstdint>
#include <string>

namespace cow::launch {

namespace {

constexpr std::size_t header = 16;

std::uint64_t body_size(std::string_view bytes) {
  std::uint64_t size;
  memcpy(&size, bytes.data() + 8, sizeof size);
  return size;
}

}  // namespace

std::size_t greeting_size(std::string_view bytes) {
  return bytes.size() < header ? header : header + body_size(bytes);
}

Greeting judge_greeting(std::string_view bytes, std::string_view job_name) {
  constexpr std::string_view opening("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
  const std::size_t known = std::min(bytes.size(), opening.size());
  if (bytes.substr(0, known) != opening.substr(0, known)) return Greeting::nonsense;
  if (bytes.size() < header) return Greeting::incomplete;
  const std::uint64_t size = body_size(bytes);
  if (size > longest_greeting - header) return Greeting::nonsense;
  if (bytes.size() < header + size) return Greeting::incomplete;
  if (job_name.empty()) return Greeting::nonsense;
  const std::string wanted = std::string(job_name) + '\0';
  const bool named = bytes.substr(header, size).find(wanted) != std::string_view::npos;
  return named ? Greeting::complete : Greeting::nonsense;
}

}  // namespace cow::launch
