"""Tables of made runs: what is compared, what is refused, what is marked, and how it is written."""

import json
import re
from dataclasses import replace

import pytest

from talkingface_wild.benchmark.runs import read_run, write_run
from talkingface_wild.benchmark.signature import Signature
from talkingface_wild.benchmark.tables.latex import escaped as latex_escaped
from talkingface_wild.benchmark.tables.latex import latex
from talkingface_wild.benchmark.tables.leaderboard import build_table, reported_tables
from talkingface_wild.benchmark.tables.text import escaped, markdown, plain
from talkingface_wild.core.errors import UsageError
from tests.benchmark.made_runs import CLIPS, make_run

PAPER = ["fid", "fvd", "sync_c", "sync_d", "ssim", "efid"]


@pytest.fixture
def runs(tmp_path):
    """Two methods, the second better in everything, and two floors."""
    return [
        make_run(tmp_path / "a", "alpha", quality=0.0),
        make_run(tmp_path / "b", "beta", quality=1.0),
        make_run(tmp_path / "s", "still", "static", quality=-3.0),
        make_run(tmp_path / "g", "truth", "groundtruth", quality=5.0),
    ]


def cells(table, name, language=""):
    (row,) = [
        row
        for block in table.blocks
        for row in block.rows
        if row.name == name and block.title.startswith(language)
    ]
    return row.cells


def test_the_papers_columns_come_first_and_never_ranked_ones_last(runs):
    table = build_table(runs)
    metrics = [column.metric for column in table.columns]
    assert metrics[:6] == PAPER
    assert metrics[6] == "kid"
    assert metrics[-1] == "flicker"
    assert table.title == "tfw-v1 on tiny-40"


def test_floors_stand_apart_at_the_top_and_are_never_ranked(runs):
    table = build_table(runs)
    assert [block.title for block in table.blocks] == ["floors, not ranked", "methods"]
    assert [row.name for row in table.blocks[0].rows] == ["truth", "still"]
    assert not any(c.best or c.second for row in table.blocks[0].rows for c in row.cells.values())
    assert cells(table, "beta")["fid"].best
    assert cells(table, "alpha")["fid"].second


def test_the_best_is_bold_in_its_own_direction_and_unranked_metrics_never(runs):
    table = build_table(runs)
    for metric in (*PAPER, "kid", "psnr", "csim"):
        assert cells(table, "beta")[metric].best, metric
        assert not cells(table, "alpha")[metric].best, metric
    assert not cells(table, "beta")["flicker"].best
    assert not cells(table, "alpha")["flicker"].second


def test_a_difference_within_the_noise_is_not_bold(tmp_path):
    table = build_table(
        [
            make_run(tmp_path / "a", "alpha", quality=0.0, noise=2.0),
            make_run(tmp_path / "b", "beta", quality=0.02, noise=2.0),
        ]
    )
    both = [cells(table, name) for name in ("alpha", "beta")]
    metrics = ("sync_c", "sync_d", "ssim", "psnr", "csim", "fid", "fvd", "kid", "efid")
    assert all(sum(row[metric].second for row in both) == 1 for metric in metrics)
    # One in twenty may be bold by chance.
    assert sum(any(row[metric].best for row in both) for metric in metrics) <= 1


def test_pairing_sees_a_difference_that_overlapping_intervals_hide(tmp_path):
    alpha = make_run(tmp_path / "a", "alpha", quality=0.0, noise=0.01)
    beta = make_run(tmp_path / "b", "beta", quality=0.05, noise=0.01)
    a, b = alpha.scores["ssim"], beta.scores["ssim"]
    assert b.low < a.high
    assert cells(build_table([alpha, beta]), "beta")["ssim"].best


def test_the_best_must_differ_from_every_row_not_only_from_some(tmp_path):
    made = [
        make_run(tmp_path / "a", "alpha", quality=0.0),
        make_run(tmp_path / "b", "beta", quality=1.0, noise=0.001),
        make_run(tmp_path / "c", "gamma", quality=1.0001, noise=0.001),
    ]
    table = build_table(made)
    assert not any(cells(table, run.name)["ssim"].best for run in made)


