"""Reads the facts of MPI 5.0 from ../table."""
import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "table"


def read_rows(name):
    """The rows of a table, as lists of cells, without the heading."""
    with open(FOLDER / name, encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row for row in rows[1:] if row and row[0]]


@dataclass
class Parameter:
    """One parameter in C; `kind` and `direction` are the standard's (direction: in, out, inout, or empty)."""

    type: str  # without name and brackets: "const int"
    name: str
    array: str  # "", "[]" or "[][3]"
    kind: str
    direction: str

    @property
    def is_array(self):
        return bool(self.array)

    @property
    def declaration(self):
        if self.name == "...":
            return "..."
        space = "" if self.type.endswith("*") else " "
        return f"{self.type}{space}{self.name}{self.array}"


@dataclass
class Function:
    name: str  # with MPI_
    returns: str
    parameters: list
    flags: list
    chapter: str = ""
    large_twin: str = ""  # name of the _c form, of a function that has one
    small_twin: str = ""  # of a _c form: the name of the other

    @property
    def short(self):
        """The name without MPI_ and without _c: the name of the body that serves both forms."""
        return (self.small_twin or self.name).removeprefix("MPI_")

    @property
    def short_c(self):
        """The name without MPI_, of this very form."""
        return self.name.removeprefix("MPI_")

    @property
    def deprecated(self):
        return next((flag.split(": ")[1] for flag in self.flags if flag.startswith("deprecated")), "")

    def prototype(self, prefix=""):
        space = "" if self.returns.endswith("*") else " "
        arguments = ", ".join(p.declaration for p in self.parameters) or "void"
        return f"{self.returns}{space}{prefix}{self.name}({arguments})"


@dataclass
class Constant:
    name: str
    cast: str
    value: str

    @property
    def number(self):
        """The value as an integer; None for an alias of another constant."""
        return int(self.value, 0) if re.fullmatch(r"-?(0[xX])?[0-9a-fA-F]+", self.value) else None


@dataclass
class Type:
    name: str
    kind: str
    definition: str
    flags: list = field(default_factory=list)


def split_parameter(text, kind_and_direction):
    if text == "...":
        return Parameter("", "...", "", "VARARGS", "")
    found = re.fullmatch(r"(.*?)([A-Za-z_]\w*)((?:\[\d*\])*)", text)
    kind, _, direction = kind_and_direction.partition(":")
    return Parameter(found[1].strip(), found[2], found[3], kind, direction)


def chapter_of(name, chapters):
    for title, pattern, *_ in chapters:
        if re.fullmatch(pattern, name, re.IGNORECASE):
            return title
    raise ValueError(f"{name} stands in no chapter")


def read_functions():
    chapters = read_rows("chapters.tsv")
    functions = []
    for row in read_rows("functions.tsv"):
        name, returns, parameters, kinds, flags = (row + [""] * 5)[:5]
        texts = [text.strip() for text in parameters.split(";") if text.strip()]
        marks = [text.strip() for text in kinds.split(";") if text.strip()]
        marks += ["?"] * (len(texts) - len(marks))
        functions.append(Function(name, returns, [split_parameter(t, k) for t, k in zip(texts, marks)],
                                  [flag for flag in flags.split(",") if flag]))
    by_name = {function.name: function for function in functions}
    for function in functions:
        if function.name.endswith("_c") and function.name[:-2] in by_name:
            function.small_twin = function.name[:-2]
            by_name[function.small_twin].large_twin = function.name
    for function in functions:
        function.chapter = chapter_of(function.short, chapters)
    return functions


def read_constants():
    return [Constant(*(row + [""] * 3)[:3]) for row in read_rows("constants.tsv")]


def read_types():
    return [Type(row[0], row[1], row[2], row[3:]) for row in read_rows("types.tsv")]


def chapter_titles():
    """In the order of mpi.h."""
    rows = read_rows("chapters.tsv")
    return [row[0] for row in rows if "last" not in row] + [row[0] for row in rows if "last" in row]


def section_titles():
    return dict(read_rows("sections.tsv"))


def read_removed():
    """Names that the standard has no longer, and what it has instead."""
    return [(row[0], row[1]) for row in read_rows("removed.tsv")]
