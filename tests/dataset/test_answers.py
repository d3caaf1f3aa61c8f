"""Reviewers' files as people write them: what is taken, refused and where, and the rates."""

import pandas as pd
import pytest

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.reasons import REVIEW_REASONS
from talkingface_wild.dataset.answers import defect_rates, overall_rate, read_answers
from talkingface_wild.dataset.decisions import Decision, save_decisions
from talkingface_wild.dataset.load import load

KNOWN = [f"c{i:03d}" for i in range(300)]
HEAD = "clip_id,stratum,decision,reason,words,reviewer\n"


def _file(tmp_path, *lines, head=HEAD, name="m.csv"):
    path = tmp_path / name
    path.write_text(head + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_answers_in_any_case_and_in_other_words(tmp_path):
    path = _file(
        tmp_path,
        "c001,random,ACCEPT,,,ana",
        "c002,random, yes ,,fine,ana",
        'c003,gate:x:fail,Reject,Out_Of_Sync,"lips late,\nby a lot",ana',
        "c004,random,no,dubbed,,",
        "c005,random,,,,",
    )
    decisions, empty = read_answers(path, KNOWN)
    assert empty == 1
    assert decisions == [
        Decision("c001", True, "", "", "ana"),
        Decision("c002", True, "", "fine", "ana"),
        Decision("c003", False, "out_of_sync", "lips late,\nby a lot", "ana"),
        Decision("c004", False, "dubbed"),
    ]


def test_semicolons_a_byte_order_mark_and_parquet_are_read_too(tmp_path):
    head = "\ufeff" + HEAD.replace(",", ";")
    path = _file(tmp_path, "c001;random;keep;;;", head=head)
    assert read_answers(path, KNOWN)[0] == [Decision("c001", True)]
    frame = pd.DataFrame({"clip_id": ["c002", "c003"], "decision": ["reject", None]})
    frame["reason"] = ["minor", None]
    frame.to_parquet(tmp_path / "m.parquet")
    assert read_answers(tmp_path / "m.parquet", KNOWN) == ([Decision("c002", False, "minor")], 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("c001,r,reject,out_of_sink,,", "line 3: .*did you mean 'out_of_sync'"),
        ("c001,r,reject,,,", "line 3: expected one of the reasons"),
        ("c001,r,rejct,,,", "line 3: .*did you mean 'reject'"),
        ("c001,r,,dubbed,,", "line 3: expected a decision"),
        ("c001,r,accept,dubbed,,", "line 3: expected no reason"),
        ("c9999,r,accept,,,", "line 3: expected a clip of this data set"),
        ("c001,r,reject,other,,", "line 3: expected words beside the reason 'other'"),
        ("c000,r,reject,dubbed,,", "line 3: expected one answer on each clip"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, said):
    path = _file(tmp_path, "c000,r,accept,,,", line)
    with pytest.raises(InputUnreadable, match=said):
        read_answers(path, KNOWN)


def test_lines_are_counted_past_line_breaks_in_words(tmp_path):
    path = _file(tmp_path, 'c000,r,accept,,"a\nb\nc",', "c001,r,what,,,")
    with pytest.raises(InputUnreadable, match="line 5"):
        read_answers(path, KNOWN)


def test_every_reason_is_taken(tmp_path):
    lines = [f"c{i:03d},r,reject,{reason},as seen," for i, reason in enumerate(REVIEW_REASONS)]
    decisions, _ = read_answers(_file(tmp_path, *lines), KNOWN)
    assert [decision.reason for decision in decisions] == list(REVIEW_REASONS)
    assert len(REVIEW_REASONS) == 14


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InputUnreadable, match="did you mean 'clip'"):
        read_answers(_file(tmp_path, "c001,accept", head="clip,decision\n"), KNOWN)
    (tmp_path / "x.parquet").write_bytes(b"no")
    for path in (tmp_path / "x.parquet", tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(InputUnreadable, match="tfw review export"):
            read_answers(path, KNOWN)


def _manifest(rows):
    names = ["clip_id", "language", "stratum", "sampling_probability"]
    return pd.DataFrame(rows, columns=names)


def test_rates_count_answered_random_clips_alone():
    rows = [(f"c{i:03d}", "en", "random;gate:x:pass", 0.5) for i in range(203)]
    rows += [("c203", "en", "gate:x:fail", None), ("c204", "ko", "random", 1.0)]
    decisions = {f"c{i:03d}": Decision(f"c{i:03d}", i >= 4) for i in range(203)}
    decisions["c203"] = Decision("c203", False, "dubbed")
    english, korean = defect_rates(_manifest(rows), decisions)
    assert (english.kept, english.drawn, english.answered, english.defects) == (406, 203, 203, 4)
    assert english.rate == pytest.approx(4 / 203)
    assert english.low < english.rate < english.high < 0.05
    assert (korean.kept, korean.answered, korean.rate, korean.high) == (1, 0, None, None)
    del decisions["c100"]
    assert defect_rates(_manifest(rows), decisions)[0].answered == 202


def test_languages_weigh_by_their_kept_clips():
    rows = [("c000", "en", "random", 0.01), ("c001", "ko", "random", 1.0)]
    decisions = {"c000": Decision("c000", True), "c001": Decision("c001", False, "minor")}
    assert overall_rate(defect_rates(_manifest(rows), decisions)) == pytest.approx(1 / 101)
    assert overall_rate([]) is None


def test_rejected_clips_leave_clips_and_keep_their_measures(data_set):
    gone, stays = data_set.clip("en/two.mp4", 2), data_set.clip("en/two.mp4", 3)
    before = load(data_set.out, "items").set_index("item_id")
    save_decisions(
        data_set.layout,
        [Decision(gone, False, "dubbed", "another voice", "ana"), Decision(stays, True)],
    )
    assert data_set.commit().number == 2
    clips = load(data_set.out).set_index("clip_id")
    assert gone not in clips.index
    assert clips.at[stays, "review"] == "accepted"
    after = load(data_set.out, "items").set_index("item_id")
    assert after.at[gone, "verdict_reason"] == "review:dubbed"
    assert after.at[gone, "verdict_detail"] == "another voice"
    for name in ("quality_crop_mean", "speech_ratio", "clip_seconds"):
        assert before.at[gone, name] == after.at[gone, name]
