"""Updates: signed bundles, two slots, and a launcher that goes back when the new version does not fare well."""