def test_without_pairs_nothing_is_bold_and_the_footer_says_why(tmp_path):
    alpha = make_run(tmp_path / "a", "alpha")
    beta = make_run(tmp_path / "b", "beta", quality=1.0, replicates=False)
    table = build_table([alpha, beta])
    assert not cells(table, "beta")["fid"].best
    assert cells(table, "alpha")["fid"].second
    assert "No bold in FID: the rows were folded differently." in table.footer
    assert cells(table, "beta")["ssim"].best


def test_one_identity_gives_no_bold(tmp_path):
    made = []
    for name, quality in (("alpha", 0.0), ("beta", 1.0)):
        run = make_run(tmp_path / name, name, quality=quality)
        rows = [row | {"group": "one"} for row in run.clips().to_dict("records")]
        write_run(run, rows)
        made.append(run)
    table = build_table(made)
    assert not cells(table, "beta")["ssim"].best
    assert any(line.startswith("No bold in SSIM: 1 identity group") for line in table.footer)


def test_over_one_percent_of_failures_nothing_of_the_row_is_bold(tmp_path):
    alpha = make_run(tmp_path / "a", "alpha")
    beta = make_run(tmp_path / "b", "beta", quality=1.0, failed=1)
    table = build_table([alpha, beta])
    assert not any(cell.best for cell in cells(table, "beta").values())
    assert cells(table, "alpha")["fid"].second
    (line,) = [line for line in table.footer if "failed" in line]
    assert line.startswith(
        "beta: 1 of 40 videos failed and are scored with the static frame (crash 1); over 1%"
    )


def test_other_signatures_are_refused_and_the_sentence_names_the_part(tmp_path):
    alpha = make_run(tmp_path / "a", "alpha")
    beta = make_run(tmp_path / "b", "beta", parts={"fid": "fid=pytorch-fid:6726825d:600f:a1b2c3"})
    with pytest.raises(UsageError) as refused:
        build_table([alpha, beta])
    assert "beta in fid=clean:6726825d:nf:a1b2c3 ≠ fid=pytorch-fid:6726825d:nf:a1b2c3 (fid)" in str(
        refused.value
    )
    assert "--allow-mixed" in str(refused.value)


def test_allowed_mixing_marks_the_cell_says_why_and_does_not_rank_it(tmp_path):
    alpha = make_run(tmp_path / "a", "alpha")
    beta = make_run(
        tmp_path / "b", "beta", quality=1.0, parts={"fid": "fid=pytorch-fid:6726825d:600f:a1b2c3"}
    )
    table = build_table([alpha, beta], allow_mixed=True)
    assert cells(table, "beta")["fid"].marks == "‡"
    assert cells(table, "alpha")["fid"].marks == ""
    assert not cells(table, "beta")["fid"].best
    assert not cells(table, "alpha")["fid"].second
    assert cells(table, "beta")["ssim"].best
    (line,) = [line for line in table.footer if line.startswith("‡")]
    assert "beta, FID" in line
    assert "fid=clean:6726825d:nf:a1b2c3 ≠ fid=pytorch-fid:6726825d:nf:a1b2c3" in line


@pytest.mark.parametrize("head", [{"list_sha8": "01234567"}, {"protocol": "mcdm-paper"}])
def test_other_lists_and_protocols_are_refused_before_clips_are_compared(tmp_path, head):
    alpha = make_run(tmp_path / "a", "alpha")
    beta = make_run(tmp_path / "b", "beta", quality=1.0, **head)
    with pytest.raises(UsageError, match="beta in"):
        build_table([alpha, beta])
    table = build_table([alpha, beta], allow_mixed=True)
    assert cells(table, "beta")["fid"].marks == "‡"
    assert not any(cell.best for cell in cells(table, "beta").values())


def test_how_many_clips_and_which_codec_make_no_signature_differ(tmp_path):
    alpha = make_run(tmp_path / "a", "alpha")
    scores = {
        name: replace(score, signature=score.signature.replace("in=h264", "in=ffv1"))
        for name, score in alpha.scores.items()
    }
    assert build_table([alpha, replace(alpha, name="beta", scores=scores)])


