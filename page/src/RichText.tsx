// rich_text: the block that is never parsed, and so the safe home of other people's text.
import { type ReactNode } from "react";
import { ChannelMention, Link, Stamp, UserMention } from "./Mrkdwn";
import { emojiFrom } from "./emoji";
import type { Json } from "./slack";

function dressed(inner: ReactNode, style: Json): ReactNode {
  let dressed = inner;
  if (style?.code) dressed = <code>{dressed}</code>;
  if (style?.bold) dressed = <b>{dressed}</b>;
  if (style?.italic) dressed = <i>{dressed}</i>;
  if (style?.strike) dressed = <s>{dressed}</s>;
  if (style?.underline) dressed = <u>{dressed}</u>;
  return dressed;
}

function Inline({ of }: { of: Json }) {
  switch (of.type) {
    case "text":
      return dressed(of.text, of.style);
    case "link":
      return dressed(<Link href={of.url}>{of.text ?? of.url}</Link>, of.style);
    case "user":
      return <UserMention id={of.user_id} />;
    case "channel":
      return <ChannelMention id={of.channel_id} />;
    case "usergroup":
      return <span className="mention">@{of.usergroup_id}</span>;
    case "broadcast":
      return <span className="mention mention-me">@{of.range}</span>;
    case "emoji":
      return emojiFrom(of.unicode, of.name);
    case "date":
      return dressed(
        <Stamp timestamp={of.timestamp} template={of.format} href={of.url} />,
        of.style,
      );
    case "color":
      return <code>{of.value}</code>;
    default:
      return of.text ?? of.fallback ?? "";
  }
}

const Inlines = ({ of }: { of: Json[] | undefined }) =>
  of?.map((one, index) => <Inline key={index} of={one} />);

function Part({ of }: { of: Json }) {
  switch (of.type) {
    case "rich_text_section":
      return (
        <p>
          <Inlines of={of.elements} />
        </p>
      );
    case "rich_text_quote":
      return (
        <blockquote>
          <Inlines of={of.elements} />
        </blockquote>
      );
    case "rich_text_preformatted":
      return (
        <pre tabIndex={0}>
          <Inlines of={of.elements} />
        </pre>
      );
    case "rich_text_list": {
      const items = of.elements?.map((item: Json, index: number) => (
        <li key={index}>
          <Inlines of={item.elements} />
        </li>
      ));
      const style = { marginInlineStart: `${(of.indent ?? 0) * 1.6}em` };
      if (of.style === "ordered")
        return (
          <ol start={(of.offset ?? 0) + 1} style={style}>
            {items}
          </ol>
        );
      return <ul style={style}>{items}</ul>;
    }
    default:
      return null;
  }
}

export function RichText({ of }: { of: Json }) {
  return (
    <div className="mrkdwn">
      {of?.elements?.map((part: Json, index: number) => (
        <Part key={index} of={part} />
      ))}
    </div>
  );
}

// The words of a rich_text, for sorting and for labels.
export function wordsOf(of: Json): string {
  if (of?.text && typeof of.text === "string") return of.text;
  return (of?.elements ?? []).map(wordsOf).join("");
}
