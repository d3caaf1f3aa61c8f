import pytest

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.perception.dnsmos import SoundQuality
from talkingface_wild.perception.silero_vad import SpeechDetector

PERCEIVERS = pytest.mark.parametrize(
    ("perceiver", "weight", "other"),
    [(SpeechDetector, "silero_vad", "dnsmos"), (SoundQuality, "dnsmos", "silero_vad")],
)


@PERCEIVERS
def test_another_network_is_refused_by_its_inputs(perceiver, weight, other, open_weight):
    with pytest.raises(
        WeightMissing, match=r"with the inputs input.* found one with input"
    ) as info:
        perceiver(open_weight(other)).open()
    assert str(open_weight(other)) in str(info.value) and "tfw weights" in str(info.value)


@PERCEIVERS
def test_a_damaged_file_is_refused(perceiver, weight, other, open_weight, tmp_path):
    path = tmp_path / "cut.onnx"
    path.write_bytes(open_weight(weight).read_bytes()[:100_000])
    with pytest.raises(WeightMissing, match="damaged or foreign"):
        perceiver(path).open()
    path.write_bytes(b"")
    with pytest.raises(WeightMissing, match="Expected an ONNX network"):
        perceiver(path).open()


@PERCEIVERS
def test_no_file_is_said(perceiver, weight, other, tmp_path):
    with pytest.raises(WeightMissing, match=r"absent\.onnx, found none"):
        perceiver(tmp_path / "absent.onnx").open()
