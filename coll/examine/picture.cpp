#include "coll/examine/picture.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace cow::coll {
namespace {

template <class... Values>
std::string text(const char* format, Values... values) {
  char out[512];
  std::snprintf(out, sizeof out, format, values...);
  return out;
}

std::string begin(double width, double height) {
  return text(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
      width, height, width, height);
}

std::string label(double x, double y, const char* anchor, const std::string& words) {
  return text("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor) + words + "</text>\n";
}

// From blue (nothing) over violet to red (the busiest).
std::string heat(double share) {
  return text("rgb(%d,%d,%d)", static_cast<int>(60 + 180 * share), 40, static_cast<int>(200 * (1 - share) + 30));
}

constexpr double pitch = 70;   // between places
constexpr double margin = 60;  // room for the arrows around
constexpr double radius = 13;  // of a place
constexpr double head = 60;    // room for the title

struct Point {
  double x, y;
};

Point place_of(const Layout& layout, int rank) {
  const int rows = layout.dimensions() == 2 ? layout.coordinate(rank, 0) : 0;
  const int columns = layout.coordinate(rank, layout.dimensions() - 1);
  return {margin + pitch * columns, head + margin + pitch * rows};
}

// An arrow from one place to the next, a little to the right of the straight line, so that both directions are seen.
// One around the border leaves the picture and comes in on the other side: two stubs.
std::string arrow(Point a, Point b, bool around, const std::string& colour, double width) {
  const double length = std::hypot(b.x - a.x, b.y - a.y);
  Point unit{(b.x - a.x) / length, (b.y - a.y) / length};
  if (around) unit = {-unit.x, -unit.y};
  const Point side{-unit.y * 5, unit.x * 5};
  const auto line = [&](Point from, Point to) {
    return text(
        "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"%.1f\" "
        "marker-end=\"url(#tip)\"/>\n",
        from.x + side.x, from.y + side.y, to.x + side.x, to.y + side.y, colour.c_str(), width);
  };
  const auto along = [&](Point from, double distance) {
    return Point{from.x + unit.x * distance, from.y + unit.y * distance};
  };
  if (!around) return line(along(a, radius), along(b, -radius - 4));
  return line(along(a, radius), along(a, pitch / 2)) + line(along(b, -pitch / 2), along(b, -radius - 4));
}

const char* const colours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#e377c2",
                               "#17becf", "#7f7f7f", "#bcbd22", "#000080", "#008080", "#800000", "#556b2f"};

struct Curve {
  const char* name;
  std::vector<double> times;  // by power of two of bytes
};

constexpr int largest_power = 24;

std::vector<Curve> curves_of(Collective collective, const Layout& layout, const Model& model) {
  Patterns patterns{Wires(layout)};
  std::vector<Curve> curves;
  for (const Algorithm& a : algorithms()) {
    if (a.collective != collective || !a.valid({layout.size(), 0, true, &layout})) continue;
    Curve curve{a.name, {}};
    for (int power = 0; power <= largest_power; ++power) {
      const Problem problem{layout.size(), Count{1} << power, true, &layout};
      curve.times.push_back(std::max(1e-3, predicted_time(a, problem, model, &patterns)));
    }
    curves.push_back(std::move(curve));
  }
  return curves;
}

// The plane that curves are drawn in: times upward by decades, sizes to the right by powers of two.
class Plane {
 public:
  static constexpr double left = 70, right = 170, top = 50, bottom = 50;  // the borders around
  static constexpr double width = 620, height = 400;

  explicit Plane(const std::vector<Curve>& curves) {
    double low = 1e300, high = 0;
    for (const Curve& curve : curves)
      for (const double time : curve.times) low = std::min(low, time), high = std::max(high, time);
    first_ = std::floor(std::log10(low));
    last_ = std::max(first_ + 1, std::ceil(std::log10(high)));
  }

  std::string axes() const {
    std::string out;
    for (int power = 0; power <= largest_power; power += 4) {
      out += rule(x(power), top, x(power), top + height);
      const char* const unit = power < 10 ? "" : power < 20 ? " Ki" : " Mi";
      out += label(x(power), top + height + 20, "middle", std::to_string(1 << power % 10) + unit);
    }
    for (double decade = first_; decade <= last_; ++decade) {
      const double time = std::pow(10, decade);
      out += rule(left, y(time), left + width, y(time));
      out += label(left - 8, y(time) + 4, "end", text("%g", time));
    }
    return out;
  }

