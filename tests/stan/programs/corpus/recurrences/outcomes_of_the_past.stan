data { int J; int T; array[J, T] int<lower=0, upper=1> y; }
parameters { vector[3] beta; }
transformed parameters {
  matrix[J, T] avoided;
  matrix[J, T] shocked;
  matrix[J, T] p;
  for (j in 1:J) {
    avoided[j, 1] = 0;
    shocked[j, 1] = 0;
    for (t in 2:T) {
      avoided[j, t] = avoided[j, t - 1] + 1 - y[j, t - 1];
      shocked[j, t] = shocked[j, t - 1] + y[j, t - 1];
    }
    for (t in 1:T) p[j, t] = beta[1] + beta[2] * avoided[j, t] + beta[3] * shocked[j, t];
  }
}
model { for (j in 1:J) for (t in 1:T) y[j, t] ~ bernoulli_logit(p[j, t]); }
