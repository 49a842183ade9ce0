"""Files of other formats are read as their own libraries read them, and come back as they were."""

import numpy as np
import pytest

import qcodec
from qcodec._formats.original import Original, original_of
from qcodec._formats.rewriting import files_of
from qcodec.errors import QCodecError
from tests.readers.files import FORMATS


@pytest.fixture(params=FORMATS)
def made(request, tmp_path):
    """A file, and its arrays as its own library reads them."""
    name, write = FORMATS[request.param]
    path = tmp_path / name
    return path, write(path)


def assert_same(found, expected):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_every_tensor_is_read_as_by_its_own_library(made, backend):
    path, expected = made
    found = qcodec.load_file(path, backend=backend)
    assert sorted(found) == sorted(expected)
    for name, array in found.items():
        assert_same(array, expected[name])


def test_parts_are_those_of_the_whole(made):
    path, expected = made
    with qcodec.safe_open(path) as file:
        for name, array in expected.items():
            part = file.get_slice(name)
            assert tuple(part.get_shape()) == array.shape
            assert_same(part[...], np.ascontiguousarray(array).reshape(array.shape))
            if array.ndim and len(array) > 1:
                assert_same(part[1:], array[1:])
                assert_same(part[::2], np.ascontiguousarray(array[::2]))


def test_a_tensor_is_read_into_the_callers_array(made):
    path, expected = made
    with qcodec.safe_open(path) as file:
        for name, array in expected.items():
            out = np.empty(array.shape, array.dtype)
            assert file.get_tensor(name, out) is out
            assert_same(out, array)


def test_the_same_files_can_be_written_again(made):
    path, _expected = made
    with qcodec.safe_open(path) as file:
        original = original_of(file.source, file.directory, path.name)
        again = Original.from_bytes(original.to_bytes(), qcodec.Limits())
        files = files_of(again, file.read_ordinary)
        for name, parts in files.items():
            pieces = (part.pieces() if hasattr(part, "pieces") else [part] for part in parts)
            data = b"".join(bytes(piece) for several in pieces for piece in several)
            assert data == (path.parent / name).read_bytes()


def test_a_file_that_ends_too_early_is_refused(made):
    """Or all of it is there: some formats end in bytes without a meaning."""
    path, expected = made
    data = path.read_bytes()
    refused = 0
    for size in sorted({*range(0, len(data), max(1, len(data) // 200)), len(data) - 1}):
        path.write_bytes(data[:size])
        try:
            found = qcodec.load_file(path)
        except QCodecError:
            refused += 1
        else:
            assert size > 0.9 * len(data)
            assert sorted(found) == sorted(expected)
            for name, array in found.items():
                assert_same(array, expected[name])
    assert refused > 0


def test_a_checkpoint_in_memory_is_read_if_it_is_one_file(made):
    path, expected = made
    data = path.read_bytes()
    if len(list(path.parent.iterdir())) > 1:
        with pytest.raises(QCodecError):
            qcodec.load(data)
    else:
        assert sorted(qcodec.load(data)) == sorted(expected)
