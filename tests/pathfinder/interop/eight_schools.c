// Eight schools with the interface of BridgeStan 2: what its compiler would make of
// examples/eight_schools_noncentered.stan, written by hand, with theta and a random y_rep of its own.
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifndef MAJOR
#define MAJOR 2
#endif
#ifdef THREADS
#define INFO "BridgeStan version: 2.9.0\nSTAN_THREADS=true\n"
#else
#define INFO "BridgeStan version: 2.9.0\nSTAN_THREADS=false\n"
#endif

#define J 8
#define DIM 10
static const double Y[J] = {28, 8, -3, 7, -1, 1, 18, 12};
static const double SIGMA[J] = {15, 10, 16, 11, 9, 11, 10, 18};
static const double LOG_2PI = 1.8378770664093453;

int bs_major_version = MAJOR, bs_minor_version = 9, bs_patch_version = 0;
static int alive;

static int fail(char **error, const char *text) {
  if (error) {
    *error = malloc(strlen(text) + 1);
    strcpy(*error, text);
  }
  return -1;
}
void bs_free_error_msg(char *text) { free(text); }
int bs_set_print_callback(void *callback, char **error) { return 0; }

void *bs_model_construct(const char *data, unsigned seed, char **error) {
  if (strstr(data, "\"sigma\"")) return &alive;
  fail(error, "Exception: variable does not exist; processing stage=data initialization; variable name=sigma");
  return NULL;
}
void bs_model_destruct(void *model) {}
const char *bs_name(const void *model) { return "eight_schools_model"; }
const char *bs_model_info(const void *model) { return INFO; }

int bs_param_unc_num(const void *model) { return DIM; }
int bs_param_num(const void *model, bool tp, bool gq) { return DIM + (tp ? J : 0) + (gq ? J : 0); }
const char *bs_param_unc_names(const void *model) {
  return "theta_trans.1,theta_trans.2,theta_trans.3,theta_trans.4,theta_trans.5,theta_trans.6,theta_trans.7,"
         "theta_trans.8,mu,tau";
}
const char *bs_param_names(const void *model, bool tp, bool gq) {
  static const char *theta = ",theta.1,theta.2,theta.3,theta.4,theta.5,theta.6,theta.7,theta.8";
  // a matrix, whose first index runs fastest
  static const char *y_rep = ",y_rep.1.1,y_rep.2.1,y_rep.1.2,y_rep.2.2,y_rep.1.3,y_rep.2.3,y_rep.1.4,y_rep.2.4";
  static _Thread_local char text[600];
  strcpy(text, bs_param_unc_names(model));
  if (tp) strcat(text, theta);
  if (gq) strcat(text, y_rep);
  return text;
}

static bool is_rejected(const double *x, char **error) {
#ifdef REJECTS
  bool too_large = true;
#else
  bool too_large = x[8] > 1000;
#endif
  if (too_large) fail(error, "Exception: mu is too large\n (in 'eight_schools', line 14, column 2)");
  return too_large;
}

static double normal(double x, double sd) { return -0.5 * (LOG_2PI + x * x / (sd * sd)) - log(sd); }

int bs_log_density_gradient(const void *model, bool propto, bool jacobian, const double *x, double *value,
                            double *gradient, char **error) {
  if (propto || !jacobian) return fail(error, "asked for another density");
  if (is_rejected(x, error)) return -1;
  double mu = x[8], tau = exp(x[9]), lp = normal(mu, 5) + x[9], by_mu = -mu / 25;
  lp += -log(M_PI * 5) - log1p(tau * tau / 25);
  double by_tau = 1 - 2 * tau * tau / (25 + tau * tau);
  for (int j = 0; j < J; j++) {
    double residual = Y[j] - mu - tau * x[j], score = residual / (SIGMA[j] * SIGMA[j]);
    lp += normal(x[j], 1) + normal(residual, SIGMA[j]);
    by_mu += score;
    by_tau += score * tau * x[j];
    if (gradient) gradient[j] = -x[j] + score * tau;
  }
  if (gradient) gradient[8] = by_mu, gradient[9] = by_tau;
  *value = lp;
  return 0;
}
int bs_log_density(const void *model, bool propto, bool jacobian, const double *x, double *value, char **error) {
  return bs_log_density_gradient(model, propto, jacobian, x, value, NULL, error);
}
int bs_log_density_hessian() { return -1; }
int bs_log_density_hessian_vector_product() { return -1; }

void *bs_rng_construct(unsigned seed, char **error) {
  unsigned long long *state = malloc(sizeof *state);
  *state = seed * 6364136223846793005ULL + 1442695040888963407ULL;
  return state;
}
void bs_rng_destruct(void *rng) { free(rng); }
static double uniform(unsigned long long *state) {
  *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
  return ((*state >> 11) + 0.5) / 9007199254740992.0;
}

int bs_param_constrain(const void *model, bool tp, bool gq, const double *x, double *out, void *rng, char **error) {
  memcpy(out, x, DIM * sizeof *x);
  out[9] = exp(x[9]);
  double *theta = out + DIM, *y_rep = out + DIM + (tp ? J : 0);
  for (int j = 0; tp && j < J; j++) theta[j] = x[8] + out[9] * x[j];
#ifdef REJECTS_QUANTITIES
  if (gq && x[8] > 4) return fail(error, "Exception: mu is too large to predict");
#endif
  for (int j = 0; gq && j < J; j++) {
    double radius = sqrt(-2 * log(uniform(rng)));
    y_rep[j] = x[8] + out[9] * x[j] + SIGMA[j] * radius * cos(2 * M_PI * uniform(rng));
  }
  return 0;
}
int bs_param_unconstrain(const void *model, const double *theta, double *x, char **error) {
  if (!(theta[9] > 0)) return fail(error, "Exception: lub_free: Unconstrained variable is -1, but must be positive");
  memcpy(x, theta, DIM * sizeof *x);
  x[9] = log(theta[9]);
  return 0;
}
int bs_param_unconstrain_json() { return -1; }
int bs_param_initialize() { return -1; }
