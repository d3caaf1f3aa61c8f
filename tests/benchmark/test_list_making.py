"""Lists made from small files of the published formats: who is in, what is in, and what is told."""

import dataclasses
import itertools
import json
import random
import shutil

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from talkingface_wild.benchmark.lists.choice import choose, dataset_choice
from talkingface_wild.benchmark.lists.clip_list import ListRow, read_list
from talkingface_wild.benchmark.lists.make_list import make_list
from talkingface_wild.benchmark.lists.plans import PLANS, plan_of
from talkingface_wild.benchmark.lists.published import name_stem, read_celebvhq, read_hdtf
from talkingface_wild.benchmark.lists.videos import find_videos, locate, look
from talkingface_wild.cli import bench_list
from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.functional.fingerprints import Fingerprint, sound_words
from talkingface_wild.media.sound import write_wav
from talkingface_wild.perception.face_detector import make_detector
from tests.benchmark.published import celebvhq, many, write_celebvhq, write_hdtf
from tests.dataset.fixture import make_data_set


@pytest.fixture(scope="module")
def hdtf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hdtf")
    segments = many(120, shorts=10, longs=48)
    return write_hdtf(folder, segments)


def test_hdtf_is_read_as_published(tmp_path):
    write_hdtf(
        tmp_path / "HDTF_dataset",
        {"Ann0": [("00:05", "01:30")], "Bob": [("00:02", "02:25"), ("1:03:00", "1:06:45")]},
        no_crop=("Bob_1",),
    )
    ann, bob, last = read_hdtf(tmp_path)
    assert (ann.clip, ann.source, ann.identity) == ("Ann0_0", "WDA/Ann0", "Ann")
    assert (ann.start, ann.end) == (5.0, 90.0)
    assert ann.names == ("Ann0", "WDA_Ann0", "id_Ann0")
    # 320, 360, 90, 360 at 1280 x 720: left, width, top, height.
    assert ann.crop == (0.25, 0.125, 0.5)
    assert ListRow("a", "s").cropped(ann.crop).window(1280, 720).left == 320
    assert (bob.clip, last.clip) == ("Bob_0", "Bob_1")
    assert (last.start, last.end, last.crop) == (3780.0, 4005.0, None)


def test_two_names_of_one_video_are_one_person(tmp_path):
    urls = {"WhipJim": "same", "Jim1": "same", "Jim0": "other"}
    spans = {name: [("00:05", "01:00")] for name in urls}
    write_hdtf(tmp_path, spans, urls)
    assert {segment.identity for segment in read_hdtf(tmp_path)} == {"Jim"}
    assert name_stem("2046") == "2046"


@pytest.mark.parametrize("span", ["00:05", "00:90-x", "01:00-00:30", "0-1"])
def test_a_bad_span_is_told_with_its_line(tmp_path, span):
    (tmp_path / "WDA_annotion_time.txt").write_text(f"Ann.mp4 00:05-01:00\nBob.mp4 {span}\n")
    with pytest.raises(InputUnreadable, match=r"WDA_annotion_time\.txt, line 2: expected a span"):
        read_hdtf(tmp_path)


def test_a_bad_crop_and_an_empty_folder_are_told(tmp_path):
    with pytest.raises(InputUnreadable, match="HDTF_dataset of the HDTF repository"):
        read_hdtf(tmp_path)
    write_hdtf(tmp_path, {"Ann": [("00:05", "01:00")]})
    (tmp_path / "WDA_crop_wh.txt").write_text("Ann_0.mp4 1 2 three 4\n")
    with pytest.raises(InputUnreadable, match=r"WDA_crop_wh\.txt, line 1"):
        read_hdtf(tmp_path)


def test_hdtf_100_has_a_hundred_people_once_each(hdtf, tmp_path):
    made = make_list("hdtf-100", tmp_path, source=hdtf)
    rows = made.list.rows
    assert len(rows) == 100
    assert len({row.identity for row in rows}) == 100
    assert all(row.frames == 375 and row.language == "en" and row.crop_side for row in rows)
    assert not any(row.identity.startswith("Short") for row in rows)
    assert not any(row.path or row.phash or row.sound_print for row in rows)
    assert any("no videos were given" in note for note in made.notes)
    assert read_list(made.path) == made.list


