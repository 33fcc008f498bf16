"""Rival for the engine's benchmark: a transformer block, and a step of VideoMAE's pre-training, in PyTorch.

    python3 torch_step.py '{"threads": 2, "block": {"batch": 8, "tokens": 160, "width": 768, "heads": 12}}'

Answers one line of JSON when ready and one for each line "step" that it reads. Fair to PyTorch:
- It does the work of tubelet's step and no more: only visible tokens are embedded, as a product (the reference
  implementation embeds all of them and makes the targets within the step).
- Attention is `scaled_dot_product_attention` and AdamW is the fused one where this PyTorch has them.
- Parameters and their gradients stay allocated; the gradient is set to none before each step, as its guide advises.
"""

import json
import resource
import sys
import time

import torch
import torch.nn.functional as F

DEPTH, DECODER_DEPTH, VISIBLE, MASKED, VALUES = 12, 4, 160, 1408, 1536
SIZES = {"S": (384, 6, 192, 3), "B": (768, 12, 384, 6)}


class Block(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = torch.nn.LayerNorm(width, eps=1e-6)
        self.q_bias = torch.nn.Parameter(torch.zeros(width))
        self.v_bias = torch.nn.Parameter(torch.zeros(width))
        self.qkv = torch.nn.Linear(width, 3 * width, bias=False)
        self.proj = torch.nn.Linear(width, width)
        self.norm2 = torch.nn.LayerNorm(width, eps=1e-6)
        self.fc1 = torch.nn.Linear(width, 4 * width)
        self.fc2 = torch.nn.Linear(4 * width, width)

    def attend(self, x):
        batch, tokens, width = x.shape
        bias = torch.cat((self.q_bias, torch.zeros_like(self.v_bias), self.v_bias))
        joint = F.linear(x, self.qkv.weight, bias)
        q, k, v = joint.reshape(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        if hasattr(F, "scaled_dot_product_attention"):
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
            mixed = scores.softmax(dim=-1) @ v
        return self.proj(mixed.transpose(1, 2).reshape(batch, tokens, width))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Pretrain(torch.nn.Module):
    def __init__(self, width, heads, decoder_width, decoder_heads):
        super().__init__()
        self.mask_token = torch.nn.Parameter(torch.zeros(1, 1, decoder_width))
        self.embed = torch.nn.Linear(VALUES, width)
        self.encoder = torch.nn.ModuleList(Block(width, heads) for _ in range(DEPTH))
        self.norm = torch.nn.LayerNorm(width, eps=1e-6)
        self.to_decoder = torch.nn.Linear(width, decoder_width, bias=False)
        self.decoder = torch.nn.ModuleList(Block(decoder_width, decoder_heads) for _ in range(DECODER_DEPTH))
        self.decoder_norm = torch.nn.LayerNorm(decoder_width, eps=1e-6)
        self.head = torch.nn.Linear(decoder_width, VALUES)

    def forward(self, visible, encoder_positions, decoder_positions):
        x = self.embed(visible) + encoder_positions
        for block in self.encoder:
            x = block(x)
        x = self.to_decoder(self.norm(x))
        x = torch.cat((x, self.mask_token.expand(x.shape[0], MASKED, -1)), 1) + decoder_positions
        for block in self.decoder:
            x = block(x)
        return self.head(self.decoder_norm(x[:, VISIBLE:]))


def make_product(size):
    a = torch.full((size, size), 0.5)
    return lambda: a @ a.T


def make_block(work):
    block = Block(work["width"], work["heads"])
    x = torch.rand(work["batch"], work["tokens"], work["width"]).mul_(2).sub_(1).requires_grad_()
    dy = torch.rand_like(x)

    def step():
        block.zero_grad(set_to_none=True)
        x.grad = None
        block(x).backward(dy)

    return step


def make_optimizer(groups, betas):
    options = {"lr": 1e-4, "betas": betas}
    try:
        return torch.optim.AdamW(groups, fused=True, **options)
    except (TypeError, RuntimeError):
        return torch.optim.AdamW(groups, foreach=True, **options)


def make_pretrain(work):
    width, heads, decoder_width, decoder_heads = SIZES[work["size"]]
    batch = work["batch"]
    model = Pretrain(width, heads, decoder_width, decoder_heads)
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 0.05},
        {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    optimizer = make_optimizer(groups, (0.9, 0.95))
    visible = torch.rand(batch, VISIBLE, VALUES)
    target = torch.rand(batch, MASKED, VALUES)
    encoder_positions = torch.rand(batch, VISIBLE, width)
    decoder_positions = torch.rand(batch, VISIBLE + MASKED, decoder_width)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(model(visible, encoder_positions, decoder_positions), target)
        loss.backward()
        optimizer.step()

    return step


def answer(**line):
    print(json.dumps(line), flush=True)


def main():
    work = json.loads(sys.argv[1])
    torch.manual_seed(0)
    torch.set_num_threads(work["threads"])
    if "block" in work:
        step = make_block(work["block"])
    elif "pretrain" in work:
        step = make_pretrain(work["pretrain"])
    else:
        step = make_product(work.get("product", 2048))
    step()
    answer(ready=True, torch=torch.__version__)
    for line in sys.stdin:
        if line.strip() != "step":
            break
        start = time.perf_counter()
        step()
        answer(seconds=time.perf_counter() - start)
    answer(peakBytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main()
