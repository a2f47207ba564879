"""Tensors: of torch, and of whatever says by DLPack where its memory is."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

# Memory that the processor reads, by the numbers of dlpack.h: CPU, CUDA host, ROCm host, managed.
_READABLE = {1, 3, 11, 13}
_DEVICES = {2: "a CUDA device", 8: "a Metal device", 10: "a ROCm device", 14: "a oneAPI device"}


def from_torch(tensor: Any, name: str) -> npt.NDArray[Any]:
    """Return a dense tensor of the CPU as an array that shares its memory; no gradient follows."""
    if tensor.device.type != "cpu":
        raise ValueError(
            f"{name} must be in the memory of the CPU, got a tensor on {tensor.device}; "
            "pass tensor.cpu()"
        )
    if str(tensor.layout) != "torch.strided":
        raise ValueError(f"{name} must be a dense tensor, got {tensor.layout}")
    if str(tensor.dtype) == "torch.bfloat16":
        tensor = tensor.float()
    array: npt.NDArray[Any] = tensor.numpy(force=True)
    return array


def check_device(value: Any, name: str) -> None:
    """Raise ValueError for an object whose memory is another device's."""
    if not hasattr(value, "__dlpack_device__"):
        return
    device, _ = value.__dlpack_device__()
    if int(device) not in _READABLE:
        where = _DEVICES.get(int(device), f"device type {int(device)}")
        raise ValueError(
            f"{name} must be in the memory of the CPU, got {type(value).__name__} on {where}"
        )
