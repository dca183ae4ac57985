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

std::size_t first_words_size(std::string_view bytes) {
  return bytes.size() < header ? header : header + body_size(bytes);
}

FirstWords judge_first_words(std::string_view bytes, std::string_view job_name) {
  constexpr std::string_view opening("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
  const std::size_t known = std::min(bytes.size(), opening.size());
  if (bytes.substr(0, known) != opening.substr(0, known)) return FirstWords::nonsense;
  if (bytes.size() < header) return FirstWords::incomplete;
  const std::uint64_t size = body_size(bytes);
  if (size > longest_first_words - header) return FirstWords::nonsense;
  if (bytes.size() < header + size) return FirstWords::incomplete;
  if (job_name.empty()) return FirstWords::nonsense;
  const std::string wanted = std::string(job_name) + '\0';
  const bool named = bytes.substr(header, size).find(wanted) != std::string_view::npos;
  return named ? FirstWords::complete : FirstWords::nonsense;
}

}  // namespace cow::launch
