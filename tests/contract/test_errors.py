"""Every exception of a package stands under that package's one root."""

import importlib
import inspect
import pkgutil

import pytest

from lamplighter_contract.errors import ContractError
from lamplighter_controller.errors import ControllerError
from lamplighter_gateway.errors import GatewayError


@pytest.mark.parametrize(
    ("package", "root"),
    [
        ("lamplighter_contract", ContractError),
        ("lamplighter_gateway", GatewayError),
        ("lamplighter_controller", ControllerError),
    ],
)
def test_one_root(package, root):
    for module_info in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if "migrations" in module_info.name or module_info.name.endswith("__main__"):
            continue
        module = importlib.import_module(module_info.name)
        for _, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, BaseException) and found.__module__.startswith(package):
                assert issubclass(found, root), f"{found.__module__}.{found.__name__}"
