// PyTorch on one thread, where Python has it: the same product and the same training steps.

import { spawnSync } from 'node:child_process';

const script = `
import sys, time, torch
import torch.nn as nn
torch.set_num_threads(1)
def least(f, rounds):
    f(); best = 1e9
    for _ in range(rounds):
        start = time.process_time(); f(); best = min(best, time.process_time() - start)
    return best
def block(i, o, s):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Sequential(nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(), nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o))
            self.b = nn.Identity() if s == 1 and i == o else nn.Sequential(nn.Conv2d(i, o, 1, s, bias=False), nn.BatchNorm2d(o))
        def forward(self, x): return torch.relu(self.a(x) + self.b(x))
    return Block()
def net(name):
    if name.startswith('MLP'):
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    if name.startswith('convnet'):
        return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3136, 10))
    layers = [nn.Conv2d(1, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    for i, o, s in [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1)]:
        layers.append(block(i, o, s))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))
if sys.argv[1] == 'product':
    n = int(sys.argv[2]); a = torch.rand(n, n); b = torch.rand(n, n)
    print(least(lambda: a @ b, 30))
else:
    n = int(sys.argv[3]); model = net(sys.argv[2]); x = torch.rand(n, 1, 28, 28); y = torch.randint(10, (n,))
    sgd = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9); loss = nn.CrossEntropyLoss()
    def step():
        sgd.zero_grad(); loss(model(x), y).backward(); sgd.step()
    print(least(step, 20))
`;

interface TorchRates {
  /** Seconds. */
  readonly product: (size: number) => number;
  readonly step: (net: string, examples: number) => number;
}

export function torchRates(): TorchRates | { readonly missing: string } {
  const python = (...given: readonly string[]): number => {
    const { stdout } = spawnSync('python3', ['-c', script, ...given], { encoding: 'utf8' });
    return Number(stdout);
  };
  if (spawnSync('python3', ['-c', 'import torch']).status !== 0) return { missing: 'no PyTorch here' };
  return {
    product: (size) => python('product', String(size)),
    step: (net, examples) => python('step', net, String(examples)),
  };
}
