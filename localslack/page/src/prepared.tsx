// Blocks as the library can take them: what it would misread or throw at is put right before.
import { isWeb } from "./hooks";
import type { Json } from "./slack";
import { plain, titled } from "./text";

// The library shows a step's state by a dot's colour alone: the word stands in its title.
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

// `verbatim` is how the library is told to parse nothing; entities it would still change.
const literal = (text: string) => ({
  type: "plain_text",
  verbatim: true,
  text: text.replace(/&(?=[lg]t;)/g, "&\u2060"),
});

const level = (of: Json) => String(of.level ?? "info").replace(/^./, (one) => one.toUpperCase());

export const prepared: Record<string, (of: Json) => Json> = {
  header: (of) => ({ ...of, text: literal(plain(of.text)) }),
  divider: (of) => of,
  rich_text: (of) => of,
  data_visualization: (of) => of,
  task_card: card,
  plan: (of) => ({ ...of, title: titled(of.title), tasks: of.tasks?.map(card) }),
  alert: (of) => ({ ...of, text: literal(`${level(of)}: ${titled(of.text)}`) }),
};
