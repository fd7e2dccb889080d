// The channel view: its messages and its composer.
import { useMemo, type Ref } from "react";
import { Composer } from "./Composer";
import { usePage } from "./context";
import { Hash } from "./icons";
import { Messages } from "./Messages";
import { type Channel as C, isReply } from "./slack";

function Beginning({ channel }: { channel: C }) {
  const { workspace } = usePage();
  return (
    <div className="beginning">
      <h3>{channel.is_im ? channel.name : `#${channel.name}`}</h3>
      <p>
        {channel.is_im
          ? `This is between you and ${channel.name}.`
          : `This is the very beginning of #${channel.name}.`}{" "}
        {workspace.suggestions.length > 0 && "Ask about a job, or pick one from “Jobs to try”."}
      </p>
    </div>
  );
}

interface Props {
  channel: C;
  highlight?: string;
  draft: string;
  onDraft: (text: string) => void;
  composer: Ref<HTMLTextAreaElement>;
}

export function Channel({ channel, highlight, draft, onDraft, composer }: Props) {
  const { workspace } = usePage();
  const messages = useMemo(
    () =>
      workspace.messages.filter(
        (one) => one.channel === channel.id && (!isReply(one) || one.broadcast),
      ),
    [workspace.messages, channel.id],
  );
  const name = channel.is_im ? channel.name : `#${channel.name}`;
  const { bot, online } = workspace;
  return (
    <main className="channel" data-testid="channel">
      <header className="bar">
        <h2>
          {channel.is_im ? null : <Hash />}
          {channel.name}
        </h2>
        {!channel.is_im && !channel.is_member && (
          <p className="aside">{bot.name} is not in this channel</p>
        )}
      </header>
      <Messages
        key={channel.id}
        messages={messages}
        label={`Messages in ${name}`}
        highlight={highlight}
        me={workspace.me.id}
        start={<Beginning channel={channel} />}
      />
      {!online && (
        <p className="banner" role="status">
          The local Slack is gone. Trying again …
        </p>
      )}
      {online && !bot.connected && (
        <p className="banner" role="status">
          {bot.name} is not connected. It answers once it is started.
        </p>
      )}
      <Composer
        key={`composer ${channel.id}`}
        ref={composer}
        label={`Message ${name}`}
        channel={channel.id}
        draft={draft}
        onDraft={onDraft}
        testId="composer"
      />
    </main>
  );
}
