#include "random_type.hpp"

#include <gtest/gtest.h>

namespace cow::test {
namespace {

constexpr std::int64_t most_elements = 40;  // of a type that others are built from, so that trees stay small
constexpr std::int64_t farthest_byte = 1 << 15;

void must(Error error) {
  if (error) ADD_FAILURE() << "a constructor failed: " << last_failure();
}

std::string list(const std::vector<MPI_Count>& values) {
  std::string text = "[";
  for (const MPI_Count value : values) text += (text.size() > 1 ? "," : "") + std::to_string(value);
  return text + "]";
}

// The new type in the place of the old, whose reference goes.
Made finish(Made old, Datatype* made, reference::Type model, const std::string& how) {
  Made result;
  result.type = made;
  result.model = std::move(model);
  result.text = how + "(" + old.text + ")";
  return result;
}

}  // namespace

Made TypeMaker::leaf() {
  struct Row {
    MPI_Datatype handle;
    const char* name;
    int bytes, alignment;
    int index_at, index_bytes;  // pairs
  };
  static const Row rows[] = {{MPI_BYTE, "BYTE", 1, 1, 0, 0},
                             {MPI_SHORT, "SHORT", 2, 2, 0, 0},
                             {MPI_INT, "INT", 4, 4, 0, 0},
                             {MPI_DOUBLE, "DOUBLE", 8, 8, 0, 0},
                             {MPI_CHAR, "CHAR", 1, 1, 0, 0},
                             {MPI_LONG_DOUBLE, "LONG_DOUBLE", sizeof(long double), alignof(long double), 0, 0},
                             {MPI_C_FLOAT_COMPLEX, "C_FLOAT_COMPLEX", 8, 4, 0, 0},
                             {MPI_SHORT_INT, "SHORT_INT", 2, 4, 4, 4},
                             {MPI_DOUBLE_INT, "DOUBLE_INT", 8, 8, 8, 4},
                             {MPI_2INT, "2INT", 4, 4, 4, 4}};
  const Row& row = rows[number(0, std::size(rows) - 1)];
  Made made;
  made.type = find(row.handle);
  retain(*made.type);
  made.model = reference::basic(row.bytes, row.alignment);
  if (row.index_bytes) made.model.elements.push_back({row.index_at, row.index_bytes});
  made.text = row.name;
  return made;
}

Made TypeMaker::contiguous(Made old) {
  const MPI_Count count = amount(6);
  Datatype* made;
  must(make_contiguous(count, *old.type, false, made));
  reference::Type model;
  model.add_run(old.model, 0, count);
  return finish(std::move(old), made, std::move(model), "contiguous " + std::to_string(count));
}

Made TypeMaker::vector(Made old) {
  const MPI_Count count = amount(6), block = amount(4), stride = number(-4, 6);
  Datatype* made;
  must(make_vector(count, block, stride, *old.type, false, made));
  reference::Type model;
  for (MPI_Count i = 0; i < count; ++i) model.add_run(old.model, i * stride * old.model.extent(), block);
  return finish(std::move(old), made, std::move(model), "vector " + list({count, block, stride}));
}

Made TypeMaker::hvector(Made old) {
  const MPI_Count count = amount(6), block = amount(4), stride = number(-40, 60);
  Datatype* made;
  must(make_hvector(count, block, stride, *old.type, false, made));
  reference::Type model;
  for (MPI_Count i = 0; i < count; ++i) model.add_run(old.model, i * stride, block);
  return finish(std::move(old), made, std::move(model), "hvector " + list({count, block, stride}));
}

Made TypeMaker::indexed(Made old) {
  const auto blocks = amounts(amount(6), 4), places = numbers(blocks.size(), -5, 9);
  Datatype* made;
  must(make_indexed(blocks, places, *old.type, false, made));
  reference::Type model;
  for (std::size_t i = 0; i < blocks.size(); ++i) model.add_run(old.model, places[i] * old.model.extent(), blocks[i]);
  return finish(std::move(old), made, std::move(model), "indexed " + list(blocks) + list(places));
}

Made TypeMaker::hindexed(Made old) {
  const auto blocks = amounts(amount(6), 4), places = numbers(blocks.size(), -50, 90);
  Datatype* made;
  must(make_hindexed(blocks, places, *old.type, false, made));
  reference::Type model;
  for (std::size_t i = 0; i < blocks.size(); ++i) model.add_run(old.model, places[i], blocks[i]);
  return finish(std::move(old), made, std::move(model), "hindexed " + list(blocks) + list(places));
}

Made TypeMaker::indexed_block(Made old) {
  const MPI_Count block = amount(4);
  const auto places = numbers(amount(20), -5, 20);
  Datatype* made;
  must(make_indexed_block(block, places, *old.type, false, made));
  reference::Type model;
  for (const MPI_Count place : places) model.add_run(old.model, place * old.model.extent(), block);
  return finish(std::move(old), made, std::move(model), "indexed_block " + std::to_string(block) + list(places));
}

Made TypeMaker::hindexed_block(Made old) {
  const MPI_Count block = amount(4);
  const auto places = numbers(amount(20), -50, 90);
  Datatype* made;
  must(make_hindexed_block(block, places, *old.type, false, made));
  reference::Type model;
  for (const MPI_Count place : places) model.add_run(old.model, place, block);
  return finish(std::move(old), made, std::move(model), "hindexed_block " + std::to_string(block) + list(places));
}

Made TypeMaker::structure(Made old, int depth) {
  std::vector<Made> members;
  members.push_back(std::move(old));
  for (MPI_Count more = number(0, 3); more > 0; --more) members.push_back(make(depth - 1));
  const auto blocks = amounts(members.size(), 4), places = numbers(members.size(), -50, 90);
  std::vector<Datatype*> types;
  reference::Type model;
  std::string text;
  for (std::size_t i = 0; i < members.size(); ++i) {
    types.push_back(members[i].type);
    model.add_run(members[i].model, places[i], blocks[i]);
    text += (i > 0 ? "; " : "") + members[i].text;
  }
  Datatype* made;
  must(make_struct(blocks, places, types, false, made));
  Made all;
  all.text = text;
  return finish(std::move(all), made, std::move(model), "struct " + list(blocks) + list(places));
}

Made TypeMaker::subarray(Made old) {
  const auto sizes = numbers(number(1, 3), 1, 4);
  std::vector<MPI_Count> subsizes, starts;
  for (const MPI_Count size : sizes) {
    subsizes.push_back(number(1, size));
    starts.push_back(number(0, size - subsizes.back()));
  }
  const bool c_order = number(0, 1) != 0;
  Datatype* made;
  must(make_subarray(sizes, subsizes, starts, c_order ? MPI_ORDER_C : MPI_ORDER_FORTRAN, *old.type, false, made));
  auto model = reference::of_array(old.model, {sizes.begin(), sizes.end()}, c_order, [&](const auto& index) {
    for (std::size_t i = 0; i < index.size(); ++i)
      if (index[i] < starts[i] || index[i] >= starts[i] + subsizes[i]) return false;
    return true;
  });
  return finish(std::move(old), made, std::move(model),
                "subarray " + list(sizes) + list(subsizes) + list(starts) + (c_order ? "C" : "Fortran"));
}

Made TypeMaker::darray(Made old) {
  const auto sizes = numbers(number(1, 3), 1, 5);
  std::vector<int> distributions, arguments, grid;
  std::vector<MPI_Count> blocks;  // what each process gets at a time
  int size = 1;
  for (const MPI_Count n : sizes) {
    int processes = static_cast<int>(number(1, 3));
    switch (number(0, 3)) {
      case 0:
        distributions.push_back(MPI_DISTRIBUTE_NONE);
        arguments.push_back(MPI_DISTRIBUTE_DFLT_DARG);
        processes = 1;
        blocks.push_back(n);
        break;
      case 1:
        distributions.push_back(MPI_DISTRIBUTE_BLOCK);
        arguments.push_back(MPI_DISTRIBUTE_DFLT_DARG);
        blocks.push_back((n + processes - 1) / processes);
        break;
      case 2:
        distributions.push_back(MPI_DISTRIBUTE_BLOCK);
        blocks.push_back(number((n + processes - 1) / processes, n));
        arguments.push_back(static_cast<int>(blocks.back()));
        break;
      default:
        distributions.push_back(MPI_DISTRIBUTE_CYCLIC);
        blocks.push_back(number(1, 3));
        arguments.push_back(blocks.back() == 1 ? int{MPI_DISTRIBUTE_DFLT_DARG} : static_cast<int>(blocks.back()));
    }
    grid.push_back(processes);
    size *= processes;
  }
  const int rank = static_cast<int>(number(0, size - 1));
  std::vector<int> place(sizes.size());  // in the grid, row by row
  for (std::size_t i = sizes.size(), rest = rank; i-- > 0; rest /= grid[i]) place[i] = static_cast<int>(rest % grid[i]);
  const bool c_order = number(0, 1) != 0;
  Datatype* made;
  must(make_darray({size, rank, sizes, distributions, arguments, grid, c_order ? MPI_ORDER_C : MPI_ORDER_FORTRAN},
                   *old.type, false, made));
  auto model = reference::of_array(old.model, {sizes.begin(), sizes.end()}, c_order, [&](const auto& index) {
    for (std::size_t i = 0; i < index.size(); ++i)
      if (index[i] / blocks[i] % grid[i] != place[i]) return false;
    return true;
  });
  return finish(std::move(old), made, std::move(model),
                "darray " + std::to_string(rank) + "/" + std::to_string(size) + list(sizes) + list(blocks));
}

Made TypeMaker::resized(Made old) {
  const MPI_Aint lb = number(-20, 20), extent = number(0, 3) == 0 ? number(-30, -1) : number(0, 100);
  Datatype* made;
  must(make_resized(lb, extent, *old.type, false, made));
  auto model = reference::resized(old.model, lb, extent);
  return finish(std::move(old), made, std::move(model), "resized " + list({lb, extent}));
}

Made TypeMaker::dup(Made old) {
  Datatype* made;
  must(make_dup(*old.type, made));
  auto model = old.model;
  return finish(std::move(old), made, std::move(model), "dup");
}

Made TypeMaker::make(int depth) {
  if (depth == 0 || number(0, 9) == 0) return leaf();
  Made old = make(depth - 1);
  if (static_cast<std::int64_t>(old.model.elements.size()) > most_elements || old.model.true_ub() > farthest_byte ||
      old.model.true_lb() < -farthest_byte || old.model.extent() > farthest_byte)
    return old;
  switch (number(0, 11)) {
    case 0: return contiguous(std::move(old));
    case 1: return vector(std::move(old));
    case 2: return hvector(std::move(old));
    case 3: return indexed(std::move(old));
    case 4: return hindexed(std::move(old));
    case 5: return indexed_block(std::move(old));
    case 6: return hindexed_block(std::move(old));
    case 7: return structure(std::move(old), depth);
    case 8: return subarray(std::move(old));
    case 9: return darray(std::move(old));
    case 10: return resized(std::move(old));
    default: return dup(std::move(old));
  }
}

}  // namespace cow::test
