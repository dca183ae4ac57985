#include "coll/examine/setting.hpp"

#include "coll/examine/neighborhood.hpp"

namespace cow::coll {
namespace {

std::vector<Value> contribution(int rank, Count n) {
  std::vector<Value> out;
  for (Count i = 0; i < n; ++i) out.push_back(term(rank, i));
  return out;
}

// Builds the settings of all ranks for one case.
class Builder {
 public:
  explicit Builder(const Case& c) : case_(c), p_(c.size), n_(c.count), all_(static_cast<size_t>(c.size)) {}

  std::vector<RankSetting> build() {
    for (int r = 0; r < p_; ++r) {
      RankSetting& s = all_[static_cast<size_t>(r)];
      s.args.count = n_;
      s.args.root = case_.root;
      s.args.send = area_address(send_area);
      s.args.recv = area_address(recv_area);
    }
    switch (case_.algorithm->collective) {
      case Collective::barrier: break;
      case Collective::bcast: bcast(); break;
      case Collective::reduce:
      case Collective::allreduce:
      case Collective::scan:
      case Collective::exscan: sums(); break;
      case Collective::gather:
      case Collective::gatherv: gather(case_.algorithm->collective == Collective::gatherv); break;
      case Collective::scatter:
      case Collective::scatterv: scatter(case_.algorithm->collective == Collective::scatterv); break;
      case Collective::allgather:
      case Collective::allgatherv: allgather(case_.algorithm->collective == Collective::allgatherv); break;
      case Collective::alltoall: alltoall(); break;
      case Collective::alltoallv: alltoallv(); break;
      case Collective::reduce_scatter_block:
      case Collective::reduce_scatter: reduce_scatter(case_.algorithm->collective == Collective::reduce_scatter); break;
      case Collective::neighbor_allgather:
      case Collective::neighbor_alltoall:
        for (int r = 0; r < p_; ++r) at(r) = neighbour_setting(case_, r);
        break;
    }
    return std::move(all_);
  }

 private:
  RankSetting& at(int r) { return all_[static_cast<size_t>(r)]; }
  static std::vector<Value> blank(Count n) { return std::vector<Value>(static_cast<size_t>(n)); }

  // Makes the result buffer hold the contribution, and the contribution nothing of its own.
  static void put_in_place(RankSetting& s) {
    s.args.send = s.args.recv;
    s.recv = std::move(s.send);
    s.send.clear();
    s.send_is_const = false;
  }

  // The product of element i over ranks first … last - 1.
  Value sum(int first, int last, Count i) const {
    Value out = term(first, i);
    for (int r = first + 1; r < last; ++r) out = product(out, term(r, i), case_.commutative);
    return out;
  }

  void bcast() {
    for (int r = 0; r < p_; ++r) {
      at(r).recv = r == case_.root ? contribution(r, n_) : blank(n_);
      for (Count i = 0; i < n_; ++i) at(r).expected.push_back({i, term(case_.root, i)});
    }
  }

  void sums() {
    const Collective which = case_.algorithm->collective;
    for (int r = 0; r < p_; ++r) {
      RankSetting& s = at(r);
      const bool has_result = which != Collective::reduce || r == case_.root;
      s.send = contribution(r, n_);
      if (has_result) s.recv = blank(n_);
      if (has_result && case_.in_place) put_in_place(s);
    }
    for (Count i = 0; i < n_; ++i) {
      Value prefix;
      for (int r = 0; r < p_; ++r) {
        if (which == Collective::exscan && r > 0) at(r).expected.push_back({i, prefix});
        prefix = r == 0 ? term(0, i) : product(prefix, term(r, i), case_.commutative);
        if (which == Collective::scan) at(r).expected.push_back({i, prefix});
      }
      for (int r = 0; r < p_; ++r)
        if (which == Collective::allreduce || (which == Collective::reduce && r == case_.root))
          at(r).expected.push_back({i, prefix});
    }
  }

  // Counts, displacements (with a gap before each block when uneven) and the length of the buffer.
  Count lay_out(bool uneven, std::vector<Count>& counts, std::vector<Count>& displs, int shift = 0) const {
    Count at = 0;
    for (int i = 0; i < p_; ++i) {
      at += uneven ? 1 : 0;
      counts.push_back(uneven ? uneven_block(i + shift, n_) : n_);
      displs.push_back(at);
      at += counts.back();
    }
    return at;
  }

  void gather(bool uneven) {
    for (int r = 0; r < p_; ++r) {
      RankSetting& s = at(r);
      const Count length = lay_out(uneven, s.counts, s.displs);
      s.args.count = s.counts[static_cast<size_t>(r)];
      s.send = contribution(r, s.args.count);
      if (r == case_.root) gathered(s, r, length);
    }
  }

  void allgather(bool uneven) {
    for (int r = 0; r < p_; ++r) {
      RankSetting& s = at(r);
      const Count length = lay_out(uneven, s.counts, s.displs);
      s.send = contribution(r, s.counts[static_cast<size_t>(r)]);
      gathered(s, r, length);
    }
  }

