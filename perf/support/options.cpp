#include "support/options.hpp"

#include <getopt.h>
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace perf {
namespace {

constexpr char usage_text[] =
    "  -m, --message-size [MIN:]MAX   bytes of the messages; K, M and G are understood\n"
    "  -i, --iterations N             messages timed for each size\n"
    "  -x, --warmup N                 messages before those, not timed\n"
    "  -W, --window-size N            messages in flight at once, where that applies\n"
    "  -p, --pairs N                  pairs of ranks, where that applies\n"
    "  -f, --full                     minimum, maximum and iterations beside the average\n"
    "  -h, --help                     this text\n";

[[noreturn]] void end(const char* program, const char* title, const char* complaint) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0 && complaint)
    fprintf(stderr, "%s: %s\nUsage: mpirun -n N %s [options]\n%s", program, complaint, program, usage_text);
  if (rank == 0 && !complaint) printf("%s\nUsage: mpirun -n N %s [options]\n%s", title, program, usage_text);
  MPI_Finalize();
  exit(complaint ? 2 : 0);
}

bool read_size(const char* text, const char** rest, std::size_t& size) {
  char* end = nullptr;
  if (*text < '0' || *text > '9') return false;
  size = strtoull(text, &end, 10);
  switch (*end) {
    case 'k':
    case 'K':
      size <<= 10;
      ++end;
      break;
    case 'm':
    case 'M':
      size <<= 20;
      ++end;
      break;
    case 'g':
    case 'G':
      size <<= 30;
      ++end;
      break;
    default: break;
  }
  *rest = end;
  return true;
}

// MAX, MIN:MAX or MIN: (as OSU: one number alone is the maximum).
bool read_range(const char* text, Options& options) {
  std::size_t first = 0;
  const char* rest = nullptr;
  if (!read_size(text, &rest, first)) return false;
  if (*rest == '\0') {
    options.max = first;
    return options.min <= options.max;
  }
  if (*rest++ != ':') return false;
  options.min = first;
  if (*rest != '\0' && (!read_size(rest, &rest, options.max) || *rest != '\0')) return false;
  return options.min <= options.max;
}

bool read_count(const char* text, int least, int& count) {
  char* end = nullptr;
  const long value = strtol(text, &end, 10);
  count = static_cast<int>(value);
  return end != text && *end == '\0' && value >= least && value <= 1'000'000'000;
}

constexpr option long_options[] = {
    {"message-size", required_argument, nullptr, 'm'},
    {"iterations", required_argument, nullptr, 'i'},
    {"warmup", required_argument, nullptr, 'x'},
    {"window-size", required_argument, nullptr, 'W'},
    {"pairs", required_argument, nullptr, 'p'},
    {"full", no_argument, nullptr, 'f'},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
};

// One option; false when its argument makes no sense.
bool take(int letter, const char* argument, Options& options) {
  switch (letter) {
    case 'm': return read_range(argument, options);
    case 'i':
      if (!read_count(argument, 1, options.iterations)) return false;
      options.iterations_large = options.iterations;
      return true;
    case 'x':
      if (!read_count(argument, 0, options.warmup)) return false;
      options.warmup_large = options.warmup;
      return true;
    case 'W': return read_count(argument, 1, options.window);
    case 'p': return read_count(argument, 1, options.pairs);
    case 'f': options.full = true; return true;
    default: return false;
  }
}

}  // namespace

Options read_options(int argc, char** argv, const char* title, Options options) {
  const char* slash = strrchr(argv[0], '/');
  const char* program = slash ? slash + 1 : argv[0];
  opterr = 0;  // every rank would complain; end() lets only rank 0 do it
  for (int letter; (letter = getopt_long(argc, argv, "m:i:x:W:p:fh", long_options, nullptr)) != -1;) {
    if (letter == 'h') end(program, title, nullptr);
    char complaint[200];
    snprintf(complaint, sizeof complaint, "cannot understand %s", argv[optind - 1]);
    if (!take(letter, optarg, options)) end(program, title, complaint);
  }
  if (optind != argc) end(program, title, "takes options only");
  return options;
}

}  // namespace perf
