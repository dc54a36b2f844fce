/** The reference as one HTML page that needs nothing else: search, and a link to every option. */
import type { OptionDocumentation } from "./documentation.ts";

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Text with `code` in backticks. */
function prose(text: string): string {
  return escape(text)
    .split(/\n\s*\n/u)
    .map((paragraph) => `<p>${paragraph.replaceAll(/`([^`]+)`/gu, "<code>$1</code>")}</p>`)
    .join("");
}

function entry(option: OptionDocumentation): string {
  const id = escape(`opt-${option.name}`);
  const field = (label: string, text: string | undefined): string =>
    text === undefined ? "" : `<dt>${label}</dt><dd><pre>${escape(text)}</pre></dd>`;
  return [
    `<section id="${id}">`,
    `<h2><a href="#${id}"><code>${escape(option.name)}</code></a></h2>`,
    prose(option.description ?? ""),
    `<dl><dt>Type</dt><dd>${escape(option.type)}${option.readOnly ? " (read-only)" : ""}</dd>`,
    field("Default", option.default),
    field("Example", option.example),
    `<dt>Declared in</dt><dd>${option.declarations.map((place) => `<code>${escape(place)}</code>`).join(", ")}</dd></dl>`,
    "</section>",
  ].join("");
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:auto;padding:1rem;color:#1c1e21;background:#fff}
header{position:sticky;top:0;background:inherit;padding:.5rem 0}input{font:inherit;width:100%;padding:.4rem;box-sizing:border-box}
section{border-top:1px solid #8884;padding:.5rem 0;scroll-margin-top:6rem}section:target{outline:2px solid #36c;outline-offset:.3rem}h2{font-size:1.1rem;margin:.4rem 0}
h2 a{color:inherit;text-decoration:none}dl{display:grid;grid-template-columns:7rem 1fr;margin:0}dd{margin:0}pre{margin:0;white-space:pre-wrap}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#16181b}}`;

// Every word of the query must occur in the option's name or text.
const script = `const q=document.querySelector("input"),all=[...document.querySelectorAll("section")].map(s=>[s,s.textContent.toLowerCase()]),n=document.querySelector("output");
function find(){const w=q.value.toLowerCase().split(/\\s+/).filter(Boolean);let c=0;for(const[s,t]of all){const ok=w.every(x=>t.includes(x));s.hidden=!ok;if(ok)c++}n.textContent=c+" options";
history.replaceState(null,"",q.value?"?q="+encodeURIComponent(q.value)+location.hash:location.pathname+location.hash)}
q.value=new URLSearchParams(location.search).get("q")??"";q.addEventListener("input",find);find();if(location.hash)document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();`;

/** The page. Nothing is loaded from elsewhere. */
export function documentationHtml(options: readonly OptionDocumentation[], title: string): string {
  const entries = options.filter((each) => each.visible && !each.internal).map(entry);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title><style>${style}</style></head>
<body><h1>${escape(title)}</h1><header><input type="search" placeholder="Search options" aria-label="Search options" autofocus><output></output></header>
<main>${entries.join("\n")}</main><script>${script}</script></body></html>
`;
}
