// What the four ways to give the buffer of a large send back cost a program.
//
// Rank 0 sends a message with MPI_Send (in a mode of its own) and goes on: it computes for a while, and either never writes
// the buffer again before the message is delivered, or writes one byte of it after the computation, or writes every page
// at once and computes then. Rank 1 waits for the message already, or comes late. Both compute by sleeping, so that the
// processor time is the library's. A row:
//   call      time in MPI_Send, us
//   program   time until rank 0 has computed and written and rank 1 has the message, us
//   delivery  time until rank 1 has it, us
//   cpu       processor time of both ranks, snapshots included, us
//   memory    what rank 0 and its snapshots hold more while the message is on its way and after the writes, KiB
//   of best   `program` in terms of that of the best of notify, copy and cow (by the median) in the same round
// All are medians of rounds, in each of which the modes have their turn.
//
//   mpirun -n 2 send_modes [-m 1K:256M] [-i rounds] > table;  send_modes_plot table > send_modes.svg
//
// With --check it measures the programs that write never and late, each row until a further round would hardly change
// the verdict, leaves out the memory, and fails when auto takes more than 1.15 times the best.
// --programs never,late,at_once and --receivers waiting,late name those to measure.
#include <mpix.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "support/measure.hpp"

namespace {

enum class Program { never, late, at_once };
constexpr const char* program_names[] = {"never", "late", "at_once"};
struct Mode {
  const char* name;
  int number;
};
constexpr Mode modes[] = {
    {"notify", MPIX_SEND_NOTIFY}, {"copy", MPIX_SEND_COPY}, {"cow", MPIX_SEND_COW}, {"auto", MPIX_SEND_AUTO}};
constexpr std::size_t page = 4096;
constexpr double limit = 1.15;  // of auto, in terms of the best

// What is measured beyond the sizes.
struct Choice {
  std::string programs = "never,late,at_once", receivers = "waiting,late";
  bool check = false;
  int rounds = 0, most_rounds = 0;
};

bool has(const std::string& list, const char* name) {
  return ("," + list + ",").find("," + std::string(name) + ",") != std::string::npos;
}

struct Times {
  double call, program, delivery, cpu;
};

void sleep_until(double time) {
  const double left = time - MPI_Wtime();
  if (left > 0) usleep(static_cast<useconds_t>(left * 1e6));
}

double cpu_seconds() {
  double sum = 0;
  for (int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage;
    getrusage(who, &usage);
    sum += static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  }
  return sum;
}

// KiB of a process's own share of memory; 0 when it is gone.
long share_of(const std::string& process) {
  FILE* const file = fopen(("/proc/" + process + "/smaps_rollup").c_str(), "re");
  char line[256];
  long value = 0;
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "Pss: %ld", &value) == 1) break;
  if (file) fclose(file);
  return value;
}

long memory_with_snapshots() {
  long sum = share_of("self");
  FILE* const children = fopen("/proc/thread-self/children", "re");
  char process[32];
  while (children && fscanf(children, "%31s", process) == 1) sum += share_of(process);
  if (children) fclose(children);
  return sum;
}

class Case {
 public:
  Case(char* buffer, std::size_t size, Program program, bool late, int mode)
      : buffer_(buffer), size_(size), program_(program), late_(late), mode_(mode) {
    // Longer than the message takes, so that whoever does not wait has something of it.
    pause_ = 1e-3 + static_cast<double>(size) / 1.5e9;
  }

