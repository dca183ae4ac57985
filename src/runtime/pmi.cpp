#include "runtime/pmi.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace cow::runtime::pmi {
namespace {

constexpr int patience = 30'000;  // ms to wait for an answer; barriers are waited for without a limit
constexpr std::size_t most_nodes = 1 << 24;

struct Connection {
  int fd = -1;
  std::string received;
  std::string space;              // the name of the job's key-value space
  std::size_t longest_value = 0;  // with the zero at its end
};
Connection& connection = *new Connection;  // the thread of a barrier may outlive static destructors

Error broken(const char* what) {
  return fail(ErrorClass::other,
              "the launcher that PMI_FD=%s leads to does not answer as PMI-1 does (%s): start the program with this "
              "library's mpirun, or unset PMI_FD to run it alone",
              getenv("PMI_FD") ? getenv("PMI_FD") : "", what);
}

bool send_line(const std::string& line) {
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t wrote = send(connection.fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

// A line without its end; `limit` in milliseconds, -1: none.
bool receive_line(std::string& out, int limit) {
  while (true) {
    const std::size_t end = connection.received.find('\n');
    if (end != std::string::npos) {
      out = connection.received.substr(0, end);
      connection.received.erase(0, end + 1);
      return true;
    }
    pollfd polled{connection.fd, POLLIN, 0};
    const int ready = poll(&polled, 1, limit);
    if (ready < 0 && errno == EINTR) continue;
    char buffer[4096];
    const ssize_t got = ready > 0 ? read(connection.fd, buffer, sizeof buffer) : 0;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    connection.received.append(buffer, static_cast<std::size_t>(got));
  }
}

// The value of name=value among the words of a line.
bool find(std::string_view line, std::string_view name, std::string& out) {
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    if (word.size() > name.size() && word.starts_with(name) && word[name.size()] == '=') {
      out = word.substr(name.size() + 1);
      return true;
    }
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return false;
}

// Sends a request and waits for its answer, whose command must be the one given.
Error ask(const std::string& request, const char* answer, std::string& line, int limit = patience) {
  if (!send_line(request + "\n") || !receive_line(line, limit)) return broken(request.c_str());
  std::string command, status;
  if (!find(line, "cmd", command) || command != answer) return broken(line.c_str());
  if (find(line, "rc", status) && status != "0") return broken(line.c_str());
  return success;
}

Error ask_number(const std::string& request, const char* answer, const char* name, int& out) {
  std::string line, text;
  if (Error error = ask(request, answer, line)) return error;
  if (find(line, name, text)) out = atoi(text.c_str());
  return success;
}

int number_of(const char* variable, int otherwise) {
  const char* text = getenv(variable);
  return text && *text ? atoi(text) : otherwise;
}

// Values may hold neither blanks nor line ends.
std::string to_hex(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[c & 15];
  }
  return out;
}

bool from_hex(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned char byte = 0;
    if (std::from_chars(text.data() + i, text.data() + i + 2, byte, 16).ptr != text.data() + i + 2) return false;
    out += static_cast<char>(byte);
  }
  return text.size() % 2 == 0;
}

std::string key_of_part(const std::string& key, std::size_t part) { return key + "." + std::to_string(part); }

Error get_text(const std::string& key, std::string& out) {
  std::string line;
  if (Error error = ask("cmd=get kvsname=" + connection.space + " key=" + key, "get_result", line)) return error;
  return find(line, "value", out) ? success : broken(line.c_str());
}

Error put_text(const std::string& key, const std::string& value) {
  std::string line;
  return ask("cmd=put kvsname=" + connection.space + " key=" + key + " value=" + value, "put_result", line);
}

bool take_number(std::string_view& text, std::uint32_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && (text[0] == ',' || text[0] == ')')) text.remove_prefix(1);
  return error == std::errc{};
}

}  // namespace

