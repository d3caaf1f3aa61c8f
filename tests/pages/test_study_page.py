"""A study is blind, its page needs nothing else, and its scores are the shares on paper."""

import itertools
import json
import random
import re

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from talkingface_wild.benchmark.study.key import QUESTIONS, Case, Key, read_key
from talkingface_wild.benchmark.study.ratings import Rating, read_ratings
from talkingface_wild.benchmark.study.scores import OVERALL, score_study
from talkingface_wild.cli import bench_study
from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.media.decode import frames
from talkingface_wild.pages.study_page import make_study, page_text
from talkingface_wild.pages.study_picture import study_picture
from tests.benchmark.shown_runs import FRAMES, colour, make_shown_run

METHODS = ("One <b>", "Two", "static", "groundtruth")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs")
    return [
        make_shown_run(place / "one", 1, name=METHODS[0]),
        make_shown_run(place / "two", 2, name=METHODS[1]),
        make_shown_run(place / "still", 0, "static", name=METHODS[2]),
        make_shown_run(place / "real", 0, "groundtruth", name=METHODS[3]),
    ]


@pytest.fixture(scope="module")
def study(runs, tmp_path_factory):
    return make_study(runs, tmp_path_factory.mktemp("study"), cases=2, seconds=1.0)


def test_the_letters_lead_to_the_right_videos(study):
    for case in study.key.cases.values():
        clip = int(case.clip[1:])
        for letter, name in case.letters.items():
            path = study.page.parent / "videos" / f"{case.id}-{letter}.mp4"
            shown = [frame.rgb.mean(axis=(0, 1)) for frame in frames(path)]
            assert len(shown) == 25
            method = {"One <b>": 1, "Two": 2}.get(name, 0)
            for frame in (0, 12, 24):
                expected = colour(method, clip, 0 if name == "static" else frame)
                assert np.abs(shown[frame] - expected).max() < 8, (name, frame)


def test_page_and_files_tell_no_method(study):
    text = study.page.read_text(encoding="utf-8")
    for name in (*METHODS, "One", *(case.clip + '"' for case in study.key.cases.values())):
        assert name not in text
    assert {path.name for path in study.folder.iterdir()} == {"page", "key.json"}
    videos = sorted((study.page.parent / "videos").iterdir())
    assert [path.name for path in videos] == [
        f"case{case}-{letter}.mp4" for case in ("01", "02") for letter in "ABCD"
    ]
    kinds = set()
    for path in videos:
        with av.open(str(path)) as container:
            sound = container.streams.audio[0]
            picture = container.streams.video[0]
            kinds.add(
                (
                    picture.codec_context.name,
                    picture.width,
                    picture.frames,
                    sound.codec_context.name,
                )
            )
            told = {**container.metadata, **picture.metadata, **sound.metadata}
            assert not set(told) - {
                "major_brand", "minor_version", "compatible_brands", "language", "handler_name",
                "vendor_id", "encoder",
            }  # fmt: skip
        assert b"x264 - core" not in path.read_bytes()
    assert kinds == {("h264", 512, 25, "aac")}


def test_the_page_reaches_no_network(study):
    text = study.page.read_text(encoding="utf-8")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text.replace("// ", ""))
    assert "default-src 'none'" in text
    data = json.loads(re.search(r'id="study">(.*?)</script>', text, re.S).group(1))
    assert data["ranks"] == 3
    assert [question["id"] for question in data["questions"]] == ["identity", "sync", "quality"]
    for case in data["cases"]:
        assert case["letters"] == list("ABCD")
        for video in case["videos"]:
            assert (study.page.parent / video).is_file()


def test_the_key_is_read_as_written_and_is_never_overwritten(study, runs):
    assert read_key(study.folder) == study.key
    assert study.key.methods == METHODS
    with pytest.raises(UsageError, match="lose their key"):
        make_study(runs, study.folder)


def test_letters_are_shuffled_and_drawn_by_the_seed(runs, tmp_path):
    made = [
        make_study(runs[:2], tmp_path / str(index), cases=3, seed=seed, seconds=0.04).key
        for index, seed in enumerate((0, 0, 1, 2, 3))
    ]
    assert made[0] == made[1]
    assert len({key.study for key in made}) == 4
    firsts = {case.letters["A"] for key in made for case in key.cases.values()}
    assert firsts == {"One <b>", "Two"}
    assert made[0].ranks == 2


def test_hostile_names_cannot_leave_the_data_block():
    letters = {"A": "x", "B": "y"}
    case = Case("</script><script>alert(1)</script>", "c", "g", letters)
    text = page_text(Key("s", 2, ("x", "y"), ("q",), {case.id: case}))
    assert text.count("</script>") == 2


