"""Trucks at the gateway: positions that are durable before they are acknowledged, limits and the debts they leave."""
