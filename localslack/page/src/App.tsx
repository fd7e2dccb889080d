// The whole page: sidebar, channel, thread, modals, and the line that says what went wrong.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Channel } from "./Channel";
import { type Page, PageContext } from "./context";
import { Close } from "./icons";
import { Modal } from "./Modal";
import { useSpot } from "./place";
import { Sidebar } from "./Sidebar";
import type { Answer } from "./slack";
import { Thread } from "./Thread";
import type { Connection } from "./workspace";

export function App({ connection }: { connection: Connection }) {
  const workspace = useSyncExternalStore(connection.subscribe, connection.get);
  const [spot, go] = useSpot();
  const [drafts, setDrafts] = useState<Record<string, string>>({});
  const [complaint, setComplaint] = useState("");
  const composer = useRef<HTMLTextAreaElement>(null);

  const complain = useCallback((answer: Answer) => {
    setComplaint(answer.ok ? "" : (answer.error ?? "That did not work."));
  }, []);

  const channel =
    workspace?.channels.find((one) => one.id === spot.channel) ?? workspace?.channels[0];
  const pointed = workspace?.messages.find(
    (one) => one.channel === channel?.id && one.ts === spot.message,
  );
  const isHidden =
    pointed?.thread_ts !== undefined && pointed.thread_ts !== pointed.ts && !pointed.broadcast;
  const thread = spot.thread ?? (isHidden ? pointed.thread_ts : undefined);

  useEffect(() => {
    if (!channel) return;
    connection.read(channel.id);
    document.title = `${channel.is_im ? "" : "#"}${channel.name} · ${workspace?.team.name}`;
  }, [connection, channel, workspace?.team.name]);

  const page: Page | undefined = useMemo(
    () =>
      workspace && { workspace, connection, spot: { ...spot, channel: channel?.id }, go, complain },
    [workspace, connection, spot, channel?.id, go, complain],
  );
  if (!workspace || !page || !channel)
    return (
      <p className="loading" role="status">
        Opening the local Slack …
      </p>
    );

  const draft = (key: string) => ({
    draft: drafts[key] ?? "",
    onDraft: (text: string) => setDrafts((now) => ({ ...now, [key]: text })),
  });
  const fill = (text: string) => {
    setDrafts((now) => ({ ...now, [channel.id]: text }));
    composer.current?.focus();
  };
  return (
    <PageContext.Provider value={page}>
      <div className={thread ? "page with-thread" : "page"}>
        <Sidebar
          onFill={fill}
          onSend={(text) => void connection.say(channel.id, text).then(complain)}
        />
        <Channel
          channel={channel}
          highlight={spot.thread ? undefined : spot.message}
          composer={composer}
          {...draft(channel.id)}
        />
        {thread && (
          <Thread
            channel={channel}
            root={thread}
            highlight={spot.message}
            {...draft(`${channel.id} ${thread}`)}
          />
        )}
      </div>
      {workspace.views.map((view) => (
        <Modal key={view.id} view={view} />
      ))}
      <div className="toast" role="alert">
        {complaint && (
          <p>
            {complaint}
            <button
              type="button"
              className="icon"
              aria-label="Dismiss"
              onClick={() => setComplaint("")}
            >
              <Close />
            </button>
          </p>
        )}
      </div>
    </PageContext.Provider>
  );
}
