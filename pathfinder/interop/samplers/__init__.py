"""What samplers of other libraries take to go on from a fit: positions and an inverse mass matrix in, arguments out."""
