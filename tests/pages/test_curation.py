"""The page at the end of a run: what was not measured is no number of kept clips."""

import io

from rich.console import Console

from talkingface_wild.pages.terminal.curation import result_page

STEP = {
    "level": "clip",
    "entered": 6,
    "kept": 6,
    "rejected": 0,
    "failed": 0,
    "pending": 0,
    "hours_kept": 0.012,
    "reasons": {},
    "measured": True,
    "unmeasured": None,
}
DATA = {
    "out": "my_set",
    "commit": 2,
    "new_commit": True,
    "clips_kept": 6,
    "hours_kept": 0.012,
    "dataset": "my_set/dataset",
    "media": "my_set/media",
    "null_columns": None,
    "languages": [
        {"language": "en", "sources": 2, "clips_cut": 7, "clips_kept": 6, "hours_kept": 0.012}
    ],
    "funnel": [
        {**STEP, "stage": "speech", "reasons": {"review:silent": 1}},
        {
            **STEP,
            "stage": "sync",
            "kept": None,
            "hours_kept": None,
            "measured": False,
            "unmeasured": "weight syncnet_v2 is missing",
        },
    ],
}


def _lines(**more):
    console = Console(
        width=160, record=True, color_system="standard", force_terminal=True, file=io.StringIO()
    )
    console.print(result_page({**DATA, **more}))
    styled = console.export_text(styles=True, clear=False)
    return console.export_text().splitlines(), styled


def _row(lines, stage):
    return next(line for line in lines if line.startswith(f"│ {stage} "))


def test_an_unmeasured_stage_is_grey_and_counts_nothing_as_kept():
    lines, styled = _lines()
    speech = [cell.strip() for cell in _row(lines, "speech").split("│")[1:-1]]
    sync = [cell.strip() for cell in _row(lines, "sync").split("│")[1:-1]]
    assert speech == ["speech", "clip", "6", "6", "0", "0", "0", "43 s", "review:silent 1"]
    assert sync[:4] == ["sync", "clip", "6", "–"]
    assert sync[-2:] == ["–", "not measured (weight syncnet_v2 is missing)"]
    grey = [line for line in styled.splitlines() if "\x1b[90m" in line]
    assert any("sync" in line for line in grey)
    assert not any("speech" in line for line in grey)


def test_times_are_in_seconds_and_no_thousandths_of_an_hour():
    lines, _ = _lines()
    assert "6 clips kept, 43 s, commit 2" in lines
    assert not any("0.012" in line for line in lines)


def test_a_compact_set_says_what_it_left_out():
    lines, _ = _lines(null_columns={"sync_confidence": "…", "consent": "null in every row"})
    assert any("2 null columns left out, see manifest.json" in line for line in lines)
