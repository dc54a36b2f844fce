import { sections, summary } from "./state.js";

const refreshMilliseconds = 5_000;

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function show(state) {
  document.getElementById("summary").textContent = summary(state);
  document.getElementById("sections").replaceChildren(
    ...sections(state).map(({ title, failed, rows }) => {
      const section = document.createElement("section");
      section.dataset.state = failed ? "failed" : "ok";
      const table = document.createElement("dl");
      for (const [name, text] of rows) table.append(element("dt", name), element("dd", text));
      section.append(element("h2", title), table);
      return section;
    }),
  );
}

async function refresh() {
  try {
    const answer = await fetch("/api/state");
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    show(await answer.json());
  } catch (error) {
    document.getElementById("summary").textContent = `The system does not answer: ${error.message}`;
  }
  setTimeout(refresh, refreshMilliseconds);
}

await refresh();
