/** Style of the page. Served from here: nothing is read from a disk when a request comes. */
export const pageStyle = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1c2430;--soft:#66717f;--line:#e1e5ea;--accent:#0b6e99;
--ready:#1a7f4b;--failing:#c0352b;--working:#9a6a00;--suspended:#69707a}
@media(prefers-color-scheme:dark){:root{--bg:#10151b;--card:#171e26;--ink:#e4e9ef;--soft:#93a0ae;--line:#26303b;
--accent:#5cb8e0;--ready:#4cc38a;--failing:#ff7b6e;--working:#e0ac4a;--suspended:#8d97a3}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
header,main{max-width:1180px;margin:0 auto;padding:0 20px}
header{display:flex;align-items:baseline;gap:14px;padding-top:22px;padding-bottom:6px;flex-wrap:wrap}
h1{font-size:21px;margin:0;letter-spacing:-.01em}
h1 a{color:inherit;text-decoration:none}
header .live{margin-left:auto;color:var(--soft);font-size:13px}
h2{font-size:13px;margin:28px 0 8px;color:var(--soft);text-transform:uppercase;letter-spacing:.06em;font-weight:600}
.counts{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:12px;margin:14px 0 4px}
.count{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px}
.count b{display:block;font-size:27px;line-height:1.15;font-variant-numeric:tabular-nums}
.count span{color:var(--soft);font-size:13px}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th{font-weight:600;color:var(--soft);font-size:12px;text-align:left;padding:9px 14px;border-bottom:1px solid var(--line);white-space:nowrap}
td{padding:9px 14px;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
td a{color:var(--accent);text-decoration:none;font-weight:500}
td a:hover,td a:focus{text-decoration:underline}
.message{color:var(--soft);max-width:520px;overflow-wrap:anywhere;white-space:pre-line}
.mono{font:12.5px/1.6 ui-monospace,SFMono-Regular,Menlo,monospace;overflow-wrap:anywhere}
.state{display:inline-flex;align-items:center;gap:7px;white-space:nowrap;font-weight:550}
.state::before{content:"";width:9px;height:9px;border-radius:50%;background:currentColor}
.ready{color:var(--ready)}.failing{color:var(--failing)}.working{color:var(--working)}.suspended{color:var(--suspended)}
.working::before{animation:pulse 1.2s ease-in-out infinite}
@keyframes pulse{50%{opacity:.3}}
@media(prefers-reduced-motion:reduce){.working::before{animation:none}}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:6px 18px;margin:0;padding:14px 16px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
ul.plain{list-style:none;margin:0;padding:8px 16px}ul.plain li{padding:3px 0}
.empty{color:var(--soft);padding:18px 16px;margin:0}
.hint{border-left:3px solid var(--working);padding:8px 14px;margin:12px 0 0;background:var(--card)}
footer{max-width:1180px;margin:26px auto 40px;padding:0 20px;color:var(--soft);font-size:13px}
@media(max-width:640px){.counts{grid-template-columns:repeat(2,minmax(0,1fr))}.wide{display:none}}
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
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok) return;
  const next = new DOMParser().parseFromString(await response.text(), "text/html");
  const main = next.querySelector("main");
  if (main) document.querySelector("main").replaceWith(main);
  document.title = next.title;
}
const source = new EventSource("/api/v1/events");
source.addEventListener("hello", () => { live.textContent = "live"; refresh(); });
for (const name of ["event", "status", "gone"]) source.addEventListener(name, refresh);
source.onerror = () => { live.textContent = "connection lost, trying again"; };
`;
