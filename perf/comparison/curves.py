"""Curves over message size, as SVG: both axes logarithmic, one line a library, its range as a pale band."""
import html
import math

from . import verdict
from .jobs import bytes_named

COLOURS = ("#c0392b", "#2471a3", "#239b56", "#7d3c98", "#b9770e")
WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 50


class Axes:
    """From figures to places in the picture. Size 0 stands half a step left of size 1."""

    def __init__(self, sizes, values):
        self.xs = [self.log_size(min(sizes)), self.log_size(max(sizes))]
        self.decades = [math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))]
        if self.decades[0] == self.decades[1]:
            self.decades[1] += 1

    @staticmethod
    def log_size(size):
        return math.log2(size) if size else -1.0

    def x(self, size):
        span = (self.xs[1] - self.xs[0]) or 1
        return LEFT + (self.log_size(size) - self.xs[0]) / span * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        part = (math.log10(value) - self.decades[0]) / (self.decades[1] - self.decades[0])
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)


def text(x, y, words, anchor="start", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{html.escape(words)}</text>'


def line(x1, y1, x2, y2, style):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def grid(axes, sizes, unit):
    for decade in range(axes.decades[0], axes.decades[1] + 1):
        y = axes.y(10.0 ** decade)
        yield line(LEFT, y, WIDTH - RIGHT, y, 'stroke="#ccc"')
        yield text(LEFT - 6, y + 4, f"{10.0 ** decade:g}", "end")
    shown = [size for size in sizes if size == 0 or math.log2(size) % 3 == 0]
    for size in shown:
        yield line(axes.x(size), TOP, axes.x(size), HEIGHT - BOTTOM, 'stroke="#eee"')
        yield text(axes.x(size), HEIGHT - BOTTOM + 18, bytes_named(size) if size else "0", "middle")
    yield text(LEFT, TOP - 10, unit)


def curve(axes, points, colour, name):
    """points: (size, values), sorted by size."""
    up = [f"{axes.x(size):.1f},{axes.y(max(values)):.1f}" for size, values in points]
    down = [f"{axes.x(size):.1f},{axes.y(min(values)):.1f}" for size, values in reversed(points)]
    yield f'<polygon points="{" ".join(up + down)}" fill="{colour}" opacity="0.15"/>'
    middle = [(size, verdict.median(values)) for size, values in points]
    places = " ".join(f"{axes.x(size):.1f},{axes.y(value):.1f}" for size, value in middle)
    yield f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
    for size, value in middle:
        yield (f'<circle cx="{axes.x(size):.1f}" cy="{axes.y(value):.1f}" r="3" fill="{colour}">'
               f"<title>{html.escape(name)}, {bytes_named(size)}: {value:.3g}</title></circle>")


def key_of(axes, entries):
    for number, (name, colour) in enumerate(entries):
        y = TOP + 10 + 20 * number
        yield line(WIDTH - RIGHT + 10, y, WIDTH - RIGHT + 34, y, f'stroke="{colour}" stroke-width="2"')
        yield text(WIDTH - RIGHT + 40, y + 4, name)


def svg(group, job, units_of_machine):
    """The picture of one job, or None when there is nothing to draw."""
    names = list(job["rows"][0]["values"]) if job["rows"] else []
    drawn = {name: [(int(row["key"]), row["values"][name]) for row in job["rows"] if row["values"].get(name)] for name in names}
    drawn = {name: points for name, points in drawn.items() if points}
    limits = {word: verdict.median(values) for word, values in group["machine"].items()
              if values and units_of_machine.get(word) == job["unit"]}
    values = [value for points in drawn.values() for _, some in points for value in some] + list(limits.values())
    sizes = sorted({size for points in drawn.values() for size, _ in points})
    if not sizes or min(values) <= 0:
        return None
    axes = Axes(sizes, values)
    parts = [*grid(axes, sizes, job["unit"])]
    entries = []
    for (name, points), colour in zip(drawn.items(), COLOURS):
        parts += curve(axes, points, colour, name)
        entries.append((name, colour))
    for word, value in limits.items():
        parts.append(line(LEFT, axes.y(value), WIDTH - RIGHT, axes.y(value), 'stroke="#555" stroke-dasharray="5,4"'))
        parts.append(text(WIDTH - RIGHT - 4, axes.y(value) - 4, word, "end", 'fill="#555"'))
    parts += key_of(axes, entries)
    parts.append(text(LEFT, 16, f"{group['title']} ({job['name']})", more='font-weight="bold"'))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            f'font-family="sans-serif" font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
            + "\n".join(parts) + "</svg>\n")
