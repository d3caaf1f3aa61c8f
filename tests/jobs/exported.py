"""A small set with meshes, made once: the clips of one real video, one of which has padding."""

import shutil

import pytest

from talkingface_wild.core.reporter import Quiet
from talkingface_wild.jobs.export.request import ExportRequest
from talkingface_wild.jobs.export.run import export
from tests.pipelines.curated import tfw

RECIPE = """name: with_mesh
summary: Embedded with the face's mesh.
extends: embedded
stages:
  - mesh
"""
NETWORKS = ("centerface", "face_mesh", "iris", "silero_vad")
PADDED = "c0206520bbb2dd6d"
"""The clip whose window reaches beyond the picture: its id follows from the source's bytes."""


def make_set(folder, source, open_weight):
    """``tfw curate`` on one file; gives the data set's folder."""
    (folder / "videos").mkdir()
    shutil.copyfile(source, folder / "videos" / source.name)
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (weights,) = {open_weight(name).parent for name in NETWORKS}
    words = ["curate", "--langs", "en", "--recipe", folder / "recipe.yaml", "--out", folder / "set"]
    words += ["--sources", folder / "videos", "--engine", "local", "--workers", "1", "--json"]
    code, _, errors = tfw(*words, weights=weights)
    assert code == 0, errors
    return folder / "set"


def exported(folder, layout, out, **wishes):
    """Export and give the result."""
    request = ExportRequest(set_folder=folder, layout=layout, out=out, **wishes)
    return export(request, Quiet())


def refusal(error, *words, **wishes):
    """The sentence with which an export is refused."""
    with pytest.raises(error) as caught:
        exported(*words, **wishes)
    return str(caught.value)
