// Message composer: Enter sends, Shift-Enter starts a line, "/" shows the commands.
import { type KeyboardEvent, type Ref, useId } from "react";
import { usePage } from "./context";
import { Bolt, Send } from "./icons";
import { Menu } from "./Menu";

interface Props {
  label: string;
  channel: string;
  thread?: string;
  draft: string;
  onDraft: (text: string) => void;
  testId: string;
  ref?: Ref<HTMLTextAreaElement>;
}

// A copy of the text below the field's transparent text, in which mentions are coloured.
function Mirror({ text }: { text: string }) {
  const { workspace } = usePage();
  const name = workspace.bot.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const parts = text.split(new RegExp(`(?<![\\w@.])(@${name})(?![\\w-])`, "i"));
  return (
    <div className="mirror" aria-hidden="true">
      {parts.map((part, index) => (index % 2 ? <mark key={index}>{part}</mark> : part))}
      {"\u200b"}
    </div>
  );
}

function SlashHint(props: {
  id: string;
  draft: string;
  thread?: string;
  onPick: (text: string) => void;
}) {
  const { id, draft, thread, onPick } = props;
  const { workspace } = usePage();
  const fitting = workspace.suggestions
    .filter(
      (one) =>
        one.text.startsWith("/") && one.text.startsWith(draft.trimEnd()) && one.text !== draft,
    )
    .slice(0, 4);
  return (
    <div className="slash" id={id} data-testid="slash-hint">
      <p>
        <b>Slash command</b>{" "}
        {thread
          ? `Slack does not tell a command which thread it was typed in: here, write @${workspace.bot.name} instead.`
          : `Goes to ${workspace.bot.name}; nobody else sees what you typed.`}
      </p>
      {fitting.map((one) => (
        <button key={one.text} type="button" onClick={() => onPick(one.text)}>
          <code>{one.text}</code> <span>{one.hint || one.title}</span>
        </button>
      ))}
      {fitting.length > 0 && (
        <p className="keys">
          <kbd>Tab</kbd> takes the first
        </p>
      )}
    </div>
  );
}

// The app's global shortcuts, by the names and callback ids of its manifest.
const shortcuts = [{ name: "Ask about a job", id: "ask_job" }];

function Shortcuts() {
  const { connection, showError } = usePage();
  const items = shortcuts.map(({ name, id }) => ({
    label: name,
    onPick: () => void connection.shortcut(id).then(showError),
  }));
  return (
    <Menu label="Shortcuts" className="shortcuts" side="left" items={items}>
      <Bolt /> Shortcuts
    </Menu>
  );
}

export function Composer({ label, channel, thread, draft, onDraft, testId, ref }: Props) {
  const { workspace, connection, showError } = usePage();
  const hint = useId();
  const isCommand = draft.startsWith("/");
  const send = async () => {
    const text = draft.trim();
    if (!text) return;
    onDraft("");
    const answer = await connection.say(channel, text, thread);
    if (!answer.ok) onDraft(draft);
    showError(answer);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      void send();
    } else if (event.key === "Tab" && !event.shiftKey && isCommand) {
      const first = workspace.suggestions.find(
        (one) =>
          one.text.startsWith("/") && one.text.startsWith(draft.trimEnd()) && one.text !== draft,
      );
      if (!first) return;
      event.preventDefault();
      onDraft(first.text);
    }
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {isCommand && <SlashHint id={hint} draft={draft} thread={thread} onPick={onDraft} />}
      <div className="field">
        {!thread && <Shortcuts />}
        <div className="growing">
          <Mirror text={draft} />
          <textarea
            ref={ref}
            rows={1}
            value={draft}
            aria-label={label}
            aria-describedby={isCommand ? hint : undefined}
            placeholder={thread ? "Reply …" : label}
            data-testid={testId}
            spellCheck={false}
            onChange={({ target }) => onDraft(target.value)}
            onKeyDown={pressed}
          />
        </div>
        <button
          type="submit"
          className="send"
          aria-label="Send"
          title="Send (Enter)"
          disabled={!draft.trim()}
        >
          <Send />
        </button>
      </div>
    </form>
  );
}
