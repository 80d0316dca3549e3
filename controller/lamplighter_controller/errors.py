"""The controller's broken promises."""


class ControllerError(Exception):
    """Root of every exception the controller raises on purpose."""