  // The curve, and its line of the legend.
  std::string draw(const Curve& curve, std::size_t number) const {
    const char* const colour = colours[number % std::size(colours)];
    const char* const dashes = number < std::size(colours) ? "none" : "6 3";
    std::string out = text(
        "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.8\" stroke-dasharray=\"%s\" points=\"", colour, dashes);
    for (std::size_t power = 0; power < curve.times.size(); ++power)
      out += text("%.1f,%.1f ", x(static_cast<double>(power)), y(curve.times[power]));
    out += "\"/>\n";
    const double at = top + 16 * static_cast<double>(number) + 8;
    out += text(
        "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"3\" "
        "stroke-dasharray=\"%s\"/>\n",
        left + width + 14, at - 4, left + width + 34, at - 4, colour, dashes);
    return out + label(left + width + 40, at, "start", curve.name);
  }

 private:
  double x(double power) const { return left + width * power / largest_power; }
  double y(double time) const { return top + height * (last_ - std::log10(time)) / (last_ - first_); }
  static std::string rule(double x1, double y1, double x2, double y2) {
    return text("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#dddddd\"/>\n", x1, y1, x2, y2);
  }

  double first_, last_;  // decades of microseconds
};

}  // namespace

std::string picture_of_links(const LinkReport& report, const Layout& layout, const std::string& title,
                             std::string& complaint) {
  const int dimensions = layout.dimensions();
  if (dimensions < 1 || dimensions > 2 || layout.kind() == Layout::Kind::hypercube) {
    complaint = "a picture of links needs a ring, or a mesh or torus of one or two dimensions, not " + layout.name();
    return {};
  }
  const int columns = layout.extent(dimensions - 1), rows = dimensions == 2 ? layout.extent(0) : 1;
  const double width = std::max(420.0, 2 * margin + pitch * (columns - 1));
  const double height = head + 2 * margin + pitch * (rows - 1) + 20;
  std::string out = begin(width, height);
  out +=
      "<defs><marker id=\"tip\" viewBox=\"0 0 6 6\" refX=\"3\" refY=\"3\" markerWidth=\"4\" markerHeight=\"4\" "
      "markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0,0 L6,3 L0,6 z\"/></marker></defs>\n";
  out += label(16, 24, "start", title);
  const auto busiest = static_cast<double>(std::max<Count>(report.busiest_total, 1));
  out += label(16, 42, "start",
               text("bytes over a directed link: %lld at most", static_cast<long long>(report.busiest_total)));
  for (int rank = 0; rank < layout.size(); ++rank)
    for (int d = 0; d < dimensions; ++d)
      for (const int direction : {1, -1}) {
        const int next = layout.neighbour(rank, d, direction);
        if (next == rank) continue;
        Count bytes = -1;
        layout.route(rank, next, [&](int link) { bytes = report.link_totals[static_cast<std::size_t>(link)]; });
        const double share = static_cast<double>(bytes) / busiest;
        const int here = layout.coordinate(rank, d);
        const bool around = layout.coordinate(next, d) != here + direction;
        out += arrow(place_of(layout, rank), place_of(layout, next), around && layout.extent(d) > 2,
                     bytes > 0 ? heat(share) : std::string("#cccccc"), bytes > 0 ? 1 + 4 * share : 1);
      }
  for (int rank = 0; rank < layout.size(); ++rank) {
    const Point at = place_of(layout, rank);
    out += text("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"#eeeeee\" stroke=\"black\"/>\n", at.x, at.y, radius);
    out += label(at.x, at.y + 4, "middle", std::to_string(rank));
  }
  return out + "</svg>\n";
}

std::string picture_of_times(Collective collective, const Layout& layout, const Model& model) {
  const std::vector<Curve> curves = curves_of(collective, layout, model);
  const Plane plane(curves);
  std::string out = begin(Plane::left + Plane::width + Plane::right, Plane::top + Plane::height + Plane::bottom);
  out += label(Plane::left, 24, "start",
               text("%s on %s: predicted time (us) against size (bytes)", name_of(collective), layout.name().c_str()));
  out += plane.axes();
  for (std::size_t i = 0; i < curves.size(); ++i) out += plane.draw(curves[i], i);
  return out + "</svg>\n";
}

}  // namespace cow::coll
