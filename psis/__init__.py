"""Pareto smoothed importance sampling."""

from psis._diagnostics import MIN_EFFECTIVE_SAMPLE_SIZE as MIN_EFFECTIVE_SAMPLE_SIZE
from psis._diagnostics import convergence_rate as convergence_rate
from psis._diagnostics import describe_pareto_k as describe_pareto_k
from psis._diagnostics import min_sample_size as min_sample_size
from psis._diagnostics import pareto_k_threshold as pareto_k_threshold
from psis._efficiency import relative_efficiency as relative_efficiency
from psis._gpd import GeneralizedPareto as GeneralizedPareto
from psis._gpd import fit_generalized_pareto as fit_generalized_pareto
from psis._resample import resample as resample
from psis._smooth import PSISResult as PSISResult
from psis._smooth import smooth_log_weights as smooth_log_weights
from psis._weights import effective_sample_size as effective_sample_size
