// Thread panel: a message and its replies.
import { useEffect, useMemo, useRef } from "react";
import { Composer } from "./Composer";
import { usePage } from "./context";
import { Close } from "./icons";
import { Messages } from "./Messages";
import type { Channel } from "./slack";

interface Props {
  channel: Channel;
  root: string;
  highlight?: string;
  draft: string;
  onDraft: (text: string) => void;
}

export function Thread({ channel, root, highlight, draft, onDraft }: Props) {
  const { workspace, go } = usePage();
  const composer = useRef<HTMLTextAreaElement>(null);
  const messages = useMemo(
    () =>
      workspace.messages.filter(
        (one) => one.channel === channel.id && (one.ts === root || one.thread_ts === root),
      ),
    [workspace.messages, channel.id, root],
  );
  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) composer.current?.focus();
  }, [root]);
  const replies = messages.filter((one) => one.ts !== root).length;
  const close = () => go({ channel: channel.id });
  return (
    <aside
      className="thread"
      aria-label="Thread"
      data-testid="thread"
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.defaultPrevented) close();
      }}
    >
      <header className="bar">
        <h2>
          Thread <small>{channel.is_im ? channel.name : `#${channel.name}`}</small>
        </h2>
        <button
          type="button"
          className="icon"
          aria-label="Close thread"
          title="Close thread"
          onClick={close}
        >
          <Close />
        </button>
      </header>
      <Messages
        key={root}
        inThread
        messages={messages}
        label="Messages in the thread"
        highlight={highlight}
        me={workspace.me.id}
        between={
          messages[0]?.ts === root && (
            <p className="rule">
              <span>
                {replies} {replies === 1 ? "reply" : "replies"}
              </span>
            </p>
          )
        }
      />
      <Composer
        key={`composer ${root}`}
        ref={composer}
        label="Reply in thread"
        channel={channel.id}
        thread={root}
        draft={draft}
        onDraft={onDraft}
        testId="thread-composer"
      />
    </aside>
  );
}
