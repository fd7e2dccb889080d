// Text as people see it: mrkdwn, plain text, mentions, links and dates.
import { Fragment, type ReactNode } from "react";
import { nameOf, usePage } from "./context";
import { emojiOf } from "./emoji";
import { parse, type Span, unescaped } from "./mrkdwn";
import { spotOf } from "./place";
import type { TextObject } from "./slack";
import { fullTimeOf, stamped } from "./time";

export function Link({ href, children }: { href: string; children: ReactNode }) {
  const { go } = usePage();
  let url: URL;
  try {
    url = new URL(href, location.href);
  } catch {
    return <>{children}</>;
  }
  if (!/^(https?|mailto):$/.test(url.protocol)) return <>{children}</>;
  const spot = spotOf(url.href);
  if (!spot) {
    return (
      <a href={url.href} target="_blank" rel="noreferrer">
        {children}
      </a>
    );
  }
  return (
    <a
      href={url.href}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        go(spot);
      }}
    >
      {children}
    </a>
  );
}

export function UserMention({ id, label }: { id: string; label?: string }) {
  const { workspace } = usePage();
  const known = nameOf(workspace, id);
  const own = id === workspace.me.id;
  return (
    <span className={own ? "mention mention-me" : "mention"}>
      @{known === id ? (label ?? id) : known}
    </span>
  );
}

export function ChannelMention({ id, label }: { id: string; label?: string }) {
  const { workspace, go } = usePage();
  const channel = workspace.channels.find((one) => one.id === id);
  if (!channel) return <span className="mention">#{label ?? id}</span>;
  return (
    <button type="button" className="mention" onClick={() => go({ channel: id })}>
      #{channel.name}
    </button>
  );
}

export function Stamp(props: { timestamp: number; template: string; href?: string }) {
  const { timestamp, template, href } = props;
  const time = (
    <time dateTime={new Date(timestamp * 1000).toISOString()} title={fullTimeOf(String(timestamp))}>
      {stamped(timestamp, template)}
    </time>
  );
  return href ? <Link href={href}>{time}</Link> : time;
}

// Typed text mentions the bot by its name: shown like a mention, as Slack's composer would.
function Words({ text }: { text: string }) {
  const { workspace } = usePage();
  const name = workspace.bot.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return text.split(new RegExp(`(?<![\\w@.])(@${name})(?![\\w-])`, "i")).map((part, index) =>
    index % 2 === 1 ? (
      <span key={index} className="mention">
        {part}
      </span>
    ) : (
      <Fragment key={index}>{part}</Fragment>
    ),
  );
}

function One({ span }: { span: Span }) {
  switch (span.kind) {
    case "text":
      return <Words text={span.text} />;
    case "code":
      return <code>{span.text}</code>;
    case "bold":
      return (
        <b>
          <Spans spans={span.spans} />
        </b>
      );
    case "italic":
      return (
        <i>
          <Spans spans={span.spans} />
        </i>
      );
    case "strike":
      return (
        <s>
          <Spans spans={span.spans} />
        </s>
      );
    case "user":
      return <UserMention id={span.id} label={span.label} />;
    case "channel":
      return <ChannelMention id={span.id} label={span.label} />;
    case "group":
      return <span className="mention">{span.label ?? `@${span.id}`}</span>;
    case "broadcast":
      return <span className="mention mention-me">@{span.name}</span>;
    case "date":
      return <Stamp timestamp={span.timestamp} template={span.template} href={span.href} />;
    case "link":
      return (
        <Link href={span.href}>
          <Spans spans={span.spans} />
        </Link>
      );
    case "emoji":
      return <>{emojiOf(span.name) ?? `:${span.name}:`}</>;
  }
}

export function Spans({ spans }: { spans: Span[] }) {
  return spans.map((span, index) => <One key={index} span={span} />);
}

export function Mrkdwn({ text }: { text: string }) {
  return (
    <div className="mrkdwn">
      {parse(text).map((piece, index) => {
        if (piece.kind === "fence") return <pre key={index}>{piece.text}</pre>;
        const inner = <Spans spans={piece.spans} />;
        return piece.kind === "quote" ? (
          <blockquote key={index}>{inner}</blockquote>
        ) : (
          <p key={index}>{inner}</p>
        );
      })}
    </div>
  );
}

const shortcode = /:([a-z0-9_+-]+):/g;

export const plain = (text: TextObject | undefined | null): string =>
  unescaped(text?.text ?? "").replace(shortcode, (whole, name: string) => emojiOf(name) ?? whole);

export function Text({ of }: { of: TextObject | undefined }) {
  if (!of) return null;
  if (of.type === "mrkdwn") return <Mrkdwn text={of.text} />;
  return (
    <div className="mrkdwn">
      <p>{plain(of)}</p>
    </div>
  );
}
