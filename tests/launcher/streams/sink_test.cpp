#include "launcher/streams/sink.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace cow::launch {
namespace {

class SinkTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe(ends_), 0); }
  void TearDown() override {
    for (int fd : ends_) {
      if (fd >= 0) close(fd);
    }
  }
  void open() {
    sink_ = std::make_unique<Sink>(
        loop_, ends_[1], [this](std::uint32_t, std::uint32_t bytes) { gone_ += bytes; },
        [this](int error) { error_ = error; });
  }
  std::string read_all() {
    std::string out(1 << 20, '\0');
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    const ssize_t got = read(ends_[0], out.data(), out.size());
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }
  void run_for(Duration time) {
    loop_.after(time, [this] { loop_.stop(); });
    loop_.run();
  }

  Loop loop_;
  int ends_[2];
  std::unique_ptr<Sink> sink_;
  std::size_t gone_ = 0;
  int error_ = 0;
};

TEST_F(SinkTest, ALineThatIsOpenIsNotTorn) {
  open();
  sink_->write({0, 0, "first half, ", true});
  sink_->write({0, 1, "another rank\n", false});
  sink_->write({0, 0, "second half\n", false});
  EXPECT_EQ(read_all(), "first half, second half\nanother rank\n");
}

TEST_F(SinkTest, ARankThatStopsWithinALineDoesNotSilenceTheOthers) {
  open();
  sink_->write({0, 0, "prompt> ", true});
  sink_->write({0, 1, "another rank\n", false});
  EXPECT_EQ(read_all(), "prompt> ");
  run_for(400ms);
  EXPECT_EQ(read_all(), "another rank\n");
}

TEST_F(SinkTest, TheEndOfARankFreesItsLine) {
  open();
  sink_->write({0, 0, "no newline", true});
  sink_->write({0, 1, "next\n", false});
  sink_->write({0, 0, "", false});
  EXPECT_EQ(read_all(), "no newlinenext\n");
}

TEST_F(SinkTest, TagsStandBeforeLinesAndNotWithinThem) {
  open();
  sink_->decorate_lines(true, false);
  sink_->write({0, 3, "one\ntwo ", true});
  sink_->write({0, 3, "halves\n", false});
  EXPECT_EQ(read_all(), "[3] one\n[3] two halves\n");
}

TEST_F(SinkTest, AReaderThatStopsBlocksNothingAndCreditFollowsTheBytes) {
  open();
  const std::string much(1 << 20, 'x');
  sink_->write({0, 0, much, false});
  EXPECT_FALSE(sink_->is_empty());
  EXPECT_EQ(gone_, 0u);
  std::size_t got = 0;
  for (int i = 0; i < 1000 && got < much.size(); ++i) {
    got += read_all().size();
    run_for(1ms);
  }
  EXPECT_EQ(got, much.size());
  EXPECT_EQ(gone_, much.size());
  EXPECT_TRUE(sink_->is_empty());
  // The flag is the user's: the shell shares the descriptor.
  EXPECT_EQ(fcntl(ends_[1], F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(SinkTest, AReaderThatIsGoneIsToldOnceAndTheRestIsDropped) {
  open();
  signal(SIGPIPE, SIG_IGN);
  close(ends_[0]);
  ends_[0] = -1;
  sink_->write({0, 0, "a\n", false});
  EXPECT_EQ(error_, EPIPE);
  sink_->write({0, 0, "bb\n", false});
  EXPECT_EQ(gone_, 5u);  // agents are not held up
  EXPECT_TRUE(sink_->is_empty());
}

}  // namespace
}  // namespace cow::launch
