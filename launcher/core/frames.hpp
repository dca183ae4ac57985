// The frames between mpirun and its agents: for each kind what it carries, which both ends write and read by (fields.hpp).
// Text in them lives as long as the bytes that they were read from.
#pragma once

#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "launcher/core/fields.hpp"
#include "launcher/core/plans.hpp"
#include "launcher/core/wire.hpp"

namespace cow::launch::frames {

// ---- downwards

// To each node from its parent.
struct Job {
  static constexpr Kind kind = Kind::job;
  std::uint32_t node = 0;
  std::string_view common;  // what all nodes share: write_common() in job.hpp
  KeepalivePlan keepalive;  // to the parent
  static auto fields(auto& self) { return std::tie(self.node, self.common, self.keepalive); }
  bool operator==(const Job&) const = default;
};

// For the standard input of the ranks that read it.
struct Input {
  static constexpr Kind kind = Kind::input;
  std::string_view bytes;  // empty: its end
  static auto fields(auto& self) { return std::tie(self.bytes); }
  bool operator==(const Input&) const = default;
};

// Output has left mpirun.
struct OutputCredit {
  static constexpr Kind kind = Kind::output_credit;
  std::uint32_t bytes = 0;
  static auto fields(auto& self) { return std::tie(self.bytes); }
  bool operator==(const OutputCredit&) const = default;
};

// For the process groups of all ranks.
struct Signal {
  static constexpr Kind kind = Kind::signal;
  std::int32_t number = 0;
  static auto fields(auto& self) { return std::tie(self.number); }
  bool operator==(const Signal&) const = default;
};

// The job is to end.
struct End {
  static constexpr Kind kind = Kind::end;
  milliseconds grace{};  // between SIGTERM and SIGKILL; 0: SIGKILL at once
  static auto fields(auto& self) { return std::tie(self.grace); }
  bool operator==(const End&) const = default;
};

struct FenceAnswer {
  static constexpr Kind kind = Kind::fence_answer;
  std::uint64_t fence = 0;  // the child's number
  std::int32_t status = 0;  // PMIx's
  std::string_view data;    // of all
  static auto fields(auto& self) { return std::tie(self.fence, self.status, self.data); }
  bool operator==(const FenceAnswer&) const = default;
};

// What a rank of this node has published.
struct ModexQuestion {
  static constexpr Kind kind = Kind::modex_question;
  std::uint64_t question = 0;
  std::uint32_t rank = 0;
  bool without_pmix = false;  // asked by a rank with a line to its agent (rank_lines.hpp)
  static auto fields(auto& self) { return std::tie(self.question, self.rank, self.without_pmix); }
  bool operator==(const ModexQuestion&) const = default;
};

// Nothing more is wanted. Upwards: nothing more comes of the node, nor of any below it.
struct Goodbye {
  static constexpr Kind kind = Kind::goodbye;
  static auto fields(auto&) { return std::tuple<>{}; }
  bool operator==(const Goodbye&) const = default;
};

// ---- in both directions

struct ModexAnswer {
  static constexpr Kind kind = Kind::modex_answer;
  std::uint64_t question = 0;
  std::int32_t status = 0;  // PMIx's
  std::string_view data;
  static auto fields(auto& self) { return std::tie(self.question, self.status, self.data); }
  bool operator==(const ModexAnswer&) const = default;
};

// A rank has raised an event of PMIx for the others.
struct Event {
  static constexpr Kind kind = Kind::event;
  std::int32_t status = 0;  // PMIx's
  std::uint32_t rank = 0;   // whose it is
  std::string_view infos;   // packed
  static auto fields(auto& self) { return std::tie(self.status, self.rank, self.infos); }
  bool operator==(const Event&) const = default;
};

// ---- upwards

// The first of an agent. Whatever the version, a hello begins with it.
struct Hello {
  static constexpr Kind kind = Kind::hello;
  std::uint32_t version = 0;
  std::int32_t pid = 0;
  std::string_view host;  // what it calls itself
  static auto fields(auto& self) { return std::tie(self.version, self.pid, self.host); }
  bool operator==(const Hello&) const = default;
};

struct Started {
  static constexpr Kind kind = Kind::started;
  struct Process {
    std::uint32_t rank = 0;
    std::int32_t pid = 0;
    static auto fields(auto& self) { return std::tie(self.rank, self.pid); }
    bool operator==(const Process&) const = default;
  };
  std::vector<Process> processes;
  static auto fields(auto& self) { return std::tie(self.processes); }
  bool operator==(const Started&) const = default;
};

struct StartFailure {
  static constexpr Kind kind = Kind::start_failure;
  std::uint32_t rank = 0;
  std::int32_t error = 0;  // errno
  std::string_view what;   // was tried
  static auto fields(auto& self) { return std::tie(self.rank, self.error, self.what); }
  bool operator==(const StartFailure&) const = default;
};

struct Output {
  static constexpr Kind kind = Kind::output;
  std::uint32_t rank = 0;
  std::uint8_t stream = 1;    // or 2
  bool line_goes_on = false;  // the bytes end inside a line
  std::string_view bytes;
  static auto fields(auto& self) { return std::tie(self.rank, self.stream, self.line_goes_on, self.bytes); }
  bool operator==(const Output&) const = default;
};

// So much more input may be sent.
struct InputCredit {
  static constexpr Kind kind = Kind::input_credit;
  std::uint32_t bytes = 0;
  static auto fields(auto& self) { return std::tie(self.bytes); }
  bool operator==(const InputCredit&) const = default;
};

// A rank has joined the job: PMIx_Init, or the first words on its line to the agent.
struct Connected {
  static constexpr Kind kind = Kind::connected;
  std::uint32_t rank = 0;
  static auto fields(auto& self) { return std::tie(self.rank); }
  bool operator==(const Connected&) const = default;
};

struct Exited {
  static constexpr Kind kind = Kind::exited;
  std::uint32_t rank = 0;
  std::int32_t status = 0;  // of wait(2)
  bool connected = false;   // it had joined the job
  bool finalized = false;   // and left it
  static auto fields(auto& self) { return std::tie(self.rank, self.status, self.connected, self.finalized); }
  bool operator==(const Exited&) const = default;
};

struct Aborted {
  static constexpr Kind kind = Kind::aborted;
  std::uint32_t rank = 0;
  std::int32_t status = 0;
  std::string_view message;
  static auto fields(auto& self) { return std::tie(self.rank, self.status, self.message); }
  bool operator==(const Aborted&) const = default;
};

// From a child, for all below it that take part (fences.hpp).
struct Fence {
  static constexpr Kind kind = Kind::fence;
  std::uint64_t fence = 0;
  std::vector<std::uint32_t> ranks;  // empty: all
  std::string_view data;
  static auto fields(auto& self) { return std::tie(self.fence, self.ranks, self.data); }
  bool operator==(const Fence&) const = default;
};

struct ModexRequest {
  static constexpr Kind kind = Kind::modex_request;
  std::uint64_t question = 0;
  std::uint32_t rank = 0;
  bool without_pmix = false;
  static auto fields(auto& self) { return std::tie(self.question, self.rank, self.without_pmix); }
  bool operator==(const ModexRequest&) const = default;
};

// The agent cannot go on.
struct Complaint {
  static constexpr Kind kind = Kind::complaint;
  std::string_view text;
  static auto fields(auto& self) { return std::tie(self.text); }
  bool operator==(const Complaint&) const = default;
};

struct Bindings {
  static constexpr Kind kind = Kind::bindings;
  struct Binding {
    std::uint32_t rank = 0;
    std::string where;  // it may run
    static auto fields(auto& self) { return std::tie(self.rank, self.where); }
    bool operator==(const Binding&) const = default;
  };
  std::vector<Binding> ranks;
  static auto fields(auto& self) { return std::tie(self.ranks); }
  bool operator==(const Bindings&) const = default;
};

// What a rank waits for, because it was asked or has waited for long (src/api/why.hpp).
struct Why {
  static constexpr Kind kind = Kind::why;
  std::uint32_t rank = 0;
  std::string_view lines;  // each with its end
  static auto fields(auto& self) { return std::tie(self.rank, self.lines); }
  bool operator==(const Why&) const = default;
};

// These three are said by the parent of the node that they are from.

// The kernels of the node and of its parent watch each other.
struct Watched {
  static constexpr Kind kind = Kind::watched;
  static auto fields(auto&) { return std::tuple<>{}; }
  bool operator==(const Watched&) const = default;
};

// The node and all below it are gone.
struct LostNode {
  static constexpr Kind kind = Kind::lost_node;
  std::int32_t status = 0;  // to end with
  std::string_view why;
  static auto fields(auto& self) { return std::tie(self.status, self.why); }
  bool operator==(const LostNode&) const = default;
};

// What the node's remote shell said.
struct RemoteWords {
  static constexpr Kind kind = Kind::remote_words;
  std::string_view text;
  static auto fields(auto& self) { return std::tie(self.text); }
  bool operator==(const RemoteWords&) const = default;
};

// ---- all of them

template <class... Kinds>
struct List {
  static_assert((names_all_members<Kinds> && ...));
};

using ToAgents = List<Job, Input, OutputCredit, Signal, End, FenceAnswer, ModexQuestion, ModexAnswer, Event, Goodbye>;
using ToMpirun =
    List<Hello, Started, StartFailure, Output, InputCredit, Connected, Exited, Aborted, Fence, ModexRequest,
         ModexAnswer, Event, Complaint, Bindings, Why, Watched, LostNode, RemoteWords, Goodbye>;

static_assert(names_all_members<KeepalivePlan> && names_all_members<Started::Process> &&
              names_all_members<Bindings::Binding>);

// Calls `take` with the frame as that of `list` which it is. False: it is none of them, or its bytes are not what it says.
template <class Take, class... Kinds>
bool hand_over(const Frame& frame, List<Kinds...> list, Take&& take) {
  (void)list;
  const auto is = [&]<class Content>(Content content) {
    if (frame.kind != Content::kind || !read_fields(frame.body, content)) return false;
    take(std::as_const(content));
    return true;
  };
  return (is(Kinds{}) || ...);
}

}  // namespace cow::launch::frames
