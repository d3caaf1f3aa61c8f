"""The page of a run: whole, self-contained, escaped, and honest about what it lacks."""

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from talkingface_wild.benchmark.base import Score
from talkingface_wild.benchmark.runs import write_run
from talkingface_wild.pages.line_chart import dot_row, line_chart
from talkingface_wild.pages.run_page import page, write_page
from talkingface_wild.pages.worst_clips import MOST_STRIPS, worst_clips
from tests.benchmark.made_runs import make_run

CURVE = {"frames": [30, 300, 1800], "ssim": [0.8, None, 0.6], "csim": [0.9, 0.85, 0.7]}


class Reader(HTMLParser):
    """Tags, their attributes, and whether all are closed."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.addresses, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def with_columns(run, **columns):
    rows = [row | columns for row in run.clips().to_dict("records")]
    write_run(run, rows)
    return run


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run", "alpha", quality=0.3)


def test_the_page_needs_nothing_from_outside(run, tmp_path):
    write_page(run, tmp_path / "out" / "page.html")
    text = (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    reader = read(text)
    assert "script" not in reader.tags
    assert all(address.startswith("data:") for address in reader.addresses)
    assert "http" not in re.sub(r'http-equiv="[^"]*"', "", text)
    assert "default-src 'none'" in text or "default-src &#x27;none&#x27;" in text


def test_scores_stand_with_interval_count_and_signature(run):
    text = " ".join(read(page(run)).text)
    score = run.scores["sync_c"]
    assert f"{score.value:.2f}" in text
    assert f"{score.low:.2f} … {score.high:.2f}" in text
    assert "tfw-v1|list=tiny-40:89abcdef|clips=40/40" in text
    assert "40 clips, median" in text
    assert "10 folds left out in turn" in text
    assert "English" in text
    assert "UNOFFICIAL" not in text


def test_hostile_text_is_shown_and_not_obeyed(tmp_path):
    name = "</title><script>alert(1)</script>\"'<img src=x onerror=y>"
    run = make_run(tmp_path / "run", name, lost=["clip-03"])
    rows = [row | {"detail": name, "clip": f"{name}{row['clip']}"} for row in _rows(run)]
    write_run(run, rows)
    reader = read(page(replace(run, facts={"notes": [name], "left_out": {name: [name]}})))
    assert "script" not in reader.tags
    assert "img" not in reader.tags
    assert "".join(reader.text).count("<script>alert(1)</script>") > 3


def _rows(run):
    return run.clips().to_dict("records")


def test_what_was_lost_is_listed_with_its_reason(tmp_path):
    run = make_run(tmp_path / "run", "alpha", lost=["clip-03"], failed=2)
    refused = json.dumps({"generated/lipsync": "no_face: too small"})
    run = with_columns(run, refused=refused)
    text = "|".join(read(page(run)).text)
    assert "clip-03|not scored|no_face" in text
    assert "no face in 375 frames" in text
    assert "clip-00|failed, static frame|crash" in text
    assert "generated/lipsync|no_face: too small|40" in text
    assert "5% of the videos failed: nothing of this run is bold" in text


def test_unofficial_weights_are_said_at_the_top_and_in_their_row(tmp_path):
    run = make_run(tmp_path / "run", "alpha", official=False)
    text = "|".join(read(page(run)).text)
    assert "UNOFFICIAL WEIGHTS: syncnet_v2." in text
    assert "syncnet_v2|UNOFFICIAL" in text
    assert text.count("published file") == len(run.weights) - 1


def test_drift_curves_are_drawn_with_their_gap(run):
    extra = {"curve": CURVE, "failure_frames": {"c7": 1500}}
    drift = Score("drift", -0.1, None, None, 40, "clips", extra=extra)
    text = page(replace(run, scores={**run.scores, "drift": drift}))
    assert text.count('class="curve"') == 1
    assert "ssim over frames" in text
    assert "fails on the way: 1, the first at frame 1500 (c7)" in text
    assert "Drift</h2>" not in page(run)


def test_worst_clips_are_the_worst_in_each_metrics_own_direction(run):
    frame = run.clips().set_index("clip")
    chosen = {clip.clip: clip.values for clip in worst_clips(run)}
    assert len(chosen) <= MOST_STRIPS
    for metric, worst in (("sync_c", "idxmin"), ("sync_d", "idxmax"), ("ssim", "idxmin")):
        clip = getattr(frame[metric], worst)()
        assert metric in chosen[clip]
    assert not any("flicker" in values for values in chosen.values())
    assert not any("fid" in values for values in chosen.values())


def test_missing_videos_are_a_note(run):
    run = with_columns(run, generated="gone.mp4", reference="/nowhere/real.mp4")
    for clip in worst_clips(run):
        assert clip.picture == ""
        assert clip.missing == (
            "generated: gone.mp4 is not there any more; reference: real.mp4 is not there any more"
        )
    broken = run.folder / "broken.mp4"
    broken.write_bytes(b"no video")
    run = with_columns(run, generated="broken.mp4", reference="")
    assert all("broken.mp4: " in clip.missing for clip in worst_clips(run))
    assert "no pictures" in page(run)


def test_strips_show_generated_above_reference_at_the_clips_own_span(tmp_path, shared):
    run = make_run(tmp_path / "run", "alpha")
    clips = shared / "media" / "clips"
    asked = {"clip": {"start_seconds": 1.0, "crop": [0.25, 0.25, 0.5]}}
    run = with_columns(
        run,
        generated=str(clips / "may.mp4"),
        reference=str(clips / "may.mp4"),
        frames=50,
        asked=json.dumps(asked),
    )
    rows = _rows(run)
    write_run(replace(run, scores={"ssim": run.scores["ssim"]}), rows)
    first, *_ = worst_clips(replace(run, scores={"ssim": run.scores["ssim"]}))
    assert first.missing == ""
    data = base64.b64decode(first.picture.removeprefix("data:image/jpeg;base64,"))
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (192, 6 * 96, 3)
    top, bottom = picture[:96].astype(int), picture[96:].astype(int)
    assert np.abs(top - bottom).mean() > 5
    assert all(picture[96:, 96 * k : 96 * k + 96].std() > 5 for k in range(6))


def test_a_line_chart_is_monotone_where_its_values_are():
    chart = line_chart([30, 300, 7200], [3.0, 2.0, 1.0], "falls", bound=0.5)
    (points,) = re.findall(r'points="([^"]+)"', chart)
    pairs = [tuple(map(float, pair.split(","))) for pair in points.split()]
    assert [x for x, _ in pairs] == sorted(x for x, _ in pairs)
    assert [y for _, y in pairs] == sorted(y for _, y in pairs)
    assert "7,200" in chart
    assert 'class="bound"' in chart


@pytest.mark.parametrize("values", [[1.0, 1.0], [0.0, 0.0], [None, 2.0], [float("nan"), 2.0]])
def test_charts_of_constant_or_missing_values_hold_finite_numbers(values):
    chart = line_chart([30, 300], values, "flat")
    assert "nan" not in chart.lower()
    assert "inf" not in chart
    assert chart.count("<circle") == sum(v is not None and v == v for v in values)


def test_empty_charts_say_so_and_wrong_ones_are_refused():
    assert "Nothing was measured" in line_chart([30], [None], "none")
    with pytest.raises(ValueError, match="a value for each of 2 frames, found 1"):
        line_chart([30, 300], [1.0], "short")
    assert dot_row([1.0, 1.0, 1.0], 1.0, "same").count("<circle") == 3


def test_a_run_with_one_metric_and_no_networks_has_a_page(run):
    run = replace(run, scores={"fid": run.scores["fid"]}, languages={}, weights={})
    reader = read(page(run))
    assert "No metric of this run needs a network." in reader.text
    assert "Languages" not in reader.text
    nothing = replace(run.scores["fid"], value=None, low=None, high=None, replicates={}, note="few")
    assert "few" in "".join(read(page(replace(run, scores={"fid": nothing}))).text)


def test_cards_count_in_words_that_fit(run):
    """The page said 0 languages, 1 seeds, and a clip's id twice where it was its own group."""
    rows = run.clips()
    rows["language"], rows["group"] = "", rows["clip"]
    write_run(run, rows.to_dict("records"))
    shown = page(replace(run, seeds=1))
    cards = dict(
        reversed(pair)
        for pair in re.findall(r'class="card"><b>([\d,]+)</b><span>([^<]+)</span>', shown)
    )
    assert cards["seed"] == "1"
    assert "seeds" not in cards
    assert "languages" not in cards
    assert cards["identities"] == str(rows["clip"].nunique())
    for clip in rows["clip"]:
        assert f"{clip} · {clip}" not in shown
    assert re.search(rf"<br>{rows['clip'].iloc[0][:4]}\w*", shown)
