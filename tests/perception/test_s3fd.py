"""S3FD against the reference's boxes under the same weights; its selections against slow ones."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.perception import s3fd
from talkingface_wild.perception.s3fd import S3FD, S3FDPerceiver
from tests.perception import golden

LAYOUT = "s3fd_sfd_face"


@pytest.fixture(scope="module")
def checkpoint(goldens, tmp_path_factory):
    """A file of the published layout, holding deterministic weights."""
    path = tmp_path_factory.mktemp("s3fd") / "sfd_face.pth"
    torch.save(golden.load(goldens, "s3fd").state(LAYOUT), path)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def perceiver(checkpoint):
    """Under weights that were never trained no score is high: half is sure enough here."""
    return S3FDPerceiver(checkpoint, confidence=0.5).open()


def _network(goldens):
    network = S3FD()
    network.load_state_dict(golden.load(goldens, "s3fd").state(LAYOUT))
    return network.eval()


def _overlap(first, second):
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return shared / (sum(areas) - shared)


def _suppressed(boxes, scores, most):
    """The rule said slowly: surest first, each against all that stay."""
    kept = []
    for place in sorted(range(len(boxes)), key=lambda place: -scores[place]):
        if all(_overlap(boxes[place], boxes[other]) <= most for other in kept):
            kept.append(place)
    return kept


def test_golden_s3fd_boxes(goldens):
    stored = golden.load(goldens, "s3fd")
    data, image = stored.data, stored.data["image"]
    assert stored.filler.digest(stored.arrays(LAYOUT)) == data["weights_sha"]
    assert image["note"] == "channels as generated minus (104,117,123)"
    picture = stored.filler.image(image["name"], stored.seed, *image["size"], image["cell"])
    x = torch.from_numpy(picture.astype(np.float32) - np.array([104, 117, 123], np.float32))
    with torch.inference_mode():
        scores, boxes = _network(goldens)(x.permute(2, 0, 1)[None])
    found = s3fd.select(scores[0].numpy(), boxes[0].numpy())
    assert len(found) == data["count"]
    rows = found[:, [4, 0, 1, 2, 3]]
    bound = stored.tolerance("absolute") * data["out"]["std"]
    np.testing.assert_allclose(rows[: len(data["top"])], data["top"], rtol=0, atol=bound)
    whole = np.zeros(data["out"]["shape"])
    whole[0, 1, : len(rows)] = rows
    golden.assert_summary(whole, data["out"], bound)


def test_a_frame_is_shrunk_and_its_means_are_taken_off_as_published(goldens, perceiver):
    """The published order of steps, in float64 numpy where it is not the network's own."""
    frame = golden.load(goldens, "s3fd").filler.image("mean", 5, 320, 480, 80)
    small = cv2.resize(frame, (0, 0), fx=0.25, fy=0.25, interpolation=cv2.INTER_LINEAR)
    bgr = small[:, :, ::-1].astype(np.float32) - np.array([104, 117, 123], np.float32)
    x = torch.from_numpy(bgr[:, :, ::-1].copy()).permute(2, 0, 1)[None]
    with torch.inference_mode():
        scores, boxes = (part[0].double().numpy() for part in _network(goldens)(x))
    above = np.flatnonzero(scores > 0.05)
    places = above[_suppressed(boxes[above], scores[above], 0.3)][:750]
    sure = places[scores[places] > 0.5]
    pixels = boxes[sure] * [480, 320, 480, 320]
    kept = _suppressed(pixels, scores[sure], 0.1)
    expected = np.column_stack([pixels, scores[sure]])[kept]
    (found,) = perceiver.detect(frame[None])
    assert found.dtype == np.float32 and len(expected) > 2
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=0.05)


def test_frames_do_not_depend_on_their_batch_and_may_come_from_a_memmap(perceiver, tmp_path):
    frames = np.random.default_rng(3).integers(0, 256, (10, 144, 160, 3)).astype(np.uint8)
    frames[4] //= 3
    frames.tofile(tmp_path / "frames")
    mapped = np.memmap(tmp_path / "frames", np.uint8, "r", shape=frames.shape)
    loose = S3FDPerceiver(perceiver.path, scale=0.5, confidence=0.2).open()
    whole = loose.detect(mapped)
    assert len(whole) == 10 and sum(map(len, whole)) > 10
    for place in (0, 4, 7, 9):
        (alone,) = loose.detect(frames[place : place + 1])
        np.testing.assert_allclose(whole[place], alone, rtol=1e-3, atol=0.02)


