#include "launcher/core/wire.hpp"

namespace cow::launch {
namespace {

template <class Int>
void put(std::string& out, Int value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

template <class Int>
Int get(std::string_view bytes) {
  Int value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value = static_cast<Int>(value | static_cast<Int>(static_cast<unsigned char>(bytes[i])) << (8 * i));
  }
  return value;
}

}  // namespace

Writer& Writer::u8(std::uint8_t value) {
  bytes_.push_back(static_cast<char>(value));
  return *this;
}

Writer& Writer::u16(std::uint16_t value) {
  put(bytes_, value);
  return *this;
}

Writer& Writer::u32(std::uint32_t value) {
  put(bytes_, value);
  return *this;
}

Writer& Writer::u64(std::uint64_t value) {
  put(bytes_, value);
  return *this;
}

Writer& Writer::text(std::string_view value) {
  u32(static_cast<std::uint32_t>(value.size()));
  bytes_.append(value);
  return *this;
}

std::string_view Reader::take(std::size_t size) {
  if (!good_ || size > rest_.size()) {
    good_ = false;
    return {};
  }
  const std::string_view out = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return out;
}

std::uint8_t Reader::u8() { return get<std::uint8_t>(take(1)); }
std::uint16_t Reader::u16() { return get<std::uint16_t>(take(2)); }
std::uint32_t Reader::u32() { return get<std::uint32_t>(take(4)); }
std::uint64_t Reader::u64() { return get<std::uint64_t>(take(8)); }
std::string_view Reader::text() { return take(u32()); }

std::uint32_t Reader::count(std::size_t least) {
  const std::uint32_t count = u32();
  if (good_ && count <= rest_.size() / least) return count;
  good_ = false;
  return 0;
}

void FrameParser::feed(std::string_view bytes) {
  if (start_ > 0 && start_ >= bytes_.size() / 2) {
    bytes_.erase(0, start_);
    start_ = 0;
  }
  bytes_.append(bytes);
}

bool FrameParser::next(Frame& out) {
  const std::string_view rest = std::string_view(bytes_).substr(start_);
  if (broken_ || rest.size() < header_size) return false;
  const std::size_t size = get<std::uint32_t>(rest.substr(0, 4));
  const auto kind = get<std::uint16_t>(rest.substr(4, 2));
  if (size > max_body || get<std::uint16_t>(rest.substr(6, 2)) != 0) {
    broken_ = true;
    return false;
  }
  if (rest.size() < header_size + size) return false;
  out = {static_cast<Kind>(kind), get<std::uint32_t>(rest.substr(8, 4)), rest.substr(header_size, size)};
  start_ += header_size + size;
  return true;
}

void append_frame(std::string& out, const Frame& frame) {
  put(out, static_cast<std::uint32_t>(frame.body.size()));
  put(out, static_cast<std::uint16_t>(frame.kind));
  put(out, std::uint16_t{0});
  put(out, frame.node);
  out.append(frame.body);
}

}  // namespace cow::launch
