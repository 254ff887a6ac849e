"""What is printed, and being stopped."""
