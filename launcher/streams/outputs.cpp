#include "launcher/streams/outputs.hpp"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace cow::launch {

Outputs::Outputs(Loop& loop, Sink::OnGone on_gone, OnError on_error)
    : loop_(loop), on_gone_(std::move(on_gone)), on_error_(std::move(on_error)) {
  outputs_ = std::make_unique<Sink>(loop_, 1, on_gone_, [this](int error) { on_error_("the standard output", error); });
  if (!same_destination(1, 2)) {
    errors_ = std::make_unique<Sink>(loop_, 2, on_gone_, [this](int error) { on_error_("the standard error", error); });
  }
}

Outputs::~Outputs() {
  for (auto& [key, file] : files_) close(file.fd);
}

void Outputs::decorate(bool ranks, bool times) {
  times_ = times;
  outputs_->decorate_lines(ranks, times);
  if (errors_) errors_->decorate_lines(ranks, times);
}

std::string Outputs::use_files(const std::string& name, std::uint32_t ranks) {
  const std::filesystem::path folder = std::filesystem::path(name).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return "cannot make the folder " + folder.string() + ": " + error.message();
  const std::size_t width = std::to_string(ranks - 1).size();  // so that a list of the files is in order
  for (std::uint32_t rank = 0; rank < ranks; ++rank) {
    std::string number = std::to_string(rank);
    number.insert(0, width - number.size(), '0');
    for (const int stream : {1, 2}) {
      const std::string path = name + "." + number + (stream == 1 ? ".out" : ".err");
      if (std::string wrong = open_file(path, rank, stream); !wrong.empty()) return wrong;
    }
  }
  return {};
}

std::string Outputs::open_file(const std::string& path, std::uint32_t rank, int stream) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return "cannot write to " + path + ": " + strerror(errno);
  auto sink = std::make_unique<Sink>(loop_, fd, on_gone_, [this, path](int error) { on_error_(path, error); });
  sink->decorate_lines(false, times_);
  files_[{rank, stream}] = {fd, std::move(sink)};
  return {};
}

void Outputs::write(int stream, Sink::Piece piece) {
  if (const auto file = files_.find({piece.rank, stream}); file != files_.end()) {
    return file->second.sink->write(std::move(piece));
  }
  (stream == 2 ? error_sink() : *outputs_).write(std::move(piece));
}

void Outputs::write_own(std::string_view text) { error_sink().write_own(text); }

bool Outputs::is_empty() const {
  return outputs_->is_empty() && (!errors_ || errors_->is_empty()) &&
         std::all_of(files_.begin(), files_.end(), [](const auto& entry) { return entry.second.sink->is_empty(); });
}

void Outputs::drop_all() {
  outputs_->drop_all();
  if (errors_) errors_->drop_all();
  for (auto& [key, file] : files_) file.sink->drop_all();
}

}  // namespace cow::launch
