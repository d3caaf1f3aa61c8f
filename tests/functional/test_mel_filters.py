import numpy as np
import pytest
from transformers.audio_utils import mel_filter_bank

from talkingface_wild.functional.mel_filters import mel_filters


@pytest.mark.parametrize("bands", [40, 80])
def test_filters_are_slaneys(bands):
    expected = mel_filter_bank(201, bands, 0.0, 8000.0, 16_000, norm="slaney", mel_scale="slaney").T
    np.testing.assert_allclose(mel_filters(bands), expected, atol=1e-7)
