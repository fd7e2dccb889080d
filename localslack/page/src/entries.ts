// Values of Block Kit inputs: the entries of Slack's state.values. Pure.
import type { Element, Json, Option } from "./slack";
import { plain } from "./text";
import type { Workspace } from "./workspace";

export type Entry = { type: string } & Record<string, Json>;

const chosen: Record<string, string> = {
  users_select: "selected_user",
  conversations_select: "selected_conversation",
  channels_select: "selected_channel",
  multi_users_select: "selected_users",
  multi_conversations_select: "selected_conversations",
  multi_channels_select: "selected_channels",
  datepicker: "selected_date",
  timepicker: "selected_time",
  datetimepicker: "selected_date_time",
  static_select: "selected_option",
  external_select: "selected_option",
  radio_buttons: "selected_option",
  overflow: "selected_option",
  multi_static_select: "selected_options",
  multi_external_select: "selected_options",
  checkboxes: "selected_options",
};

// Slack's name of the field that holds the value of this element type.
export const fieldOf = (type: string): string => chosen[type] ?? "value";

export function initial(element: Element): Entry {
  const field = fieldOf(element.type);
  const of = field === "value" ? "initial_value" : field.replace("selected", "initial");
  const none = field.endsWith("s") ? [] : null;
  return { type: element.type, [field]: element[of] ?? none };
}

// The entry, or the initial one if the element's type has changed.
export const holding = (element: Element, entry: Entry | undefined): Entry =>
  entry?.type === element.type ? entry : initial(element);

export const optionEntry = (element: Element, option: Option): Entry => ({
  type: element.type,
  [fieldOf(element.type)]: option,
});

export interface Choice {
  value: string;
  label: string;
  answer: Json;
  group?: string;
}

export function choices(element: Element, workspace: Workspace): Choice[] {
  if (/users_select/.test(element.type)) {
    return workspace.users.map(({ id, name }) => ({ value: id, label: `@${name}`, answer: id }));
  }
  if (/(conversations|channels)_select/.test(element.type)) {
    return workspace.channels
      .filter((one) => element.type.includes("conversations") || !one.is_im)
      .map(({ id, name, is_im }) => ({
        value: id,
        label: `${is_im ? "@" : "#"}${name}`,
        answer: id,
      }));
  }
  const first = element.initial_options ?? (element.initial_option ? [element.initial_option] : []);
  const of = (options: Option[], group?: string) =>
    options.map((one) => ({ value: one.value, label: plain(one.text), answer: one, group }));
  return (
    element.option_groups?.flatMap((one: Json) => of(one.options, plain(one.label))) ??
    of(element.options ?? first)
  );
}

export const inputs: Record<string, string> = {
  plain_text_input: "text",
  email_text_input: "email",
  url_text_input: "url",
  number_input: "text", // a number field drops invalid text without an error message
  datepicker: "date",
  timepicker: "time",
  datetimepicker: "datetime-local",
};

// Text inputs dispatch an action on Enter, all others on every change.
export const isTyped = (type: string): boolean => fieldOf(type) === "value";

export const isControl = (type: string): boolean => type in inputs || type in chosen;

export const shown = (type: string, answer: Json): string =>
  type === "datetimepicker" && answer
    ? new Date(answer * 1000 - new Date(answer * 1000).getTimezoneOffset() * 60_000)
        .toISOString()
        .slice(0, 16)
    : (answer ?? "");
