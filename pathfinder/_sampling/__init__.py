"""Work that is done with fits: a model or a result in, what a sampler makes of it out."""
