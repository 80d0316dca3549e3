"""Programs, calendars and the plan document, and what is wrong with them."""
