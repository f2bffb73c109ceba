"""The style sheet of the HTML report; light and dark by the reader's own setting."""

STYLE = """
:root{color-scheme:light dark;--paper:#fff;--wash:#f6f7f9;--line:#e2e5ea;--ink:#1b1f27;
--soft:#616b7a;--critical:#a3123b;--high:#c2410c;--medium:#9a6700;--low:#0b6bcb;
--good:#157347;--unknown:#5b5f97;--waived:#616b7a}
@media(prefers-color-scheme:dark){:root{--paper:#14171c;--wash:#1b1f26;--line:#2d333d;
--ink:#e8ebf0;--soft:#98a2b3;--critical:#ff6b8f;--high:#ff9052;--medium:#e3b341;--low:#6cb6ff;
--good:#56d364;--unknown:#a5a8f0;--waived:#98a2b3}}
*{box-sizing:border-box}
body{margin:0;background:var(--wash);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:40px 24px 64px}
h1{font-size:28px;line-height:1.2;margin:0;letter-spacing:-.01em}
h2{font-size:18px;margin:0 0 12px}
header p{margin:4px 0 0;color:var(--soft)}
header p.verdict{margin:20px 0 0;padding:12px 16px;border-left:4px solid;border-radius:4px;
background:var(--paper);font-weight:600;color:var(--ink)}
.verdict.good{border-color:var(--good)}.verdict.high{border-color:var(--high)}
.verdict.critical{border-color:var(--critical)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:12px;
margin:20px 0 8px}
.tile{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:14px 16px;
display:flex;flex-direction:column;color:var(--tone)}
.tile b{font-size:30px;line-height:1.1;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft)}
.critical{--tone:var(--critical)}.high{--tone:var(--high)}.medium{--tone:var(--medium)}
.low{--tone:var(--low)}.unknown{--tone:var(--unknown)}.waived{--tone:var(--waived)}
.none{--tone:var(--soft)}
section{margin-top:36px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;background:var(--paper);border:1px solid var(--line);
border-radius:8px}
th,td{text-align:left;vertical-align:top;padding:9px 14px;border-top:1px solid var(--line);
overflow-wrap:anywhere}
th{border-top:0;color:var(--soft);font-weight:500;font-size:13px;white-space:nowrap}
td{font-variant-numeric:tabular-nums;min-width:9em}
table.hosts td{min-width:0}
td:first-child{white-space:nowrap;overflow-wrap:normal}
table.hosts td:last-child{min-width:15em}
table.prose td:last-child{min-width:18em}
.mark{display:inline-block;min-width:1.9em;text-align:center;padding:0 8px;border-radius:10px;
white-space:nowrap;font-size:13px;font-weight:600;color:var(--tone);border:1px solid var(--tone)}
.zero{display:inline-block;min-width:1.9em;text-align:center;color:var(--soft)}
.card{background:var(--paper);border:1px solid var(--line);border-left:4px solid var(--tone);
border-radius:6px;margin-bottom:10px;padding:0 16px}
.card summary{cursor:pointer;padding:12px 0;font-weight:600;list-style-position:inside}
.card summary .mark{margin-right:8px;font-weight:500}
.card table{border:0;font-size:14px}
.card th:nth-child(1){width:14%}.card th:nth-child(2){width:28%}
.card .scroll{border:1px solid var(--line);border-radius:6px}
.where{float:right;color:var(--soft);font-weight:400;font-size:13px;padding-left:12px}
.fix{margin:0 0 12px}.fix b{color:var(--good);margin-right:6px}
.source{color:var(--soft);font-size:13px;margin:10px 0 14px}
code{font:13px/1.4 ui-monospace,"DejaVu Sans Mono",monospace}
@media(max-width:640px){main{padding:24px 12px}.where{float:none;display:block;padding:0}}
@media print{body{background:#fff}.card{break-inside:avoid}}
"""
"""Plain CSS, ready for a ``<style>`` element."""
