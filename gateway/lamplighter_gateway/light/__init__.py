"""What every lamp should show, and seeing to it that it does."""
