"""`make run`: the whole system on one machine, with simulated devices, as child processes of one launcher."""
