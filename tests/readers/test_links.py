"""Links in checkpoint folders: those of a cache are followed, others are refused in one line."""

import json
import os
import socket

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from qcodec.checkpoints import decode_checkpoint, encode_checkpoint
from qcodec.cli import main

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights there")
WEIGHTS = {"w": np.ones((8, 8), np.float32)}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "net"
    path.mkdir()
    save_file(WEIGHTS, path / "model.safetensors", {"format": "pt"})
    (path / "config.json").write_text("{}\n")
    return path


def test_a_cache_of_links_is_copied_as_files(tmp_path):
    """As Hugging Face's libraries keep it: a snapshot has links into the folder of blobs."""
    cache = tmp_path / "models--org--net"
    blobs, snapshot = cache / "blobs", cache / "snapshots/0123abcd"
    blobs.mkdir(parents=True)
    (snapshot / "1_Pooling").mkdir(parents=True)
    save_file(WEIGHTS, blobs / "aa", {"format": "pt"})
    (blobs / "bb").write_text("{}")
    (blobs / "cc").write_text("words")
    (snapshot / "model.safetensors").symlink_to("../../blobs/aa")
    (snapshot / "config.json").symlink_to("../../blobs/bb")
    (snapshot / "1_Pooling/words.txt").symlink_to("../../../blobs/cc")
    (tmp_path / "here").symlink_to(snapshot)
    for number, source in enumerate((snapshot, tmp_path / "here")):
        small, again = tmp_path / f"small{number}", tmp_path / f"again{number}"
        encode_checkpoint(source, small)
        decode_checkpoint(small, again)
        copied = again / "1_Pooling/words.txt"
        assert copied.read_text() == "words"
        assert not copied.is_symlink()
        assert np.array_equal(load_file(again / "model.safetensors")["w"], WEIGHTS["w"])


def link(path, target):
    path.symlink_to(target)


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


#: What is put into the folder, and what the error says.
REFUSED = {
    "a file outside": (
        lambda path: link(path, "/etc/passwd"),
        "is a link to '/etc/passwd', outside",
    ),
    "a file beside": (lambda path: link(path, "../../secret"), "is a link to"),
    "a device": (lambda path: link(path, "/dev/zero"), "is a link to"),
    "a folder outside": (lambda path: link(path, "/etc"), "is a link to"),
    "the folder": (lambda path: link(path, "."), "is a link to a folder"),
    "all folders": (lambda path: link(path, "/"), "is a link to"),
    "nothing": (lambda path: link(path, "missing"), "is a link that leads nowhere"),
    "itself": (lambda path: link(path, path.name), "is a link that leads nowhere"),
    "a pipe": (os.mkfifo, "is neither a file nor a folder") if hasattr(os, "mkfifo") else None,
    "a socket": (a_socket, "is neither a file nor a folder"),
}


@pytest.mark.parametrize("inside", ["", "tokenizer/"])
@pytest.mark.parametrize("what", [name for name, row in REFUSED.items() if row])
def test_what_is_no_file_of_the_folder_is_refused_in_one_line(
    tmp_path, folder, capsys, what, inside, monkeypatch
):
    make, message = REFUSED[what]
    (tmp_path / "secret").write_text("secret")
    (tmp_path.parent / "secret").write_text("secret")  # of the link in the folder itself
    (folder / inside).mkdir(exist_ok=True)
    monkeypatch.chdir(folder / inside)  # names of sockets are short
    make(type(folder)("x"))
    monkeypatch.chdir(tmp_path)
    assert main(["encode", "net", "small"]) == 1
    err = capsys.readouterr().err
    assert f"'{inside}x' {message}" in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net", "secret"]


def test_a_link_within_the_folder_is_followed(tmp_path, folder):
    (folder / "vocabulary.txt").symlink_to("config.json")
    encode_checkpoint(folder, tmp_path / "small")
    assert (tmp_path / "small/vocabulary.txt").read_text() == "{}\n"


def test_weights_may_be_links_to_any_regular_file(tmp_path, folder):
    (folder / "model.safetensors").rename(tmp_path / "weights")
    (folder / "model.safetensors").symlink_to("../weights")
    encode_checkpoint(folder, tmp_path / "small")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("/dev/zero")
    assert main(["encode", str(folder), str(tmp_path / "other")]) == 1


@pytest.mark.parametrize("target", ["/dev/zero", "pipe", ".", "missing", "shard.safetensors"])
def test_a_shard_is_a_regular_file(tmp_path, folder, capsys, target):
    os.mkfifo(folder / "pipe")
    (folder / "shard.safetensors").symlink_to(target)
    index = {"weight_map": {"w": "shard.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert main(["encode", str(folder), str(tmp_path / "small")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_what_tools_keep_beside_the_files_is_not_copied(tmp_path, folder):
    for name in (".git/lfs/objects", ".cache/huggingface/download"):
        (folder / name).mkdir(parents=True)
        (folder / name / "net").write_text("the weights once more")
    (folder / ".gitattributes").write_text("*.safetensors filter=lfs")
    encode_checkpoint(folder, tmp_path / "small")
    names = sorted(path.name for path in (tmp_path / "small").iterdir())
    assert names == [".gitattributes", "config.json", "model.safetensors"]
