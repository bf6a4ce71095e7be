# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look of our pages: light, dark and on paper. Colours of data are those of Okabe and Ito, which the colour-blind
tell apart."""

from __future__ import annotations

_LIGHT = """
--page:#f6f7f9;--card:#fff;--text:#1b2330;--soft:#5a6676;--edge:#dfe4ea;--grid:#e8ecf0;--band:#00000009;
--blue:#0072b2;--green:#009e73;--fail:#d55e00;--fail1:#e69f00;--fail2:#cc79a7;--other:#56b4e9;--other1:#8d6cab;
--other2:#b8a400;--other3:#7f8a97;--done:#51698a;--p95:#8d6cab;--p99:#c4698f;--good:#00664a;--goodbg:#d9f2e8;
--bad:#a83b00;--badbg:#fde5d7;--unsure:#7a5600;--unsurebg:#fcefc9;--plainbg:#e9edf2;
"""
_DARK = """
--page:#10151c;--card:#18202a;--text:#e6ebf1;--soft:#9aa7b6;--edge:#2b3643;--grid:#263140;--band:#ffffff0b;
--blue:#3d9fdb;--green:#2fc295;--fail:#ff8540;--fail1:#f0b429;--fail2:#e39bc4;--other:#7cc6f2;--other1:#b59ad1;
--other2:#d6c43b;--other3:#9aa7b6;--done:#7d99bf;--p95:#b59ad1;--p99:#e08cb0;--good:#6fe0b8;--goodbg:#10382d;
--bad:#ffab7d;--badbg:#472410;--unsure:#f3cf6b;--unsurebg:#40330d;--plainbg:#293341;
"""

STYLE = (
    f":root{{color-scheme:light dark;{_LIGHT}}}"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}"
    """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1160px;margin:0 auto;padding:28px 24px 48px}
h1{font-size:27px;line-height:1.25;margin:0 12px 0 0;letter-spacing:-.01em}
h2{font-size:19px;margin:38px 0 12px}
h3{font-size:15.5px;margin:22px 0 8px}
p{margin:6px 0}
a{color:var(--blue)}
code,pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace}
pre{margin:8px 0;white-space:pre-wrap;overflow-wrap:anywhere}
.head{display:flex;flex-wrap:wrap;align-items:center;row-gap:8px}
.soft{color:var(--soft)}
.soft{font-size:13.5px}
.card,figure{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:16px 18px;margin:0 0 16px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(168px,1fr));gap:12px;margin:14px 0 18px}
.tile{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:12px 16px}
.tile b{display:block;font-size:22px;line-height:1.3;font-weight:650;overflow-wrap:anywhere}
.tile span{display:block;color:var(--soft);font-size:13px;line-height:1.4}
.badge{display:inline-block;border-radius:99px;padding:1px 11px;font-size:13px;font-weight:650;white-space:nowrap}
.badge.good{color:var(--good);background:var(--goodbg)}
.badge.bad{color:var(--bad);background:var(--badbg)}
.badge.unsure{color:var(--unsure);background:var(--unsurebg)}
.badge.plain{color:var(--text);background:var(--plainbg)}
.tile .badge{display:inline-block;font-size:17px;margin:3px 0 5px;padding:2px 14px}
.grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,520px),1fr));gap:16px;margin:16px 0}
.grid2 figure{margin:0}
figure svg{display:block;width:100%;height:auto}
figure h3{margin:0 0 10px}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:5px 22px;margin:0}
.facts.card{margin:0 0 16px}
.facts dt{color:var(--soft)}
.facts dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:8px 0}
table{border-collapse:collapse;width:100%;font-size:13.5px}
caption{text-align:left;color:var(--soft);padding-bottom:4px}
th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--edge);vertical-align:top}
th{color:var(--soft);font-weight:600;white-space:nowrap}
td.n{white-space:nowrap}
td{overflow-wrap:anywhere}
details{margin:10px 0 0}
.card>details:only-child{margin:0}
.card>details:only-child{margin:0}
summary{cursor:pointer;color:var(--soft);font-size:13.5px}
.chart text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--text)}
.chart .tick,.meter .tick{fill:var(--soft);font-size:11.5px}
.meter .tick{font-family:system-ui,"DejaVu Sans",sans-serif}
.chart .title{font-weight:600;font-size:12.5px;paint-order:stroke;stroke:var(--card);stroke-width:5px}
.chart .name{font-size:13px}
.chart .tick.failed{fill:var(--bad);font-weight:600}
.grid{stroke:var(--grid)}.base{stroke:var(--soft);stroke-opacity:.6}
.bar{fill:var(--done)}.bar.failed{fill:var(--fail)}.bar.idle{fill:var(--edge)}
.area{stroke:var(--card);stroke-width:.75;fill-opacity:.9}
.blue{fill:var(--blue)}.green{fill:var(--green)}
.other{fill:var(--other)}.o1{fill:var(--other1)}.o2{fill:var(--other2)}.o3{fill:var(--other3)}
.failure{fill:var(--fail)}.f1{fill:var(--fail1)}.f2{fill:var(--fail2)}
.line{fill:none;stroke-width:1.7;stroke-linejoin:round;stroke-linecap:round}
.p50{stroke:var(--text)}.p95{stroke:var(--p95)}.p99{stroke:var(--p99)}
.line.p99{stroke-dasharray:5 3}
.key.p50{fill:var(--text);stroke:none}.key.p95{fill:var(--p95);stroke:none}.key.p99{fill:var(--p99);stroke:none}
.band{fill:var(--band)}.b1{fill:none}
.chart .banded{fill:var(--soft);font-size:11px;font-style:italic}
.mark{stroke:var(--text);stroke-dasharray:4 3;stroke-width:1.2}
.chart .marked{font-weight:650}
.hover rect{fill:transparent}.hover rect:hover{fill:var(--text);fill-opacity:.09}
.meter{width:240px;max-width:100%;height:auto;display:block}
.zone.good{fill:var(--green)}.zone.open{fill:var(--plainbg)}.zone.bad{fill:var(--fail)}
.needle{fill:var(--text)}
footer{margin-top:34px;color:var(--soft);font-size:13px}
@media print{body{background:#fff;font-size:11.5px}main{max-width:none;padding:0}
.card,figure,.tile,tr{break-inside:avoid}h2,h3{break-after:avoid}.tile b{font-size:16px}.hover{display:none}
.card,figure,.tile{border-color:#ccc}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
).replace("\n", "")
