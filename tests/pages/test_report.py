"""The report's numbers, counted on paper from the fixture's takes, and the page that shows them."""

import base64
import dataclasses
import re

import cv2
import numpy as np
import pytest

from talkingface_wild.core.gate import Gate
from talkingface_wild.dataset.snapshot import read_recorded
from talkingface_wild.engine.journal import Journal, Record
from talkingface_wild.pages.data_report import gather_report
from talkingface_wild.pages.report_page import page, write_report
from talkingface_wild.pages.templating import POLICY
from tests.dataset.fixture import GATES, Take, Video, grey_at, make_data_set
from tests.pages.seen import Seen

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>']]>&amp;"


def _report(made, pictures=60):
    return gather_report(read_recorded(made.out), pictures)


def test_languages_are_counted_as_on_paper(read_only):
    report = _report(read_only)
    rows = {row.language: row for row in report.languages}
    english, korean = rows["en"], rows["ko"]
    assert (english.sources, english.clips_cut, english.clips_kept) == (3, 8, 5)
    assert (korean.sources, korean.clips_cut, korean.clips_kept) == (2, 3, 2)
    assert english.clips_accepted == 5
    assert english.hours_kept == pytest.approx((10 + 10 + 8 + 8 + 6) / 3600, abs=1e-6)
    assert korean.mean_seconds == pytest.approx((12 + 9) / 2)
    assert (english.identities, report.identities, report.clips) == (2, 3, 7)
    assert sum(english.sides.values()) == 5
    assert report.duplicates is None


def test_sources_and_clips_have_funnels_of_their_own(read_only):
    report = _report(read_only)
    sources = {step.stage: step for step in report.funnels["source"]}
    clips = {step.stage: step for step in report.funnels["clip"]}
    assert (sources["probe"].entered, sources["probe"].rejected, sources["probe"].failed) == (
        5,
        1,
        1,
    )
    assert (clips["shots"].entered, clips["shots"].kept) == (11, 10)
    assert clips["quality"].reasons == {"low_quality": 2}
    assert [step.stage for step in report.language_funnels["ko"]][:3] == [
        "shots",
        "speech",
        "quality",
    ]
    assert report.language_funnels["ko"][0].entered == 3


def test_cost_is_summed_over_all_items_and_told_per_source_second(read_only):
    costs = {cost.stage: cost for cost in _report(read_only).costs}
    assert set(costs) == {"probe", "shots", "speech", "quality", "encode"} | {"sync"}
    assert costs["speech"].items == 10
    assert costs["speech"].cpu_seconds == pytest.approx(10 * 0.25)
    video_seconds = 32 + 30 + 5 + 29
    assert costs["speech"].cpu_per_source_second == pytest.approx(2.5 / video_seconds)
    assert costs["probe"].retries == 2


def test_failures_carry_reason_and_attempts(read_only):
    (failure,) = _report(read_only).failures
    assert (failure.source, failure.stage, failure.reason, failure.attempts) == (
        "ko/gone.mp4",
        "probe",
        "file_missing",
        3,
    )
    assert any("--retry-failed" in warning for warning in _report(read_only).warnings)


def test_gates_show_what_they_judged_with_each_languages_bound(read_only):
    views = {view.gate.name: view for view in _report(read_only).gates}
    assert list(views) == [gate.name for gate in GATES]
    assert (len(views["sound"].rows), views["sound"].failed, views["sound"].without) == (4, 1, 1)
    assert (len(views["length"].rows), views["length"].failed) == (11, 1)
    assert (len(views["quality"].rows), views["quality"].failed) == (9, 2)
    assert len(views["sync"].rows) == 0
    nearest = {(e.value, e.bound) for e in views["quality"].examples if e.passed}
    assert nearest > {(41.0, 40.0), (36.0, 35.0)}
    assert {e.value for e in views["quality"].examples if not e.passed} == {39.0, 34.0}


