"""The API: one module per resource, a guard before each route, and live values for whoever watches."""

from lamplighter_controller.api.create import create_api
from lamplighter_controller.api.services import Actions, City, Services

__all__ = ["Actions", "City", "Services", "create_api"]
