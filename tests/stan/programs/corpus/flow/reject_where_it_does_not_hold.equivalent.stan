data { int N; } parameters { vector[N] x; } model { target += sum(x); }
