"""A processor as a platform of verl, which brings those of NVIDIA, AMD and Huawei: VERL_PLATFORM=cpu.

verl imports this into each of its processes: VERL_USE_EXTERNAL_MODULES names it.
"""

import contextlib
import functools
import types

import torch
from verl.plugin.platform import PlatformBase, PlatformRegistry


def nothing(*_arguments, **_named):
    """There is no accelerator."""


def none(*_arguments, **_named):
    return 0


# What verl asks of `torch.cuda`. Not available, so that it neither empties caches nor bounds a memory.
ACCELERATOR = types.SimpleNamespace(
    is_available=lambda: False,
    device_count=none,
    get_device_name=lambda: "CPU",
    set_device=nothing,
    synchronize=nothing,
    empty_cache=nothing,
    memory_allocated=none,
    memory_reserved=none,
    max_memory_allocated=none,
    max_memory_reserved=none,
    mem_get_info=lambda: (0, 0),
)


@PlatformRegistry.register("cpu")
class Processor(PlatformBase):
    """Tensors stay where they are, and processes speak over gloo."""

    device_name = vendor_name = "cpu"
    device_module = ACCELERATOR
    set_device = synchronize = manual_seed_all = set_allocator_settings = empty_cache = nothing
    profiler_start = profiler_stop = cudart = nothing

    def is_available(self):
        return True

    def device_count(self):
        return 1

    def current_device(self):
        # For `Tensor.to`, to which a number would be an accelerator's.
        return "cpu"

    def manual_seed(self, seed):
        torch.manual_seed(seed)

    def get_device_capability(self, device_index=0):
        return None, None

    def communication_backend_name(self):
        return "gloo"

    def visible_devices_envvar(self):
        return "CUDA_VISIBLE_DEVICES"

    def nvtx_range(self, msg):
        return contextlib.nullcontext()

    def is_ipc_supported(self):
        return False

    def ray_noset_envvars(self):
        return []

    def ray_resource_name(self):
        # Of which verl asks for one: Ray is told that it is there.
        return "GPU"


from verl.workers import engine_workers  # noqa: E402 - asks for the platform

# verl would name gloo for the processor twice, which torch refuses.
engine_workers.initialize_global_process_group_ray = functools.partial(
    engine_workers.initialize_global_process_group_ray, backend="cpu:gloo"
)
