// Snapshots keep what memory was, whatever the program does to it afterwards, and disturb nothing else of it.
#include "runtime/snapshot.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <thread>

namespace cow::runtime {
namespace {

constexpr std::size_t page = 4096;

// Private anonymous memory, or of another kind where `flags` say so; full of one byte.
class Memory {
 public:
  explicit Memory(std::size_t size, int flags = MAP_PRIVATE | MAP_ANONYMOUS, char fill = 'a') : size_(size) {
    void* const got = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    EXPECT_NE(got, MAP_FAILED);
    at_ = static_cast<char*>(got);
    fill_with(fill);
  }
  ~Memory() { give_up(); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  void fill_with(char byte) { memset(at_, byte, size_); }
  void give_up() {
    if (at_) munmap(at_, size_);
    at_ = nullptr;
  }
  char* at() const { return at_; }
  std::size_t size() const { return size_; }

 private:
  char* at_;
  std::size_t size_;
};

class Taken {
 public:
  Taken(const void* address, std::size_t size, Snapshot::Scope scope = Snapshot::Scope::range) {
    error = Snapshot::take(address, size, scope, it);
  }
  ~Taken() {
    if (it) it->release();
    bury_snapshots();
  }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;

  std::string bytes(const char* address, std::size_t size) const {
    std::string out(size, '?');
    return it && it->read(out.data(), address, size) ? out : "none";
  }

  Snapshot* it = nullptr;
  Error error;
};

TEST(Snapshot, KeepsWhatIsWrittenAfterwards) {
  Memory memory(8 * page);
  const Taken taken(memory.at() + 10, 5 * page);
  ASSERT_FALSE(taken.error) << last_failure();
  memory.fill_with('b');
  EXPECT_EQ(taken.bytes(memory.at() + 10, 5 * page), std::string(5 * page, 'a'));
}

TEST(Snapshot, KeepsWhatIsUnmappedAfterwards) {
  Memory memory(4 * page);
  const char* const at = memory.at();
  const Taken taken(at, 4 * page);
  ASSERT_FALSE(taken.error) << last_failure();
  memory.give_up();
  EXPECT_EQ(taken.bytes(at + 1, page), std::string(page, 'a'));
}

TEST(Snapshot, KeepsHeapAndStack) {
  std::string heap(100, 'h');
  char stack[100];
  memset(stack, 's', sizeof stack);
  const Taken of_heap(heap.data(), heap.size()), of_stack(stack, sizeof stack);
  ASSERT_FALSE(of_heap.error) << last_failure();
  ASSERT_FALSE(of_stack.error) << last_failure();
  heap.assign(100, 'x');
  memset(stack, 'x', sizeof stack);
  EXPECT_EQ(of_heap.bytes(heap.data(), 100), std::string(100, 'h'));
  EXPECT_EQ(of_stack.bytes(stack, sizeof stack), std::string(100, 's'));
}

TEST(Snapshot, TwoAtDifferentTimesDiffer) {
  Memory memory(page);
  const Taken first(memory.at(), page);
  memory.fill_with('b');
  const Taken second(memory.at(), page);
  memory.fill_with('c');
  EXPECT_EQ(first.bytes(memory.at(), 3), "aaa");
  EXPECT_EQ(second.bytes(memory.at(), 3), "bbb");
}

TEST(Snapshot, MemoryOfOthersIsNotCovered) {
  Memory shared(page, MAP_SHARED | MAP_ANONYMOUS);
  const Taken taken(shared.at(), page);
  EXPECT_TRUE(taken.error);
  EXPECT_EQ(taken.it, nullptr);
}

TEST(Snapshot, MemoryThatIsWithheldFromChildrenIsNotCovered) {
  for (const int advice : {MADV_DONTFORK, MADV_WIPEONFORK}) {
    Memory memory(4 * page);
    ASSERT_EQ(madvise(memory.at(), 4 * page, advice), 0);
    const Taken taken(memory.at(), 4 * page);
    EXPECT_TRUE(taken.error) << advice;
  }
}

TEST(Snapshot, MemoryThatIsNotThereIsNotCovered) {
  Memory memory(3 * page);
  munmap(memory.at() + page, page);
  const Taken taken(memory.at(), 3 * page);
  EXPECT_TRUE(taken.error);
}

TEST(Snapshot, OfAllCoversOtherMemoryToo) {
  Memory memory(page), other(page), shared(page, MAP_SHARED | MAP_ANONYMOUS);
  const Taken taken(memory.at(), page, Snapshot::Scope::all);
  ASSERT_FALSE(taken.error) << last_failure();
  EXPECT_FALSE(taken.it->covers(other.at(), page)) << last_failure();
  EXPECT_TRUE(taken.it->covers(shared.at(), page));
  other.fill_with('b');
  EXPECT_EQ(taken.bytes(other.at(), 3), "aaa");
}

TEST(Snapshot, IsNoChildThatTheProgramHearsOf) {
  static volatile sig_atomic_t signals;
  signals = 0;
  const auto before = signal(SIGCHLD, [](int) { signals = signals + 1; });
  {
    Memory memory(page);
    const Taken taken(memory.at(), page);
    ASSERT_FALSE(taken.error) << last_failure();
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
  }
  EXPECT_EQ(signals, 0);
  signal(SIGCHLD, before);
}

TEST(Snapshot, LivesAsLongAsItsLastReferenceAndIsBuriedAfterwards) {
  Memory memory(page);
  Snapshot* snapshot = nullptr;
  ASSERT_FALSE(Snapshot::take(memory.at(), page, Snapshot::Scope::range, snapshot)) << last_failure();
  const pid_t process = snapshot->process();
  snapshot->retain();
  snapshot->release();
  char byte = 0;
  EXPECT_TRUE(snapshot->read(&byte, memory.at(), 1));
  snapshot->release();
  bury_snapshots();
  EXPECT_EQ(kill(process, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(Snapshot, OneThatWasKilledFromOutsideCannotBeRead) {
  Memory memory(page);
  const Taken taken(memory.at(), page);
  ASSERT_FALSE(taken.error) << last_failure();
  kill(taken.it->process(), SIGKILL);
  char byte;
  for (int i = 0; i < 1000 && taken.it->read(&byte, memory.at(), 1); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(taken.bytes(memory.at(), 1), "none");
}

TEST(Snapshot, HoldsWhatThisProcessHasWrittenSince) {
  constexpr std::size_t size = 8 << 20;
  Memory memory(size);
  const Taken taken(memory.at(), size);
  ASSERT_FALSE(taken.error) << last_failure();
  const std::size_t before = Snapshot::held_by_all();
  memory.fill_with('b');
  const std::size_t after = Snapshot::held_by_all();
  EXPECT_LT(before, size / 2);
  EXPECT_GT(after, before + size / 2);
}

}  // namespace
}  // namespace cow::runtime
