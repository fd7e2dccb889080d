// One message: author, time, content and actions.
import { useCallback, useMemo, useState } from "react";
import { Avatar } from "./Avatar";
import { Blocks } from "./Blocks";
import { SendActionContext, nameOf, SourceContext, usePage } from "./context";
import { Dots, Eye, Reply } from "./icons";
import { Text } from "./LibraryBlock";
import { Menu } from "./Menu";
import { permalink } from "./routing";
import { Reactions } from "./Reactions";
import { type Action, isReply, type Message as M } from "./slack";
import { fullTimeOf, timeOf, whenOf } from "./time";

interface Props {
  message: M;
  inThread?: boolean;
  follows?: boolean; // the previous message has the same author: no avatar
  highlighted?: boolean;
}

const rootOf = (message: M) => message.thread_ts ?? message.ts;

function Tools({
  message,
  inThread,
  at,
  onClose,
}: Props & { at?: { x: number; y: number }; onClose: () => void }) {
  const { connection, showError, go } = usePage();
  const address = new URL(permalink(message.channel, message.ts, message.thread_ts), location.href);
  const items = [
    {
      label: "Follow jobs in this message",
      onPick: () => void connection.shortcut("follow_jobs", message).then(showError),
    },
    { label: "Copy link", onPick: () => void navigator.clipboard?.writeText(address.href) },
  ];
  return (
    <div className="tools">
      {!inThread && (
        <button
          type="button"
          aria-label="Reply in thread"
          title="Reply in thread"
          onClick={() => go({ channel: message.channel, thread: rootOf(message) })}
        >
          <Reply />
        </button>
      )}
      <Menu label="More actions" items={items} at={at} onClose={onClose}>
        <Dots />
      </Menu>
    </div>
  );
}

function Replies({ message }: { message: M }) {
  const { workspace, go } = usePage();
  if (message.reply_count === 0) return null;
  const replies = workspace.messages.filter(
    (one) => isReply(one) && one.thread_ts === message.ts && one.channel === message.channel,
  );
  const people = [...new Set(replies.map((one) => one.user))].slice(0, 3);
  return (
    <button
      type="button"
      className="replies"
      data-testid="replies"
      onClick={() => go({ channel: message.channel, thread: message.ts })}
    >
      {people.map((user) => (
        <Avatar key={user} user={user} small />
      ))}
      <b>
        {message.reply_count} {message.reply_count === 1 ? "reply" : "replies"}
      </b>
      {message.latest_reply && <span> · last reply {whenOf(message.latest_reply)}</span>}
    </button>
  );
}

function Broadcast({ message, inThread }: Props) {
  const { workspace, go } = usePage();
  if (!message.broadcast) return null;
  if (inThread) return <p className="aside">Also sent to the channel</p>;
  const root = workspace.messages.find(
    (one) => one.channel === message.channel && one.ts === message.thread_ts,
  );
  return (
    <p className="aside">
      replied to a thread:{" "}
      <button
        type="button"
        className="link"
        onClick={() =>
          go({ channel: message.channel, thread: message.thread_ts, message: message.ts })
        }
      >
        {root?.text.split("\n")[0]?.slice(0, 80) || "open it"}
      </button>
    </p>
  );
}

export function Message({ message, inThread, follows, highlighted }: Props) {
  const { workspace, connection, showError } = usePage();
  const [menuAt, setMenuAt] = useState<{ x: number; y: number }>();
  const { channel, ts } = message;
  const source = useMemo(() => ({ channel, message_ts: ts }), [channel, ts]);
  const act = useCallback(
    async (action: Action) => showError(await connection.click(source, action)),
    [source, connection, showError],
  );
  const isBot =
    message.user === workspace.bot.id ||
    workspace.users.some((one) => one.id === message.user && one.is_bot);
  const time = (
    <time dateTime={new Date(Number(ts) * 1000).toISOString()} title={fullTimeOf(ts)}>
      {timeOf(ts)}
    </time>
  );
  return (
    <article
      className={`message${follows ? " follows" : ""}${message.ephemeral ? " ephemeral" : ""}${highlighted ? " highlighted" : ""}`}
      data-testid="message"
      data-ts={ts}
      onContextMenu={(event) => {
        // Links, fields and selected text keep the browser's context menu.
        if (
          (event.target as Element).closest("a, input, textarea, select") ||
          getSelection()?.toString()
        )
          return;
        event.preventDefault();
        setMenuAt({ x: event.clientX, y: event.clientY });
      }}
    >
      {follows ? <span className="gutter">{time}</span> : <Avatar user={message.user} />}
      <div className="message-main">
        {message.ephemeral && (
          <p className="aside">
            <Eye /> Only visible to you
          </p>
        )}
        {!follows && (
          <header className="byline">
            <b className="name">{nameOf(workspace, message.user)}</b>
            {isBot && <span className="badge">APP</span>}
            {time}
            {message.edited && <span className="edited">(edited)</span>}
          </header>
        )}
        <Broadcast message={message} inThread={inThread} />
        <SendActionContext.Provider value={act}>
          {message.blocks?.length ? (
            <SourceContext.Provider value={source}>
              <Blocks blocks={message.blocks} />
            </SourceContext.Provider>
          ) : (
            <Text of={{ type: "mrkdwn", text: message.text }} />
          )}
        </SendActionContext.Provider>
        {follows && message.edited && <span className="edited">(edited)</span>}
        <Reactions message={message} />
        {!inThread && !isReply(message) && <Replies message={message} />}
      </div>
      <Tools
        message={message}
        inThread={inThread}
        at={menuAt}
        onClose={() => setMenuAt(undefined)}
      />
    </article>
  );
}