def test_stills_show_the_middle_of_borderline_clips(read_only):
    view = next(view for view in _report(read_only).gates if view.gate.name == "speech")
    (failing,) = [example for example in view.examples if not example.passed]
    picture = cv2.imdecode(np.frombuffer(failing.picture, np.uint8), cv2.IMREAD_COLOR)
    assert max(picture.shape) <= 160
    assert picture.mean() == pytest.approx(grey_at(25), abs=4)


def test_stills_are_capped_and_shared_among_the_gates(read_only):
    for most in (0, 5, 9, 60):
        report = _report(read_only, most)
        shown = [example for view in report.gates for example in view.examples]
        assert len(shown) <= most
    assert [len(view.examples) for view in _report(read_only, 8).gates] == [0, 2, 2, 2, 0]


def test_a_missing_file_is_said_and_harms_nobody(data_set):
    report = _report(data_set)
    examples = [example for view in report.gates for example in view.examples]
    assert examples
    assert {example.missing for example in examples} == {"no picture: file_missing"}
    assert "no picture: file_missing" in page(report)


def test_the_page_stands_alone(read_only, tmp_path):
    report = write_report(read_only.out, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    seen = Seen(text)
    names = {name for name, _ in seen.elements}
    assert not names & {"script", "link", "iframe", "object", "embed", "form", "base"}
    policies = [a["content"] for n, a in seen.elements if n == "meta" and "http-equiv" in a]
    assert policies == [POLICY]
    assert "script" not in POLICY
    assert not re.search(r"https?://|url\(|@import|//[a-z]", text.split("</style>")[0])
    pictures = [a["src"] for n, a in seen.elements if n == "img"]
    assert len(pictures) == sum(len(view.examples) for view in report.gates)
    for picture in pictures:
        kind, data = picture.split(",")
        assert kind == "data:image/jpeg;base64"
        assert base64.b64decode(data, validate=True)[:2] == b"\xff\xd8"
    assert str(read_only.out) not in text.replace(f"--out {read_only.out}", "")


def test_every_part_is_on_the_page(read_only):
    text = Seen(page(_report(read_only))).text
    for words in (
        "3,452",
        "241.6",
        "27.8",
        "weight syncnet_v2 is missing",
        "file_missing",
        "quality_crop_mean >= 40",
        "ko 35",
        "Korean",
        "62%",
        "rejected: little_speech",
    ):
        assert words in text, words


def test_scores_are_shown_language_by_language_against_their_own_bound(read_only):
    text = page(_report(read_only))
    part = text.split("Scores by language")[1].split("</section>")[0]
    labels = [a["aria-label"] for n, a in Seen(part).elements if n == "svg"]
    assert labels == ["Histogram of quality_crop_mean, en", "Histogram of quality_crop_mean, ko"]
    assert "en: 6 clips, 83% pass" in part
    assert "ko: 3 clips, 67% pass" in part


def test_hostile_text_stays_text(tmp_path):
    video = Video(f"{HOSTILE.replace('/', '')}.mp4", "en", failed="crash", licence=HOSTILE)
    foreign = Video("b.mp4", HOSTILE.replace("/", ""), [Take(0, 10)])
    gates = (Gate(HOSTILE, "clip_seconds", ">=", 3.0, "too_short", "reject", {HOSTILE: 2.0}),)
    made = make_data_set(tmp_path / "out", [video, foreign], gates, recipe=HOSTILE)
    text = page(_report(made))
    harmless = page(_report(make_data_set(tmp_path / "plain")))
    seen = Seen(text)
    assert {name for name, _ in seen.elements} <= {name for name, _ in Seen(harmless).elements} | {
        "img"
    }
    assert not [a for _, a in seen.elements if any(key.startswith("on") for key in a)]
    assert all(a["src"].startswith("data:") for n, a in seen.elements if n == "img")
    assert HOSTILE in seen.text
    assert video.name in seen.text


def test_a_data_set_without_clips_has_a_report(tmp_path):
    made = make_data_set(tmp_path / "out", [Video("en/a.mp4", "en", has_audio=False)])
    report = _report(made)
    assert (report.clips, report.hours, report.mean_seconds) == (0, 0.0, None)
    assert "No clip was kept in en." in report.warnings
    assert "no_audio" in page(report)


@pytest.mark.parametrize(
    ("recipe", "seconds", "warned"),
    [
        ("talkingface_wild", 26.2, True),
        ("talkingface_wild", 26.4, False),
        ("talkingface_wild", 29.2, False),
        ("talkingface_wild", 29.4, True),
        ("embedded", 5.0, False),
    ],
)
def test_the_mean_length_is_held_against_the_papers(tmp_path, recipe, seconds, warned):
    video = Video("en/a.mp4", "en", [Take(0, seconds)])
    report = _report(make_data_set(tmp_path / "out", [video], recipe=recipe))
    assert any("27.8" in warning for warning in report.warnings) == warned


def _row_of(text, stage):
    rows = re.findall(r"<tr>.*?</tr>", text)
    return next(row for row in rows if re.search(rf">{stage}<", row) and "<svg" in row)


def test_a_stage_that_measured_nothing_has_a_grey_bar_and_no_kept_clips(read_only):
    """Full green bars stood at stages whose networks had never run."""
    text = page(_report(read_only))
    sync, quality = _row_of(text, "sync"), _row_of(text, "quality")
    assert 'class="unmeasured"' in sync
    assert 'class="pass"' not in sync
    assert "not measured (weight syncnet_v2 is missing)" in sync
    assert "7 not measured, 0 rejected" in sync
    assert 'class="pass"' in quality
    assert 'class="unmeasured"' not in quality
    card = next(part for part in re.findall(r"<article>.*?</article>", text) if "<h3>sync" in part)
    assert "Not measured (weight syncnet_v2 is missing): the gate lets clips through." in card
    assert "<svg" not in card


def test_the_page_says_of_which_set_and_day_it_is(read_only):
    written = read_recorded(read_only.out).written
    text = Seen(page(_report(read_only))).text
    assert f"Commit 1 of {written:%Y-%m-%d %H:%M} UTC" in text
    assert f"{read_only.out.name}: data set report, commit 1" in text


def test_times_of_a_small_set_are_no_thousandths_of_an_hour(read_only):
    """Seven kept clips of 65 s in all: 10 + 10, 8 + 8 + 6 and 12 + 9 s, less the rejected."""
    report = _report(read_only)
    seconds = round(report.hours * 3600)
    assert 43 < seconds < 75
    text = Seen(page(report)).text
    assert f"{seconds // 60} min {seconds % 60:02d} s" in text
    assert "0.0" not in "".join(re.findall(r"[\d.]+ h\b", text))


def test_kept_clips_without_speech_are_said(tmp_path):
    """A recipe that gates nothing on speech keeps a silent clip in a talking-face set."""
    videos = [Video("en/a.mp4", "en", [Take(0, 9, speech=0.9), Take(9, 18, speech=0.0)])]
    made = make_data_set(tmp_path / "quiet", videos, gates=GATES[:2])
    clips = [made.clip("en/a.mp4", index) for index in range(2)]
    journal = Journal(made.out / "journal")
    for planned in made.plan.stages:
        if planned.name in ("quality", "encode"):
            journal.put([Record(clips[1], planned.name, planned.fingerprint, "done")])
    made.commit()
    (warning,) = [text for text in _report(made).warnings if "speech" in text]
    assert warning.startswith(f"1 kept clip has no speech (speech_ratio 0.0): {clips[1]};")
    assert f"tfw recut {made.out} --set gates.speech_ratio.above=0" in warning
    loud = _report(make_data_set(tmp_path / "loud"))
    assert not any("no speech" in text for text in loud.warnings)


def test_a_gates_own_reason_is_shown_with_its_own_words(tmp_path):
    """The page showed a reason that is in no list of ours without a meaning."""
    own = [
        dataclasses.replace(gate, reason="pale", meaning="the picture has little colour")
        if gate.reason == "low_quality"
        else gate
        for gate in GATES
    ]
    data_set = make_data_set(tmp_path, gates=tuple(own))
    write_report(data_set.out, tmp_path / "page.html", pictures=0)
    text = (tmp_path / "page.html").read_text("utf-8")
    assert re.search(r"pale.{0,200}the picture has little colour", text, re.DOTALL)
