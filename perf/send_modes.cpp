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
// Times are medians.
//
//   mpirun -n 2 send_modes [-m 1K:256M] [-i iterations] > table;  send_modes_plot table > send_modes.svg
#include <mpix.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <string>
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

double median(std::vector<Times>& all, double Times::*field) {
  std::sort(all.begin(), all.end(), [=](const Times& a, const Times& b) { return a.*field < b.*field; });
  return all[all.size() / 2].*field * 1e6;
}

void print(std::size_t size, Program program, bool late, const Mode& mode, std::vector<Times>& all, long memory) {
  printf("%-10zu %-8s %-8s %-7s %10.1f %10.1f %10.1f %10.1f %9ld\n", size, program_names[static_cast<int>(program)],
         late ? "late" : "waiting", mode.name, median(all, &Times::call), median(all, &Times::program),
         median(all, &Times::delivery), median(all, &Times::cpu), std::max(memory, 0L));
  fflush(stdout);
}

// The four modes in turn, so that whatever else the machine does falls on all of them. Before each message that is measured
// goes one of the same mode: what a snapshot leaves behind (pages that must be touched before they can be written again) and
// what a copy does (memory that is at hand for the next) belong to programs that go on in that mode.
void measure(char* buffer, std::size_t size, Program program, bool late, int rounds) {
  const int rank = perf::rank_of(MPI_COMM_WORLD);
  std::vector<Times> all[std::size(modes)];
  long memory[std::size(modes)] = {};
  for (int round = -1; round <= rounds; ++round)
    for (std::size_t m = 0; m < std::size(modes); ++m) {
      Case one(buffer, size, program, late, modes[m].number);
      const bool last = round == rounds;
      if (rank == 1) {
        one.receive(false);
        one.receive(last);
        continue;
      }
      one.send(nullptr);
      const Times times = one.send(last ? &memory[m] : nullptr);
      if (round >= 0 && !last) all[m].push_back(times);
    }
  for (std::size_t m = 0; rank == 0 && m < std::size(modes); ++m) print(size, program, late, modes[m], all[m], memory[m]);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  perf::Options defaults;
  defaults.min = 1 << 10;
  defaults.max = 256 << 20;
  defaults.iterations = 11;
  defaults.iterations_large = 0;
  const perf::Options options = perf::read_options(argc, argv, "COW MPI send modes", defaults);
  perf::need_ranks(perf::size_of(MPI_COMM_WORLD) == 2, "two ranks");
  if (perf::rank_of(MPI_COMM_WORLD) == 0)
    perf::print_title("Send Mode", "# size     program  receiver mode     call us program us delivery us   cpu us  memory KiB");
  for (std::size_t size = options.min; size <= options.max; size *= 4) {
    perf::Buffer buffer(size);  // and little else is in memory
    for (Program program : {Program::never, Program::late, Program::at_once})
      for (bool late : {false, true}) {
        const int rounds = options.iterations_large ? options.iterations_large : size >= (16u << 20) ? 5 : defaults.iterations;
        measure(buffer.data(), size, program, late, rounds);
      }
  }
  MPI_Finalize();
}
