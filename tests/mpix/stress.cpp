// Sends that give their buffer back at once, under fire:
//   stress pages MODE SECONDS    several threads write random pages of a pool at random moments, while many messages of
//                                random ranges of it are in flight
//   stress buffers MODE SECONDS  every buffer is freed, unmapped, moved, discarded or filled by read(2) the moment its send
//                                has returned
// Two ranks send to each other; every message goes with its checksum. MODE is copy or cow.
#include <fcntl.h>
#include <mpix.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using Random = std::mt19937_64;
constexpr std::size_t mebibyte = 1 << 20, page = 4096;
constexpr std::size_t largest = 3 * mebibyte;

int rank = 0, mode = 0;

std::uint64_t sum_of(const unsigned char* bytes, std::size_t size) {
  std::uint64_t sum = size, word;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    memcpy(&word, bytes + i, 8);
    sum = (sum ^ word) * 0x9E3779B97F4A7C15ull;
  }
  for (; i < size; ++i) sum = (sum ^ bytes[i]) * 0x9E3779B97F4A7C15ull;
  return sum;
}

void fill(unsigned char* bytes, std::size_t size, Random& random) {
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    const std::uint64_t word = random();
    memcpy(bytes + i, &word, 8);
  }
}

std::size_t random_size(Random& random) { return 1 + random() % (random() % 4 == 0 ? 60'000 : largest - 1); }

void send(const unsigned char* bytes, std::size_t size) {
  MPIX_Send_mode(bytes, static_cast<MPI_Count>(size), MPI_BYTE, 1 - rank, 1, MPI_COMM_WORLD, mode);
}

void send_sum(std::uint64_t sum) { MPIX_Send_mode(&sum, 1, MPI_UINT64_T, 1 - rank, 2, MPI_COMM_WORLD, MPIX_SEND_COPY); }

long checked = 0;

void receive_and_check(std::vector<unsigned char>& in) {
  MPI_Status status;
  MPI_Count size;
  std::uint64_t sum;
  MPI_Probe(1 - rank, 1, MPI_COMM_WORLD, &status);
  MPI_Get_count_c(&status, MPI_BYTE, &size);
  MPI_Recv_c(in.data(), size, MPI_BYTE, 1 - rank, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  MPI_Recv(&sum, 1, MPI_UINT64_T, 1 - rank, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  ++checked;
  if (sum_of(in.data(), static_cast<std::size_t>(size)) == sum) return;
  printf("rank %d: message %ld of %lld bytes is wrong\n", rank, checked, static_cast<long long>(size));
  MPI_Abort(MPI_COMM_WORLD, 1);
}

// Rounds until the time is over at some rank: all of a round are in flight before the first is received.
template <class SendOne>
void run(double seconds, SendOne send_one) {
  const double end = MPI_Wtime() + seconds;
  Random random(static_cast<unsigned>(rank) + 17);
  std::vector<unsigned char> in(largest);
  for (int over = 0; !over;) {
    const int count = rank == 0 ? static_cast<int>(20 + random() % 180) : 0;
    int agreed[2] = {count, MPI_Wtime() > end};
    MPI_Allreduce(MPI_IN_PLACE, agreed, 2, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    over = agreed[1];
    for (int i = 0; i < agreed[0]; ++i) send_one(random);
    for (int i = 0; i < agreed[0]; ++i) receive_and_check(in);
  }
}

void fire_at_pages(double seconds) {
  constexpr std::size_t pool_size = 16 * mebibyte;
  std::vector<unsigned char> pool(pool_size);
  Random first(static_cast<unsigned>(rank));
  fill(pool.data(), pool_size, first);
  // A page is not written while a send reads it for the first time and its sum is taken: that would be the program's
  // mistake. It may be written at any moment after.
  std::shared_mutex calls;
  std::atomic<bool> over{false};
  std::vector<std::thread> writers;
  for (unsigned i = 0; i < 3; ++i)
    writers.emplace_back([&, i] {
      Random random(1000 * static_cast<unsigned>(rank) + i);
      while (!over) {
        {
          const std::shared_lock lock(calls);
          // Threads have pages of their own.
          for (std::size_t n = random() % 16; n > 0; --n)
            fill(&pool[(random() % (pool_size / page / 3) * 3 + i) * page], page, random);
        }
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
      }
    });
  run(seconds, [&](Random& random) {
    const std::size_t size = random_size(random), begin = random() % (pool_size - size);
    std::uint64_t sum;
    {
      const std::unique_lock lock(calls);
      sum = sum_of(&pool[begin], size);
      send(&pool[begin], size);
    }
    send_sum(sum);
  });
  over = true;
  for (std::thread& writer : writers) writer.join();
}

void fire_at_buffers(double seconds) {
  const int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  run(seconds, [&](Random& random) {
    const std::size_t size = random_size(random);
    if (random() % 3 == 0) {
      auto* bytes = static_cast<unsigned char*>(malloc(size));
      fill(bytes, size, random);
      const std::uint64_t sum = sum_of(bytes, size);
      send(bytes, size);
      if (random() % 2) (void)!read(zeros, bytes, size);
      free(bytes);
      return send_sum(sum);
    }
    void* mapped = mmap(nullptr, largest, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) MPI_Abort(MPI_COMM_WORLD, 2);
    auto* bytes = static_cast<unsigned char*>(mapped) + random() % (largest - size + 1);
    fill(bytes, size, random);
    const std::uint64_t sum = sum_of(bytes, size);
    send(bytes, size);
    switch (random() % 4) {
      case 0: (void)!read(zeros, bytes, size); break;
      case 1: madvise(mapped, largest, MADV_DONTNEED); break;
      case 2:
        mapped = mremap(mapped, largest, 2 * largest, MREMAP_MAYMOVE),
        munmap(static_cast<char*>(mapped) + largest, largest);
        break;
      default: break;
    }
    munmap(mapped, largest);
    send_sum(sum);
  });
  close(zeros);
}

}  // namespace

int main(int argc, char** argv) {
  int provided;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const std::string what = argc > 1 ? argv[1] : "", name = argc > 2 ? argv[2] : "";
  const double seconds = argc > 3 ? atof(argv[3]) : 0;
  mode = name == "copy" ? MPIX_SEND_COPY : name == "cow" ? MPIX_SEND_COW : MPIX_SEND_NOTIFY;
  what == "pages" ? fire_at_pages(seconds) : fire_at_buffers(seconds);
  MPI_Finalize();
  return checked == 0;
}
