"""``tfw train``: all stages from a data set, going on, and one sentence for what cannot be."""

import json

import pytest

from talkingface_wild.cli.main import run
from talkingface_wild.models.mcdm import MCDMParts
from tests.jobs.train.test_data import row, write_clip, write_tables

SHORT = [
    f"--set=training.{stage}.iterations=2" for stage in ("encoders", "stage1", "stage2", "stage3")
] + ["--set=training.encoders.batch=4", "--set=sampling.steps=2", "--set=sampling.prior_steps=2"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp("data")
    rows = [row(f"c{k}", **write_clip(out, f"c{k}")) for k in range(2)]
    write_tables(out, rows)
    return out


def train(*arguments):
    return run(["train", "--model", "mcdm", "--cpu", *map(str, arguments)])


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "tiny"
    code = train("--preset", "tiny", "--stage", "all", "--data", data, "--out", out, *SHORT)
    return code, out


def test_all_stages_run_and_leave_a_model(trained, data):
    code, out = trained
    assert code == 0
    parts = MCDMParts.load(out / "model")
    assert list(parts.facts["stages"]) == ["features", "encoders", "1", "2", "3"]
    assert parts.facts["trained_on"]["dataset"] == data.name
    assert (out / "samples" / "stage3-000002.mp4").is_file()


def test_run_again_it_does_nothing_and_says_so(trained, data, capsys):
    _, out = trained
    before = (out / "model" / "mcdm.json").stat().st_mtime_ns
    capsys.readouterr()
    assert train("--stage", "all", "--data", data, "--out", out, "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["data"]["stages"] == {}
    assert said.err.count("is done already") == 5
    assert (out / "model" / "mcdm.json").stat().st_mtime_ns == before


def test_a_stage_is_trained_anew_when_asked(trained, data, capsys):
    _, out = trained
    asked = [word.replace("stage3.iterations=2", "stage3.iterations=3") for word in SHORT]
    words = ("--stage", "3", "--preset", "tiny", "--out", out, *asked)
    assert train(*words) == 3
    assert "--fresh" in capsys.readouterr().err
    assert train(*words, "--fresh") == 0
    assert MCDMParts.load(out / "model").facts["stages"]["3"]["iterations"] == 3


def test_a_variant_has_a_folder_of_its_own(trained, data):
    _, out = trained
    words = ("--variant", "no_archive", "--preset", "tiny", "--stage", "features")
    assert train(*words, "--data", data, "--out", out, *SHORT) == 0
    parts = MCDMParts.load(out / "variants" / "no_archive" / "model")
    assert parts.config.archived.kind == "none"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--stage", "encoder"], 2, "did you mean 'encoders'"),
        (["--model", "gan"], 2, "--model expects mcdm"),
        (["--preset", "tinny"], 3, "did you mean 'tiny'"),
        (["--preset", "tiny", "--variant", "no_archiv"], 3, "did you mean 'no_archive'"),
        (["--preset", "tiny", "--set", "temporal.alfa=1"], 3, "did you mean 'alpha'"),
        (["--preset", "tiny", "--stage", "2"], 3, "--stage features first"),
        (["--preset", "tiny", "--stage", "features"], 3, "--data"),
        (["--preset", "tiny", "--data", "nowhere"], 5, "nowhere"),
        (["--preset", "tiny", "--stage", "1", "--weights", "sd15=x"], 2, "stage features"),
    ],
)
def test_what_cannot_be_is_one_sentence(words, code, said, tmp_path, capsys):
    assert run(["train", "--cpu", "--out", str(tmp_path / "run"), *words]) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
