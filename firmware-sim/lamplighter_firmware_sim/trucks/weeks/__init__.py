"""Weeks of trucks as columns, made in a second, with the truth beside them: for judging whoever judges trucks. Pure.

Nothing is shared with any judge, no constant and no geometry: what instruments show is worked out from what was done.
"""
