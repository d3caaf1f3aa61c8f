"""The optional backend says how to install it where it is absent."""

import importlib.util

import pytest

from talkingface_wild.core.errors import ExtraMissing
from talkingface_wild.perception.hyperiqa import PyiqaPerceiver


@pytest.mark.skipif(
    importlib.util.find_spec("pyiqa") is not None, reason="pyiqa is installed on this machine"
)
def test_without_the_package_the_command_to_install_it_is_given():
    with pytest.raises(ExtraMissing, match=r"pip install 'talkingface-wild\[pyiqa\]'"):
        PyiqaPerceiver().open()