  // At rank 0, what one message took; `memory` (may be null): the growth instead.
  Times send(long* memory) {
    touch_all();
    MPI_Recv(nullptr, 0, MPI_BYTE, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // it is ready
    const long before = memory ? memory_with_snapshots() : 0;
    double start = MPI_Wtime() + 2e-4;
    MPI_Send(&start, 1, MPI_DOUBLE, 1, 2, MPI_COMM_WORLD);
    while (MPI_Wtime() < start) {
    }
    const double cpu = cpu_seconds();
    start = MPI_Wtime();
    MPIX_Send_mode(buffer_, static_cast<MPI_Count>(size_), MPI_BYTE, 1, 0, MPI_COMM_WORLD, mode_);
    const double called = MPI_Wtime();
    if (program_ == Program::at_once) touch_all();
    sleep_until(called + pause_);
    if (program_ == Program::late) buffer_[size_ / 2] ^= 1;
    const double ended = MPI_Wtime();
    if (memory) *memory = memory_with_snapshots() - before;
    double other[2];  // when it had the message, its processor time
    MPI_Recv(other, 2, MPI_DOUBLE, 1, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    // What a snapshot leaves behind ends before the next is measured.
    usleep(5000 + static_cast<useconds_t>(size_ / 4000));
    return {called - start, std::max(ended, other[0]) - start, other[0] - start, cpu_seconds() - cpu + other[1]};
  }

  void receive(bool hold) {
    MPI_Request request;
    const auto begin = [&] {
      MPI_Irecv_c(buffer_, static_cast<MPI_Count>(size_), MPI_BYTE, 0, 0, MPI_COMM_WORLD, &request);
    };
    if (!late_) begin();
    MPI_Send(nullptr, 0, MPI_BYTE, 0, 1, MPI_COMM_WORLD);
    double start;
    MPI_Recv(&start, 1, MPI_DOUBLE, 0, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    const double cpu = cpu_seconds();
    if (late_) {
      // `hold`: until rank 0 has measured its memory.
      sleep_until(start + (hold ? 0.5 : 1) * pause_ + (hold ? pause_ + 0.05 : 0));
      begin();
    }
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    const double own[2] = {MPI_Wtime(), cpu_seconds() - cpu};
    MPI_Send(own, 2, MPI_DOUBLE, 0, 3, MPI_COMM_WORLD);
  }

 private:
  void touch_all() {
    for (std::size_t i = 0; i < size_; i += page) buffer_[i] ^= 1;
  }

  char* buffer_;
  std::size_t size_;
  Program program_;
  bool late_;
  int mode_;
  double pause_;  // s
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

double median(const std::vector<Times>& all, double Times::* field) {
  std::vector<double> values;
  for (const Times& each : all) values.push_back(each.*field * 1e6);
  return median(values);
}

// One row of each mode.
struct Rows {
  std::vector<Times> all[std::size(modes)];
  long memory[std::size(modes)] = {};

  std::size_t best() const {
    std::size_t out = 0;
    for (std::size_t m : {1u, 2u})
      if (median(all[m], &Times::program) < median(all[out], &Times::program)) out = m;
    return out;
  }
  // By round.
  std::vector<double> ratios(std::size_t mode) const {
    const std::vector<Times>& others = all[best()];
    std::vector<double> out;
    for (std::size_t i = 0; i < others.size(); ++i) out.push_back(all[mode][i].program / others[i].program);
    return out;
  }
  // Whether the median of auto's is likely to stay on the side of the limit where it is: the limit is not among the ratios
  // in the middle, as many as chance may exchange with the median in one case of twenty.
  bool is_decided() const {
    std::vector<double> all_ratios = ratios(std::size(modes) - 1);
    std::sort(all_ratios.begin(), all_ratios.end());
    const auto count = static_cast<double>(all_ratios.size());
    const auto skip = static_cast<std::size_t>(std::max(0.0, count / 2 - std::sqrt(count)));
    return all_ratios[skip] > limit || all_ratios[all_ratios.size() - 1 - skip] <= limit;
  }
};

// Returns what auto takes in terms of the best.
double print(std::size_t size, Program program, bool late, const Rows& rows) {
  double ratio = 0;
  for (std::size_t m = 0; m < std::size(modes); ++m) {
    const std::vector<Times>& all = rows.all[m];
    ratio = median(rows.ratios(m));
    const bool too_much = m + 1 == std::size(modes) && program != Program::at_once && ratio > limit;
    printf("%-10zu %-8s %-8s %-7s %10.1f %10.1f %10.1f %10.1f %9ld %9.2f%s\n", size,
           program_names[static_cast<int>(program)], late ? "late" : "waiting", modes[m].name,
           median(all, &Times::call), median(all, &Times::program), median(all, &Times::delivery),
           median(all, &Times::cpu), std::max(rows.memory[m], 0L), ratio, too_much ? " TOO MUCH" : "");
  }
  fflush(stdout);
  return ratio;
}

// The four modes in turn, so that whatever else the machine does falls on all of them. Before each message that is measured
// goes one of the same mode: what a snapshot leaves behind (pages that must be touched before they can be written again) and
// what a copy does (memory that is at hand for the next) belong to programs that go on in that mode.
double measure(char* buffer, std::size_t size, Program program, bool late, const Choice& choice) {
  const int rank = perf::rank_of(MPI_COMM_WORLD);
  Rows rows;
  const auto run_round = [&](bool counts, bool with_memory) {
    for (std::size_t m = 0; m < std::size(modes); ++m) {
      Case one(buffer, size, program, late, modes[m].number);
      if (rank == 1) {
        one.receive(false);
        one.receive(with_memory);
        continue;
      }
      one.send(nullptr);
      const Times times = one.send(with_memory ? &rows.memory[m] : nullptr);
      if (counts) rows.all[m].push_back(times);
    }
  };
  run_round(false, false);
  for (int round = 0, more = 1; more; ++round) {
    run_round(true, false);
    more = round + 1 < choice.rounds ||
           (choice.check && round + 1 < choice.most_rounds && rank == 0 && !rows.is_decided());
    if (round + 1 >= choice.rounds) MPI_Bcast(&more, 1, MPI_INT, 0, MPI_COMM_WORLD);
  }
  if (!choice.check) run_round(false, true);
  return rank == 0 ? print(size, program, late, rows) : 0;
}

constexpr char own_options[] =
    "      --check                    fail where mode auto takes more than 1.15 times the best other mode\n"
    "      --programs LIST            of never, late and at_once: when the sender writes its buffer again\n"
    "      --receivers LIST           of waiting and late\n";

// Takes the options that only this program has out of the command line.
Choice read_choice(int& argc, char** argv) {
  Choice out;
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--check") {
      out.check = true;
      out.programs = "never,late";
    } else if (word == "--programs" && i + 1 < argc) {
      out.programs = argv[++i];
    } else if (word == "--receivers" && i + 1 < argc) {
      out.receivers = argv[++i];
    } else {
      if ((word == "-h" || word == "--help") && perf::rank_of(MPI_COMM_WORLD) == 0) printf("%s", own_options);
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  Choice choice = read_choice(argc, argv);
  perf::Options defaults;
  defaults.min = 1 << 10;
  defaults.max = 256 << 20;
  defaults.iterations = 11;
  defaults.iterations_large = 0;
  const perf::Options options = perf::read_options(argc, argv, "COW MPI send modes", defaults);
  perf::need_ranks(perf::size_of(MPI_COMM_WORLD) == 2, "two ranks");
  const bool speaks = perf::rank_of(MPI_COMM_WORLD) == 0;
  if (speaks)
    perf::print_title(
        "Send Mode",
        "# size     program  receiver mode     call us program us delivery us   cpu us  memory KiB  of best");
  double worst = 0;
  for (std::size_t size = options.min; size <= options.max; size *= 4) {
    perf::Buffer buffer(size);  // and little else is in memory
    choice.rounds = options.iterations_large ? options.iterations_large : size >= (16u << 20) ? 5 : defaults.iterations;
    choice.most_rounds = 5 * choice.rounds;
    for (Program program : {Program::never, Program::late, Program::at_once})
      for (bool late : {false, true})
        if (has(choice.programs, program_names[static_cast<int>(program)]) &&
            has(choice.receivers, late ? "late" : "waiting"))
          worst = std::max(worst, measure(buffer.data(), size, program, late, choice));
  }
  if (speaks && choice.check)
    printf("# auto takes at most %.2f times the best: %s\n", worst, worst <= limit ? "met" : "NOT MET");
  int failed = choice.check && worst > limit;
  MPI_Bcast(&failed, 1, MPI_INT, 0, MPI_COMM_WORLD);
  MPI_Finalize();
  return failed;
}
