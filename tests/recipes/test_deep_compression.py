"""Short runs of the Deep Compression recipes: all stages, on made-up data."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import qcodec  # noqa: E402
from qcodec.neuron_order import sorted_neurons  # noqa: E402
from qcodec.torch import Run, load  # noqa: E402
from recipes import lenet5, lenet_300_100  # noqa: E402
from recipes.__main__ import main  # noqa: E402
from recipes.data import made_up_digits  # noqa: E402
from recipes.deep_compression import Prices  # noqa: E402
from recipes.networks import LeNet5, LeNet300  # noqa: E402
from recipes.stages import Stages  # noqa: E402

NETS = {"lenet-300-100": LeNet300, "lenet5": LeNet5}


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Folders of finished runs, each made once."""
    folders = {}

    def folder_of(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            arguments = [name, "--data", "nowhere", "--out", str(folders[name]), "--short"]
            assert main(arguments) == 0
        return folders[name]

    return folder_of


@pytest.mark.parametrize("name", NETS)
def test_both_files_hold_nets_that_work(name, short):
    folder = short(name)
    ours = json.loads((folder / "result.json").read_text())["ours"]
    for file, suffix in (("net.qcodec", ""), ("paper.qcodec", ", as in the paper")):
        path = folder / file
        model = NETS[name]()
        load(model, path)
        found = Stages(made_up_digits(), None, {}).test(model)
        assert ours[f"test error, %{suffix}"] == pytest.approx(100 - 100 * found)
        assert found > 0.6  # ten classes; an untrained net gets 0.1
        assert ours[f"bytes{suffix}"] == path.stat().st_size < ours["bytes as float32"] / 10


@pytest.mark.parametrize("name", NETS)
def test_the_file_holds_what_was_trained_bit_for_bit(name, short):
    folder = short(name)
    trained = Run(folder, json.loads((folder / "settings.json").read_text())).restore("centroids")
    state = trained["model"]
    decoded = qcodec.load_file(folder / "net.qcodec")
    weights = [name.removesuffix(".weight") for name in decoded if name.endswith(".weight")]
    assert len(weights) == len(list(NETS[name]().children())) - _dropouts(name)
    wanted = {}
    for layer in weights:
        prefix = f"{layer}.parametrizations.weight"
        centroids = state[f"{prefix}.original"].to(torch.bfloat16).float().numpy()
        codes, mask = state[f"{prefix}.0.values.codes"], state[f"{prefix}.0.mask"]
        wanted[f"{layer}.weight"] = np.where(mask, centroids[codes], np.float32(0))
        assert wanted[f"{layer}.weight"].any()
    layers = [
        (f"{name}.weight", None) for name, _ in NETS[name]().named_children() if name in weights
    ]
    for layer, weight in sorted_neurons(wanted, layers).items():
        assert weight.tobytes() == decoded[layer].tobytes()


def _dropouts(name):
    return sum(isinstance(part, torch.nn.Dropout) for part in NETS[name]().children())


@pytest.mark.parametrize("name", NETS)
def test_the_paper_s_net_has_the_paper_s_densities_and_bits(name, short):
    folder = short(name)
    settings = json.loads((folder / "settings.json").read_text())
    with qcodec.safe_open(folder / "paper.qcodec") as file:
        for layer, density in settings["paper densities"].items():
            weight = file.get_tensor(f"{layer}.weight")
            assert (weight != 0).sum() <= round(density * weight.size)
            assert file.info(f"{layer}.weight").positions == "gaps"
            assert len(np.unique(weight)) <= 2 ** settings["paper bits"][layer]


def test_a_run_that_was_stopped_again_and_again_ends_with_the_same_bytes(short, tmp_path):
    stops = [("dense", 2), ("prune", 1), ("latent", 1), ("paper prune", 1)]
    settings = {**lenet_300_100.SETTINGS, "seed": 0, **lenet_300_100.SHORT}

    def stop(stage, done, _total, _found):
        if stops and (stage, done) == stops[0]:
            del stops[0]
            raise KeyboardInterrupt

    data = lenet_300_100.load_data(None, short=True)
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            lenet_300_100.run(data, Run(tmp_path, settings, stop), settings)
    lenet_300_100.run(data, Run(tmp_path, settings, stop), settings)
    assert not stops
    for file in ("net.qcodec", "paper.qcodec"):
        assert (tmp_path / file).read_bytes() == (short("lenet-300-100") / file).read_bytes()


@pytest.mark.parametrize("recipe", [lenet_300_100, lenet5])
def test_a_short_run_has_the_settings_of_a_whole_one(recipe):
    for name, value in recipe.SHORT.items():
        whole = recipe.SETTINGS[name]
        assert type(value) is type(whole)
        if isinstance(value, dict) and "prices" in value:
            assert value.keys() == whole.keys()


def test_prices_rise_in_equal_ratios_and_stay_at_the_last():
    found = []
    prices = Prices(found.append, 1.0, 8.0, steps=6, every=2)
    for _ in range(10):
        prices.step()
    assert found == pytest.approx([1, 2, 4, 8, 8, 8])


def test_prices_go_on_where_they_were():
    found = []
    before = Prices(lambda _: None, 1.0, 8.0, steps=6, every=2)
    for _ in range(3):
        before.step()
    after = Prices(lambda _: None, 1.0, 8.0, steps=6, every=2)
    after.load_state_dict(before.state_dict())
    after.do = found.append
    after.step()
    assert found == pytest.approx([4])
