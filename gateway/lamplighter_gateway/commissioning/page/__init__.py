"""The page of the cabinet: crews test lamps with a phone where there is no other network."""
