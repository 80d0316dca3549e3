"""Who is on a bus: units found, devices recognised by their registers, compared with what is configured."""
