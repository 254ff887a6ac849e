"""Small programs, one per line, that are right or wrong; stanc agrees (see `test_stanc_agreement`)."""

# ruff: noqa: E501

ACCEPTED = r"""
data { int n; } transformed data { int m = n; m = 2; }
transformed parameters { { int p = 1; } } model { }
data { int n; array[n] int k; } parameters { real p; } transformed parameters { vector[num_elements(k)] x; }
parameters { vector[2] p; } model { vector[num_elements(p)] x; }
transformed data { int n = 2; vector[n] x; }
generated quantities { int n = 2; { vector[n] x; } }
transformed data { { vector[poisson_rng(3)] x; } }
transformed data { real x = normal_rng(0,1); }
generated quantities { real x = normal_rng(0,1); }
model { { real x; } { real x; } }
model { real x; } generated quantities { real x; }
data { real x; } generated quantities { real y = x; }
model { real normal_lpdf = 1; }
model { real sin = 1; print(sin, sin(2)); }
model { real size = 1; size = 2; }
functions { real f(real x) { return x; } } model { real f = 1; }
model { real x_lpdf = 1; }
model { for (i in 1:3) { } for (i in 1:3) { } }
model { for (x in {1,2}) { print(x); } for (x in [1,2]) print(x); for (x in [[1,2]]) print(x);}
model { array[2] tuple(int,real) a; for (x in a) { print(x.1); } }
model { while (1) { break; } }
model { if (1) {} }
transformed data { tuple(int,) x = (1,); array[2] tuple(tuple(real,), int) y; int z = x.1; real w = y[1].1.1; }
functions { tuple(real,) f(tuple(real,) x) { return (x.1 + 1,); } }
model { {1.5, 2} ~ normal(0, 1); { } {{1, 2}, {3, 4}}[1] ~ poisson(2); { {1} ~ poisson(2); } { { } } }
functions { void f() { return; } }
functions { real f() { return 1; } }
functions { real f() { if (1) return 1; else return 2; } }
functions { real f() { if (1) return 1; return 2; } }
functions { real f() { while (1) { return 1; } } }
functions { real f() { while (1) { if (2) return 1; } } }
functions { real f() { for (i in 1:2) { return 1; } } }
functions { real f() { reject(1); } }
functions { real f() { fatal_error(1); } }
functions { real f() { return 1; print(2); } }
functions { real f() { { return 1; } } }
functions { real f() { profile("a") { return 1; } } }
functions { real f() { for (i in 1:2) { continue; } return 1; } }
functions { real f() { for (i in 1:2) { break; } return 1; } }
functions { real f() { while (1) { if (1) continue; return 1; } } }
functions { real f() { while (2) { print(1); } } }
functions { complex f() { return 1; } }
functions { tuple(real,int) f() { return (1,1); } }
functions { real f(); real f() { return 1; } }
functions { real f(int x) { return 1; } real f(real x) { return 1; } }
functions { real sin(tuple(int,int) x) { return 1; } } model { print(sin((1,2)), sin(1.0)); }
functions { real map_rect(real x) { return 1; } }
functions { real integrate_1d(real x) { return 1; } }
functions { real normal_lpdf(tuple(real,real) x) { return 1; } }
functions { real f(real f) { return f; } }
functions { real f(real x) { return g(x); } real g(real x) { return f(x); } }
functions { real f(real x) { return f(x-1); } }
functions { real f_lpdf(real x) { return 1; } }
functions { real f_lpmf(int x) { return 1; } }
functions { vector f_rng() { return [1]'; } }
functions { real f_lpmf(array[] int x) { return 1; } }
functions { real f_lpdf(tuple(int,real) x) { return 1; } }
functions { real f_lpmf(tuple(int,int) x) { return 1; } }
functions { void f(real x) { } } model { f(1); }
functions { void f_lp(real x) { target += x; } } model { f_lp(1); }
functions { void f_lp(real x) { target += x; } } transformed parameters { f_lp(1); }
functions { real f_lp(real x) { return target(); } }
functions { void f_lp(real x) { x ~ normal(0,1); } }
functions { real f_rng() { return normal_rng(0,1); } }
functions { real f_lpdf(real x) { return normal_lupdf(x|0,1); } }
functions { real f_lpdf(real x) { return 1; } } model { 1.0 ~ f(); target += f_lupdf(1.0|); target += f_lpdf(1.0); }
functions { real f_lpdf(real x) { return 1; } } generated quantities { real x = f_lpdf(1.0|); }
functions { real f_lpmf(int x) { return 1; } } model { 1 ~ f(); }
functions { real f_lpmf(int x) { return 1; } real f_lpdf(real x) { return 1; } } model { 1 ~ f(); 1.0 ~ f(); }
functions { real f_jacobian(real x) { jacobian += x; return x; } } transformed parameters { real y = f_jacobian(1); }
transformed parameters { jacobian += 1; }
model { target += 1; }
model { target += [1,2]; target += {1,2}; target += {[1,2]}; }
transformed parameters { real x = target(); }
parameters { real y; } model { y ~ normal(0, 1); }
parameters { real y; } model { y ~ normal(0, 1) T[0, ]; y ~ normal(0, 1) T[, 1]; y ~ normal(0, 1) T[0, 1]; y ~ normal(0, 1) T[ , ]; }
parameters { vector[2] y; } model { y ~ normal(0, 1) T[1, ]; }
model { 3 ~ poisson(1) T[1, ]; }
functions { real f_lpdf(real x) { return 1; } real f_lcdf(real x) { return 1; } real f_lccdf(real x) { return 1; } } model { 1.0 ~ f() T[0,]; }
data { int<lower=0> n; real<lower=n, upper=n*2.0> x; }
data { vector[2] l; vector<lower=l>[2] x; }
data { array[2] real l; array[2] real<lower=l> x; }
data { vector[2] l; } parameters { vector<offset=l, multiplier=2>[2] x; }
parameters { real m; vector<offset=m, multiplier=exp(m)>[2] x; }
parameters { real<lower=0> a; real<lower=a> b; }
data { array[3] tuple(real, array[2] simplex[3]) x; }
transformed data { vector[2] v = [1,2]'; complex_vector[2] z = v; array[2] real a = {1,2}; }
transformed data { array[2] complex a = {1,2}; matrix[1,2] m = [[1,2]]; }
transformed data { real x = x; }
transformed data { tuple(real, complex) t = (1, 2); }
transformed data { real x, y = x; }
model { matrix[2,2] m; m[1][1] = 2; m[1] = [1,2]; m[1:2,1] = m[1]'; m[,1] = m[1]'; }
model { array[2] vector[2] a; a[1:2,1] = {1.0,2}; a[1,1:2] = a[1]; }
model { tuple(int, real) t; t.1 = 1; t.2 = 1; (t.1, t.2) = t; }
model { real a; real b; (a, b) = (1, 2); }
model { int i; array[2] int a; a[i] = 2; }
model { int a; a += 1; a -= 1; a *= 2; a /= 2; }
model { real a; a += 1; a *= 2; a /= 2; }
model { vector[2] a; a .*= a; a ./= a; a += 1; a *= 2; a /= 2; a -= a; a .*= 2; }
model { row_vector[2] a; matrix[2,2] m; a *= m; }
model { complex a; a += 1; a *= 1i; }
model { vector[2] a; a[1] += 1; a[1:2] += a; }
model { print("a", 1, [1], (1,2)); reject(1); }
model { profile("x") { real y; y = 1; } profile("x") { } }
model { if (1) { real y; } }
functions { real f(int x, real y) { return 1; } real f(real x, int y) { return 1; } } model { print(f(1,1.0)); }
functions { real f(complex x) { return 1; } real f(real x) { return 1; } } model { print(f(1), f(1.0), f(1i)); }
functions { real f(array[] real x) { return 1; } real f(vector x) { return 1; } } model { print(f({1}), f([1]')); }
functions { real f(tuple(real,real) x) { return 1; } } model { print(f((1,2))); }
functions { real f(data real x) { return 1; } } parameters { real p; } generated quantities { print(f(p)); }
functions { real f(data real x) { return 1; } } transformed data { real y = 1; print(f(y)); }
functions { real f(data real x) { return 1; } real g(data real x) { return f(x); } }
functions { real f(data int x) { return 1; } real g(int x) { return f(x); } }
functions { real f(data real x) { return 1; } real g(int x) { return f(x); } }
functions { real part_lpmf(array[] int s, int a, int b, real mu) { return 1; } real f_lpmf(array[] int x) { return reduce_sum(part_lupmf, x, 1, 1); } }
functions { real part_lpmf(array[] int s, int a, int b, real mu) { return 1; } real f(array[] int x) { return reduce_sum(part_lpmf, x, 1, 1); } }
functions { real integrate_1d(real x) { return 1; } } model { print(integrate_1d(2)); }
"""

