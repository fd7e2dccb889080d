// Renders Block Kit: by the library where it can, by our own components otherwise. An unknown
// block, or one that fails to render, becomes a grey box with its type.
import { Component, type ReactNode } from "react";
import { Actions, Context, Image, Input, Section } from "./Layout";
import { LibraryBlock } from "./LibraryBlock";
import { MarkdownBlock } from "./Markdown";
import { normalized } from "./normalize";
import { DataTable, Table } from "./Table";
import type { Block } from "./slack";
import { titled } from "./text";

function Container({ of }: { of: Block }) {
  const inner = <Blocks blocks={of.child_blocks ?? of.children ?? of.blocks ?? of.elements} />;
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
}

const own: Record<string, (props: { of: Block }) => ReactNode> = {
  section: Section,
  context: Context,
  actions: Actions,
  context_actions: Actions,
  input: Input,
  image: Image,
  markdown: ({ of }) => <MarkdownBlock text={of.text} />,
  table: Table,
  data_table: DataTable,
  container: Container,
};

const Unknown = ({ of }: { of: Block }) => (
  <div className="unknown" data-block-type={of.type}>
    <code>{of.type}</code> {titled(of.title) || "a block that this page does not draw"}
  </div>
);

class Guarded extends Component<{ of: Block; children: ReactNode }, { failed?: boolean }> {
  override state: { failed?: boolean } = {};
  static getDerivedStateFromError = () => ({ failed: true });

  override componentDidUpdate(before: { of: Block }) {
    if (this.state.failed && before.of !== this.props.of) this.setState({ failed: false });
  }

  override render() {
    return this.state.failed ? <Unknown of={this.props.of} /> : this.props.children;
  }
}

function One({ of }: { of: Block }) {
  if (Object.hasOwn(own, of.type)) {
    const Own = own[of.type]!;
    return <Own of={of} />;
  }
  if (Object.hasOwn(normalized, of.type)) return <LibraryBlock block={normalized[of.type]!(of)} />;
  return <Unknown of={of} />;
}

export function Blocks({ blocks }: { blocks: Block[] }) {
  return (
    <div className="blocks">
      {blocks.map((block, at) => (
        <Guarded key={block.block_id ?? at} of={block}>
          <One of={block} />
        </Guarded>
      ))}
    </div>
  );
}