  void gathered(RankSetting& s, int r, Count length) {
    s.args.counts = s.counts.data();
    s.args.displs = s.displs.data();
    s.recv = blank(length);
    for (size_t i = 0; i < s.counts.size(); ++i)
      for (Count j = 0; j < s.counts[i]; ++j) s.expected.push_back({s.displs[i] + j, term(static_cast<int>(i), j)});
    if (!case_.in_place) return;
    const Count own = s.displs[static_cast<size_t>(r)];
    std::copy(s.send.begin(), s.send.end(), s.recv.begin() + own);
    s.send.clear();
    s.args.send = s.args.recv + static_cast<Address>(own);
  }

  void scatter(bool uneven) {
    for (int r = 0; r < p_; ++r) {
      RankSetting& s = at(r);
      const Count length = lay_out(uneven, s.send_counts, s.send_displs);
      const Count own = s.send_displs[static_cast<size_t>(r)];
      s.args.send_counts = s.send_counts.data();
      s.args.send_displs = s.send_displs.data();
      s.args.count = s.send_counts[static_cast<size_t>(r)];
      if (r == case_.root) s.send = contribution(r, length);
      const bool in_place = case_.in_place && r == case_.root;
      if (in_place) s.args.recv = s.args.send + static_cast<Address>(own);
      if (in_place) s.result_area = send_area;
      if (!in_place) s.recv = blank(s.args.count);
      for (Count j = 0; j < s.args.count; ++j)
        s.expected.push_back({(in_place ? own : 0) + j, term(case_.root, own + j)});
    }
  }

  void alltoall() {
    for (int r = 0; r < p_; ++r) {
      RankSetting& s = at(r);
      s.send = contribution(r, n_ * p_);
      s.recv = blank(n_ * p_);
      for (int i = 0; i < p_; ++i)
        for (Count j = 0; j < n_; ++j) s.expected.push_back({n_ * i + j, term(i, n_ * r + j)});
    }
  }

  // The block from i to j has uneven_block(i + j, n) units.
  void alltoallv() {
    for (int r = 0; r < p_; ++r) {
      RankSetting& s = at(r);
      s.send = contribution(r, lay_out(true, s.send_counts, s.send_displs, r));
      s.recv = blank(lay_out(true, s.counts, s.displs, r));
      s.args.counts = s.counts.data();
      s.args.displs = s.displs.data();
      s.args.send_counts = s.send_counts.data();
      s.args.send_displs = s.send_displs.data();
    }
    for (int r = 0; r < p_; ++r)
      for (int i = 0; i < p_; ++i)
        for (Count j = 0; j < at(r).counts[static_cast<size_t>(i)]; ++j)
          at(r).expected.push_back(
              {at(r).displs[static_cast<size_t>(i)] + j, term(i, at(i).send_displs[static_cast<size_t>(r)] + j)});
  }

  void reduce_scatter(bool uneven) {
    for (int r = 0; r < p_; ++r) {
      RankSetting& s = at(r);
      Count length = 0;
      for (int i = 0; i < p_; ++i) {
        s.counts.push_back(uneven ? uneven_block(i, n_) : n_);
        s.displs.push_back(length);
        length += s.counts.back();
      }
      s.args.counts = s.counts.data();
      s.args.displs = s.displs.data();
      s.send = contribution(r, length);
      const Count own = s.counts[static_cast<size_t>(r)];
      s.recv = blank(own);
      for (Count i = 0; i < own; ++i) s.expected.push_back({i, sum(0, p_, s.displs[static_cast<size_t>(r)] + i)});
      if (case_.in_place) put_in_place(s);
    }
  }

  const Case& case_;
  const int p_;
  const Count n_;
  std::vector<RankSetting> all_;
};

}  // namespace

RankSetting make_arguments(const Case& c, int rank) {
  const Collective which = c.algorithm->collective;
  if (which == Collective::neighbor_allgather || which == Collective::neighbor_alltoall)
    return neighbour_setting(c, rank);
  const bool sums = which == Collective::reduce_scatter;
  const bool uneven = sums || which == Collective::gatherv || which == Collective::scatterv ||
                      which == Collective::allgatherv || which == Collective::alltoallv;
  RankSetting s;
  s.args.count = c.count;
  s.args.root = c.root;
  s.args.send = area_address(send_area);
  s.args.recv = area_address(recv_area);
  if (!uneven) return s;
  Count at = 0;
  for (int i = 0; i < c.size; ++i) {
    s.counts.push_back(uneven_block(which == Collective::alltoallv ? i + rank : i, c.count));
    s.displs.push_back(at);
    at += s.counts.back();
  }
  if (!sums) s.args.count = s.counts[static_cast<size_t>(rank)];
  s.args.counts = s.args.send_counts = s.counts.data();
  s.args.displs = s.args.send_displs = s.displs.data();
  return s;
}

std::vector<RankSetting> make_settings(const Case& c) { return Builder(c).build(); }

}  // namespace cow::coll
