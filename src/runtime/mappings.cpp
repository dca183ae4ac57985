#include "runtime/mappings.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

#include "base/machine.hpp"

namespace cow::runtime {
namespace {

constexpr std::size_t least_other = 256 * 1024;  // bytes: less is not worth a system call
constexpr std::size_t page_size = largest_page;

// A line of /proc/self/maps.
struct Mapping {
  Range range;
  std::string_view permissions;  // "rw-p"
  std::string_view name;
};

bool is_private(const Mapping& mapping) {
  if (mapping.permissions[0] != 'r' || mapping.permissions[3] != 'p') return false;
  const std::string_view name = mapping.name;
  return name.empty() || name == "[heap]" || name == "[stack]" || name.substr(0, 6) == "[anon:";
}

std::string_view take_word(std::string_view& line) {
  const std::size_t length = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, length);
  line.remove_prefix(std::min(line.find_first_not_of(' ', length), line.size()));
  return word;
}

bool parse(std::string_view line, Mapping& out) {
  const std::string_view addresses = take_word(line);
  out.permissions = take_word(line);
  for (int i = 0; i < 3; ++i) take_word(line);  // offset, device, inode
  out.name = line;
  const char* const end = addresses.data() + addresses.size();
  const auto [dash, wrong] = std::from_chars(addresses.data(), end, out.range.begin, 16);
  if (wrong != std::errc{} || dash == end || out.permissions.size() < 4) return false;
  return std::from_chars(dash + 1, end, out.range.end, 16).ec == std::errc{};
}

// The whole file; in a few reads, since each costs more than the lines that it brings.
bool read_maps(std::string& out) {
  const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  std::size_t size = 0;
  ssize_t got = 0;
  do {
    size += static_cast<std::size_t>(got);
    if (out.size() - size < 4096) out.resize(2 * out.size() + 32 * 1024);
    do got = read(file, out.data() + size, out.size() - size);
    while (got < 0 && errno == EINTR);
  } while (got > 0);
  out.resize(size);
  close(file);
  return got == 0;
}

void add_other(Range range, std::vector<Range>& out) {
  if (range.end > range.begin && range.end - range.begin >= least_other) out.push_back(range);
}

}  // namespace

Error find_mappings(Range range, Mappings& out) {
  std::string text;
  if (!read_maps(text)) return fail(ErrorClass::other, "/proc/self/maps cannot be read: %s", strerror(errno));
  std::uintptr_t at = range.begin;
  const std::uintptr_t first_page = range.begin & ~(page_size - 1),
                       end_page = (range.end + page_size - 1) & ~(page_size - 1);
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    Mapping mapping;
    if (!parse(line, mapping)) continue;
    if (is_private(mapping) && mapping.name != "[stack]") {
      add_other({mapping.range.begin, std::min(mapping.range.end, first_page)}, out.others);
      add_other({std::max(mapping.range.begin, end_page), mapping.range.end}, out.others);
    }
    if (mapping.range.end <= at || at >= range.end) continue;
    if (mapping.range.begin > at) break;
    if (!is_private(mapping))
      return fail(ErrorClass::other, "the memory at %p is none that a snapshot keeps (%.*s)",
                  reinterpret_cast<void*>(at), static_cast<int>(line.size()), line.data());
    out.wanted.push_back({at, std::min(mapping.range.end, range.end)});
    at = mapping.range.end;
  }
  if (at < range.end) return fail(ErrorClass::other, "no memory at %p", reinterpret_cast<void*>(at));
  return success;
}

}  // namespace cow::runtime
