/** Style of the page. Served from here: nothing is read from a disk when a request comes. */
export const pageStyle = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1c2430;--soft:#66717f;--line:#e1e5ea;--accent:#0b6e99;
--ready:#1a7f4b;--failing:#c0352b;--working:#9a6a00;--suspended:#69707a}
@media(prefers-color-scheme:dark){:root{--bg:#10151b;--card:#171e26;--ink:#e4e9ef;--soft:#93a0ae;--line:#26303b;
--accent:#5cb8e0;--ready:#4cc38a;--failing:#ff7b6e;--working:#e0ac4a;--suspended:#8d97a3}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
header,main{max-width:1180px;margin:0 auto;padding:0 20px}
header{display:flex;align-items:center;gap:14px;padding-top:20px;padding-bottom:8px}
h1{font-size:21px;margin:0;letter-spacing:-.01em}
h1 a{display:flex;align-items:center;gap:10px;color:inherit}
a{color:var(--accent);text-decoration:none}
a:hover{text-decoration:underline}
a:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
header .live{margin-left:auto;color:var(--soft);font-size:13px;border:1px solid var(--line);border-radius:99px;padding:2px 12px}
header .live.on{color:var(--ready);border-color:currentColor}
h2{font-size:13px;margin:30px 0 8px;color:var(--soft);text-transform:uppercase;letter-spacing:.06em;font-weight:600}
.counts{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:12px;margin:14px 0 10px}
.count{display:block;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:13px 16px}
.count:hover{border-color:currentColor;text-decoration:none}
.count.chosen{border-color:currentColor;box-shadow:inset 0 0 0 1px currentColor}
.count b{display:block;font-size:29px;line-height:1.15;font-variant-numeric:tabular-nums}
.count span{color:var(--soft);font-size:13px}
.count.none b{color:var(--soft);font-weight:500}
.share{display:block;width:100%;height:6px;border-radius:3px;overflow:hidden}
.share rect{fill:currentColor}
.kinds{display:flex;flex-wrap:wrap;gap:6px;margin:0 0 10px}
.kinds a{border:1px solid var(--line);border-radius:99px;padding:2px 12px;font-size:13px;color:var(--soft);background:var(--card)}
.kinds a.chosen{color:var(--ink);border-color:var(--soft)}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;overflow:hidden}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th{font-weight:600;color:var(--soft);font-size:12px;text-align:left;padding:10px 14px;white-space:nowrap}
td{padding:10px 14px;border-top:1px solid var(--line);vertical-align:top}
tbody:first-child tr:first-child td{border-top:0}
td.name,td.reason{white-space:nowrap}
td.name a{font-weight:600}
tr.more td{border-top:0;padding-top:0;padding-bottom:12px}
tbody.failing{background:color-mix(in srgb,var(--failing) 5%,transparent)}
.since{text-align:right;color:var(--soft);white-space:nowrap;font-variant-numeric:tabular-nums}
.message,.soft{color:var(--soft)}
.text{overflow-wrap:anywhere;white-space:pre-wrap}
.text code{display:block;overflow-x:auto;white-space:pre;font:12.5px/1.7 ui-monospace,SFMono-Regular,Menlo,monospace}
.advice{display:block;margin:3px 0 0;color:var(--ink)}
.advice::before{content:"→ ";color:var(--soft)}
.times{margin-left:8px;border:1px solid var(--line);border-radius:99px;padding:0 8px;font-size:12px;white-space:nowrap}
.mono{font:12.5px/1.7 ui-monospace,SFMono-Regular,Menlo,monospace;overflow-wrap:anywhere}
.state{display:inline-flex;align-items:center;gap:7px;white-space:nowrap;font-weight:600}
.state::before,.dot{content:"";display:inline-block;width:9px;height:9px;border-radius:50%;background:currentColor;flex:none}
.ready{--tone:var(--ready)}.failing{--tone:var(--failing)}.working{--tone:var(--working)}.suspended{--tone:var(--suspended)}
.state,.dot,.count,.share rect,td.reason.failing{color:var(--tone,var(--accent))}
.state.working::before,.dot.working{animation:pulse 1.2s ease-in-out infinite}
@keyframes pulse{50%{opacity:.3}}
@media(prefers-reduced-motion:reduce){.state.working::before,.dot.working{animation:none}}
.crumbs{color:var(--soft);font-size:14px;margin:16px 0 10px}
.banner{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--tone);border-radius:12px;
padding:14px 18px;margin:0 0 14px;display:flex;flex-wrap:wrap;align-items:center;gap:4px 14px}
.banner .title{font-size:20px;margin:0;color:var(--ink);text-transform:none;letter-spacing:-.01em;overflow-wrap:anywhere}
.banner .text,.banner .advice{flex-basis:100%}
.tree{list-style:none;margin:0;padding:10px 16px}
.tree .tree{padding:0 0 0 11px;margin:2px 0 4px 4px;border-left:1px solid var(--line)}
.tree li{padding:3px 0 3px 8px}
.tree .dot{margin-right:9px}
.tree a{font-weight:600}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:7px 20px;margin:0;padding:14px 18px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
ul.plain{list-style:none;margin:0;padding:8px 18px}ul.plain li{padding:3px 0}
.empty{color:var(--soft);padding:18px;margin:0}
.hint{border-left:3px solid var(--working);border-radius:4px;padding:8px 14px;margin:12px 0 0;background:var(--card)}
footer{max-width:1180px;margin:28px auto 40px;padding:0 20px;color:var(--soft);font-size:13px}
@media(max-width:720px){
.counts{grid-template-columns:repeat(2,minmax(0,1fr))}
.blocks thead{display:none}
.blocks tr{display:flex;flex-wrap:wrap;gap:2px 10px;padding:10px 14px 8px;border-top:1px solid var(--line)}
.blocks tbody:first-of-type tr:first-child{border-top:0}
.blocks tr.more{border-top:0;padding-top:0;padding-bottom:12px}
.blocks td{border:0;padding:0}.blocks td:empty{display:none}
.blocks td.message{flex-basis:100%;min-width:0;order:1}.blocks td.since{margin-left:auto}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}}
`;

/** Script of the page: takes the main part anew when something changed. Without it the page is whole, only not live. */
export const pageScript = `
const live = document.querySelector(".live");
let waiting = false;
async function refresh() {
  if (waiting) return;
  waiting = true;
  await new Promise((done) => setTimeout(done, 250));
  waiting = false;
  const response = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => undefined);
  if (!response?.ok) return;
  const next = new DOMParser().parseFromString(await response.text(), "text/html");
  const main = next.querySelector("main");
  if (main) document.querySelector("main").replaceWith(main);
  document.title = next.title;
}
const say = (text, isOn) => { live.textContent = text; live.classList.toggle("on", isOn); };
const source = new EventSource("/api/v1/events");
source.addEventListener("hello", () => { say("live", true); refresh(); });
for (const name of ["event", "status", "gone"]) source.addEventListener(name, refresh);
source.onerror = () => say("connection lost, trying again", false);
`;

/** The mark: a fish that swims ahead. */
export const pageIcon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="8" fill="#0b6e99"/>
<path d="M5 9.5 10.5 16 5 22.5c5 .8 8-1 10-2.7 2 1.500 4.300 2.200 6.500 2.200 3 0 5.500-2.600 6.500-6-1-3.400-3.500-6-6.500-6-2.200 0-4.500.7-6.500 2.200C13 10.500 10 8.700 5 9.500z" fill="#fff"/>
<path d="M15.600 11.800v8.400M19.200 10.400v11.200" stroke="#0b6e99" stroke-width="1.500"/><circle cx="23.700" cy="14.700" r="1.300" fill="#0b6e99"/></svg>
`;
