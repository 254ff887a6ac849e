// Local level and seasonal effects.
data {
  int<lower=1> T, S;
  vector[T] y;
}
parameters {
  vector[T] level;
  vector[T] season;
  real<lower=0> s_level, s_season, s_y;
}
model {
  level[1] ~ normal(y[1], 5);
  for (t in 2:T) {
    level[t] ~ normal(level[t - 1], s_level);
  }
  for (t in 1:(S - 1)) {
    season[t] ~ normal(0, 5);
  }
  for (t in S:T) {
    season[t] ~ normal(-sum(season[(t - S + 1):(t - 1)]), s_season);
  }
  for (t in 1:T) {
    y[t] ~ normal(level[t] + season[t], s_y);
  }
  s_level ~ exponential(1);
  s_season ~ exponential(1);
  s_y ~ exponential(1);
}
