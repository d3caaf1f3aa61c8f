"""The canvas's own padding does not count: SSIM and PSNR are those of the picture alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkingface_wild.benchmark.decoded_video import (
    DecodedVideo,
    DecodeSettings,
    content_of,
    on_canvas,
)
from talkingface_wild.benchmark.extractors.frame_similarity import FrameSimilarity
from talkingface_wild.benchmark.protocol import SimilaritySettings
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional.similarity import psnr, ssim
from tests.benchmark.films import film, scored
from tests.reference import similarity as reference

CONTENT = (3, 6, 37, 28)


def _padded_pair(seed=0):
    """Two frames of 40 x 40 that are black but for ``CONTENT``, where they differ."""
    random = np.random.default_rng(seed)
    masked = np.ones((40, 40), bool)
    left, top, right, bottom = CONTENT
    masked[top:bottom, left:right] = False
    real = random.integers(0, 256, (40, 40, 3)).astype(np.uint8)
    made = np.clip(real + random.integers(-60, 61, real.shape), 0, 255).astype(np.uint8)
    real[masked], made[masked] = 0, 0
    return made, real, masked


def _compared(made, real, content, **settings):
    extractor = FrameSimilarity(SimilaritySettings(first=0, **settings))
    found = extractor.compare(DecodedVideo(made[None]), DecodedVideo(real[None], content=content))
    return float(found["ssim"][0]), float(found["psnr"][0])


@pytest.mark.parametrize("window", ["gaussian", "uniform"])
def test_windows_and_pixels_of_the_padding_do_not_count(window):
    made, real, masked = _padded_pair()
    likeness, ratio = _compared(made, real, CONTENT, window=window)
    assert likeness == pytest.approx(reference.ssim(made, real, window, masked), abs=1e-12)
    assert ratio == pytest.approx(reference.psnr(made, real, masked), rel=1e-12)
    whole = _compared(made, real, None, window=window)
    assert whole[0] > likeness + 0.02 and whole[1] > ratio + 1, "equal black flattered the method"


def test_what_a_method_paints_into_the_padding_changes_nothing():
    made, real, masked = _padded_pair()
    painted = made.copy()
    painted[masked] = 90
    assert _compared(painted, real, CONTENT) == _compared(made, real, CONTENT)


def test_pictures_without_padding_have_exactly_the_plain_values():
    made, real, _ = _padded_pair(1)
    assert _compared(made, real, None) == (ssim(made, real), psnr(made, real))
    assert content_of((512, 512), DecodeSettings()) is None
    assert content_of((257, 256), DecodeSettings()) is None, "half a percent is no other shape"
    assert content_of((300, 500), DecodeSettings(canvas=0)) is None
    assert content_of((720, 1280), DecodeSettings(crop=(0.2, 0.1, 0.9))) is None


def test_a_strip_of_picture_is_refused():
    made, real, _ = _padded_pair()
    with pytest.raises(ItemRejected, match="34 x 9 pixels"):
        _compared(made, real, (3, 6, 37, 15))


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(20, 150), st.integers(20, 150)),
    st.one_of(
        st.none(), st.tuples(st.floats(-0.05, 0.6), st.floats(-0.05, 0.6), st.floats(0.5, 1.8))
    ),
    st.sampled_from([48, 64, 101]),
)
def test_the_content_is_where_a_flat_picture_stays_flat(size, crop, canvas):
    """Resampling over the picture's edge mixes it with black; inside every pixel keeps its grey."""
    wanted = DecodeSettings(canvas=canvas, crop=crop)
    placed, _ = on_canvas(np.full((*size, 3), 200, np.uint8), wanted)
    content = content_of(size, wanted)
    flat = (placed == 200).all(axis=2)
    if content is None:
        assert flat.all()
        return
    left, top, right, bottom = content
    assert flat[top:bottom, left:right].all()
    outside = flat.copy()
    outside[max(0, top - 2) : bottom + 2, max(0, left - 2) : right + 2] = False
    reach = 2 + 2 * canvas / min(size)
    assert outside.sum() <= reach * 4 * canvas, "hardly any picture is left out"


def test_wide_videos_are_compared_without_the_canvas_bars(tmp_path):
    """Two videos of 192 x 96 on a square canvas: half of it is black on both sides."""
    random = np.random.default_rng(5)
    coarse = random.integers(0, 256, (6, 12, 24, 3)).repeat(8, axis=1).repeat(8, axis=2)
    real = coarse.astype(np.uint8)
    made = np.clip(real.astype(int) + random.integers(-40, 41, real.shape), 0, 255)
    film(tmp_path / "real" / "a.mp4", real, None)
    film(tmp_path / "made" / "a.mp4", made.astype(np.uint8), None)
    protocol = tmp_path / "wide.yaml"
    protocol.write_text(
        "name: wide\nsummary: a test\ncanvas: 192\nframes: 6\nmetrics: [ssim, psnr]\n"
    )
    folders = {"outputs": tmp_path / "made", "reference": tmp_path / "real"}
    scores = scored(tmp_path / "run", **folders, protocol=str(protocol)).run.scores
    from talkingface_wild.media.decode import frames

    sides = [
        [f.rgb for f in frames(tmp_path / side / "a.mp4", fps=25)][1:6] for side in ("made", "real")
    ]
    pairs = list(zip(*sides, strict=True))
    assert scores["ssim"].value == pytest.approx(np.mean([ssim(*p) for p in pairs]), abs=1e-12)
    assert scores["psnr"].value == pytest.approx(np.mean([psnr(*p) for p in pairs]), rel=1e-12)
    assert "ssim=rgb-gaussian-unpadded:" in scores["ssim"].signature
