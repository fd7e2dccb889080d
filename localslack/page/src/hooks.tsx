// The library's hooks for links, mentions and dates.
import type { ReactNode } from "react";
import type { MessageProps } from "slack-blocks-to-jsx";
import { nameOf, usePage } from "./context";
import { parseRoute } from "./routing";
import { fullTimeOf, stamped } from "./time";

export const isWeb = (address: unknown): address is string =>
  typeof address === "string" && /^https?:\/\//i.test(address) && URL.canParse(address);

interface LinkProps {
  href: unknown;
  className?: string;
  children: ReactNode;
}

// Renders http and https addresses only as links.
export function Link({ href, className, children }: LinkProps) {
  const { go } = usePage();
  if (!isWeb(href)) return <span>{children}</span>;
  const route = parseRoute(href);
  if (!route) {
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
        go(route);
      }}
    >
      {children}
    </a>
  );
}

// The page loads nothing from other hosts: an external image becomes a link.
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
