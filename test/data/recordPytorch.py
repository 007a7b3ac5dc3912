"""Records how PyTorch trains two small nets, as the oracle of test/shared/neural/pytorchCurves.test.ts.

    python3 recordPytorch.py > pytorchCurves.json && npm run format

Made with PyTorch 1.13 on the processor, in double precision. What training begins with is rounded to three decimals, so
it is the same number in both languages; the rest is as PyTorch computes it. Images and kernels are written in the order
of tfjs: [example, height, width, channel] and [height, width, channels in, filters]; dense kernels are [in, units].
"""

import json
import random
import sys

import torch
from torch import nn

STEPS = 10
CLASSES = 3
EXAMPLES = 7
MOMENTUM = 0.9
EPSILON = 1e-3

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def batch_norm(channels):
    # PyTorch's momentum is the share of what is new.
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=1 - MOMENTUM)


def dense_net():
    return [6], nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, CLASSES))


def convolutional_net():
    return [6, 6, 2], nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False),
        batch_norm(4),
        nn.ReLU(),
        nn.Conv2d(4, 5, 3, stride=2, padding=1),
        batch_norm(5),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, CLASSES),
    )


nets = {"dense": dense_net, "convolutional": convolutional_net}

# As this project writes them.
optimizers = [
    {"name": "adamw", "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-4, "weightDecay": 0.1},
    {"name": "adam", "beta1": 0.8, "beta2": 0.999, "epsilon": 1e-4, "weightDecay": 0.05},
    {"name": "sgd", "momentum": 0.9, "nesterov": True, "weightDecay": 0.05},
]


def torch_optimizer(spec, weights):
    decay = spec["weightDecay"]
    if spec["name"] == "sgd":
        return torch.optim.SGD(
            weights, lr=1, momentum=spec["momentum"], nesterov=spec["nesterov"], weight_decay=decay
        )
    kind = torch.optim.AdamW if spec["name"] == "adamw" else torch.optim.Adam
    return kind(weights, betas=(spec["beta1"], spec["beta2"]), eps=spec["epsilon"], weight_decay=decay)


def learning_rates(spec):
    first = 0.1 if spec["name"] == "sgd" else 0.02
    return [round(first * 0.9**step, 6) for step in range(STEPS)]


def drawn(draw, shape):
    size = torch.Size(shape).numel()
    return torch.tensor([round(draw.uniform(-1, 1), 3) for _ in range(size)]).reshape(shape)


def named_weights(net):
    """Every weight in the order of the layers, with how its axes are turned for tfjs."""
    turns = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}
    for name, tensor in net.state_dict().items():
        if tensor.dtype == torch.float64:
            yield name, tensor, turns[tensor.dim()]


def written(net):
    return {
        name: [float(f"{value:.9g}") for value in tensor.permute(turn).reshape(-1).tolist()]
        for name, tensor, turn in named_weights(net)
    }


def start(net, draw):
    """Scales and variances about 1, what else belongs to a channel about 0."""
    scales = {f"{name}.weight" for name, layer in net.named_modules() if isinstance(layer, nn.BatchNorm2d)}
    for name, tensor, _ in named_weights(net):
        around = 1 if name in scales or name.endswith("running_var") else 0
        spread = 0.25 if tensor.dim() == 1 else 1
        tensor.copy_(torch.round((around + spread * drawn(draw, tensor.shape)) * 1000) / 1000)


def draw_batches(shape, draw):
    """The class is the largest of three weighted sums of the inputs: something that can be learnt."""
    length = torch.Size(shape).numel()
    sums = drawn(draw, [length, CLASSES])
    for _ in range(STEPS):
        inputs = drawn(draw, [EXAMPLES, *shape])
        yield inputs, (inputs.reshape(EXAMPLES, length) @ sums).argmax(1)


def curve(net_name, optimizer_spec, batches, clip_norm=None):
    _, net = nets[net_name]()
    with torch.no_grad():
        start(net, random.Random(5))
    initial = written(net)
    optimizer = torch_optimizer(optimizer_spec, net.parameters())
    losses = []
    for (inputs, targets), rate in zip(batches, learning_rates(optimizer_spec)):
        x = inputs.permute(0, 3, 1, 2) if inputs.dim() == 4 else inputs
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), targets)
        loss.backward()
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(net.parameters(), clip_norm)
        optimizer.step()
        losses.append(loss.item())
    return {
        "net": net_name,
        "optimizer": optimizer_spec,
        **({} if clip_norm is None else {"clipNorm": clip_norm}),
        "learningRates": learning_rates(optimizer_spec),
        "initial": initial,
        "losses": losses,
        "final": written(net),
    }


def main():
    draw = random.Random(3)
    batches = {name: list(draw_batches(build()[0], draw)) for name, build in nets.items()}
    curves = [curve(net, optimizer, batches[net]) for net in nets for optimizer in optimizers]
    # Below the norms of most steps.
    curves.append(curve("dense", optimizers[-1], batches["dense"], clip_norm=0.5))
    recorded = {
        "pytorch": torch.__version__,
        "examples": EXAMPLES,
        "batches": {
            name: [{"inputs": x.reshape(-1).tolist(), "targets": y.tolist()} for x, y in steps]
            for name, steps in batches.items()
        },
        "curves": curves,
    }
    json.dump(recorded, sys.stdout, separators=(",", ":"))
    print()


main()