def test_hdtf_91_lies_inside_and_holds_people_out(hdtf, tmp_path):
    large = make_list("hdtf-100", tmp_path, source=hdtf).list
    small = make_list("hdtf-91", tmp_path, source=hdtf).list
    assert set(small.rows) < set(large.rows)
    segments = read_hdtf(hdtf)
    everyone = {segment.identity for segment in segments}
    assert len(everyone) == 178
    assert len(small.rows) == 18
    held_out = {row.identity for row in small.rows}
    training = {s.clip for s in segments if s.identity not in held_out}
    assert not training & {s.clip for s in segments if s.identity in held_out}


def test_the_choice_does_not_depend_on_the_order_and_does_on_the_seed(hdtf):
    segments = read_hdtf(hdtf)
    plan = plan_of("hdtf-100")
    first = choose(plan, segments)
    random.Random(5).shuffle(segments)
    assert choose(plan, segments) == first
    assert choose(plan, segments, seed=2) != first


def test_unnamed_speakers_stay_out(tmp_path, hdtf):
    folder = tmp_path / "both"
    shutil.copytree(hdtf, folder)
    write_hdtf(folder, {f"Radio{k}": [("00:05", "01:00")] for k in range(60)}, part="RD")
    with_radio = choose(plan_of("hdtf-91"), read_hdtf(folder))
    assert with_radio == choose(plan_of("hdtf-91"), read_hdtf(hdtf))


def test_long_48_takes_exactly_the_long_segments(hdtf, tmp_path):
    rows = make_list("long-48", tmp_path, source=hdtf).list.rows
    assert len(rows) == 48
    assert all(row.frames == 7200 and row.identity.startswith("Long") for row in rows)


def test_too_few_people_are_told(tmp_path):
    write_hdtf(tmp_path, many(20, longs=3))
    for name, found in (("hdtf-100", 23), ("hdtf-91", 23), ("long-48", 3)):
        with pytest.raises(UsageError, match=f"found {found}"):
            make_list(name, tmp_path, source=tmp_path)
    assert not list(tmp_path.glob("*.csv"))


def test_celebv_200(tmp_path):
    path = write_celebvhq(tmp_path / "celebvhq_info.json", celebvhq(420))
    rows = make_list("celebv-200", tmp_path, source=tmp_path).list.rows
    assert len(rows) == 200
    assert len({row.source for row in rows}) == 200
    assert all(row.frames == 125 for row in rows)
    # Box 0.1-0.7 x 0.25-0.75, widened by 0.02: 0.64 high, 0.54 x 16/9 wide: 0.64 is the shorter.
    assert {row.crop_side for row in rows} == {0.64}
    assert {row.crop_top for row in rows} == {0.08}
    window = rows[0].window(1600, 900)
    assert window.left + window.side / 2 == pytest.approx(800, abs=1)
    assert path.is_file()


def test_short_or_broken_celebv_is_told(tmp_path):
    path = write_celebvhq(tmp_path / "celebvhq_info.json", celebvhq(420, seconds=4.9))
    with pytest.raises(UsageError, match="found 0"):
        make_list("celebv-200", tmp_path, source=path)
    for damage in (
        lambda clip: clip.pop("bbox"),
        lambda clip: clip["duration"].update(end_sec="never"),
        lambda clip: clip["bbox"].update(top=0.9),
        lambda clip: clip.update(ytb_id=7),
    ):
        data = celebvhq(4)
        damage(data["clips"]["vidb_1"])
        with pytest.raises(InputUnreadable, match="'vidb_1'"):
            read_celebvhq(write_celebvhq(tmp_path / "bad.json", data))
    (tmp_path / "bad.json").write_text(json.dumps([1, 2]))
    with pytest.raises(InputUnreadable, match="as published"):
        read_celebvhq(tmp_path / "bad.json")


