"""Expressions with their types, and expressions that have none; stanc agrees (see `test_stanc_agreement`).

They stand in `generated quantities`, the functions that take functions in `model`.
"""

DECLARED = """
data {
  int n;
  real r;
  vector[3] v;
  row_vector[3] w;
  matrix[3,3] m;
  array[3] int ai;
  array[3] real ar;
  array[3,2] real a2;
  array[3] vector[2] av;
  complex z;
  complex_vector[3] zv;
  tuple(int, real) t;
  array[2] tuple(int,real) at;
}
parameters {
  real p;
  vector[3] pv;
}
"""

TYPES = r"""
n/2  ->  int
n+r  ->  real
v*w  ->  matrix
w*v  ->  real
v.*v  ->  vector
m*v  ->  vector
w*m  ->  row_vector
m/m  ->  matrix
w/m  ->  row_vector
m\v  ->  vector
v/2  ->  vector
2/v  ->  vector
2/m  ->  matrix
-ar  ->  array[] real
-ai  ->  array[] int
!n  ->  int
+v  ->  vector
n%2  ->  int
n%/%2  ->  int
n^2  ->  real
v^2  ->  vector
2^v  ->  vector
m^2  ->  matrix
ar^2  ->  array[] real
ar.^ar  ->  array[] real
z+1  ->  complex
z*v  ->  complex_vector
zv*w  ->  complex_matrix
zv+v  ->  complex_vector
v+z  ->  complex_vector
z==1  ->  int
1==z  ->  int
n||1  ->  int
r<n<2  ->  int
v'  ->  row_vector
zv'  ->  complex_row_vector
n ? 1 : 2.0  ->  real
n ? v : zv  ->  complex_vector
n ? ai : ar  ->  array[] real
{1,2.0}  ->  array[] real
{{1,2},{3.0,4}}  ->  array[,] real
[]  ->  row_vector
[1,2]  ->  row_vector
[1,2i]  ->  complex_row_vector
[w,w]  ->  matrix
[w,[1,2i]]  ->  complex_matrix
(1,2.0)  ->  tuple(int, real)
(1,)  ->  tuple(int)
t.1  ->  int
t.2  ->  real
at[1].2  ->  real
v[1]  ->  real
v[1:2]  ->  vector
v[ai]  ->  vector
v[:]  ->  vector
v[]  ->  vector
m[1]  ->  row_vector
m[1,]  ->  row_vector
m[,1]  ->  vector
m[1:2,1]  ->  vector
m[1:2,1:2]  ->  matrix
m[1:2]  ->  matrix
m[1,1]  ->  real
a2[1]  ->  array[] real
a2[1,2]  ->  real
a2[:,1]  ->  array[] real
a2[1:2,ai]  ->  array[,] real
av[1,2]  ->  real
av[:,1]  ->  array[] real
av[1:2,1:2]  ->  array[] vector
zv[1]  ->  complex
v[{1,2}]  ->  vector
sin(v)  ->  vector
sin(ai)  ->  array[] real
sin(z)  ->  complex
normal_lpdf(r|0,1)  ->  real
normal_lpdf(v|ar,w)  ->  real
normal_rng(v,1)  ->  array[] real
poisson_lpmf(n|1.0)  ->  real
normal_cdf(r|0,1)  ->  real
std_normal_lpdf(r|)  ->  real
std_normal_lpdf(r)  ->  real
std_normal_rng()  ->  real
max(1,2)  ->  int
max(v)  ->  real
fmax(1,2)  ->  real
min({1,2})  ->  int
append_array(ai,ar)  ->  array[] real
append_array(av,av)  ->  array[] vector
rep_array(1,2)  ->  array[] int
rep_array(v,2,3)  ->  array[,] vector
to_vector(ai)  ->  vector
to_int(r)  ->  int
to_int(p)  ->  int
linspaced_vector(3,0,1)  ->  vector
linspaced_vector(3,0,p)  ->  vector
quantile(v,0.5)  ->  real
quantile(pv,0.5)  ->  real
pow(2,2)  ->  real
pow(z,2)  ->  complex
to_complex(1,2)  ->  complex
to_complex(v,1)  ->  complex_vector
dot_product(v,w)  ->  real
log_mix(0.5,1,2)  ->  real
log_mix(v,w)  ->  real
hmm_hidden_state_prob(m,m,v)  ->  matrix
qr(m).1  ->  matrix
svd(m).2[1]  ->  real
simplex_constrain(v)  ->  vector
lower_bound_constrain(v,0)  ->  vector
get_real(zv)  ->  vector
abs(n)  ->  int
abs(z)  ->  real
fma(n,n,n)  ->  real
bessel_first_kind(n,v)  ->  vector
choose(ai,2)  ->  array[] int
lchoose(r,2)  ->  real
sort_asc(v)  ->  vector
cumulative_sum(ai)  ->  array[] int
mean(ai)  ->  real
sd(ai)  ->  real
sum(ai)  ->  int
prod(m)  ->  real
log_sum_exp(ai)  ->  real
log_sum_exp(r,ai)  ->  array[] real
e()  ->  real
pi()  ->  real
gp_exp_quad_cov(ar,1.0,1.0)  ->  matrix
gp_exp_quad_cov(av,1,1)  ->  matrix
multi_normal_lpdf(v|w,m)  ->  real
multi_normal_lpdf(av|v,m)  ->  real
dirichlet_lpdf(v|v)  ->  real
categorical_lpmf(ai|v)  ->  real
ordered_logistic_lpmf(n|r,v)  ->  real
bernoulli_logit_glm_lpmf(ai|m,0,v)  ->  real
size(1)  ->  int
rows(v)  ->  int
1+2i  ->  complex
2.5i*v  ->  complex_vector
p  ->  real
n - -n  ->  int
(n)  ->  int
((v))[1]  ->  real
multiply(v,w)  ->  matrix
n ? t : (1,2)  ->  tuple(int, real)
n ? (1,2) : (1.0,2)  ->  tuple(real, int)
n ? (1,2.0) : (1.0,2)  ->  tuple(real, real)
sin(1 ? 1 : 2.0)  ->  real
int_step(r)  ->  int
is_nan(1)  ->  int
step(1)  ->  real
falling_factorial(r,2)  ->  real
falling_factorial(n,2)  ->  int
ldexp(v,2)  ->  vector
m[ai,ai]  ->  matrix
m[ai,1]  ->  vector
trace(m*1i)  ->  complex
"""