def test_a_table_stands_on_the_clips_that_all_rows_have(tmp_path):
    lost = [f"clip-{index:02d}" for index in range(6)]
    alpha = make_run(tmp_path / "a", "alpha")
    beta = make_run(tmp_path / "b", "beta", quality=1.0, lost=lost)
    asked = []

    def rescore(run, clips):
        asked.append((run.name, len(clips)))
        return {name: replace(score, n=len(clips)) for name, score in run.scores.items()}

    table = build_table([alpha, beta], rescore=rescore)
    assert asked == [("alpha", CLIPS - 6)]
    frame = alpha.clips().set_index("clip")
    expected = frame.loc[~frame.index.isin(lost), "ssim"].mean()
    assert cells(table, "alpha")["ssim"].value == pytest.approx(expected, abs=1e-12)
    assert {column.n for column in table.columns} == {CLIPS - 6}
    assert table.title == "tfw-v1 (34 of 40) on tiny-40"
    assert "Clips: 34 of 40 of tiny-40, the same for every row." in table.footer
    assert "beta: 6 clips not scored (no_face 6)." in table.footer
    signature = Signature.parse(cells(table, "alpha")["ssim"].signature)
    assert signature.part("clips") == "34/40"


def test_without_features_a_set_distance_has_no_value_on_fewer_clips(tmp_path):
    alpha = make_run(tmp_path / "a", "alpha")
    beta = make_run(tmp_path / "b", "beta", lost=["clip-00"])
    table = build_table([alpha, beta])
    assert cells(table, "alpha")["fid"].value is None
    assert cells(table, "beta")["fid"].value is not None
    assert any(
        line.startswith("FID: was scored on other clips") and line.endswith("(alpha).")
        for line in table.footer
    )
    assert table.title == "tfw-v1 on tiny-40"


def test_a_median_is_not_recomputed_as_a_mean(tmp_path):
    alpha = make_run(tmp_path / "a", "alpha")
    median = float(alpha.clips()["sync_c"].median()) + 0.5
    scores = dict(alpha.scores) | {"sync_c": replace(alpha.scores["sync_c"], value=median)}
    alpha = replace(alpha, scores=scores)
    beta = make_run(tmp_path / "b", "beta", lost=["clip-00"])
    assert cells(build_table([alpha, beta]), "alpha")["sync_c"].value is None


