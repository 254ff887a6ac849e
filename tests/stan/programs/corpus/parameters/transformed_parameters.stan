data { int N; }
parameters { vector[N] x; real<lower=0> s; }
transformed parameters {
  vector[N] raw = x * s;
  real<lower=0> total = dot_self(x);
  array[N] real<lower=-100, upper=100> each;
  { real hidden = 3; for (n in 1:N) each[n] = raw[n] + hidden; }
}
model { each ~ normal(raw, total); }
