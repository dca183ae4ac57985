// Copies that both ends work at: every chunk is copied once, and whatever the helper does, the receiver gets its bytes.
#include "transport/shm/helping.hpp"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <memory>
#include <random>
#include <thread>

#include "ports.hpp"

namespace cow::transport {
namespace {

using shm::Claims;

TEST(Claims, ChunksCoverEverySizeOnce) {
  auto fifo = std::make_unique<shm::Fifo>();
  for (std::size_t size : {1ul, 8191ul, 8192ul, 8193ul, 12'288ul, 65'537ul, 1'000'003ul, 4ul << 20}) {
    Claims claims(*fifo, 7, size);
    claims.open();
    std::size_t covered = 0;
    for (std::uint32_t chunk; (chunk = claims.claim()) != Claims::none; covered += claims.size(chunk)) {
      EXPECT_EQ(claims.begin(chunk), covered);
      EXPECT_GT(claims.size(chunk), 0u);
    }
    EXPECT_EQ(covered, size);
  }
}

// The helper's claims come late, from the wrong copy, or never: none of them takes a chunk twice.
TEST(Claims, TwoThreadsShareEveryCopy) {
  constexpr std::uint32_t copies = 5000;
  auto fifo = std::make_unique<shm::Fifo>();
  std::atomic<std::uint32_t> open{0};
  const auto size_of = [](std::uint32_t number) { return std::size_t{number} * 7919 % 600'000 + 1; };
  std::thread helper([&] {
    for (std::uint32_t number = 0; number < copies; std::this_thread::yield()) {
      number = open.load(std::memory_order_relaxed);  // as old as it likes: the claims themselves must keep order
      if (number == 0) continue;
      Claims claims(*fifo, number, size_of(number));
      std::uint32_t done = 0;
      while (claims.claim() != Claims::none) claims.tell(++done);
    }
  });
  std::uint64_t helped = 0;
  for (std::uint32_t number = 1; number <= copies; ++number) {
    Claims claims(*fifo, number, size_of(number));
    claims.open();
    open.store(number, std::memory_order_relaxed);
    std::uint32_t own = 0;
    for (; claims.claim() != Claims::none; ++own) std::this_thread::yield();
    const std::uint32_t others = claims.count() - own;
    helped += others;
    for (const Nanoseconds limit = now() + patience; others > 0 && !claims.helped(others); std::this_thread::yield())
      ASSERT_LT(now(), limit) << "copy " << number << ": " << own << " of " << claims.count() << " chunks";
  }
  helper.join();
  EXPECT_GT(helped, 0u);
}

bool copying_works() {
  int here = 1, copy = 0;
  const iovec to{&copy, sizeof copy}, from{&here, sizeof here};
  return process_vm_writev(getpid(), &from, 1, &to, 1, 0) == sizeof copy;
}

// On one processor the reader mostly does all chunks before the other's turn comes.
bool keep_apart(std::uint32_t index) {
  cpu_set_t all, one;
  if (sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) < 2) return false;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &all) && index-- == 0) CPU_SET(cpu, &one);
  return sched_setaffinity(0, sizeof one, &one) == 0;
}

// Process 0 owns the data and helps as `owner` does; process 1 reads them again and again until `enough` says so.
void run_reads(const std::function<void(ShmPort&)>& before, const std::function<bool(ShmPort&, int round)>& enough,
               const std::function<void(ShmPort&)>& after) {
  if (!copying_works()) GTEST_SKIP() << "this kernel does not let processes write to each other's memory";
  EXPECT_TRUE(run(2, [&](std::uint32_t me, ShmPort& port) {
    shm::Link& other = reach(port, 1 - me);
    keep_apart(me);
    constexpr std::size_t size = 9'000'001;
    std::vector<char> data(size);
    std::mt19937 random(3);
    for (char& byte : data) byte = static_cast<char>(random());
    if (me == 0) {
      before(port);
      const auto address = reinterpret_cast<std::uintptr_t>(data.data());
      send(port, other, 0, &address, sizeof address);
      receive(port, 1, [](auto&&...) {});
      return after(port);
    }
    std::uintptr_t remote = 0;
    receive(port, 1, [&](shm::Link&, const wire::Header&, const std::byte* body, std::size_t) {
      memcpy(&remote, body, sizeof remote);
    });
    require(port.limits(0).read, "reading is not offered");
    for (int round = 0; !enough(port, round); ++round) {
      require(round < 100'000, "the other never helps");
      const std::size_t begin = random() % 5000, length = round % 4 ? random() % 300'000 : size - begin;
      std::vector<char> copy(length + 2, 'x');
      Ended ended;
      port.read(0, copy.data() + 1, nullptr, remote + begin, nullptr, 0, length, ended);
      while (!ended.over) poll(port);
      require(ended.code == 0, "the read failed");
      require(memcmp(copy.data() + 1, data.data() + begin, length) == 0, "wrong bytes");
      require(copy.front() == 'x' && copy.back() == 'x', "bytes beside the buffer");
    }
    send(port, other, 1, "", 0);
  }));
}

TEST(Helping, BytesAreRightWhoeverCopiesThem) {
  run_reads([](ShmPort&) {}, [](ShmPort& port, int round) { return round >= 40 && port.chunks_helped() >= 20; },
            [](ShmPort&) {});
}

// From now on this process cannot write to others' memory.
void bar_writing() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_writev, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{sizeof code / sizeof *code, code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  require(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "no seccomp filter to be had");
}

TEST(Helping, AHelperThatMayNotIsAskedNoMore) {
  run_reads([](ShmPort&) { bar_writing(); }, [](ShmPort& port, int) { return !port.link(0).helps; },
            [](ShmPort& port) { require(port.chunks_done_for_others() == 0, "it wrote"); });
}

// The owner of the data dies with a chunk in its hands: the read ends, with an error.
TEST(Helping, AHelperThatDiesEndsTheRead) {
  EXPECT_TRUE(run(2, [](std::uint32_t me, ShmPort& port) {
    shm::Link& other = reach(port, 1 - me);
    std::vector<char> data(100'000);
    if (!keep_apart(me)) _exit(0);
    if (me == 0) {
      const auto address = reinterpret_cast<std::uintptr_t>(data.data());
      send(port, other, 0, &address, sizeof address);
      for (const Nanoseconds limit = now() + patience; now() < limit;)
        port.poll_with([](shm::Link& link, const wire::Header& head, const std::byte* body, std::size_t) {
          if (head.tag == 1) _exit(0);  // the read has ended: there was never a chunk left
          if (head.kind != wire::Kind::help) return;
          wire::Help wanted;
          memcpy(&wanted, body, sizeof wanted);
          if (Claims(link.in.fifo(), wanted.number, wanted.size).claim() != Claims::none) _exit(0);
        });
      require(false, "there was never a chunk to claim");
    }
    std::uintptr_t remote = 0;
    receive(port, 1, [&](shm::Link&, const wire::Header&, const std::byte* body, std::size_t) {
      memcpy(&remote, body, sizeof remote);
    });
    if (!port.limits(0).read) _exit(0);
    const Nanoseconds limit = now() + patience;
    for (int code = 0; code == 0;) {
      Ended ended;
      port.read(0, data.data(), nullptr, remote, nullptr, 0, data.size(), ended);
      while (!ended.over) {
        poll(port);
        require(now() < limit, "a read does not end");
      }
      code = ended.code;
    }
  }));
}

}  // namespace
}  // namespace cow::transport
