import numpy as np
import pytest

from talkingface_wild.functional.waveform import is_silent, level_dbfs, require_waveform, waveform


def test_the_full_range_of_16_bits_is_minus_one_to_nearly_one():
    samples = waveform(np.array([-32768, 0, 16384, 32767], dtype=np.int16))
    assert samples.dtype == np.float32
    assert samples.tolist() == [-1.0, 0.0, 0.5, 32767 / 32768]
    assert require_waveform(samples).tolist() == samples.tolist()
    assert len(require_waveform(np.zeros(0, dtype=np.float32))) == 0


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(9, dtype=np.int16), "type int16"),
        (np.zeros(9), "type float64"),
        (np.zeros((2, 9), dtype=np.float32), r"shape \(2, 9\)"),
        (np.array([0, np.nan, np.inf], dtype=np.float32), "2 of 3 NaN or infinite"),
        (np.array([0, -3000], dtype=np.float32), "a peak of 3000"),
    ],
)
def test_other_sound_is_refused_with_what_to_do(samples, message):
    with pytest.raises(ValueError, match=message) as caught:
        require_waveform(samples)
    assert str(caught.value).startswith("Expected ") and ";" in str(caught.value)


def test_a_sine_lies_3_dB_below_its_peak():
    sine = np.sin(np.arange(16_000) * 2 * np.pi * 100 / 16_000).astype(np.float32)
    assert level_dbfs(sine) == pytest.approx(-3.01, abs=0.01)
    assert level_dbfs(sine / 100) == pytest.approx(-43.01, abs=0.01)
    assert not is_silent(sine / 100)
    assert is_silent(sine / 1000)
    assert is_silent(np.zeros(9, dtype=np.float32))
    assert is_silent(np.zeros(0, dtype=np.float32))
