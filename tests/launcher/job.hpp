// Runs mpirun as a user would and looks at what it does and what it leaves.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace cow::test {

// Seconds within which a job must be gone after a process of it died: two are promised, and a loaded machine with
// sanitizers gets more.
inline constexpr double soon = 6;

struct JobOptions {
  std::string input;                     // given on standard input
  std::vector<std::string> environment;  // NAME=value beside that of the test
  int input_fd = -1;                     // instead of `input`
};

class JobRun {
 public:
  // Starts `command` (mpirun and its arguments).
  explicit JobRun(std::vector<std::string> command, JobOptions options = {});
  JobRun(const JobRun&) = delete;
  JobRun& operator=(const JobRun&) = delete;
  ~JobRun();

  pid_t pid() const { return pid_; }
  // Waits until standard output holds `text`, at most 30 s; false when it does not come.
  bool wait_for(const std::string& text);
  // Waits for mpirun's end and that of everything it started; at most `seconds`, then all is killed.
  void finish(double seconds = 30);

  int status = -1;  // exit status, 128 + signal; -1: not ended in time
  std::string out;
  std::string err;
  double left_after = 0;          // seconds from mpirun's end until nothing was left of the job
  std::vector<std::string> left;  // processes that still ran 2 s after mpirun's end, files in /tmp and /dev/shm

 private:
  bool read_some(int timeout);
  pid_t pid_ = -1;
  int out_fd_ = -1, err_fd_ = -1, in_fd_ = -1;
  std::string input_;
  std::vector<std::string> files_before_;
};

// All living processes below this one: pid and command line.
struct LivingProcess {
  pid_t pid;
  pid_t parent;
  std::string command;
};
std::vector<LivingProcess> descendants();

// mpirun with these arguments, to its end.
struct Finished {
  int status;
  std::string out, err;
  std::vector<std::string> left;
};
Finished mpirun(std::vector<std::string> arguments, JobOptions options = {});

std::vector<std::string> lines(const std::string& text);

}  // namespace cow::test