def _table(languages=12, people=45, seconds=12.0):
    rows = [
        {
            "clip_id": f"{language:02d}{person:03d}{clip}",
            "source_id": f"s{language:02d}{person:03d}",
            "language": f"l{language:02d}",
            "identity": f"p{language:02d}{person:03d}",
            "split": "test" if person else "train",
            "start_seconds": 3.0,
            "end_seconds": 3.0 + seconds - 4 * (clip == 2),
            "media_path": f"media/l{language:02d}/{person}-{clip}.mp4",
        }
        for language, person, clip in itertools.product(range(languages), range(people), range(3))
    ]
    return pd.DataFrame(rows)


def test_tfw_400_has_ten_languages_of_forty_people():
    table = _table()
    rows = dataset_choice(table, PLANS["tfw-400"])
    assert len(rows) == 400
    counts = pd.Series([row.language for row in rows]).value_counts()
    assert dict(counts) == {f"l{k:02d}": 40 for k in range(10)}
    assert len({row.identity for row in rows}) == 400
    assert not any(row.clip.endswith("2") for row in rows), "clips under 10 s are out"
    assert not any(row.identity.endswith("000") for row in rows), "the train split is out"
    shuffled = table.sample(frac=1.0, random_state=3)
    assert dataset_choice(shuffled, PLANS["tfw-400"]) == rows


def test_an_identity_counts_in_one_language_only():
    table = _table(languages=10, people=41)
    twice = table.copy()
    twice["identity"] = twice["identity"].str.replace(r"p\d\d", "p", regex=True)
    with pytest.raises(UsageError, match="l01 0"):
        dataset_choice(twice, PLANS["tfw-400"])


def test_a_small_data_set_is_told_what_it_lacks(tmp_path):
    made = make_data_set(tmp_path / "out")
    with pytest.raises(UsageError, match=r"en \d+.*--split|found none.*--split"):
        make_list("tfw-400", made.out, source=made.out)
    with pytest.raises(InputUnreadable, match="'identity'"):
        dataset_choice(_table(1, 2).drop(columns="identity"), PLANS["tfw-400"])


def _open_set(folder, count=20, seconds=8.0):
    for kind in ("faces", "voices"):
        (folder / kind / "more").mkdir(parents=True)
    noise = np.random.default_rng(7)
    for index in range(count):
        inner = ("", "more")[index % 2]
        (folder / "faces" / inner / f"f{index}.png").write_bytes(noise.bytes(40))
        samples = noise.integers(-9, 9, round(seconds * 1000)).astype(np.int16)
        write_wav(folder / "voices" / inner / f"{index // 2}.wav", samples, 1000)


def test_the_open_set_is_a_square_and_its_diagonal(tmp_path):
    _open_set(tmp_path)
    folders = {"portraits": tmp_path / "faces", "sounds": tmp_path / "voices"}
    square = make_list("open-400", tmp_path, **folders)
    rows = square.list.rows
    assert len(rows) == 400
    assert len({row.portrait for row in rows}) == len({row.sound for row in rows}) == 20
    assert all(row.frames == 200 and not row.path for row in rows)
    assert square.list.file(rows[0], "portrait").is_file()
    assert square.list.file(rows[0], "sound").is_file()
    assert read_list(square.path) == square.list
    diagonal = make_list("open-20", tmp_path, **folders).list.rows
    assert len(diagonal) == 20
    assert set(diagonal) < set(rows)
    assert len({row.identity for row in diagonal}) == len({row.sound for row in diagonal}) == 20


def test_an_open_set_that_is_short_or_elsewhere_is_told(tmp_path):
    _open_set(tmp_path / "a", seconds=7.9)
    folders = {"portraits": tmp_path / "a" / "faces", "sounds": tmp_path / "a" / "voices"}
    with pytest.raises(UsageError, match="20 different files.*found 0"):
        make_list("open-400", tmp_path, **folders)
    _open_set(tmp_path / "b")
    folders = {"portraits": tmp_path / "b" / "faces", "sounds": tmp_path / "b" / "voices"}
    with pytest.raises(UsageError, match="inside the list's folder"):
        make_list("open-400", tmp_path / "lists", **folders)
    with pytest.raises(UsageError, match="both folders"):
        make_list("open-400", tmp_path)


