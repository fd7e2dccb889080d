// Normalizes blocks for the library, which would misread some values and throw at others.
import { isWeb } from "./hooks";
import type { Json } from "./slack";
import { plain, titled } from "./text";

// The library shows a step's status by colour only, so the title contains its name.
const states: Record<string, string> = {
  pending: "Waiting",
  in_progress: "Running",
  complete: "Done",
  error: "Failed",
};

function card(of: Json): Json {
  const title = (
    <span className={`task task-${of.status}`}>
      <span>{titled(of.title)}</span>
      <span className="task-word">{states[of.status] ?? of.status}</span>
    </span>
  );
  return { ...of, title, sources: of.sources?.filter((one: Json) => isWeb(one.url)) };
}

// `verbatim` disables the library's parser, but it would still decode entities.
const literal = (text: string) => ({
  type: "plain_text",
  verbatim: true,
  text: text.replace(/&(?=[lg]t;)/g, "&\u2060"),
});

const level = (of: Json) => String(of.level ?? "info").replace(/^./, (one) => one.toUpperCase());

export const normalized: Record<string, (of: Json) => Json> = {
  header: (of) => ({ ...of, text: literal(plain(of.text)) }),
  divider: (of) => of,
  rich_text: (of) => of,
  data_visualization: (of) => of,
  task_card: card,
  plan: (of) => ({ ...of, title: titled(of.title), tasks: of.tasks?.map(card) }),
  alert: (of) => ({ ...of, text: literal(`${level(of)}: ${titled(of.text)}`) }),
};
