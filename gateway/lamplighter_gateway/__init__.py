"""Edge gateway: talks to devices, buffers, keeps the lamps right when the centre is gone."""