REFUSED = r"""
transformed data { tuple(int) x; }
functions { tuple(int) f() { return (1,); } }
transformed data { tuple(int, int,) x; }
model { print(); }
model { reject(); }
model { fatal_error(); }
functions { real f_lpdf(complex x, real y) { return 1; } real f_lpdf(real x, complex y) { return 1; } } parameters { real p; } model { p ~ f(p); }
functions { real g(real x, real xc, complex a, real b) { return 1; } real g(real x, real xc, real a, complex b) { return 1; } } model { print(integrate_1d_gauss_kronrod(g, 0, 1, 1.0, 1.0)); }
functions { real f(real x) { return x; } real f(vector x) { return 1; } } model { profile("a") { print(f({1})); } }
data { int n; } transformed data { n = 1; }
transformed data { int m = 1; } model { m = 2; }
parameters { real p; } model { p = 2; }
parameters { int p; } model { }
transformed parameters { int p = 1; } model { }
transformed parameters { array[2] int p; } model { }
parameters { tuple(int, real) p; } model { }
parameters { real p; } transformed parameters { vector[p] x; }
parameters { vector[2] p; } transformed parameters { vector[num_elements(p)] x; }
generated quantities { int n = 2; vector[n] x; }
transformed data { vector[poisson_rng(3)] x; }
model { real x = normal_rng(0,1); }
transformed parameters { real x = normal_rng(0,1); }
data { real x; real x; }
data { real x; } model { real x; }
model { real x; { real x; } }
model { real x; } generated quantities { real y = x; }
functions { real f(real x) { return x; } } model { real f = 1; print(f(1)); }
model { real x_lupdf = 1; }
model { real var = 1; }
model { real typedef = 1; }
model { real true = 1; }
model { real x; x = y; }
model { y = 1; }
model { sin = 1; }
model { for (i in 1:3) i = 2; }
model { for (i in 1:3) { int i; } }
model { int i; for (i in 1:3) { } }
model { for (i in 1.0:3) { } }
model { for (x in 3) { } }
model { for (x in [1i]) { } }
model { array[2] vector[2] a; for (x in a) { x[1] = 2; } }
model { break; }
model { continue; }
model { while (1.0) { break; } }
model { if (1.0) {} }
model { if ([1]) {} }
model { return; }
functions { void f() { return 1; } }
functions { real f() { return; } }
functions { real f() { } }
functions { int f() { return 1.0; } }
functions { real f() { if (1) return 1; } }
functions { real f() { if (1) return 1; else return 2; print(1); } }
functions { real f() { while (1) { if (2) break; } } }
functions { real f() { print(1); } }
functions { real f() { for (i in 1:2) { if (1) continue; else return 1; } } }
functions { real f() { while (0) { print(1); } } }
functions { tuple(real,int) f() { return (1,1.0); } }
functions { real f() return 1; }
functions { real f(); }
functions { real f() { return 1; } real f(); }
functions { real f(); real f(); real f() {return 1;} }
functions { real f() { return 1; } real f() { return 1; } }
functions { real f(int x) { return 1; } int f(int x) { return 1; } }
functions { int f(int x); real f(int x) { return 1; } }
functions { real f(real x); real f(data real x) { return 1; } }
functions { real f(data real x) { return 1; } real f(real x) { return 1; } }
functions { real sin(real x) { return 1; } }
functions { real reduce_sum(real x) { return 1; } }
functions { real normal_lpdf(real y, real a, real b) { return 1; } }
functions { real f(real x, real x) { return 1; } }
functions { real f(real x) { x = 1; return x; } }
functions { real f(array[] real x) { x[1] = 1; return 1; } }
functions { real f(real x) { real x; return x; } }
functions { real f_lpdf(int x) { return 1; } }
functions { real f_lpmf(real x) { return 1; } }
functions { int f_lpdf(real x) { return 1; } }
functions { void f_lpdf(real x) { } }
functions { int f_cdf(real x) { return 1; } }
functions { real f_lpdf() { return 1; } }
functions { real f_lupdf(real x) { return 1; } }
functions { real f_lpdf(array[] int x) { return 1; } }
functions { void f(real x) { } } model { real y = f(1); }
functions { real f(real x) { return x; } } model { f(1); }
model { sin(1); }
model { foo(1); }
model { print(sin); }
model { real x = sin; }
functions { void f_lp(real x) { target += x; } } transformed data { f_lp(1); }
functions { void f_lp(real x) { target += x; } } generated quantities { f_lp(1); }
functions { void f(real x) { target += x; } }
functions { real f(real x) { return target(); } }
functions { void f(real x) { x ~ normal(0,1); } }
functions { real f() { return normal_rng(0,1); } }
functions { real f_lpdf(real x) { return normal_rng(0,1); } }
functions { real f(real x) { return normal_lupdf(x|0,1); } }
functions { real f_lp(real x) { return normal_lupdf(x|0,1); } }
functions { real f_lpdf(real x) { return 1; } } generated quantities { real x = f_lupdf(1.0|); }
functions { real f_lpmf(int x) { return 1; } } model { 1.0 ~ f(); }
functions { real f_lpmf(int x) { return 1; } } model { 1 ~ f_lpmf(); }
functions { real f(real x) { return 1; } } model { print(f(1|)); }
functions { real f_jacobian(real x) { jacobian += x; return x; } } model { real y = f_jacobian(1); }
functions { real f(real x) { jacobian += x; return x; } }
model { jacobian += 1; }
transformed data { jacobian += 1; }
transformed parameters { target += 1; }
transformed data { target += 1; }
generated quantities { target += 1; }
transformed data { real x = target(); }
generated quantities { real x = target(); }
parameters { real y; } transformed parameters { y ~ normal(0, 1); }
generated quantities { 1 ~ normal(0, 1); }
parameters { real y; } model { y ~ nromal(0, 1); }
parameters { real y; } model { y ~ normal(0); }
parameters { real y; } model { y ~ poisson(3); }
parameters { real y; } model { y ~ normal_lpdf(0,1); }
parameters { real y; } model { y ~ normal_cdf(0,1); }
parameters { real y; } model { y ~ normal_lpdf(0); }
parameters { real y; } model { y ~ normal_ccdf(0,1); }
parameters { real y; } model { y ~ sin(); }
parameters { real y; } model { y ~ normal(0, 1) T[[1,2], ]; }
parameters { vector[2] y; } model { y ~ multi_normal(y, [[1,0],[0,1]]) T[1, ]; }
parameters { real y; } model { y ~ loglogistic(1, 1) T[1, ]; }
parameters { real y; } model { y ~ wiener(1, 1, 0.5, 1) T[1, ]; }
model { 3 ~ poisson(1) T[1.5, ]; }
model { 3 ~ poisson_log(1) T[1, ]; }
functions { real f_lpdf(real x) { return 1; } } model { 1.0 ~ f() T[0,]; }
functions { real f_lpdf(real x) { return 1; } real f_lcdf(real x) { return 1; } } model { 1.0 ~ f() T[,0]; }
functions { real f_lpdf(real x) { return 1; } real f_cdf(real x) { return 1; } } model { 1.0 ~ f() T[,0]; }
data { int<lower=0.5> n; }
data { vector[2] l; row_vector<lower=l>[2] x; }
data { array[2] real l; real<lower=l> x; }
data { vector[2] l; array[3] vector<lower=l>[2] x; }
data { array[2] int l; array[2] real<lower=l> x; }
data { complex<lower=0> z; }
data { real n; vector[n] x; }
data { real n; array[n] int x; }
data { matrix[2, 2.0] x; }
transformed data { { vector[2.0] x; } }
data { tuple(int<lower=0>, vector<lower=1i>[2]) x; }
transformed data { int x = 1.0; }
transformed data { real x = 1; complex z = 1; vector[2] v = [1,2]; }
transformed data { tuple(int, complex) t = (1.5, 2); }
model { vector[2] v; v[1] = 1; v[1:2] = v; v[1:2][1] = 2; }
model { vector[2] v; v[1][1] = 2; }
model { matrix[2,2] m; m[1:2,1] = m[1]; }
model { array[2] vector[2] a; a[1:2][1] = a[1]; }
model { array[2] vector[2] a; a[1:2,1] = a[1]; }
model { tuple(int, real) t; t.1 = 1.5; }
model { tuple(int, real) t; t.3 = 1; }
model { real a; (a, a) = (1, 2); }
model { real a; real b; (a, b) = (1, 2, 3); }
model { array[2] real a; (a[1], a[2]) = (1, 2); }
model { tuple(real,real) t; (t, t.1) = (t, 1); }
model { int i; array[2] int a; (i, a[i]) = (1, 2); }
model { real a; ((a, a), a) = ((1, 2), 3); }
model { real a; int b; (a, b) += (1, 2); }
model { int a; a += 1.5; }
model { real a; a .*= 2; }
model { vector[2] a; a *= a; }
model { matrix[2,2] a; a *= a; a /= a; }
model { row_vector[2] a; matrix[2,2] m; a /= m; }
model { vector[2] a; matrix[2,2] m; a *= m; }
model { array[2] real a; a += 1; }
model { real a; a *= [1,2]; }
model { vector[2] a; a /= a; }
model { real a; a += 1i; }
model { int a; a /= 2.0; }
model { vector[2] a = [1,2]; }
model { array[2] int a = {1,2.5}; }
model { array[2] int a; a = {1,2}; a[1] = 1.0; }
functions { void f() { } } model { f = 1; }
model { profile("x") { real y; } y = 1; }
model { { real y; } y = 1; }
functions { real f(int x, real y) { return 1; } real f(real x, int y) { return 1; } } model { print(f(1,1)); }
functions { real f(data real x) { return 1; } } parameters { real p; } model { print(f(1.0)); print(f(p)); }
functions { real f(data real x) { return 1; } } model { real y = 1; print(f(y)); }
functions { real f(data real x) { return 1; } real g(real x) { return f(x); } }
functions { real f(data real x) { return 1; } real g(data real x) { real y = x; return f(y); } }
functions { real part_lpmf(array[] int s, int a, int b, real mu) { return 1; } real f_lp(array[] int x) { return reduce_sum(part_lupmf, x, 1, 1); } }
functions { real part_lpmf(array[] int s, int a, int b, real mu) { return 1; } real f(array[] int x) { return reduce_sum(part_lupmf, x, 1, 1); } }
functions { real f_lp(real x) { return normal_lupdf(x|0,1); } }
"""
