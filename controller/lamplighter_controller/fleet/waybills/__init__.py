"""Electronic waybills: declared by people, told by terminals, followed by what the truck does; who drove."""