REFUSED = r"""
v'[1]
m'[1, 2]
(v', 1).1'[1]
v*v
v*m
v\m
ai+1
ar+1
!r
+ar
r%2
r%/%2
v.^w
z<1
v==v
n&&r
ar'
n'
z'
r ? 1 : 2
n ? v : w
{1,v}
{}
[w,v]
[1,w]
[v,v]
[{1,2}]
t.3
v.1
at.1
at[1:2].2
v[1,2]
v[ar]
v[1.0]
v[n:r]
m[1,1,1]
ar[1][1]
av[1,1,1]
n[1]
z[1]
sin
sin(zv)
sin(t)
sin()
sin(v,v)
foo(v)
nomral_lpdf(r|0,1)
normal_lpdf(r,0,1)
normal_lpdf(m|0,1)
normal_lupdf(r|0,1)
normal_rng(m,1)
poisson_lpmf(r|1.0)
poisson_lpdf(n|1.0)
normal_lpmf(n|1.0)
normal_cdf(r,0,1)
max(1.0,2)
size(t)
size(at)
num_elements(at)
append_array(at,at)
rep_array(t,3)
target()
inv_logit(1:2)
simplex_jacobian(v)
bessel_first_kind(r,v)
choose(r,2)
head(at,1)
e
cov_exp_quad(ar,1.0,1.0)
dims(t)
rows(ar)
print(1)
add(ar,1)
t+1
t==t
(1,2)==(1,2)
is_nan(v)
identity_matrix(r)
"""

FUNCTIONS = """
functions {
  vector rhs(real t, vector y, real a, array[] int k) { return y; }
  vector rhsd(data real t, vector y) { return y; }
  vector rhs2(real t, vector y, data real a) { return y; }
  vector bad(real t, array[] real y) { return [1]'; }
  array[] real old(real t, array[] real y, array[] real th, data array[] real xr, data array[] int xi) { return y; }
  array[] real old2(real t, array[] real y, array[] real th, array[] real xr, array[] int xi) { return y; }
  array[] real old3(real t, array[] real y, data array[] real th, array[] real xr, array[] int xi) { return y; }
  vector alg(vector y, vector th, data array[] real xr, data array[] int xi) { return y; }
  vector sol(vector y, real a) { return y; }
  real integ(real x, real xc, array[] real th, data array[] real xr, data array[] int xi) { return x; }
  real part(array[] real s, int a, int b, real mu) { return 1; }
  real part_lpmf(array[] int s, int a, int b, real mu) { return 1; }
  real part_lpdf(array[] real s, int a, int b, data real mu) { return 1; }
  real part_rng(array[] real s, int a, int b) { return 1; }
  vector res(real t, vector y, vector yp, real a) { return y; }
  vector mr(vector a, vector b, data array[] real xr, data array[] int xi) { return a; }
  real g1(real x, real xc, vector th) { return x; }
  real g2(real x, vector th) { return x; }
  real psd(data array[] real s, int a, int b) { return 1; }
}
data {
  int n;
  real r;
  array[2] real ts;
  array[3] int ai;
  array[3] real ar;
  array[3] vector[2] av;
  array[3,2] real a2;
  array[3,2] int i2;
}
parameters {
  real p;
  vector[2] y0;
  array[2] real par;
}
"""

# Calls of functions that take functions.