def test_fewer_clips_than_cases_and_people_twice_are_noted(runs, tmp_path):
    made = make_study(runs[:2], tmp_path / "a", cases=10, seconds=0.04)
    assert len(made.key.cases) == 3
    assert "share 3 clips" in made.notes[0]
    one = [
        make_shown_run(tmp_path / "b" / str(k), k, group=lambda clip: "p" * (clip < 2) or "q")
        for k in (1, 2)
    ]
    groups = [c.group for c in make_study(one, tmp_path / "c", 2, seconds=0.04).key.cases.values()]
    assert sorted(groups) == ["p", "q"]


def test_runs_that_do_not_make_a_study_are_told(runs, tmp_path):
    for wrong in (runs[:1], [runs[0], runs[0]]):
        with pytest.raises(UsageError, match="different names"):
            make_study(wrong, tmp_path)
    with pytest.raises(InputUnreadable, match="study make"):
        read_key(tmp_path)


KEY = Key(
    "abc123",
    3,
    ("m1", "m2", "m3", "m4"),
    tuple(question.id for question in QUESTIONS),
    {
        f"case{k}": Case(
            f"case{k}",
            f"clip{k}",
            f"p{k}",
            dict(zip("ABCD", random.Random(k).sample(["m1", "m2", "m3", "m4"], 4), strict=True)),
        )
        for k in range(1, 5)
    },
)


def _answer(rater, case, question, methods):
    letters = {method: letter for letter, method in KEY.cases[case].letters.items()}
    return Rating(rater, case, question, tuple(letters[method] for method in methods))


def _shares(scores, question):
    return {one.method: one.share for one in scores.preferences if one.question == question}


def test_shares_are_points_over_all_points():
    answers = [
        _answer("r1", "case1", "identity", ("m1", "m2", "m3")),
        _answer("r1", "case2", "identity", ("m2", "m1", "m4")),
        _answer("r2", "case1", "sync", ("m4", "m3", "m2")),
    ]
    scores = score_study(answers, KEY)
    # 3+2 of 12, 2+3 of 12, 1 of 12, 1 of 12.
    assert _shares(scores, "identity") == pytest.approx(
        {"m1": 500 / 12, "m2": 500 / 12, "m3": 100 / 12, "m4": 100 / 12}
    )
    assert _shares(scores, "sync") == pytest.approx(
        {"m1": 0, "m2": 100 / 6, "m3": 200 / 6, "m4": 50}
    )
    assert _shares(scores, OVERALL)["m4"] == pytest.approx(100 * 4 / 18)
    assert not _shares(scores, "quality")
    firsts = {one.method: one.first for one in scores.preferences if one.question == "identity"}
    assert firsts == {"m1": 50, "m2": 50, "m3": 0, "m4": 0}
    assert (scores.raters, scores.cases, scores.answers) == (2, 2, 3)
    assert "3/2/1" in scores.rule and "25.0 %" in scores.rule
    assert any("2 of the 5 raters" in warning for warning in scores.warnings)
    assert any("21 of 24 questions" in warning for warning in scores.warnings)


def test_unanimous_raters_leave_no_doubt_and_split_ones_do():
    slots = list(itertools.product((f"r{k}" for k in range(8)), KEY.cases, KEY.questions))
    same = score_study([_answer(*slot, ("m1", "m2", "m3")) for slot in slots], KEY)
    for one in same.preferences:
        assert one.low == pytest.approx(one.share) and one.high == pytest.approx(one.share)
    split = score_study(
        [
            _answer(*slot, ("m1", "m2", "m3") if int(slot[0][1]) % 2 else ("m4", "m3", "m2"))
            for slot in slots
        ],
        KEY,
    )
    best = next(o for o in split.preferences if (o.question, o.method) == (OVERALL, "m1"))
    assert best.share == 25
    assert best.low < 15 and best.high > 35
    assert split == score_study(
        [
            _answer(*s, ("m1", "m2", "m3") if int(s[0][1]) % 2 else ("m4", "m3", "m2"))
            for s in slots
        ],
        KEY,
    )
    single = score_study([_answer("r1", c, "sync", ("m1", "m2", "m3")) for c in KEY.cases], KEY)
    assert single.preferences[0].low is None


def test_the_interval_covers_the_truth_when_raters_differ():
    """Raters with tastes of their own: about 95 % of the intervals hold the true share."""
    generator = np.random.default_rng(5)
    held = []
    for trial in range(60):
        answers = []
        for rater in range(12):
            taste = generator.normal(0, 1.0, 4)
            for case in KEY.cases:
                seen = taste + generator.normal(0, 1.0, 4)
                order = [f"m{index + 1}" for index in np.argsort(-seen)[:3]]
                answers.append(_answer(f"r{rater}", case, "sync", order))
        scores = score_study(answers, KEY, seed=trial)
        held += [one.low <= 25 <= one.high for one in scores.preferences if one.question == "sync"]
    assert 0.86 <= np.mean(held) <= 1.0


