"""What is being fitted: an unconstrained log density with the variables around it."""
