// Cormack, Jolly and Seber: survival and recapture of marked animals, which differ between occasions.
functions {
  int first_capture(array[] int history) {
    for (t in 1:size(history)) {
      if (history[t]) {
        return t;
      }
    }
    return 0;
  }
  int last_capture(array[] int history) {
    for (back in 0:(size(history) - 1)) {
      int t = size(history) - back;
      if (history[t]) {
        return t;
      }
    }
    return 0;
  }
  vector uncaptured(int T, vector p, vector phi) {
    vector[T] chi;
    chi[T] = 1;
    for (t in 1:(T - 1)) {
      int now = T - t;
      int next = now + 1;
      chi[now] = (1 - phi[now]) + phi[now] * (1 - p[next]) * chi[next];
    }
    return chi;
  }
}
data {
  int<lower=2> T;
  int<lower=0> I;
  array[I, T] int<lower=0, upper=1> y;
}
transformed data {
  array[I] int first;
  array[I] int last;
  for (i in 1:I) {
    first[i] = first_capture(y[i]);
    last[i] = last_capture(y[i]);
  }
}
parameters {
  vector<lower=0, upper=1>[T - 1] phi;
  vector<lower=0, upper=1>[T] p;
}
transformed parameters {
  vector[T] chi = uncaptured(T, p, phi);
}
model {
  for (i in 1:I) {
    if (first[i] > 0) {
      for (t in (first[i] + 1):last[i]) {
        target += log(phi[t - 1]);
        target += y[i, t] ? log(p[t]) : log1m(p[t]);
      }
      target += log(chi[last[i]]);
    }
  }
}
