data { matrix[3, 3] S; }
parameters {
  cholesky_factor_corr[3] L;
  corr_matrix[3] C;
  cov_matrix[3] V;
  cholesky_factor_cov[3] K;
  cholesky_factor_cov[3, 2] K2;
  array[2] corr_matrix[2] CC;
  sum_to_zero_matrix[2, 3] zm;
  vector[3] x;
}
model {
  L ~ lkj_corr_cholesky(2);
  C ~ lkj_corr(1.5);
  V ~ wishart(5, S);
  K[1] ~ normal(0, 1);
  x ~ multi_normal_cholesky(rep_vector(0, 3), L);
  x ~ multi_normal(V[1]', C);
  target += sum(K) + sum(K2 .* K2) + CC[1, 1, 2] * CC[2, 2, 1];
  target += zm[1, 2] * zm[2, 3];
}
