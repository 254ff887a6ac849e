data { vector[2] m; }
parameters {
  real mu;
  real<lower=0> s;
  vector<offset=mu, multiplier=s>[2] x;
  vector<offset=m, multiplier=[s, 2]'>[2] y;
  array[2] real<multiplier=s> z;
  real<offset=mu> o;
}
model { x ~ normal(mu, s); y ~ normal(0, 1); target += z[1] * z[2] + o ^ 3; }
