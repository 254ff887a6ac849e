parameters { column_stochastic_matrix[3, 2] cs; row_stochastic_matrix[2, 3] rs; }
model { target += cs[1, 2] * 2 + cs[3, 1] * rs[2, 3] + rs[1, 1] ^ 2; }
