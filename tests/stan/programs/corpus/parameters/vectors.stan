parameters {
  simplex[4] p;
  array[2] simplex[3] ps;
  ordered[3] o;
  positive_ordered[3] po;
  unit_vector[3] u;
  sum_to_zero_vector[4] z;
  array[2, 2] ordered[2] oo;
}
model {
  p ~ dirichlet([1, 2, 3, 4]');
  for (i in 1:2) ps[i] ~ dirichlet([1, 2, 3]');
  o ~ normal(0, 1);
  po ~ normal(0, 1);
  target += u[1] * 2 + u[3] + z[1] * z[2] + oo[1, 2, 1] * oo[2, 1, 2];
}