def test_without_a_sure_face_there_are_no_rows(checkpoint):
    strict = S3FDPerceiver(checkpoint, confidence=0.999).open()
    (found,) = strict.detect(np.zeros((1, 160, 160, 3), np.uint8))
    assert found.shape == (0, 5)
    assert strict.detect(np.zeros((0, 160, 160, 3), np.uint8)) == []


@pytest.mark.parametrize("size", [(109, 300), (300, 100), (2, 3), (1, 1)])
def test_frames_too_small_for_the_network_have_no_faces(perceiver, size):
    found = perceiver.detect(np.full((2, *size, 3), 90, np.uint8))
    assert [faces.shape for faces in found] == [(0, 5), (0, 5)]


def test_the_smallest_frame_that_fits_is_searched(perceiver):
    assert len(perceiver.detect(np.full((1, 112, 300, 3), 90, np.uint8))) == 1
    with pytest.raises(RuntimeError, match="too small"):
        perceiver._network(torch.zeros(1, 3, s3fd.LEAST_INPUT - 1, 64))


BOXES = st.lists(
    st.tuples(*[st.floats(0, 1) for _ in range(2)], *[st.floats(0.05, 0.6) for _ in range(3)]),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(BOXES, st.sampled_from([0.1, 0.3]))
def test_suppression_is_the_slow_rule(rows, most):
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    boxes = np.column_stack([table[:, :2], table[:, :2] + table[:, 2:4]])
    found = s3fd.suppress(boxes, table[:, 4], most)
    assert found.tolist() == _suppressed(boxes, table[:, 4], most)


def test_the_third_pool_rounds_up_and_each_map_has_its_priors():
    """84 x 100 pixels: maps of 21 x 25, 11 x 13, 5 x 6, 2 x 3, 1 x 2 and 1 x 1."""
    with torch.inference_mode():
        scores, boxes = S3FD().eval()(torch.zeros(1, 3, 84, 100))
    assert scores.shape == (1, 21 * 25 + 11 * 13 + 5 * 6 + 2 * 3 + 1 * 2 + 1)
    assert boxes.shape == (*scores.shape, 4)


def test_no_more_than_750_boxes_are_kept_and_5000_looked_at():
    corners = np.stack(np.meshgrid(np.arange(80.0), np.arange(80.0)), axis=2).reshape(-1, 2)
    boxes = np.column_stack([corners, corners + 0.9]).astype(np.float32)
    scores = np.linspace(0.9, 0.04, len(boxes)).astype(np.float32)
    found = s3fd.select(scores, boxes)
    np.testing.assert_array_equal(found[:, :4], boxes[:750])
    boxes[1:5000] = boxes[0]
    assert len(s3fd.select(scores, boxes)) == 1


def test_the_network_has_exactly_the_published_names_and_shapes(goldens):
    own = {name: list(tensor.shape) for name, tensor in S3FD().state_dict().items()}
    assert own == golden.load(goldens, "s3fd").shapes(LAYOUT)


@pytest.mark.parametrize("fault", ["missing", "extra", "shape"])
def test_a_checkpoint_of_another_layout_is_refused(tmp_path, fault):
    state, path, name = S3FD().state_dict(), tmp_path / "sfd_face.pth", "L2Norm4_3.weight"
    if fault == "missing":
        del state[name]
    elif fault == "extra":
        state["conv1_1.weight"] = torch.zeros(3)
    else:
        state[name] = state[name][:-1]
    torch.save(state, path)
    words = {
        "missing": r"1 missing \(L2Norm4_3\.weight\)",
        "extra": r"1 unexpected \(conv1_1\.weight\)",
        "shape": r"L2Norm4_3\.weight is \(511,\) instead of \(512,\)",
    }
    with pytest.raises(WeightMissing, match=words[fault]):
        S3FDPerceiver(path).open()
