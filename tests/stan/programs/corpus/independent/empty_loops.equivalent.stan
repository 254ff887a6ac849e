parameters { real a; } model { target += 2 * a + a ^ 2 + 1; }
