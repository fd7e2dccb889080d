// Message list: stays scrolled to its end, and shows a notice of new messages otherwise.
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { Down } from "./icons";
import { Message } from "./Message";
import type { Message as M } from "./slack";
import { dayOf } from "./time";

interface Props {
  messages: M[];
  label: string;
  inThread?: boolean;
  highlight?: string;
  me: string;
  start?: ReactNode;
  between?: ReactNode; // after the first message: a thread's separator
}

// A typed message is one rich_text block; other messages always have their own header.
const isPlain = ({ blocks }: M) =>
  !blocks?.length || (blocks.length === 1 && blocks[0]!.type === "rich_text");

function follows(before: M | undefined, message: M): boolean {
  return (
    before !== undefined &&
    before.user === message.user &&
    !before.ephemeral &&
    !message.ephemeral &&
    !message.broadcast &&
    !before.broadcast &&
    isPlain(before) &&
    isPlain(message) &&
    before.reply_count === 0 &&
    Number(message.ts) - Number(before.ts) < 300
  );
}

export function Messages({ messages, label, inThread, highlight, me, start, between }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [more, setMore] = useState(0);
  const count = useRef(messages.length);
  const toEnd = () => list.current?.scrollTo({ top: list.current.scrollHeight });

  useLayoutEffect(() => {
    const added = messages.length - count.current;
    count.current = messages.length;
    if (atEnd.current || (added > 0 && messages.at(-1)?.user === me)) toEnd();
    else if (added > 0) setMore((known) => known + added);
  }, [messages, me]);

  useEffect(() => {
    const shown = list.current!;
    const watch = new ResizeObserver(() => atEnd.current && toEnd());
    watch.observe(shown);
    return () => watch.disconnect();
  }, []);

  const isThere = messages.some((one) => one.ts === highlight);
  useEffect(() => {
    if (!highlight || !isThere) return;
    atEnd.current = false;
    list.current
      ?.querySelector(`[data-ts="${CSS.escape(highlight)}"]`)
      ?.scrollIntoView({ block: "center" });
  }, [highlight, isThere]);

  return (
    <div className="messages-frame">
      <div
        ref={list}
        className="messages"
        role="log"
        aria-live="polite"
        aria-label={label}
        tabIndex={0}
        onScroll={({ currentTarget: shown }) => {
          atEnd.current = shown.scrollHeight - shown.scrollTop - shown.clientHeight < 40;
          if (atEnd.current) setMore(0);
        }}
      >
        {start}
        {messages.map((message, index) => {
          const before = messages[index - 1];
          const isNewDay = !inThread && (!before || dayOf(before.ts) !== dayOf(message.ts));
          return (
            <div key={message.ts}>
              {isNewDay && (
                <h3 className="day">
                  <span>{dayOf(message.ts)}</span>
                </h3>
              )}
              <Message
                message={message}
                inThread={inThread}
                follows={!isNewDay && !(inThread && index === 1) && follows(before, message)}
                highlighted={message.ts === highlight}
              />
              {index === 0 && between}
            </div>
          );
        })}
      </div>
      {more > 0 && (
        <button type="button" className="more" onClick={toEnd}>
          <Down /> {more} new {more === 1 ? "message" : "messages"}
        </button>
      )}
    </div>
  );
}