def test_unknown_names_and_missing_sources_are_told(tmp_path):
    with pytest.raises(UsageError, match="did you mean 'hdtf-100'"):
        make_list("hdtf-10", tmp_path)
    with pytest.raises(UsageError, match="--from PATH"):
        make_list("hdtf-100", tmp_path)


@pytest.fixture(scope="module")
def real(shared):
    return shared / "media" / "clips" / "hdtf_ocasio.mp4"


def test_a_real_clip_gives_prints_and_a_crop_around_the_face(real, shared):
    detector = make_detector("scrfd_500m", shared / "weights" / "scrfd_500m_kps.onnx").open()
    row = ListRow("a", "s", start_seconds=0.0, frames=50)
    looked = look(row, real, detector)
    assert looked.note == ""
    assert len(looked.row.phash) == 5 * 16
    assert len(sound_words(looked.row.sound_print)) > 30
    assert 0.3 < looked.row.crop_side < 2
    window = looked.row.window(512, 512)
    face = detector.detect(next(_frames(real)).rgb).boxes_N5[0]
    assert window.left < face[0] and window.left + window.side > face[2]
    again = look(dataclasses.replace(row, frames=50), real, None).row
    assert Fingerprint(again.phash, again.sound_print) == Fingerprint(
        looked.row.phash, looked.row.sound_print
    )
    assert again.crop_side is None


def _frames(path):
    from talkingface_wild.media.decode import frames

    return frames(path)


def test_a_video_that_ends_early_or_is_none_is_noted(real, tmp_path):
    row = ListRow("a", "s", frames=7200)
    assert "of 7200 frames" in look(row, real, None).note
    (tmp_path / "x.mp4").write_bytes(b"no video")
    looked = look(row, tmp_path / "x.mp4", None)
    assert looked.row == row and looked.note


def test_videos_at_hand_fill_the_columns(tmp_path, hdtf, real):
    chosen = make_list("hdtf-91", tmp_path / "bare", source=hdtf).list.rows
    videos = tmp_path / "with" / "videos"
    videos.mkdir(parents=True)
    shutil.copy(real, videos / f"{chosen[0].source.split('/')[1]}.mp4")
    made = make_list("hdtf-91", tmp_path / "with", source=hdtf, videos=videos)
    assert {row.clip for row in made.list.rows} == {row.clip for row in chosen}
    assert any("17 of 18 videos are not in" in note for note in made.notes)
    assert any("SCRFD" in note for note in made.notes)
    filled = [row for row in made.list.rows if row.path]
    assert [row.clip for row in filled] == [chosen[0].clip]
    found = locate(make_list("hdtf-91", tmp_path / "bare", source=hdtf).list, videos)
    assert found.file(found.rows[0]).is_file() and not found.rows[1].path
    with pytest.raises(InputUnreadable, match="found none"):
        find_videos(tmp_path / "nowhere")


def test_the_commands_make_and_show(hdtf, tmp_path):
    runner = CliRunner()
    told = runner.invoke(
        bench_list.app, ["make", "hdtf-91", "--from", str(hdtf), "--out", str(tmp_path), "--json"]
    )
    assert told.exit_code == 0, told.output
    made = json.loads(told.stdout)
    assert made["data"]["clips"] == 18 and made["data"]["with_video"] == 0
    assert any("no videos were given" in warning for warning in made["warnings"])
    (tmp_path / "long-48.csv").write_text("clip\n")
    told = runner.invoke(bench_list.app, ["--out", str(tmp_path), "--json"])
    assert told.exit_code == 0, told.output
    rows = {row["name"]: row for row in json.loads(told.stdout)["data"]["lists"]}
    assert list(rows) == list(PLANS)
    assert rows["hdtf-91"]["sha8"] == made["data"]["sha8"]
    assert rows["hdtf-100"]["made"] is False and "HDTF" in rows["hdtf-100"]["needs"]
    assert "columns of a list" in rows["long-48"]["error"]
    assert "hdtf-91" in runner.invoke(bench_list.app, ["--out", str(tmp_path)]).stdout
    told = runner.invoke(bench_list.app, ["--adapters"])
    assert "sadtalker" in told.stdout and "no: written from" in told.stdout