bool is_offered() {
  const char* fd = getenv("PMI_FD");
  if (!fd || !*fd) return false;
  // Closed on the way, its number may be another file's by now.
  int type;
  socklen_t size = sizeof type;
  return getsockopt(atoi(fd), SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

Error join(Facts& out) {
  connection.fd = number_of("PMI_FD", -1);
  connection.received.clear();
  fcntl(connection.fd, F_SETFD, FD_CLOEXEC);  // no business of programs that this one starts
  std::string line;
  if (Error error = ask("cmd=init pmi_version=1 pmi_subversion=1", "response_to_init", line)) return error;
  if (Error error = ask("cmd=get_maxes", "maxes", line)) return error;
  std::string text;
  if (!find(line, "vallen_max", text) || atoi(text.c_str()) < 64) return broken(line.c_str());
  connection.longest_value = static_cast<std::size_t>(atoi(text.c_str()));
  if (Error error = ask("cmd=get_my_kvsname", "my_kvsname", line)) return error;
  if (!find(line, "kvsname", connection.space)) return broken(line.c_str());
  out.rank = number_of("PMI_RANK", -1);
  out.size = number_of("PMI_SIZE", -1);
  if (out.rank < 0 || out.rank >= out.size) return broken("PMI_RANK or PMI_SIZE makes no sense");
  if (Error error = ask_number("cmd=get_universe_size", "universe_size", "size", out.universe_size)) return error;
  if (Error error = ask_number("cmd=get_appnum", "appnum", "appnum", out.appnum)) return error;
  if (out.universe_size <= 0) out.universe_size = -1;
  // Not every launcher has it; that is no failure.
  if (!send_line("cmd=get kvsname=" + connection.space + " key=PMI_process_mapping\n") ||
      !receive_line(line, patience)) {
    return broken("PMI_process_mapping");
  }
  if (find(line, "value", text)) out.nodes = parse_mapping(text, out.size);
  return success;
}

std::vector<std::uint32_t> parse_mapping(std::string_view text, int size) {
  std::vector<std::uint32_t> out;
  constexpr std::string_view begin = "(vector,";
  if (!text.starts_with(begin)) return out;
  const auto count = static_cast<std::size_t>(size);
  const std::string_view blocks = text.substr(begin.size());
  // Some launchers write one period of what repeats.
  while (out.size() < count) {
    const std::size_t before = out.size();
    std::string_view rest = blocks;
    while (rest.starts_with('(') && out.size() < count) {
      rest.remove_prefix(1);
      std::uint32_t first, nodes, ranks;
      if (!take_number(rest, first) || !take_number(rest, nodes) || !take_number(rest, ranks)) return {};
      if (nodes > most_nodes || first > most_nodes) return {};
      for (std::uint32_t node = 0; node < nodes && out.size() < count; ++node) {
        for (std::uint32_t i = 0; i < ranks && out.size() < count; ++i) out.push_back(first + node);
      }
      if (rest.starts_with(',')) rest.remove_prefix(1);
    }
    if (out.size() == before) return {};
  }
  return out;
}

// "SIZE:HEX" under key.0, and more under key.1, … where one value cannot hold it all.
Error put(const std::string& key, std::string_view bytes) {
  const std::string text = std::to_string(bytes.size()) + ":" + to_hex(bytes);
  const std::size_t longest = connection.longest_value - 1;
  for (std::size_t part = 0; part * longest < text.size(); ++part) {
    if (Error error = put_text(key_of_part(key, part), text.substr(part * longest, longest))) return error;
  }
  return success;
}

Error get(const std::string& key, std::string& bytes) {
  std::string text;
  for (std::size_t part = 0; part < 64; ++part) {
    std::string piece;
    if (Error error = get_text(key_of_part(key, part), piece)) return error;
    text += piece;
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return broken(text.c_str());
    const auto size = static_cast<std::size_t>(atol(text.c_str()));
    if (text.size() < colon + 1 + 2 * size) continue;
    bytes.clear();
    return from_hex(std::string_view(text).substr(colon + 1), bytes) ? success : broken(text.c_str());
  }
  return broken("a value without an end");
}

Error barrier() {
  std::string line;
  return ask("cmd=barrier_in", "barrier_out", line, -1);
}

void start_barrier(std::function<void()> done) {
  std::thread([done = std::move(done)] {
    // A launcher that has gone has nothing more to tell.
    barrier().ignore();
    done();
  }).detach();
}

void abort(int status) { send_line("cmd=abort exitcode=" + std::to_string(status) + "\n"); }

void end() {
  std::string line;
  ask("cmd=finalize", "finalize_ack", line).ignore();
}

}  // namespace cow::runtime::pmi
