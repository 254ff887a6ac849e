data { int n; int m; }
parameters { matrix[2, 2] A; vector[2] b; row_vector[2] c; real x; }
model {
  target += c * A * b + sum(A \ b) + sum(c / (A + 5)) + sum(A .* A') + sum(A ./ (2 + A)) + sum(b * c);
  target += sum(2 ^ b) + sum(b .^ 2) + -x ^ 2 + n %/% m + n % m + (n / 2) * x + 2 ^ -1;
  target += (n > m) * x + !n + (x < 0) + (n == m || x > 5) + (n != m && x <= 0) + sum(A ^ 2);
  target += sum(b' - c) + sum(-A + 1) + dot_self(b / 2) + (n > 2 ? n : x);
  target += sum([x, x ^ 2]) + sum([[x, 1], [2, x]]');
}
