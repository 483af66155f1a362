"""A case made ready to be carried out as often as wanted. Run by itself it carries one out, in a process that does
nothing else:

python benchmarks/restoring.py '{"method": "difface", ...}'
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from functools import cache

import torch
from torch import Tensor, nn

from cases import Case
from limner import LimnerError, device
from limner.methods import load
from limner.methods.loaded import LoadedMethod
from limner.nets.vqgan import VQGAN
from limner.weights.load import WeightsInfo
from plain import nothing_fused


def ready(case: Case) -> Callable[[], Tensor]:
    """What restores the case's faces: called, it gives (B, 3, S, S) float32 in [0, 1], the same each time."""
    compiled = case.path if case.path in ("compile", "graphs") else ""
    method = method_of(case.method, case.weights, case.size, case.dtype, case.device, compiled)
    options = asdict(method.options.but({"steps": case.steps}))
    crops, known = faces(case.batch, case.size, 0), None
    if case.references:
        known = [faces(case.references, case.size, 1)] * case.batch

    def restored() -> Tensor:
        torch.set_num_threads(case.threads)
        generators = [torch.Generator().manual_seed(number) for number in range(case.batch)]
        how = {"finish": method.finish, "references": known, "generator": generators, "batch_size": case.batch}
        with nothing_fused() if case.path == "plain" else nullcontext():
            return method(crops, **how, **options).images

    return restored


@cache
def method_of(name: str, weights: str, size: int, dtype: str, where: str, compiled: str) -> LoadedMethod:
    """A method placed where it runs. Cases that differ in batch, steps, references and threads share it."""
    if weights == "mini":
        method = load(name, weights)
    else:
        from published import PUBLISHED  # with the training's recipes, which would add to the memory of the others

        method = LoadedMethod(PUBLISHED[name](size), WeightsInfo(weights, "none", "random", size))
    compute = device.choose(where, dtype)
    for net in method.nets:
        compute.place(net.eval())
    if compiled:
        compile_nets(method, compiled)
    return method


def compile_nets(method: LoadedMethod, how: str) -> None:
    """Puts torch.compile around the nets: all of them, or with `graphs` the one that the chain asks, in whose many
    short calls starting kernels costs most."""
    if how == "graphs":
        for unet in {method.pipeline.unet, *([method.finisher.prior] if method.finisher else [])}:
            replay = torch.compile(unet.forward, mode="reduce-overhead")
            unet.forward = lambda *given, replay=replay, **named: replay(*given, **named).clone()  # the next call
            # writes over what the one before gave
        return
    for net in (part for whole in method.nets for part in compiled_parts(whole)):
        net.forward = torch.compile(net.forward)


def compiled_parts(net: nn.Module) -> list[nn.Module]:
    """What of a net is called: the net, but of an autoencoder, alone or inside, its encoder and its decoder."""
    coders: list[nn.Module] = []
    for one in net.modules():
        coders += [one.encoder, one.decoder] if isinstance(one, VQGAN) else []
    return coders or [net]


def faces(count: int, size: int, seed: int) -> Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed))


def main() -> None:
    case = Case(**json.loads(sys.argv[1]))
    torch.set_flush_denormal(True)
    try:
        ready(case)()
    except LimnerError as error:
        sys.exit(str(error))
    card = torch.cuda.max_memory_allocated() / 1e6 if case.device == "cuda" else None
    print(json.dumps({"card_mb": card}))


if __name__ == "__main__":
    main()
