parameters { complex z; complex_vector[2] v; real a; }
model {
  complex w = z * z + a;
  complex_vector[2] u = v * w;
  u[1] += 1;
  for (k in 1:2) { w = w * v[k]; target += get_real(u[k]); }
  target += abs(w) + get_imag(u[2]) + norm(exp(z));
  target += get_real(to_complex(a, 2) / z);
}
