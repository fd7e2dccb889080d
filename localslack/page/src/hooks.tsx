// What the library leaves to us: links, mentions and dates, which know this workspace.
import type { ReactNode } from "react";
import type { MessageProps } from "slack-blocks-to-jsx";
import { nameOf, usePage } from "./context";
import { spotOf } from "./place";
import { fullTimeOf, stamped } from "./time";

export const isWeb = (address: unknown): address is string =>
  typeof address === "string" && /^https?:\/\//i.test(address) && URL.canParse(address);

interface LinkProps {
  href: unknown;
  className?: string;
  children: ReactNode;
}

// An address of any other kind is no link.
export function Link({ href, className, children }: LinkProps) {
  const { go } = usePage();
  if (!isWeb(href)) return <span>{children}</span>;
  const spot = spotOf(href);
  if (!spot) {
    return (
      <a href={href} className={className} target="_blank" rel="noreferrer">
        {children}
      </a>
    );
  }
  return (
    <a
      href={href}
      className={className}
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

// The page asks no other host for anything: a picture from elsewhere is a link.
export function Picture({ url, alt, className }: { url: unknown; alt: string; className: string }) {
  if (isWeb(url) && new URL(url).origin === location.origin)
    return <img src={url} alt={alt} className={className} />;
  return <Link href={url}>🖼 {alt || "image"}</Link>;
}

function UserMention({ id }: { id: string }) {
  const { workspace } = usePage();
  const own = id === workspace.me.id;
  return (
    <span className={own ? "mention mention-me" : "mention"}>@{nameOf(workspace, id)}</span>
  );
}

function ChannelMention({ id }: { id: string }) {
  const { workspace, go } = usePage();
  const channel = workspace.channels.find((one) => one.id === id);
  if (!channel) return <span className="mention">#{id}</span>;
  return (
    <button type="button" className="mention" onClick={() => go({ channel: id })}>
      #{channel.name}
    </button>
  );
}

function GroupMention({ id }: { id: string }) {
  const { workspace } = usePage();
  const group = workspace.groups.find((one) => one.id === id);
  return <span className="mention">@{group?.handle ?? id}</span>;
}

const broadcast = (range: string) => () => <span className="mention mention-me">@{range}</span>;

export const hooks: MessageProps["hooks"] = {
  user: ({ id }) => <UserMention id={id} />,
  channel: ({ id }) => <ChannelMention id={id} />,
  usergroup: ({ id }) => <GroupMention id={id} />,
  atHere: broadcast("here"),
  atChannel: broadcast("channel"),
  atEveryone: broadcast("everyone"),
  link: ({ href, className, children }) => (
    <Link href={href} className={className}>
      {children}
    </Link>
  ),
  date: ({ timestamp, format }) => (
    <time
      dateTime={new Date(Number(timestamp) * 1000).toISOString()}
      title={fullTimeOf(timestamp)}
    >
      {stamped(Number(timestamp), format)}
    </time>
  ),
};
