functions {
  real power(real x, int n);
  real power(real x, int n) { if (n == 0) return 1; return x * power(x, n - 1); }
  int fib(int n) { return n < 2 ? 1 : fib(n - 1) + fib(n - 2); }
  real sum_of(vector x) {
    int n = num_elements(x);
    if (n == 1) return x[1] ^ 2;
    return sum_of(x[1:(n %/% 2)]) * sum_of(x[(n %/% 2 + 1):n]);
  }
}
data { int N; array[N] int k; }
parameters { vector[N] x; }
model {
  target += power(x[1], 3) + fib(6) * x[2] + sum_of(x);
  for (n in 1:N) target += power(x[n], k[n]);
}
