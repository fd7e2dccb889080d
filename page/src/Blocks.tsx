// Block Kit, block by block. A type that nobody here knows is shown as a grey box with its name.
import { type ReactNode, useContext, useId } from "react";
import { plain, Link, Text } from "./Mrkdwn";
import { Control } from "./Controls";
import { Interactive } from "./Elements";
import { FormContext } from "./form";
import { Markdown } from "./Markdown";
import { Plan, TaskCard } from "./Plan";
import { RichText } from "./RichText";
import { DataTable, Table } from "./Table";
import type { Block, Element, Json } from "./slack";

type Drawn = (props: { of: Block }) => ReactNode;

// The page asks no other host for anything: a picture from elsewhere is a link.
function Image({ url, alt, className }: { url?: string; alt: string; className?: string }) {
  if (!url) return <span className="unknown">{alt || "image"}</span>;
  const isOwn = url.startsWith("data:image/") || url.startsWith(`${location.origin}/`);
  return isOwn ? (
    <img src={url} alt={alt} className={className} />
  ) : (
    <Link href={url}>🖼 {alt || "image"}</Link>
  );
}

const Section: Drawn = ({ of }) => (
  <div className="section">
    <div className="section-main">
      <Text of={of.text} />
      {of.fields && (
        <div className="fields">
          {of.fields.map((field: Json, at: number) => (
            <Text key={at} of={field} />
          ))}
        </div>
      )}
    </div>
    {of.accessory && (
      <div className="accessory">
        {of.accessory.type === "image" ? (
          <Image url={of.accessory.image_url} alt={of.accessory.alt_text} className="thumb" />
        ) : (
          <Interactive element={of.accessory} blockId={of.block_id} />
        )}
      </div>
    )}
  </div>
);

const Context: Drawn = ({ of }) => (
  <div className="context">
    {of.elements?.map((one: Json, at: number) =>
      one.type === "image" ? (
        <Image key={at} url={one.image_url} alt={one.alt_text} className="tiny" />
      ) : (
        <Text key={at} of={one} />
      ),
    )}
  </div>
);

const Actions: Drawn = ({ of }) => (
  <div className="actions">
    {of.elements?.map((element: Element, at: number) => (
      <Interactive key={element.action_id ?? at} element={element} blockId={of.block_id} />
    ))}
  </div>
);

const Input: Drawn = ({ of }) => {
  const form = useContext(FormContext);
  const id = useId();
  const element: Element = of.element ?? { type: "?" };
  const error = form?.errors[of.block_id ?? ""];
  if (!form) return <Unknown of={of} />;
  return (
    <div className="input">
      <label htmlFor={id}>
        {plain(of.label)} {of.optional && <span className="optional">(optional)</span>}
      </label>
      <Control
        id={id}
        describedBy={`${id}-note`}
        element={element}
        entry={form.entry(of.block_id, element)}
        label={plain(of.label)}
        required={!of.optional}
        onEntry={(entry) => form.set(of.block_id, element, entry)}
      />
      <p id={`${id}-note`} className={error ? "note error" : "note"}>
        {error ?? plain(of.hint)}
      </p>
    </div>
  );
};

const titled = (title: Json): string => (typeof title === "string" ? title : plain(title));

const Container: Drawn = ({ of }) => {
  const inner = (
    <Blocks blocks={of.children ?? of.child_blocks ?? of.blocks ?? of.elements ?? []} />
  );
  if (of.is_collapsible) {
    return (
      <details className="container" open={!of.default_collapsed}>
        <summary>{titled(of.title)}</summary>
        {inner}
      </details>
    );
  }
  return (
    <section className="container" aria-label={titled(of.title)}>
      <b>{titled(of.title)}</b>
      {inner}
    </section>
  );
};

const Alert: Drawn = ({ of }) => {
  const level = String(of.level ?? of.severity ?? "info");
  return (
    <div className={`alert alert-${level}`} role="note">
      <b>{level[0]?.toUpperCase() + level.slice(1)}</b>
      {typeof of.text === "string" ? <p>{of.text}</p> : <Text of={of.text} />}
    </div>
  );
};

const Unknown: Drawn = ({ of }) => (
  <div className="unknown" data-block-type={of.type}>
    <code>{of.type}</code> {titled(of.title) || "a block that this page does not draw"}
  </div>
);

const drawn: Record<string, Drawn> = {
  header: ({ of }) => <h3 className="header">{plain(of.text)}</h3>,
  section: Section,
  divider: () => <hr />,
  context: Context,
  actions: Actions,
  context_actions: Actions,
  input: Input,
  rich_text: ({ of }) => <RichText of={of} />,
  markdown: ({ of }) => <Markdown text={of.text ?? ""} />,
  image: ({ of }) => (
    <figure className="image">
      {of.title && <figcaption>{plain(of.title)}</figcaption>}
      <Image url={of.image_url} alt={of.alt_text} />
    </figure>
  ),
  plan: ({ of }) => <Plan of={of} />,
  task_card: ({ of }) => (
    <div className="plan alone">
      <TaskCard of={of} />
    </div>
  ),
  table: ({ of }) => <Table of={of} />,
  data_table: ({ of }) => <DataTable of={of} />,
  container: Container,
  alert: Alert,
};

export function Blocks({ blocks }: { blocks: Block[] }) {
  return (
    <div className="blocks">
      {blocks.map((block, at) => {
        const Drawing = Object.hasOwn(drawn, block.type) ? drawn[block.type]! : Unknown;
        return <Drawing key={block.block_id ?? at} of={block} />;
      })}
    </div>
  );
}