def test_the_picture_is_one_svg_without_scripts():
    import xml.etree.ElementTree as ElementTree

    slots = itertools.product(("r1", "r2", "r3"), KEY.cases, KEY.questions)
    scores = score_study([_answer(*slot, ("m1", "m2", "m3")) for slot in slots], KEY)
    root = ElementTree.fromstring(study_picture(scores))
    bars = [r for r in root.iter("{http://www.w3.org/2000/svg}rect") if "height" in r.attrib]
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"m1", "m4", "Video quality", "Overall"} <= set(words)
    first, second = bars[1:3]
    assert float(first.get("height")) == pytest.approx(1.5 * float(second.get("height")), rel=0.01)


HEAD = "study,rater,case,question,rank1,rank2,rank3\n"
GOOD = "abc123,r1,case1,sync,A,B,C\n"


def test_answers_are_read_and_the_same_twice_counts_once(tmp_path):
    one, other = tmp_path / "a.csv", tmp_path / "b b.csv"
    one.write_text("\ufeff" + HEAD + GOOD + "\n", encoding="utf-8")
    other.write_text(HEAD + GOOD + "abc123,r2,case2,quality,D,A,B\n")
    assert read_ratings([one, other], KEY) == [
        Rating("r1", "case1", "sync", ("A", "B", "C")),
        Rating("r2", "case2", "quality", ("D", "A", "B")),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("other,r1,case1,sync,A,B,C", "study abc123, found 'other'"),
        ("abc123,=cmd(),case1,sync,A,B,C", "rater's letters"),
        ("abc123,r1,case9,sync,A,B,C", "did you mean 'case"),
        ("abc123,r1,case1,sink,A,B,C", "did you mean 'sync'"),
        ("abc123,r1,case1,sync,A,B,E", "A, B, C, D, found 'E'"),
        ("abc123,r1,case1,sync,A,B,", "found ''"),
        ("abc123,r1,case1,sync,A,A,B", "different letters"),
        ("abc123,r1,case1,sync,A,B", "7 fields, found 6"),
        ("abc123,r1,case1,sync,B,A,C", "a different one in"),
        ("abc123,r1,case1,sync,A,B," + "x" * 5000, "found 'x{40}…'"),
        ('abc123,r1,case1,"sync,A,B,C', "can be read"),
        ("abc123,r1,case1,sync,A,B,C\x00", "found|can be read"),
        ("x" * 200_000, "can be read"),
    ],
)
def test_hostile_answers_are_one_sentence_with_file_and_line(tmp_path, line, words):
    path = tmp_path / "answers.csv"
    path.write_text(HEAD + GOOD + line + "\n")
    with pytest.raises(InputUnreadable, match=words) as told:
        read_ratings([path], KEY)
    text = str(told.value)
    assert re.match(rf"{re.escape(str(path))}, line [23]: ", text)
    assert len(text) < 500 and "\n" not in text and "\x00" not in text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b"a,b\n1,2\n", HEAD.encode()])
def test_other_files_are_no_answers(tmp_path, content):
    path = tmp_path / "answers.csv"
    path.write_bytes(content)
    with pytest.raises(InputUnreadable):
        read_ratings([path], KEY)
    with pytest.raises(InputUnreadable, match="line 1"):
        read_ratings([tmp_path / "absent.csv"], KEY)


def test_the_commands_make_and_score(runs, tmp_path):
    out = tmp_path / "study"
    folders = [str(run.folder) for run in runs]
    told = CliRunner().invoke(
        bench_study.app,
        ["make", *folders, "--out", str(out), "--cases", "1", "--seconds", "1", "--json"],
    )
    assert told.exit_code == 0, told.output
    data = json.loads(told.stdout)["data"]
    assert data["cases"] == 1 and data["methods"] == list(METHODS)
    key = read_key(out)
    (case,) = key.cases.values()
    letters = {name: letter for letter, name in case.letters.items()}
    lines = [
        ",".join([key.study, f"r{k}", case.id, q, *(letters[name] for name in METHODS[:3])])
        for k in range(6)
        for q in key.questions
    ]
    answers = tmp_path / "a.csv"
    answers.write_text(HEAD + "\n".join(lines))
    told = CliRunner().invoke(bench_study.app, ["score", str(out), str(answers), "--json"])
    assert told.exit_code == 0, told.output
    data = json.loads(told.stdout)["data"]
    assert data["preferences"][0]["share"] == 50
    assert (out / "scores.svg").read_text(encoding="utf-8").startswith("<svg")
    assert json.loads((out / "scores.json").read_text())["answers"] == 18
    told = CliRunner().invoke(bench_study.app, ["score", str(out), str(answers)])
    assert "50.0 %" in told.stdout
    assert FRAMES == 50
