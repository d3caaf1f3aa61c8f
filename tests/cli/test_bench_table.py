"""``tfw bench table`` and ``tfw cite`` at the command line."""

import json
import sys
import types

import pytest
import typer

from talkingface_wild.cli import main
from tests.benchmark.made_runs import make_run


@pytest.fixture(autouse=True)
def _verbs(monkeypatch):
    from talkingface_wild.cli import bench_finished
    from talkingface_wild.cli.options import command
    from talkingface_wild.jobs.bench.finished import TableRequest

    module = types.ModuleType("tests_cli_bench")
    module.app = typer.Typer(add_completion=False)
    module.app.callback()(lambda: None)
    command(module.app, TableRequest)(bench_finished.table)
    monkeypatch.setitem(sys.modules, "talkingface_wild.cli.bench", module)


@pytest.fixture
def folders(tmp_path):
    runs = [make_run(tmp_path / "a", "alpha"), make_run(tmp_path / "b", "beta", quality=1.0)]
    return [str(run.folder) for run in runs]


def test_markdown_is_printed_and_reported_rows_follow(folders, capsys):
    assert main.run(["bench", "table", *folders, "--reported"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("### tfw-v1 on tiny-40\n")
    assert shown.index("| beta") < shown.index("### Reported: Table 2") < shown.index("127.30")


def test_json_holds_rows_and_footer(folders, capsys):
    assert main.run(["bench", "table", *folders, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert [row["name"] for row in told["data"]["rows"]] == ["alpha", "beta"]
    assert told["data"]["footer"][0].startswith("Signature: tfw-v1|")


def test_latex_goes_to_a_file_whole_or_as_a_fragment(folders, tmp_path, capsys):
    file = tmp_path / "table.tex"
    options = ["--format", "latex", "--output", str(file)]
    assert main.run(["bench", "table", *folders, *options]) == 0
    assert capsys.readouterr().out.strip() == str(file)
    assert file.read_text(encoding="utf-8").startswith("\\documentclass")
    assert main.run(["bench", "table", *folders, *options, "--fragment"]) == 0
    assert file.read_text(encoding="utf-8").startswith("\\begin{table}")
    assert main.run(["bench", "table", *folders, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out.split("\n", 1)[1])["rows"]


def test_unofficial_weights_print_the_table_and_exit_6_unless_forced(tmp_path, capsys):
    folder = str(make_run(tmp_path / "u", "alpha", official=False).folder)
    assert main.run(["bench", "table", folder]) == 6
    shown = capsys.readouterr()
    assert "UNOFFICIAL WEIGHTS" in shown.out
    assert "--force" in shown.err
    assert "syncnet_v2" in shown.err
    assert main.run(["bench", "table", folder, "--force"]) == 0
    capsys.readouterr()
    assert main.run(["bench", "table", folder, "--json"]) == 6
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert told["data"]["unofficial"] == ["syncnet_v2"]


def test_mixed_signatures_and_folders_without_a_run_end_with_a_sentence(tmp_path, capsys):
    one = str(make_run(tmp_path / "a", "alpha").folder)
    other = str(make_run(tmp_path / "b", "beta", protocol="mcdm-paper").folder)
    assert main.run(["bench", "table", one, other]) == 2
    assert "tfw-v1 ≠ mcdm-paper" in capsys.readouterr().err
    assert main.run(["bench", "table", one, other, "--allow-mixed"]) == 0
    assert "‡" in capsys.readouterr().out
    assert main.run(["bench", "table", one, str(tmp_path / "none")]) == 5
    assert "tfw bench --model" in capsys.readouterr().err


def test_languages_make_blocks(folders, capsys):
    assert main.run(["bench", "table", *folders, "--by", "language"]) == 0
    assert "*ko: methods*" in capsys.readouterr().out


def test_cite_prints_entries_and_keys(folders, tmp_path, capsys):
    assert main.run(["cite", *folders]) == 0
    assert "@article{wang2004ssim," in capsys.readouterr().out
    file = tmp_path / "used.bib"
    assert main.run(["cite", folders[0], "--output", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["data"]["bibtex"] == file.read_text(encoding="utf-8")
    assert "holm1979" not in told["data"]["runs"][0]["keys"]
