// Packing in the representation "external32": big-endian, IEEE formats, sizes of the standard's table 14.2.
#include <algorithm>
#include <cstring>

#include "base/address.hpp"
#include "objects/arithmetic.hpp"
#include "objects/datatype.hpp"
#include "objects/typemap.hpp"

namespace cow {
namespace {

template <class T>
T load(std::uintptr_t at) {
  T value;
  std::memcpy(&value, reinterpret_cast<const void*>(at), sizeof value);
  return value;
}
template <class T>
void store(std::uintptr_t at, T value) {
  std::memcpy(reinterpret_cast<void*>(at), &value, sizeof value);
}

void swap_copy(unsigned char* out, const unsigned char* in, int bytes) {
  for (int i = 0; i < bytes; ++i) out[i] = in[bytes - 1 - i];
}

// How an element is to be converted: it consists of `parts` numbers (complex: two) of one kind.
struct Conversion {
  enum class How { swap, integer, unsigned_integer, boolean, extended } how;
  int parts;
  int native;    // bytes of one number in memory
  int external;  // and in external32
};

Conversion conversion_of(const TypeMap& leaf) {
  const int native = size_of(leaf.basic);
  using How = Conversion::How;
  switch (leaf.basic) {
    case Basic::long_double: return {How::extended, 1, native, leaf.external};
    case Basic::complex_long_double: return {How::extended, 2, native / 2, leaf.external / 2};
    case Basic::complex4:
    case Basic::complex8:
    case Basic::complex16:
    case Basic::complex32: return {How::swap, 2, native / 2, leaf.external / 2};
    case Basic::boolean: return {How::boolean, 1, native, leaf.external};
    default: break;
  }
  if (native == leaf.external) return {How::swap, 1, native, native};
  const bool is_unsigned = leaf.is_wide_char || leaf.basic == Basic::uint32 || leaf.basic == Basic::uint64;
  return {is_unsigned ? How::unsigned_integer : How::integer, 1, native, leaf.external};
}

Error does_not_fit(int bytes) {
  return fail(MPI_ERR_CONVERSION, "an integer does not fit in the %d bytes that external32 has for it", bytes);
}

std::int64_t load_integer(std::uintptr_t at, int bytes, bool is_unsigned) {
  switch (bytes) {
    case 2: return is_unsigned ? load<std::uint16_t>(at) : load<std::int16_t>(at);
    case 4: return is_unsigned ? std::int64_t{load<std::uint32_t>(at)} : load<std::int32_t>(at);
    default: return load<std::int64_t>(at);
  }
}

// One number to external32.
Error encode(const Conversion& c, std::uintptr_t at, unsigned char* out) {
  switch (c.how) {
    case Conversion::How::swap: swap_copy(out, reinterpret_cast<const unsigned char*>(at), c.native); return success;
    case Conversion::How::boolean:
      std::memset(out, 0, static_cast<std::size_t>(c.external));
      out[c.external - 1] = load<std::uint8_t>(at) != 0;
      return success;
    case Conversion::How::extended: {
      const Quad value = static_cast<Quad>(load<long double>(at));
      swap_copy(out, reinterpret_cast<const unsigned char*>(&value), sizeof value);
      return success;
    }
    case Conversion::How::integer:
    case Conversion::How::unsigned_integer: {
      const bool is_unsigned = c.how == Conversion::How::unsigned_integer;
      const std::int64_t value = load_integer(at, c.native, is_unsigned);
      const int bits = 8 * c.external;
      const bool fits = bits >= 64 || (is_unsigned ? static_cast<std::uint64_t>(value) >> bits == 0
                                                   : value >> (bits - 1) == 0 || value >> (bits - 1) == -1);
      if (!fits) return does_not_fit(c.external);
      for (int i = 0; i < c.external; ++i)
        out[c.external - 1 - i] = static_cast<unsigned char>(i < 8 ? value >> (8 * i) : value >> 63);
      return success;
    }
  }
  return success;
}

// One number from external32.
Error decode(const Conversion& c, std::uintptr_t at, const unsigned char* in) {
  switch (c.how) {
    case Conversion::How::swap: swap_copy(reinterpret_cast<unsigned char*>(at), in, c.native); return success;
    case Conversion::How::boolean: {
      std::uint8_t any = 0;
      for (int i = 0; i < c.external; ++i) any |= in[i];
      store<std::uint8_t>(at, any != 0);
      return success;
    }
    case Conversion::How::extended: {
      Quad value;
      swap_copy(reinterpret_cast<unsigned char*>(&value), in, sizeof value);
      store(at, static_cast<long double>(value));
      return success;
    }
    case Conversion::How::integer:
    case Conversion::How::unsigned_integer: {
      const bool negative = c.how == Conversion::How::integer && (in[0] & 0x80);
      std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
      for (int i = 0; i < c.external; ++i) value = value << 8 | in[i];
      // Memory is little-endian: the low bytes come first.
      std::memcpy(reinterpret_cast<void*>(at), &value, std::min(static_cast<std::size_t>(c.native), sizeof value));
      return success;
    }
  }
  return success;
}

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "external32 is written by reversing bytes");

// Goes through a map in order, converting each element; Number is encode or decode.
template <class Byte, Error (*number)(const Conversion&, std::uintptr_t, Byte*)>
class Converter {
 public:
  explicit Converter(Byte* stream) : stream_(stream) {}

  Error copies(const TypeMap& map, std::uintptr_t at, MPI_Count count, MPI_Aint stride) {
    if (map.kind == TypeMap::Kind::leaf) return elements(map, at, count, stride);
    for (; count > 0; --count, at = moved(at, stride))
      if (const Error error = one(map, at)) return error;
    return success;
  }

 private:
  Error one(const TypeMap& map, std::uintptr_t at) {
    if (map.kind == TypeMap::Kind::loop) return copies(*map.child, at, map.count, map.stride);
    for (const TypeMap::Part& part : map.parts)
      if (const Error error = copies(*part.child, moved(at, part.displacement), part.count, part.stride)) return error;
    return success;
  }

  Error elements(const TypeMap& leaf, std::uintptr_t at, MPI_Count count, MPI_Aint stride) {
    const Conversion conversion = conversion_of(leaf);
    for (; count > 0; --count, at = moved(at, stride))
      for (int i = 0; i < conversion.parts; ++i, stream_ += conversion.external)
        if (const Error error = number(conversion, moved(at, i * conversion.native), stream_)) return error;
    return success;
  }

  Byte* stream_;
};

}  // namespace

MPI_Count external_size(const Datatype& type, MPI_Count count) { return count * type.map->external_bytes; }

Error pack_external(const Datatype& type, const void* buffer, MPI_Count count, void* out) {
  Converter<unsigned char, encode> converter(static_cast<unsigned char*>(out));
  return converter.copies(*type.map, reinterpret_cast<std::uintptr_t>(buffer), count, type.extent);
}

Error unpack_external(const Datatype& type, void* buffer, MPI_Count count, const void* in) {
  Converter<const unsigned char, decode> converter(static_cast<const unsigned char*>(in));
  return converter.copies(*type.map, reinterpret_cast<std::uintptr_t>(buffer), count, type.extent);
}

}  // namespace cow
