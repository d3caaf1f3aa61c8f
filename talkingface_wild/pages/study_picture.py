"""The picture of a study's scores: bars with intervals as whiskers, as one SVG file."""

from talkingface_wild.benchmark.study.key import QUESTIONS
from talkingface_wild.benchmark.study.scores import OVERALL, StudyScores
from talkingface_wild.pages.svg import Shapes, file_drawing, scale

_COLOURS = (
    "#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5",
    "#9c6b4e", "#9498a0",
)  # fmt: skip
_BAR, _GAP, _LEFT, _TOP, _TALL = 26, 34, 46, 18, 220
_FLOOR = _TOP + _TALL


def study_picture(scores: StudyScores) -> str:
    """Bars of every question side by side, in %, by method; a dashed line where chance is."""
    methods = list(dict.fromkeys(one.method for one in scores.preferences))
    questions = list(dict.fromkeys(one.question for one in scores.preferences))
    titles = {question.id: question.title for question in QUESTIONS} | {OVERALL: "Overall"}
    group = max(_BAR * len(methods) + _GAP, 150)
    width, height = _LEFT + group * len(questions) + 10, _FLOOR + 44 + 18 * len(methods)
    most = max(max(one.high or one.share for one in scores.preferences), 10.0) * 1.08
    y_at = scale(0, most, _FLOOR, _TOP)
    shapes = file_drawing(width, height, font_family="sans-serif", font_size="12")
    shapes.add("title", None).text = "Preferences in %"
    shapes.add("rect", None, x="0", y="0", width=width, height=height, fill="#fff")
    _draw_ruler(shapes, width, most)
    for one in scores.preferences:
        begin = _LEFT + questions.index(one.question) * group + (group - _BAR * len(methods)) / 2
        place = methods.index(one.method)
        x, y = begin + place * _BAR, y_at(one.share)
        words = f"{one.method}, {titles.get(one.question, one.question)}: {one.share:.1f} %"
        shapes.bar(x, y, _BAR - 4, _FLOOR - y, words, fill=_COLOURS[place % len(_COLOURS)])
        if one.low is not None and one.high is not None:
            middle = x + (_BAR - 4) / 2
            shapes.line(middle, y_at(one.high), middle, y_at(one.low), stroke="#222")
    for index, question in enumerate(questions):
        middle = _LEFT + index * group + group / 2
        shapes.label(middle, _FLOOR + 18, titles.get(question, question), "middle")
    chance = y_at(100 / len(methods))
    shapes.line(_LEFT, chance, width - 10, chance, stroke="#999", stroke_dasharray="4 3")
    for row, method in enumerate(methods):
        y = _FLOOR + 34 + 18 * row
        shapes.bar(_LEFT, y, 12, 12, method, fill=_COLOURS[row % len(_COLOURS)])
        shapes.label(_LEFT + 18, y + 10, method, "start")
    return f"{shapes.markup()}\n"


def _draw_ruler(shapes: Shapes, width: int, most: float) -> None:
    """The axis, its numbers in %."""
    y_at = scale(0, most, _FLOOR, _TOP)
    step = next(step for step in (5, 10, 20, 25, 50) if most / step <= 6 or step == 50)
    for value in range(0, int(most) + 1, step):
        shapes.line(_LEFT, y_at(value), width - 10, y_at(value), stroke="#e5e5e5")
        shapes.label(_LEFT - 6, y_at(value) + 4, f"{value} %", "end")
