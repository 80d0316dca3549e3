"""Bodies of messages, field by field: JT/T 808-2011, -2013, -2019, JT/T 1078-2016 and a vendor's own."""
