#include "runtime/process_state.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace cow::runtime {

bool has_ended(std::int32_t process) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", process);
  FILE* const file = fopen(path, "re");
  if (!file) return errno == ENOENT;
  const std::size_t length = fread(text, 1, sizeof text - 1, file);
  const bool gone = length == 0 && ferror(file) && errno == ESRCH;  // it ended meanwhile
  fclose(file);
  text[length] = 0;
  const char* const name_end = strrchr(text, ')');
  char state = 0;
  int threads = 0;
  // The state is the third field, the number of threads the twentieth: a first thread may have ended before the others.
  if (!name_end || sscanf(name_end + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d",
                          &state, &threads) != 2)
    return gone;
  return (state == 'Z' || state == 'X') && threads <= 1;
}

}  // namespace cow::runtime
