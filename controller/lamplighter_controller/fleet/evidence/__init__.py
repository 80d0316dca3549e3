"""What proves a violation: kept by its content, packed with a signed manifest, verified without a server."""
