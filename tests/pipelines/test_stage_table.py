"""README's table of stages and gates is what the recipe says."""

from pathlib import Path

from talkingface_wild.pipelines.recipe import load_recipe
from talkingface_wild.pipelines.stage_table import stage_table

README = Path(__file__).resolve().parents[2] / "README.md"


def test_readmes_table_is_the_recipes():
    """It said that sharpness is gated at 20 and liveness at 2; the recipe has 10 and 1."""
    text = README.read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- tfw recipes show talkingface_wild --table -->\n")
    table, end, _ = rest.partition("\n<!-- end -->")
    assert end and table == stage_table(load_recipe("talkingface_wild"))


def test_each_gate_stands_once_with_its_bound_and_unit():
    recipe = load_recipe("embedded", ["gates.length.at_least.zh=5"])
    lines = stage_table(recipe).splitlines()
    faces = next(line for line in lines if line.startswith("| faces |"))
    shots = next(line for line in lines if line.startswith("| shots |"))
    assert "`clip_seconds` ≥ 3 s, zh 5" in shots
    assert "`face_presence_ratio` ≥ 0.85" in faces
    gates = [
        cell for line in lines[2:] for cell in line.split(" | ")[-1].split(", ") if "`" in cell
    ]
    assert len(gates) == len(recipe.gates)
