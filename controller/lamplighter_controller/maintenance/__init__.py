"""From a fault to a proved repair: work orders, crews, parts, inspection, and the figures a bureau lives by."""
