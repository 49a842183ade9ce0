"""The arguments of `save_file` and similar functions: those of safetensors, in order."""

import inspect

import pytest
import safetensors.numpy

import qcodec
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.files import load, load_file, safe_open, save, save_file
from tests.files.nets import model


def positional(function):
    """(name, default) of what a function takes without a keyword."""
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.default) for p in parameters if p.kind is not p.KEYWORD_ONLY]


@pytest.mark.parametrize("function", [save_file, save, load_file, load])
def test_positional_arguments_are_those_of_the_safetensors_library(function):
    theirs = positional(getattr(safetensors.numpy, function.__name__))
    # Its functions for torch tensors call them as we do.
    assert positional(function) == [
        ("tensors" if name == "tensor_dict" else name, default) for name, default in theirs
    ]


def test_a_dict_without_a_keyword_is_metadata(tmp_path):
    save_file(model(), tmp_path / "net.safetensors", {"format": "pt"})
    with safe_open(tmp_path / "net.safetensors") as file:
        assert file.metadata() == {"format": "pt"}
    with TensorFile(BytesSource(save(model(), {"format": "np"}))) as file:
        assert file.metadata() == {"format": "np"}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (qcodec.Codebook(bits=4), "metadata: found Codebook, allowed is a mapping of str to str; "),
        ("codebook4", "metadata: found str, allowed is a mapping"),
        ({"bias": None}, "metadata 'bias': found NoneType, allowed is str; "),
        ({"fc": qcodec.Verbatim()}, "metadata 'fc': found Verbatim, allowed is str; "),
        ({1: "one"}, "metadata: found a key of type int, allowed is str; "),
    ],
)
def test_a_recipe_in_place_of_metadata_is_refused(tmp_path, metadata, message):
    for file in (tmp_path / "net.qcodec", tmp_path / "net.safetensors"):
        with pytest.raises(TypeError, match=f"^{message}.*recipe=") as found:
            save_file(model(), file, metadata)
        assert "\n" not in str(found.value)
        assert not file.exists()
    with pytest.raises(TypeError, match=f"^{message}"):
        save(model(), metadata)
