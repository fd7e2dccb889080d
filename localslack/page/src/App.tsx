// The page: sidebar, channel, thread, modals and the error line.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Channel } from "./Channel";
import { type Page, PageContext } from "./context";
import { Close } from "./icons";
import { Modal } from "./Modal";
import { useRoute } from "./routing";
import { Sidebar } from "./Sidebar";
import type { Answer } from "./slack";
import { Thread } from "./Thread";
import type { Connection } from "./workspace";

export function App({ connection }: { connection: Connection }) {
  const workspace = useSyncExternalStore(connection.subscribe, connection.get);
  const [route, go] = useRoute();
  const [drafts, setDrafts] = useState<Record<string, string>>({});
  const [error, setError] = useState("");
  const composer = useRef<HTMLTextAreaElement>(null);

  const showError = useCallback((answer: Answer) => {
    setError(answer.ok ? "" : (answer.error ?? "That did not work."));
  }, []);

  const channel =
    workspace?.channels.find((one) => one.id === route.channel) ?? workspace?.channels[0];
  const pointed = workspace?.messages.find(
    (one) => one.channel === channel?.id && one.ts === route.message,
  );
  const isHidden =
    pointed?.thread_ts !== undefined && pointed.thread_ts !== pointed.ts && !pointed.broadcast;
  const thread = route.thread ?? (isHidden ? pointed.thread_ts : undefined);

  useEffect(() => {
    if (!channel) return;
    connection.read(channel.id);
    document.title = `${channel.is_im ? "" : "#"}${channel.name} · ${workspace?.team.name}`;
  }, [connection, channel, workspace?.team.name]);

  const page: Page | undefined = useMemo(
    () =>
      workspace && {
        workspace,
        connection,
        route: { ...route, channel: channel?.id },
        go,
        showError,
      },
    [workspace, connection, route, channel?.id, go, showError],
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
          onSend={(text) => void connection.say(channel.id, text).then(showError)}
        />
        <Channel
          channel={channel}
          highlight={route.thread ? undefined : route.message}
          composer={composer}
          {...draft(channel.id)}
        />
        {thread && (
          <Thread
            channel={channel}
            root={thread}
            highlight={route.message}
            {...draft(`${channel.id} ${thread}`)}
          />
        )}
      </div>
      {workspace.views.map((view) => (
        <Modal key={view.id} view={view} />
      ))}
      <div className="toast" role="alert">
        {error && (
          <p>
            {error}
            <button
              type="button"
              className="icon"
              aria-label="Dismiss"
              onClick={() => setError("")}
            >
              <Close />
            </button>
          </p>
        )}
      </div>
    </PageContext.Provider>
  );
}