def test_runs_without_a_clip_in_common_are_refused(tmp_path):
    half = [f"clip-{index:02d}" for index in range(CLIPS // 2)]
    rest = [f"clip-{index:02d}" for index in range(CLIPS // 2, CLIPS)]
    made = [
        make_run(tmp_path / "a", "alpha", lost=half),
        make_run(tmp_path / "b", "beta", lost=rest),
    ]
    with pytest.raises(UsageError, match=r"clips that all of alpha, beta"):
        build_table(made)
    with pytest.raises(UsageError, match="at least one run"):
        build_table([])


def test_seeds_of_a_clip_are_one_clip(tmp_path):
    run = make_run(tmp_path / "a", "alpha")
    rows = run.clips().to_dict("records")
    twice = rows + [row | {"seed": 1, "ssim": row["ssim"] + 0.02} for row in rows]
    mean = run.scores["ssim"].value + 0.01
    scores = dict(run.scores) | {"ssim": replace(run.scores["ssim"], value=mean, deviation=0.01)}
    run = replace(run, scores=scores, seeds=2)
    write_run(run, twice)
    table = build_table([run, make_run(tmp_path / "b", "beta", lost=["clip-00"])])
    cell = cells(table, "alpha")["ssim"]
    assert cell.n == CLIPS - 1
    frame = run.clips()
    assert cell.value == pytest.approx(frame[frame["clip"] != "clip-00"]["ssim"].mean())
    assert any("alpha: mean of 2 seeds" in line for line in table.footer)
    alone = markdown(build_table([run]))
    assert "± 0.010" in alone


def test_nearest_to_one_is_best(tmp_path):
    made = []
    for name, quality in (("alpha", 0.0), ("beta", 6.4), ("gamma", 10.0)):
        run = make_run(tmp_path / name, name, quality=quality, noise=0.01)
        scores = {"ssim": replace(run.scores["ssim"], better="one")}
        made.append(replace(run, scores=scores))
    table = build_table(made)
    assert cells(table, "beta")["ssim"].best
    assert cells(table, "gamma")["ssim"].second
    assert "SSIM →1" in markdown(table)


def test_per_language_blocks_hold_that_languages_scores(runs):
    table = build_table(runs, by="language")
    assert [block.title for block in table.blocks] == [
        "en: floors, not ranked",
        "en: methods",
        "ko: floors, not ranked",
        "ko: methods",
    ]
    korean = runs[1].clips()
    expected = korean[korean["language"] == "ko"]["sync_c"].mean()
    cell = cells(table, "beta", "ko: methods")["sync_c"]
    assert cell.value == pytest.approx(expected)
    assert cell.n == CLIPS // 2


def test_few_windows_are_marked_and_many_are_not(tmp_path):
    few = build_table([make_run(tmp_path / "a", "alpha")])
    assert cells(few, "alpha")["fvd"].marks == "†"
    assert any(line.startswith("† FVD of 920 windows") for line in few.footer)
    parts = {"fvd": "fvd=i3d:0b5f:2300w:a1b2c3"}
    many = build_table([make_run(tmp_path / "b", "beta", parts=parts)])
    assert cells(many, "beta")["fvd"].marks == ""


def test_unofficial_weights_are_in_every_cell_of_theirs(tmp_path):
    table = build_table([make_run(tmp_path / "a", "alpha", official=False)])
    assert table.unofficial == ("syncnet_v2",)
    assert table.footer[0].startswith("UNOFFICIAL WEIGHTS: syncnet_v2")
    (row,) = [line for line in markdown(table).splitlines() if line.startswith("| alpha")]
    assert row.count("UNOFFICIAL WEIGHTS") == len(table.columns)
    assert latex([table]).count("UNOFFICIAL WEIGHTS") >= len(table.columns)


def test_scores_without_a_value_show_a_dash_and_their_note(tmp_path):
    run = make_run(tmp_path / "a", "alpha")
    nothing = replace(
        run.scores["efid"], value=None, low=None, high=None, note="3 % of frames unmeasured"
    )
    run = replace(run, scores=dict(run.scores) | {"efid": nothing})
    table = build_table([run, make_run(tmp_path / "b", "beta")])
    text = markdown(table)
    assert "E-FID: 3 % of frames unmeasured (alpha)." in text
    (row,) = [line for line in text.splitlines() if line.startswith("| alpha")]
    assert row.split("|")[7].strip() == "—"


def test_count_stands_once_where_equal_and_in_each_cell_where_not(tmp_path):
    alpha, beta = make_run(tmp_path / "a", "alpha"), make_run(tmp_path / "b", "beta")
    scores = dict(beta.scores) | {"sync_c": replace(beta.scores["sync_c"], n=38)}
    text = markdown(build_table([alpha, replace(beta, scores=scores)]))
    head, *_ = [line for line in text.splitlines() if line.startswith("| Method")]
    assert "SSIM ↑ (n = 40 clips)" in head
    assert "Sync-C ↑ |" in head
    assert "n = 38 clips" in text
    assert text.count("n = 40 clips") == len(build_table([alpha]).columns) - 1 + 1


def test_split_halves_may_count_half_of_the_frames(tmp_path):
    alpha = make_run(tmp_path / "a", "alpha", parts={"fid": "fid=clean:67:7500f:a1b2c3"})
    parts = {"fid": "fid=clean:67:3750f:a1b2c3"}
    halves = make_run(tmp_path / "h", "halves", "halves", parts=parts)
    assert build_table([halves, alpha]).blocks[0].rows[0].cells["fid"].marks == ""
    other = make_run(tmp_path / "o", "halves", "halves", parts={"fid": "fid=clean:99:3750f:a1b2c3"})
    with pytest.raises(UsageError, match="fid=clean:99:n"):
        build_table([alpha, other])


def test_a_metric_on_a_scale_of_all_clips_is_scored_anew_not_averaged(tmp_path):
    alpha = make_run(tmp_path / "a", "alpha")
    nsync = replace(alpha.scores["ssim"], metric="nsync", better="one")
    rows = [row | {"nsync": row["ssim"]} for row in alpha.clips().to_dict("records")]
    alpha = replace(alpha, scores={"ssim": alpha.scores["ssim"], "nsync": nsync})
    write_run(alpha, rows)
    beta = make_run(tmp_path / "b", "beta", lost=["clip-00"])
    table = build_table([alpha, beta], rescore=lambda run, clips: {"nsync": replace(nsync, n=39)})
    assert cells(table, "alpha")["nsync"].value == nsync.value
    assert cells(table, "alpha")["ssim"].value != alpha.scores["ssim"].value


def test_one_language_alone_has_the_runs_own_scores(tmp_path):
    run = make_run(tmp_path / "a", "alpha")
    rows = [row | {"language": "en"} for row in run.clips().to_dict("records")]
    run = replace(run, languages={})
    write_run(run, rows)
    table = build_table([run], by="language")
    assert [block.title for block in table.blocks] == ["en: methods"]
    assert cells(table, "alpha")["fid"].value == run.scores["fid"].value


def test_equal_names_are_told_apart_by_their_folders(tmp_path):
    made = [make_run(tmp_path / "first", "same"), make_run(tmp_path / "second", "same")]
    table = build_table(made)
    assert [row.name for row in table.blocks[0].rows] == ["same (first)", "same (second)"]


def test_the_written_run_gives_the_same_table(runs):
    again = [read_run(run.folder) for run in runs]
    assert markdown(build_table(again)) == markdown(build_table(runs))


def test_plain_data_is_json_without_nan(runs):
    data = plain([build_table(runs), *reported_tables(["hdtf"])])
    again = json.loads(json.dumps(data, allow_nan=False))
    assert [row["name"] for row in again["rows"]] == ["truth", "still", "alpha", "beta"]
    assert again["rows"][3]["cells"]["fid"]["best"] is True
    assert again["reported"][0]["rows"][0]["cells"]["fid"]["printed"] == "76.08"


def test_reported_rows_stand_in_tables_of_their_own_without_ranks():
    tables = reported_tables(["celebv-200"])
    (table,) = tables
    assert "CelebV-HQ" in table.title
    assert "do not rank" in table.footer[0]
    assert not any(
        c.best or c.second for b in table.blocks for r in b.rows for c in r.cells.values()
    )
    assert "127.30" in markdown(table)
    assert len(reported_tables(["a-folder"])) == 5


HOSTILE = "a|b\n<script>alert(1)</script> **x** [l](u) `c` _e_ \\ & # \u202edeifin"


def test_hostile_names_break_no_markdown_row(tmp_path):
    text = markdown(build_table([make_run(tmp_path / "a", HOSTILE)]))
    (row,) = [line for line in text.splitlines() if line.startswith("| a")]
    unescaped = re.sub(r"\\.", "", row)
    assert unescaped.count("|") == len(build_table([make_run(tmp_path / "b", "b")]).columns) + 2
    assert "<script" not in text
    assert "[l]" not in text
    assert "\u202e" not in text
    assert escaped("&<>") == "&amp;&lt;&gt;"


def test_hostile_names_are_no_latex(tmp_path):
    name = r"\input{/etc/passwd} 100% $x^2$ a_b & c # ~ {} " + "中\n\n\\end{document}"
    text = latex([build_table([make_run(tmp_path / "a", name)])], document=True)
    assert r"\input" not in text
    assert text.count(r"\end{document}") == 1
    assert "U+4E2D" in text
    assert latex_escaped("50% of a_b & $c #1 {x} ~y^z \\") == (
        r"50\% of a\_b \& \$c \#1 \{x\} \textasciitilde{}y\textasciicircum{}z \textbackslash{}"
    )
    columns = build_table([make_run(tmp_path / "b", "b")]).columns
    body = text.split(r"\begin{document}")[1]
    for line in body.splitlines():
        bare = re.sub(r"\\[&%$#_{}]", "", line)
        assert bare.count("&") in (0, 6, len(columns) % 6)
        assert not re.search(r"(?<!\\)[$#^~]", bare)


def test_latex_holds_the_papers_rows_and_every_group_is_closed(runs):
    text = latex([build_table(runs), *reported_tables(["a-folder"])], document=True)
    assert r"\toprule" in text
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 6
    assert (
        r"MegActor{-}\ensuremath{\Sigma} & 31.37 & 586.10 & 6.87 & 8.55 & 0.778 & 1.62 \\" in text
    )
    assert r"w/o F\_a & 46.25 & 708.93" in text
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    assert "\\documentclass" not in latex([build_table(runs)])
