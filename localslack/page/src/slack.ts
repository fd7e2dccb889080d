// Types of Slack's objects, as far as the page reads them.

export interface TextObject {
  type: "mrkdwn" | "plain_text";
  text: string;
  emoji?: boolean; // whether :names: are emoji
}

export interface Option {
  text: TextObject;
  value: string;
  description?: TextObject;
  url?: string;
}

export interface Confirm {
  title?: TextObject;
  text?: TextObject;
  confirm?: TextObject;
  deny?: TextObject;
  style?: "primary" | "danger";
}

// Blocks come from other programs: any field can be missing and any type can be unknown.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;
export type Block = { type: string; block_id?: string } & Record<string, Json>;
export type Element = { type: string; action_id?: string; confirm?: Confirm } & Record<
  string,
  Json
>;

export interface Message {
  channel: string;
  ts: string;
  thread_ts?: string;
  user: string;
  text: string;
  blocks?: Block[];
  edited: boolean;
  ephemeral: boolean;
  reply_count: number;
  latest_reply?: string;
  reactions: { name: string; users: string[] }[];
  broadcast: boolean;
}

export interface View {
  id: string;
  type: string;
  title?: TextObject;
  submit?: TextObject | null;
  close?: TextObject | null;
  blocks: Block[];
}

export interface User {
  id: string;
  name: string;
  is_bot: boolean;
}

export interface UserGroup {
  id: string;
  handle: string;
}

export interface Channel {
  id: string;
  name: string;
  is_im: boolean;
  is_member: boolean;
}

export interface Suggestion {
  title: string;
  text: string;
  hint: string;
}

export interface State {
  team: { id: string; name: string };
  me: { id: string; name: string };
  bot: { id: string; name: string; connected: boolean };
  users: User[];
  groups: UserGroup[];
  channels: Channel[];
  messages: Message[];
  views: View[];
  suggestions: Suggestion[];
}

export type Event =
  | { type: "message"; message: Message }
  | { type: "deleted"; channel: string; ts: string }
  | { type: "view"; view: View }
  | { type: "view_closed"; id: string }
  | { type: "bot"; connected: boolean };

// The message or modal that an action came from.
export type Source = { channel: string; message_ts: string } | { view_id: string };

// One item of the `actions` of a block_actions payload.
export type Action = { type: string; block_id?: string; action_id?: string } & Record<string, Json>;

export type Answer = { ok: true } | { ok: false; error?: string; errors?: Record<string, string> };

// The options, or option groups, that an app suggests for an external select.
export interface SuggestedOptions {
  options: Option[];
  option_groups: { label?: TextObject; options: Option[] }[];
}

export const isReply = (message: Message): boolean =>
  message.thread_ts !== undefined && message.thread_ts !== message.ts;
