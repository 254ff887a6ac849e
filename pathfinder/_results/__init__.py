"""What a fit returns, and the views of it."""
