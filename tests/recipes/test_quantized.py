"""Recipes of ternary and fixed-point nets: short runs, and the functions behind their figures."""

import json
import math

import pytest

torch = pytest.importorskip("torch")

import qcodec  # noqa: E402
from qcodec.torch import Run, load, plain_tensors, ternarize  # noqa: E402
from recipes import document, fixed_point_resnet20, ternary_lenet5, ternary_resnet20  # noqa: E402
from recipes.batch_norms import fold_batch_norms  # noqa: E402
from recipes.data import Batches, Data, Split, made_up_digits  # noqa: E402
from recipes.distillation import Taught, distillation_loss  # noqa: E402
from recipes.exported import exported, paired_loss, rightly  # noqa: E402
from recipes.networks import LeNet5, ResNet20  # noqa: E402
from recipes.resnet20 import folded_resnet20  # noqa: E402
from recipes.ternary import as_published  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


RECIPES = {
    "ternary-lenet5": ternary_lenet5,
    "ternary-resnet20": ternary_resnet20,
    "fixed-point-resnet20": fixed_point_resnet20,
}
FRESH = {"ternary-lenet5": LeNet5, "ternary-resnet20": folded_resnet20}


@pytest.mark.parametrize("name", RECIPES)
def test_a_short_run_gives_a_net_of_the_stated_accuracy_for_a_document(name, tmp_path):
    recipe, path = RECIPES[name], tmp_path / "net.qcodec"
    settings = {**recipe.SETTINGS, "seed": 0, **recipe.SHORT}
    data, run = recipe.load_data(tmp_path, True), Run(tmp_path, settings)
    result = recipe.run(data, run, settings)
    found = {**json.loads(json.dumps(result)), "recipe": name, "command": "x", "seed": 0}
    section = document.section({**found, "minutes": 0.1, "commit": "x"})
    assert section.startswith("| | paper | ours |")
    assert f"{path.stat().st_size:,}" in section
    assert (tmp_path / "curves.csv").exists()
    if name not in FRESH:
        assert (tmp_path / "size_accuracy.png").exists()
        return
    model = FRESH[name]()
    load(model, path)
    split = data.test if isinstance(data, Data) else data[0].test
    right = 100 * float(rightly(model, split).double().mean())
    ours = result["ours"]
    assert right == pytest.approx(ours.get("accuracy, %", 100 - ours.get("error, %", 0)))
    assert {len(tensor.unique()) for tensor in plain_tensors(model).values()} > {3}


def test_a_folded_net_gives_what_the_net_gave():
    torch.manual_seed(0)
    model, x = ResNet20(), torch.randn(4, 3, 32, 32)
    model(torch.randn(32, 3, 32, 32) * 2 + 1)  # running statistics away from 0 and 1
    model.eval()
    wanted = model(x)
    fold_batch_norms(model)
    assert torch.allclose(model(x), wanted, atol=1e-5)
    assert plain_tensors(model).keys() == plain_tensors(folded_resnet20()).keys()
    assert not any("running" in name for name in model.state_dict())


def test_figures_are_of_the_file_and_not_of_the_model(tmp_path):
    torch.manual_seed(0)
    model, data = LeNet5(), made_up_digits(count=220).test
    ternarize(model)
    fresh = LeNet5()
    others = qcodec.Affine(2)  # coarse enough to be noticed
    found = exported(model, fresh, tmp_path / "net.qcodec", {"": others}, data)
    assert found.size == (tmp_path / "net.qcodec").stat().st_size
    assert torch.equal(fresh.fc1.weight, model.fc1.weight)
    assert len(fresh.fc2.weight.unique()) <= 4
    assert torch.equal(found.right, fresh(data.images).argmax(1) == data.labels)


def test_a_loss_on_the_same_images_counts_those_on_which_nets_differ():
    before = torch.tensor([True] * 90 + [False] * 10)
    after = torch.tensor([True] * 84 + [False] * 6 + [True] * 2 + [False] * 8)
    found = paired_loss(before, after)
    assert (found["lost"], found["gained"], found["points"]) == (6, 2, pytest.approx(4.0))
    differences = before.double() - after.double()
    assert found["paired"] == pytest.approx(
        100 * float(differences.std(correction=0)) / math.sqrt(100)
    )
    assert found["unpaired"] == pytest.approx(100 * math.sqrt((0.9 * 0.1 + 0.86 * 0.14) / 100))
    assert found["p"] == pytest.approx(2 * (1 + 8 + 28) / 2**8)  # of 8 coins, at most 2 heads
    assert paired_loss(before, before)["p"] == 1


def test_a_teacher_answers_for_the_images_that_the_pupil_sees():
    torch.manual_seed(0)
    data = Split(torch.randn(8, 1, 4, 4), torch.zeros(8, dtype=torch.long))
    teacher = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3))
    for mixed in (False, True):
        for images, outputs in Taught(Batches(data, 4), teacher, mixed):
            assert torch.equal(outputs, teacher(images))
            assert not outputs.requires_grad
            alike = [bool((image == data.images).flatten(1).all(1).any()) for image in images]
            assert all(alike) != mixed


def test_a_pupil_who_answers_alike_has_nothing_to_learn():
    outputs = torch.randn(5, 10, requires_grad=True)
    distillation_loss(outputs, outputs.detach() + 1.0).backward()
    assert outputs.grad.abs().max() < 1e-5
    distillation_loss(outputs, torch.randn(5, 10)).backward()
    assert outputs.grad.abs().max() > 1e-2


def test_the_schedule_for_all_of_cifar_10_is_the_papers():
    parameters = [torch.nn.Parameter(torch.zeros(1))]
    optimizer, schedule = as_published(iter(parameters), 160, 10)
    rates = []
    for _ in range(160):
        rates.append(optimizer.param_groups[0]["lr"])
        for _ in range(10):
            optimizer.step()
            schedule.step()
    falls = [epoch for epoch in range(1, 160) if rates[epoch] < rates[epoch - 1]]
    assert falls == [82, 123, 150]
    assert rates[0] == 0.1
    assert rates[-1] == pytest.approx(1e-4)
    assert optimizer.param_groups[0]["weight_decay"] == 2e-4
