"""How a page of a result looks: light and dark, narrow and wide, on paper."""

STYLE = """
:root { --text: #1f2328; --soft: #59636e; --page: #ffffff; --line: #d1d9e0; --stripe: #f6f8fa;
  --good: #1a7f37; --bad: #9a6700; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --soft: #9198a1; --page: #0d1117; --line: #3d444d; --stripe: #151b23;
    --good: #3fb950; --bad: #d29922; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: clamp(1.2rem, 5vw, 1.6rem); margin: 0; overflow-wrap: anywhere; }
header p, figcaption { color: var(--soft); }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
.verdict { border-left: 0.4rem solid var(--bad); background: var(--stripe); padding: 0.6rem 1rem; margin-top: 1.2rem; }
.verdict h2 { margin: 0; color: var(--bad); }
.verdict p { margin: 0.4rem 0; }
.verdict.good { border-color: var(--good); }
.verdict.good h2 { color: var(--good); }
ul { padding-left: 1.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.25rem 0.7rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { white-space: nowrap; }
tbody th { font-weight: normal; white-space: nowrap; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.marked th, tr.marked td { font-weight: bold; }
figure { margin: 1rem 0 2rem; break-inside: avoid; }
img { max-width: 100%; height: auto; background: #ffffff; border-radius: 4px; }
details summary { cursor: pointer; margin: 0.5rem 0; }
@media print {
  :root { --text: #000000; --soft: #444444; --page: #ffffff; --line: #bbbbbb; --stripe: #ffffff;
    --good: #1a7f37; --bad: #9a6700; }
  main { max-width: none; padding: 0; }
  .wide { overflow: visible; }
  tr, section.verdict { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""
