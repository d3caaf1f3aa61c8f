"""Tables as LaTeX for pdflatex, with booktabs; every sign that LaTeX would obey is escaped."""

from collections.abc import Sequence

from talkingface_wild.benchmark.tables.score_columns import ARROWS
from talkingface_wild.benchmark.tables.table import Cell, ScoreColumn, Table
from talkingface_wild.benchmark.tables.text import around, one_line, value_text

_SIGNS = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}\allowbreak{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": "{-}",
    ",": "{,}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "—": r"\textemdash{}",
    "–": r"\textendash{}",
    "…": r"\dots{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "\u00a0": r"\ ",
    "×": r"\ensuremath{\times}",
    "±": r"\ensuremath{\pm}",
    "·": r"\ensuremath{\cdot}",
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "≠": r"\ensuremath{\neq}",
    "≤": r"\ensuremath{\leq}",
    "≥": r"\ensuremath{\geq}",
    "↓": r"\ensuremath{\downarrow}",
    "↑": r"\ensuremath{\uparrow}",
    "→": r"\ensuremath{\rightarrow}",
    "†": r"\ensuremath{\dagger}",
    "‡": r"\ensuremath{\ddagger}",
}
_GREEK_NAMES = (
    "αalpha βbeta γgamma δdelta εepsilon ζzeta ηeta θtheta ιiota κkappa λlambda μmu νnu ξxi πpi "
    "ρrho σsigma τtau υupsilon φphi χchi ψpsi ωomega ΓGamma ΔDelta ΘTheta ΛLambda ΞXi ΠPi ΣSigma "
    "ΥUpsilon ΦPhi ΨPsi ΩOmega"
)
_GREEK = {word[0]: word[1:] for word in _GREEK_NAMES.split()}
_LETTERS = frozenset(
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ"
    "ĂăĄąĆćČčĎďĐđĘęĚěĞğĹĺĽľŁłŃńŇňŐőŒœŔŕŘřŚśŞşŠšŢţŤťŮůŰűŸŹźŻżŽž"
)
"""Letters of the T1 encoding beyond ASCII; pdflatex stops at any other."""

ABREAST = 6
"""Columns beside one another: the paper's six, then the others."""
DOCUMENT = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{textcomp}
\usepackage[paperwidth=420mm,paperheight=297mm,margin=15mm]{geometry}
\usepackage{booktabs}
\usepackage{graphicx}
\begin{document}
%s
\end{document}
"""


def latex(tables: Sequence[Table], document: bool = False) -> str:
    """A ``table`` environment each; with ``document`` a whole file that pdflatex compiles.

    The environments need booktabs, graphicx and T1 fonts. Signs that pdflatex cannot set (Chinese
    ones, say) appear as code points: ``U+4E2D``.
    """
    body = "\n\n".join(_environment(table) for table in tables)
    return DOCUMENT % body if document else f"{body}\n"


def escaped(text: str) -> str:
    """Text that LaTeX sets as it stands, and nothing of it as a command."""
    return "".join(_sign(sign) for sign in one_line(text))


def _sign(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    if sign in _GREEK:
        return rf"\ensuremath{{\{_GREEK[sign]}}}"
    if sign.isascii() or sign in _LETTERS:
        return sign
    return f"U+{ord(sign):04X}"


def _environment(table: Table) -> str:
    """One float: the columns six at a time below one another, then the footer."""
    lines = [r"\begin{table}[htbp]", r"\centering", rf"\caption{{{escaped(table.title)}}}"]
    for start in range(0, len(table.columns), ABREAST):
        lines += [*_tabular(table, table.columns[start : start + ABREAST]), r"\par\medskip"]
    lines.append(r"\footnotesize\raggedright")
    lines += [rf"{escaped(line)}\par" for line in table.footer]
    return "\n".join([*lines, r"\end{table}"])


def _tabular(table: Table, columns: Sequence[ScoreColumn]) -> list[str]:
    """All rows of some columns, never wider than the page."""
    shape = "l" + "r" * len(columns)
    lines = [
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{shape}}}",
        r"\toprule",
        _line(["Method", *map(_head, columns)]),
        *_second_head(columns),
    ]
    for block in table.blocks:
        lines.append(r"\midrule")
        if len(table.blocks) > 1:
            title = escaped(block.title)
            lines.append(rf"\multicolumn{{{len(shape)}}}{{l}}{{\emph{{{title}}}}} \\")
        for row in block.rows:
            cells = [_cell(row.cells.get(column.metric), column) for column in columns]
            lines.append(_line([escaped(row.name), *cells]))
    return [*lines, r"\bottomrule", r"\end{tabular}}"]


def _head(column: ScoreColumn) -> str:
    return escaped(f"{column.title} {ARROWS[column.better]}".strip())


def _second_head(columns: Sequence[ScoreColumn]) -> list[str]:
    """A line with the counts that whole columns share, if there is one."""
    counts = [
        escaped(f"n = {column.n:,} {column.unit}") if column.n is not None else ""
        for column in columns
    ]
    return [_line(["", *counts])] if any(counts) else []


def _cell(cell: Cell | None, column: ScoreColumn) -> str:
    if cell is None:
        return ""
    value = escaped(value_text(cell, column))
    if cell.best:
        value = rf"\textbf{{{value}}}"
    elif cell.second:
        value = rf"\underline{{{value}}}"
    beside = (rf"{{\scriptsize {escaped(text)}}}" for text in around(cell, column))
    return " ".join([value, *beside])


def _line(cells: Sequence[str]) -> str:
    return rf"{' & '.join(cells)} \\"
