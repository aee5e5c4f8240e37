"""What the buttons do, one module a tab: plain functions, tested without a browser."""