HIGHER_ORDER = """
ode_rk45(rhs, y0, 0, ts, p, ai)
ode_rk45(rhs, y0, 0, ts, 1, ai)
ode_rk45(rhs2, y0, 0, ts, 2.0)
ode_rk45(rhs2, y0, p, {p}, 1)
ode_rk45_tol(rhs, y0, 0, ts, 1e-6, 1e-6, 100, p, ai)
ode_bdf(rhs, y0, 0, ts, p, ai)
ode_adams_tol(rhs, y0, 0, ts, 1e-6, 1e-6, 100, p, ai)
ode_ckrk(rhs, y0, 0, ts, p, ai)
ode_adjoint_tol_ctl(rhs, y0, 0, ts, 1e-6, [1,1]', 1e-6, [1,1]', 1e-6, 1e-6, 10, 10, 1, 1, 1, p, ai)
integrate_ode_rk45(old, par, 0, ts, par, ar, ai)
integrate_ode_rk45(old2, par, 0, ts, par, ar, ai)
integrate_ode_rk45(old, par, 0, ts, par, ar, ai, 1, 1, 1)
integrate_ode(old, par, 0, ts, par, ar, ai)
integrate_ode_adams(old, par, 0, ts, par, ai, ai)
algebra_solver(alg, y0, y0, ar, ai)
algebra_solver_newton(alg, y0, y0, ar, ai, 1e-3, 1e-3, 10)
algebra_solver_newton(alg, y0, y0, ar, ai, 1e-3, 1e-3, 10.0)
solve_newton(sol, y0, p)
solve_powell_tol(sol, y0, 1e-3, 1e-3, 10, p)
solve_newton(softmax, y0)
integrate_1d(integ, 0, 1, par, ar, ai)
integrate_1d(integ, 0, 1, par, ar, ai, 1e-8)
integrate_1d_double_exponential(g1, 0, 1, y0)
integrate_1d_gauss_kronrod_tol(g1, 0, 1, 1e-3, 1e-3, 10, y0)
reduce_sum(part, ar, 1, p)
reduce_sum(part, par, 1, p)
reduce_sum(part, ai, 1, p)
reduce_sum(part_lpmf, ai, 1, p)
reduce_sum(part_lupmf, ai, 1, p)
reduce_sum(part_lpdf, ar, 1, 1.0)
reduce_sum_static(part, ar, 1, p)
reduce_sum(psd, ar, 1)
map_rect(mr, y0, av, a2, i2)
dae(res, y0, y0, 0, ts, p)
dae_tol(res, y0, y0, 0, ts, 1e-3, 1e-3, 10, p)
reduce_sum(part_lupdf, ar, 1, 1.0)
"""

REFUSED_HIGHER_ORDER = """
solve_newton(reduce_sum, y0)
ode_rk45(rhs, y0, 0, ts, p)
ode_rk45(rhs, y0, 0, ts, ai, p)
ode_rk45(rhs, y0, 0, ts)
ode_rk45(rhs)
ode_rk45(y0, rhs)
ode_rk45()
ode_rk45(foo, y0, 0, ts)
ode_rk45(sin, y0, 0, ts)
ode_rk45(bad, y0, 0, ts)
ode_rk45(rhsd, y0, 0, ts)
ode_rk45(rhs2, y0, 0, ts, p)
ode_rk45_tol(rhs, y0, 0, ts, 1e-6, p, 100, p, ai)
ode_rk45_tol(rhs, y0, 0, ts, 1e-6, 1e-6, 100.0, p, ai)
integrate_ode_rk45(old3, par, 0, ts, ar, ar, ai)
integrate_ode_rk45(old, par, 0, ts, par, par, ai)
integrate_ode_rk45(old, par, 0, ts, par, ar, ai, 1, 1)
integrate_ode_rk45(old, par, 0, ts, par, ar, ai, 1, 1, p)
integrate_ode_bdf(rhs, par, 0, ts, par, ar, ai)
algebra_solver(alg, y0, y0, par, ai)
solve_powell_tol(sol, y0, 1e-3, 1e-3, 10.5, p)
solve_newton(sol, p, y0)
integrate_1d(integ, 0, p, par, ar, ai, p)
integrate_1d(g1, 0, 1, y0)
integrate_1d_gauss_kronrod(g2, 0, 1, y0)
reduce_sum(part, ar, 1)
reduce_sum(part, ar, 1.0, p)
reduce_sum(part, p, 1, p)
reduce_sum(part, y0, 1, p)
reduce_sum(part, av, 1, p)
reduce_sum(part_lpdf, ar, 1, p)
reduce_sum(part_rng, ar, 1)
reduce_sum(part)
reduce_sum(part, ar)
reduce_sum(psd, par, 1)
reduce_sum(sum, ar, 1)
map_rect(mr, y0, av, {par}, i2)
map_rect(mr, y0, av, a2, a2)
dae(res, y0, y0, p, ts, p)
dae(res, y0, y0, 0.0, par, p)
rhs
sum({rhs})
size(rhs)
sin(rhs)
n ? rhs : rhs
"""
