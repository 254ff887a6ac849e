data { int J; int T; array[J, T] int<lower=0, upper=1> y; }
parameters { real<lower=0, upper=1> a; real<lower=0, upper=1> b; }
model {
  matrix[J, T] before;
  matrix[J, T] p;
  for (j in 1:J) {
    p[j, 1] = 0;
    before[j, 1] = 0;
    for (t in 2:T) {
      before[j, t] = before[j, t - 1] + y[j, t - 1];
      p[j, t] = a * before[j, t] + b * p[j, t - 1];
    }
    for (t in 2:T) y[j, t] ~ bernoulli_logit(p[j, t]);
  }
}
