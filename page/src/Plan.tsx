// plan and task_card: steps, each with its state in words as well as in colour.
import { Link, plain } from "./Mrkdwn";
import { RichText } from "./RichText";
import { Done, Failed, Pending, Running } from "./icons";
import type { Json } from "./slack";

const states: Record<string, { word: string; Icon: () => React.JSX.Element }> = {
  pending: { word: "Waiting", Icon: Pending },
  in_progress: { word: "Running", Icon: Running },
  complete: { word: "Done", Icon: Done },
  error: { word: "Failed", Icon: Failed },
};

// Titles come as strings and as text objects.
const titleOf = (title: Json): string =>
  typeof title === "string" ? plain({ type: "plain_text", text: title }) : plain(title);

function More({ of }: { of: Json }) {
  return (
    <div className="task-more">
      {of.details && <RichText of={of.details} />}
      {of.output && <RichText of={of.output} />}
      {of.sources?.length > 0 && (
        <p className="task-sources">
          {of.sources.map((source: Json, index: number) => (
            <Link key={index} href={source.url}>
              {source.text ?? source.url}
            </Link>
          ))}
        </p>
      )}
    </div>
  );
}

export function TaskCard({ of }: { of: Json }) {
  const { word, Icon } = states[of.status] ?? { word: of.status ?? "", Icon: Pending };
  const line = (
    <>
      <span className="task-icon">
        <Icon />
      </span>
      <span className="task-title">{titleOf(of.title)}</span>
      <span className="task-word">{word}</span>
    </>
  );
  const hasMore = of.details || of.output || of.sources?.length > 0;
  return (
    <div className={`task task-${of.status}`} data-task-id={of.task_id}>
      {hasMore ? (
        <details open={of.status === "error" || of.status === "in_progress"}>
          <summary className="task-line">{line}</summary>
          <More of={of} />
        </details>
      ) : (
        <div className="task-line">{line}</div>
      )}
    </div>
  );
}

export function Plan({ of }: { of: Json }) {
  const tasks: Json[] = of.tasks ?? [];
  const done = tasks.filter((task) => task.status === "complete").length;
  return (
    <section className="plan" aria-label={titleOf(of.title) || "Plan"}>
      <header className="plan-head">
        <b>{titleOf(of.title)}</b>
        <span className="plan-count">
          {done} of {tasks.length} done
        </span>
        <span className="plan-bar" aria-hidden="true">
          {tasks.map((task, index) => (
            <i key={index} className={`task-${task.status}`} />
          ))}
        </span>
      </header>
      <ol>
        {tasks.map((task, index) => (
          <li key={task.task_id ?? index}>
            <TaskCard of={task} />
          </li>
        ))}
      </ol>
    </section>
  );
}
