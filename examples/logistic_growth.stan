// Growth of a population towards a carrying capacity, as an ordinary differential equation.
functions {
  vector growth(real t, vector state, real rate, real capacity) {
    return rate * state * (1 - state[1] / capacity);
  }
}
data {
  int<lower=1> T;
  array[T] real<lower=0> time;
  vector<lower=0>[T] y;
}
parameters {
  real<lower=0> rate;
  real<lower=0> capacity;
  real<lower=0> initial;
  real<lower=0> sigma;
}
model {
  array[T] vector[1] state = ode_rk45(growth, [initial]', 0, time, rate, capacity);
  rate ~ lognormal(0, 0.5);
  capacity ~ lognormal(log(10), 0.5);
  initial ~ lognormal(0, 0.5);
  sigma ~ exponential(2);
  for (t in 1:T) {
    y[t] ~ lognormal(log(state[t, 1]), sigma);
  }
}
