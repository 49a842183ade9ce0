"""Small files of other formats, made by the formats' own libraries, and what these read in them."""

import json
import warnings

import numpy as np
import pytest

RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.normal(size=(8, 64)).astype(np.float32)


def of_torch(path, **options):
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(2, 8)).sum().backward()
    optimizer.step()
    checkpoint = {
        "model": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "several": [torch.arange(3), (torch.ones(2, dtype=torch.float16), None)],
        "turned": torch.from_numpy(WEIGHTS).T,
        "expanded": torch.ones(1).expand(3, 4),
        "part": torch.arange(12.0).reshape(3, 4)[1:, 2:],
        "empty": torch.zeros(0, 3),
        "scalar": torch.tensor(7, dtype=torch.int8),
        "float8": torch.arange(4.0).to(torch.float8_e4m3fn),
        "brain": torch.arange(4.0).to(torch.bfloat16),
        "complex": torch.ones(2, dtype=torch.complex64),
        "flags": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "numpy": np.arange(5),
    }
    if not options.get("_use_new_zipfile_serialization", True):
        del checkpoint["float8"]  # files of then had none
    torch.save(checkpoint, path, **options)
    return {name: array_of(value) for name, value in flat(checkpoint)}


def of_old_torch(path):
    return of_torch(path, _use_new_zipfile_serialization=False)


def of_whole_net(path):
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.BatchNorm1d(4))
    torch.save(net, path)
    return {name: array_of(value) for name, value in net.state_dict().items()}


def of_torchscript(path):
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.BatchNorm1d(4)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch recommends others
        torch.jit.trace(net, torch.ones(2, 8)).save(path)
    return {name: array_of(value) for name, value in net.state_dict().items()}


def flat(value, name=""):
    """Names as qcodec gives them: keys, joined by dots."""
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    elif hasattr(value, "shape"):
        yield name, value
        return
    else:
        return
    for key, child in items:
        yield from flat(child, f"{name}.{key}" if name else str(key))


def array_of(tensor):
    if isinstance(tensor, np.ndarray):
        return tensor
    from qcodec._base.arrays import as_array

    return as_array(tensor)[0]


def of_npy(path):
    with path.open("wb") as file:
        np.save(file, WEIGHTS)
    return {"array": WEIGHTS}


def of_pickled_dict(path):
    tensors = {"w": WEIGHTS, "layers": [np.float32(2), {"b": np.arange(3, dtype=">i4")}], "n": 3}
    with path.open("wb") as file:
        np.save(file, tensors, allow_pickle=True)
    return {"w": WEIGHTS, "layers.0": np.float32(2), "layers.1.b": np.arange(3, dtype="i4")}


def of_npz(path, save=np.savez):
    arrays = {
        "w": WEIGHTS,
        "fortran": np.asfortranarray(WEIGHTS),
        "big": WEIGHTS.astype(">f8"),
        "flags": np.array([True, False]),
        "scalar": np.array(3, np.uint16),
        "empty": np.zeros((0, 2), np.float16),
    }
    with path.open("wb") as file:
        save(file, **arrays)
    return {name: array.astype(array.dtype.newbyteorder("=")) for name, array in arrays.items()}


def of_deflated_npz(path):
    return of_npz(path, np.savez_compressed)


def of_gguf(path):
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_string("general.name", "net")
    writer.add_array("tokenizer.ggml.tokens", ["a", "bc", "ü"])
    writer.add_tensor("plain", WEIGHTS)
    writer.add_tensor("half", WEIGHTS.astype(np.float16))
    writer.add_tensor("numbers", np.arange(5, dtype=np.int32))
    for name in ("Q8_0", "Q4_0", "Q5_1", "TQ2_0"):
        kind = gguf.GGMLQuantizationType[name]
        weights = RANDOM.normal(size=(4, 256)).astype(np.float32)
        writer.add_tensor(name, gguf.quants.quantize(weights, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return {one.name: np.array(one.data) for one in gguf.GGUFReader(path).tensors}


def onnx_model():
    onnx = pytest.importorskip("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    tensors = [
        onnx.numpy_helper.from_array(WEIGHTS, "w"),
        onnx.numpy_helper.from_array(np.arange(3, dtype=np.float16), "half"),
        onnx.numpy_helper.from_array(np.zeros((0, 2), np.float32), "empty"),
        helper.make_tensor("floats", kinds.FLOAT, [2, 2], [1.0, 2.0, 3.0, 4.0]),
        helper.make_tensor("doubles", kinds.DOUBLE, [2], [1.0, 2.0]),
        helper.make_tensor("int64", kinds.INT64, [3], [1, -2, 300]),
        helper.make_tensor("int8", kinds.INT8, [2], [-1, 5]),
        helper.make_tensor("uint64", kinds.UINT64, [2], [1, 2**63]),
        helper.make_tensor("bool", kinds.BOOL, [2], [1, 0]),
    ]
    inputs = [helper.make_tensor_value_info("x", kinds.FLOAT, [1, 8])]
    outputs = [helper.make_tensor_value_info("y", kinds.FLOAT, [1, 64])]
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "net", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model, {one.name: onnx.numpy_helper.to_array(one) for one in tensors}


def of_onnx(path):
    model, tensors = onnx_model()
    path.write_bytes(model.SerializeToString())
    return tensors


def of_onnx_with_external_data(path):
    onnx = pytest.importorskip("onnx")
    model, tensors = onnx_model()
    options = {"location": f"{path.name}.data", "size_threshold": 0}
    onnx.save(model, path, save_as_external_data=True, **options)
    return tensors


def of_shards(path):
    from safetensors.numpy import save_file

    first, second = {"a.weight": WEIGHTS}, {"b.weight": WEIGHTS[:2], "b.bias": WEIGHTS[0]}
    save_file(first, path.parent / "model-00001-of-00002.safetensors")
    save_file(second, path.parent / "model-00002-of-00002.safetensors")
    files = dict.fromkeys(first, "model-00001-of-00002.safetensors")
    files |= dict.fromkeys(second, "model-00002-of-00002.safetensors")
    path.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": files}))
    return first | second


#: By format: the name of a file, and what writes it and returns its arrays.
FORMATS = {
    "PyTorch": ("net.pt", of_torch),
    "PyTorch before 1.6": ("net.pth", of_old_torch),
    "a whole net": ("net.pt", of_whole_net),
    "TorchScript": ("net.pt", of_torchscript),
    "npy": ("net.npy", of_npy),
    "a pickled dict": ("net.npy", of_pickled_dict),
    "npz": ("net.npz", of_npz),
    "npz, deflated": ("net.npz", of_deflated_npz),
    "GGUF": ("net.gguf", of_gguf),
    "ONNX": ("net.onnx", of_onnx),
    "ONNX, external data": ("net.onnx", of_onnx_with_external_data),
    "shards": ("model.safetensors.index.json", of_shards),
}
