"""The gateway's broken promises."""


class GatewayError(Exception):
    """Root of every exception the gateway raises on purpose."""
