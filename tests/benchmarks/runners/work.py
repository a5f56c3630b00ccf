"""How much arithmetic the engine does, and how fast this machine multiplies: `work.py TASK.json`.

Operations are counted as they are dispatched (matrix products and attention, two for a multiply-add); the
peak is the best of several matrix products in float32, by either of the two libraries torch carries.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from crux import way
from meter import Task, processor_seconds
from torch.utils.flop_counter import FlopCounterMode

SIZES = (1024, 2048, 4096)
ROUNDS = 5


def main() -> None:
    """Print both as one line of JSON."""
    task = Task.read(sys.argv[1])
    torch.set_num_threads(task.threads)
    with torch.inference_mode():
        peak = gemm_peak()
    run = way(task)
    run()
    result = {"peak": peak, "flops": count(run), "packed_linears": task.notes["packed_linears"]}
    sys.stdout.write("\n" + json.dumps(result) + "\n")


def count(run: Callable[[], object]) -> int:
    """Floating-point operations of one run."""
    mapping: dict[Any, Any] = {
        torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: attention_flops,
    }
    if hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        mapping[torch.ops.mkldnn._linear_pointwise] = linear_flops
    counter = FlopCounterMode(display=False, custom_mapping=mapping)
    with counter:
        run()
    return int(counter.get_total_flops())


def attention_flops(query: Any, key: Any, value: Any, *_: object, **__: object) -> int:
    """Of scores and their product with the values, masked ones included, as the kernel does them."""
    batch, heads, rows, width = query
    return 2 * batch * heads * rows * key[-2] * (width + value[-1])


def linear_flops(x: Any, _weight: object, *_: object, out_shape: Any, **__: object) -> int:
    """Of a packed linear map: its weight does not tell its shape, the result does."""
    rows = 1
    for size in x[:-1]:
        rows *= size
    return 2 * rows * x[-1] * out_shape[-1]


def gemm_peak() -> dict[str, float]:
    """Operations a second: by the processor's clock (of one thread) and by the wall's (of all)."""
    best = {"per_cpu_second": 0.0, "per_wall_second": 0.0}
    for size in SIZES:
        left, right = torch.randn(size, size), torch.randn(size, size)
        ways: list[Callable[[], object]] = [lambda: left @ right]  # noqa: B023 (used at once)
        if torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
            packed = torch.ops.mkldnn._reorder_linear_weight(right.T.contiguous(), size)
            ways.append(
                lambda: torch.ops.mkldnn._linear_pointwise(left, packed, None, "none", [], "")  # noqa: B023
            )
        for multiply in ways:
            multiply()
            for _ in range(ROUNDS):
                started, clock = processor_seconds(), time.perf_counter()
                multiply()
                cpu, wall = processor_seconds() - started, time.perf_counter() - clock
                work = 2.0 * size**3
                best["per_wall_second"] = max(best["per_wall_second"], work / wall)
                if cpu > 0.02:  # the processor's clock is coarse
                    best["per_cpu_second"] = max(best["per_cpu_second"], work / cpu)
    return best


if __name__ == "__main__":
    main()
