// The main of every multi-rank GoogleTest: rank 0 prints the listing, every rank prints its own failures at once and in
// one piece, and a failure of one rank makes all of them fail.
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "support/ranks.hpp"

#ifndef COW_TEST_THREAD_LEVEL
#define COW_TEST_THREAD_LEVEL MPI_THREAD_SINGLE
#endif

namespace ranks {

std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* text = std::getenv("TESTS_SEED");
    return text ? std::strtoull(text, nullptr, 10) : 1ull;
  }();
  return value;
}

namespace {

class RankListener : public testing::EmptyTestEventListener {
 public:
  explicit RankListener(int rank) : rank_(rank) {}

  // Remembered here: asking for it in OnTestPartResult would wait for a lock that GoogleTest holds there.
  void OnTestStart(const testing::TestInfo& test) override { test_ = &test; }

  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::ostringstream text;
    text << "[rank " << rank_ << ", seed " << seed() << "] ";
    if (test_) text << test_->test_suite_name() << '.' << test_->name() << ' ';
    if (result.file_name()) text << result.file_name() << ':' << result.line_number() << ' ';
    text << result.message() << '\n';
    const std::string line = text.str();
    (void)!write(STDOUT_FILENO, line.data(), line.size());
  }

 private:
  int rank_;
  const testing::TestInfo* test_ = nullptr;
};

}  // namespace
}  // namespace ranks

int main(int argc, char** argv) {
  int provided = -1;
  MPI_Init_thread(&argc, &argv, COW_TEST_THREAD_LEVEL, &provided);
  testing::InitGoogleTest(&argc, argv);
  const int rank = ranks::rank();

  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  if (rank != 0) delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new ranks::RankListener(rank));

  int failed = RUN_ALL_TESTS() != 0 || provided < COW_TEST_THREAD_LEVEL;
  if (provided < COW_TEST_THREAD_LEVEL && rank == 0) printf("thread level %d is not provided\n", COW_TEST_THREAD_LEVEL);
  int any = 0;
  MPI_Allreduce(&failed, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  if (any && rank == 0) printf("a rank failed\n");
  MPI_Finalize();
  return any;
}
