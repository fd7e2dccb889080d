// Client of the page's API: the workspace's state, its event stream and the user's actions.
import type { Action, Answer, Event, Message, SuggestedOptions, Source, State } from "./slack";

export interface Workspace extends State {
  online: boolean; // whether the page's event stream is connected
  unread: ReadonlySet<string>; // channels
}

type ActionName = "say" | "click" | "submit" | "close" | "shortcut" | "options" | "react";

const key = (message: { channel: string; ts: string }) => `${message.channel} ${message.ts}`;

export function withMessage(messages: Message[], message: Message): Message[] {
  const known = messages.findIndex((one) => key(one) === key(message));
  if (known >= 0) return messages.with(known, message);
  return [...messages, message].sort((a, b) => Number(a.ts) - Number(b.ts));
}

// Returns the workspace after an event. Pure.
export function applyEvent(
  workspace: Workspace,
  event: Event,
  open: string | undefined,
): Workspace {
  switch (event.type) {
    case "message": {
      const { message } = event;
      const isNew = !workspace.messages.some((one) => key(one) === key(message));
      const counts = message.user !== workspace.me.id && message.channel !== open;
      return {
        ...workspace,
        messages: withMessage(workspace.messages, message),
        unread:
          isNew && counts ? new Set([...workspace.unread, message.channel]) : workspace.unread,
      };
    }
    case "deleted":
      return {
        ...workspace,
        messages: workspace.messages.filter((one) => key(one) !== key(event)),
      };
    case "view": {
      const known = workspace.views.findIndex((one) => one.id === event.view.id);
      const views =
        known >= 0 ? workspace.views.with(known, event.view) : [...workspace.views, event.view];
      return { ...workspace, views };
    }
    case "view_closed":
      return { ...workspace, views: workspace.views.filter((one) => one.id !== event.id) };
    case "bot":
      return { ...workspace, bot: { ...workspace.bot, connected: event.connected } };
    default: // an event from a newer server
      return workspace;
  }
}

export class Connection {
  #now: Workspace | undefined;
  #listeners = new Set<() => void>();
  #open: string | undefined; // the channel being read
  #wait = 250; // milliseconds until the next attempt
  #missed: Event[] | undefined; // events that arrive while the state is being read

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get = (): Workspace | undefined => this.#now;

  read(channel: string): void {
    this.#open = channel;
    if (!this.#now?.unread.has(channel)) return;
    const unread = new Set(this.#now.unread);
    unread.delete(channel);
    this.#set({ ...this.#now, unread });
  }

  connect(): void {
    const address = new URL("/page/events", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    this.#missed = [];
    socket.onopen = () => {
      this.#refresh().catch(() => socket.close());
    };
    socket.onmessage = ({ data }) => this.#heard(JSON.parse(data) as Event);
    socket.onclose = () => {
      if (this.#now?.online) this.#set({ ...this.#now, online: false });
      setTimeout(() => this.connect(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, 5_000);
    };
  }

  say = (channel: string, text: string, thread_ts?: string): Promise<Answer> =>
    this.#post("say", { channel, text, ...(thread_ts && { thread_ts }) });

  // From a modal, with all its values.
  click = (source: Source, action: Action, values?: unknown): Promise<Answer> =>
    this.#post("click", { ...source, action, ...(values !== undefined && { values }) });

  submit = (view_id: string, values: unknown): Promise<Answer> =>
    this.#post("submit", { view_id, values });

  close = (view_id: string): Promise<Answer> => this.#post("close", { view_id });

  // A message shortcut, or a global one.
  shortcut = (callback_id: string, message?: Message): Promise<Answer> =>
    this.#post("shortcut", {
      callback_id,
      ...(message && { channel: message.channel, message_ts: message.ts }),
    });

  react = ({ channel, ts }: Message, name: string): Promise<Answer> =>
    this.#post("react", { channel, message_ts: ts, name });

  options = (
    source: Source,
    action_id: string,
    value: string,
  ): Promise<Answer & Partial<SuggestedOptions>> =>
    this.#post("options", { ...source, action_id, value });

  // The event stream opens before the state is read, so that no event is missed.
  async #refresh(): Promise<void> {
    const answer = await fetch("/page/state");
    if (!answer.ok) throw new Error(`The state answered ${answer.status}`);
    const state = (await answer.json()) as State;
    state.messages.sort((a, b) => Number(a.ts) - Number(b.ts));
    const fresh = { ...state, online: true, unread: this.#now?.unread ?? new Set<string>() };
    const missed = this.#missed ?? [];
    this.#missed = undefined;
    this.#wait = 250;
    this.#set(missed.reduce((now, event) => applyEvent(now, event, this.#open), fresh));
  }

  #heard(event: Event): void {
    if (this.#missed) this.#missed.push(event);
    else if (this.#now) this.#set(applyEvent(this.#now, event, this.#open));
  }

  #set(next: Workspace): void {
    this.#now = next;
    for (const listener of this.#listeners) listener();
  }

  async #post(action: ActionName, body: unknown): Promise<Answer> {
    try {
      const answer = await fetch(`/page/${action}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      const said = (await answer.json().catch(() => undefined)) as Answer | undefined;
      if (said) return said;
      return answer.ok
        ? { ok: true }
        : { ok: false, error: `The server answered ${answer.status}.` };
    } catch {
      return { ok: false, error: "The local Slack does not answer. Is it still running?" };
    }
  }
}
