// Sidebar: the workspace, its channels, the bot's connection and sample jobs.
import { Avatar } from "./Avatar";
import { usePage } from "./context";
import { Hash, Send } from "./icons";
import type { Channel, Suggestion } from "./slack";

function Entry({ channel }: { channel: Channel }) {
  const { workspace, route, go } = usePage();
  const isUnread = workspace.unread.has(channel.id);
  const user = workspace.users.find((one) => one.name === channel.name)?.id;
  return (
    <li>
      <button
        type="button"
        className={isUnread ? "unread" : undefined}
        aria-current={channel.id === route.channel ? "page" : undefined}
        data-channel={channel.id}
        onClick={() => go({ channel: channel.id })}
      >
        {channel.is_im ? (
          <Avatar
            user={channel.name === workspace.bot.name ? workspace.bot.id : (user ?? channel.id)}
            small
          />
        ) : (
          <Hash />
        )}
        <span className="entry-name">{channel.name}</span>
        {isUnread && <span className="dot" role="img" aria-label="unread messages" />}
      </button>
    </li>
  );
}

function Entries({ title, channels }: { title: string; channels: Channel[] }) {
  if (channels.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
      <ul>
        {channels.map((channel) => (
          <Entry key={channel.id} channel={channel} />
        ))}
      </ul>
    </section>
  );
}

interface Props {
  onFill: (text: string) => void;
  onSend: (text: string) => void;
}

function Try({ suggestion, onFill, onSend }: Props & { suggestion: Suggestion }) {
  const { title, text, hint } = suggestion;
  return (
    <li className="try" data-testid="suggestion">
      <button
        type="button"
        className="try-fill"
        title={`${text} (puts it into the composer)`}
        onClick={() => onFill(text)}
      >
        <b>{title}</b>
        <code>{text}</code>
        {hint && <span>{hint}</span>}
      </button>
      <button
        type="button"
        className="try-send"
        aria-label={`Send: ${text}`}
        title="Send at once"
        onClick={() => onSend(text)}
      >
        <Send />
      </button>
    </li>
  );
}

export function Sidebar({ onFill, onSend }: Props) {
  const { workspace } = usePage();
  const { team, me, bot, channels, suggestions, online } = workspace;
  const isThere = online && bot.connected;
  const status = !online
    ? "The local Slack is gone"
    : `${bot.name} is ${bot.connected ? "connected" : "not connected"}`;
  return (
    <div className="sidebar">
      <header className="team">
        <h1>{team.name}</h1>
        <p>a local Slack · you are {me.name}</p>
        <p
          className={`status ${isThere ? "there" : "away"}`}
          role="status"
          data-testid="bot-status"
        >
          <i aria-hidden="true" />
          {status}
        </p>
      </header>
      <nav aria-label="Channels and direct messages">
        <Entries title="Channels" channels={channels.filter((one) => !one.is_im)} />
        <Entries title="Direct messages" channels={channels.filter((one) => one.is_im)} />
      </nav>
      {suggestions.length > 0 && (
        <section className="tries" aria-labelledby="tries">
          <h2 id="tries">Jobs to try</h2>
          <ul>
            {suggestions.map((one) => (
              <Try key={one.text} suggestion={one} onFill={onFill} onSend={onSend} />
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
