// Two ways to keep the pages of a message as they are while its buffer is the program's again, compared without MPI:
//   snapshot  clone() of the process, and its end; the kernel copies a page that is written meanwhile
//   protect   userfaultfd: write protection of the buffer's pages on and off; a thread copies a page that is written
// Columns: bytes of the message, MiB that are resident beside it, us of either way, us for each page written meanwhile,
// and us of a plain copy into fresh memory.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t page = 4096, mebibyte = 1 << 20;

double microseconds() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

char* fresh(std::size_t size, bool touched) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return perror("mmap"), exit(1), nullptr;
  if (touched) memset(memory, 1, size);
  return static_cast<char*>(memory);
}

void write_pages(char* buffer, std::size_t pages) {
  for (std::size_t i = 0; i < pages; ++i) buffer[i * page] = 2;
}

template <class Body>
double best(Body body) {
  std::vector<double> seen;
  for (int i = 0; i < 9; ++i) seen.push_back(body());
  std::sort(seen.begin(), seen.end());
  return seen[seen.size() / 2];
}

struct Cost {
  double whole = 0, each_page = 0;
};

Cost snapshot(char* buffer, std::size_t pages) {
  Cost out;
  const auto take = [&](double* writing) {
    int life[2];
    if (pipe2(life, O_CLOEXEC) != 0) exit(1);
    const double start = microseconds();
    const auto child = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
    if (child == 0) {
      close(life[1]);
      char ignored;
      (void)!read(life[0], &ignored, 1);
      _exit(0);
    }
    const double taken = microseconds();
    if (writing) write_pages(buffer, pages), *writing = (microseconds() - taken) / static_cast<double>(pages);
    const double ending = microseconds();
    close(life[0]), close(life[1]);
    waitpid(child, nullptr, 0);
    return taken - start + microseconds() - ending;
  };
  out.whole = best([&] { return take(nullptr); });
  out.each_page = best([&] {
    double writing;
    take(&writing);
    return writing;
  });
  return out;
}

// The descriptor and the thread that answers faults: keeps the old page, and lets the write go on.
class Protector {
 public:
  Protector() {
    fd_ = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
    uffdio_api api{UFFD_API, UFFD_FEATURE_PAGEFAULT_FLAG_WP, 0};
    if (fd_ < 0 || ioctl(fd_, UFFDIO_API, &api) != 0) fd_ = -1;
    if (usable()) thread_ = std::thread([this] { answer(); });
  }
  ~Protector() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  bool usable() const { return fd_ >= 0; }
  void add(char* buffer, std::size_t size) {
    uffdio_register range{{reinterpret_cast<std::uintptr_t>(buffer), size}, UFFDIO_REGISTER_MODE_WP, 0};
    if (ioctl(fd_, UFFDIO_REGISTER, &range) != 0) perror("UFFDIO_REGISTER"), exit(1);
  }
  void remove(char* buffer, std::size_t size) {
    uffdio_range range{reinterpret_cast<std::uintptr_t>(buffer), size};
    ioctl(fd_, UFFDIO_UNREGISTER, &range);
  }
  void protect(const char* buffer, std::size_t size, bool on) {
    uffdio_writeprotect range{{reinterpret_cast<std::uintptr_t>(buffer), size},
                              on ? std::uint64_t{UFFDIO_WRITEPROTECT_MODE_WP} : 0};
    ioctl(fd_, UFFDIO_WRITEPROTECT, &range);
  }

 private:
  void answer() {
    static char kept[page];
    while (!over_) {
      pollfd waited{fd_, POLLIN, 0};
      if (poll(&waited, 1, 20) != 1) continue;
      uffd_msg message;
      if (read(fd_, &message, sizeof message) != sizeof message || message.event != UFFD_EVENT_PAGEFAULT) continue;
      auto* const at = reinterpret_cast<char*>(message.arg.pagefault.address & ~(std::uint64_t{page} - 1));
      memcpy(kept, at, page);
      protect(at, page, false);
    }
  }

  int fd_ = -1;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

Cost protection(Protector& protector, char* buffer, std::size_t size, std::size_t pages) {
  Cost out;
  protector.add(buffer, size);
  out.whole = best([&] {
    const double start = microseconds();
    protector.protect(buffer, size, true);
    protector.protect(buffer, size, false);
    return microseconds() - start;
  });
  out.each_page = best([&] {
    protector.protect(buffer, size, true);
    const double start = microseconds();
    write_pages(buffer, pages);
    const double writing = (microseconds() - start) / static_cast<double>(pages);
    protector.protect(buffer, size, false);
    return writing;
  });
  protector.remove(buffer, size);
  return out;
}

double copy(const char* buffer, std::size_t size) {
  return best([&] {
    const double start = microseconds();
    char* const out = fresh(size, false);
    memcpy(out, buffer, size);
    munmap(out, size);
    return microseconds() - start;
  });
}

}  // namespace

int main() {
  Protector protector;
  if (!protector.usable()) printf("# userfaultfd with kernel faults is not permitted here\n");
  printf("# bytes     resident MiB  snapshot  each page   protect  each page      copy\n");
  for (std::size_t resident : {std::size_t{0}, std::size_t{128}, std::size_t{1024}}) {
    char* const ballast = resident ? fresh(resident * mebibyte, true) : nullptr;
    for (std::size_t size : {mebibyte, 4 * mebibyte, 16 * mebibyte, 64 * mebibyte}) {
      char* const buffer = fresh(size, true);
      const std::size_t pages = 64;
      const Cost kept = snapshot(buffer, pages);
      const Cost held = protector.usable() ? protection(protector, buffer, size, pages) : Cost{};
      printf("%-12zu%12zu%10.0f%11.1f%10.0f%11.1f%10.0f\n", size, resident, kept.whole, kept.each_page, held.whole,
             held.each_page, copy(buffer, size));
      fflush(stdout);
      munmap(buffer, size);
    }
    if (ballast) munmap(ballast, resident * mebibyte);
  }
}
