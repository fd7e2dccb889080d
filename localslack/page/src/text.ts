// Plain text of text objects and rich text. Pure.
import { emojiOf } from "./emoji";
import type { TextObject } from "./slack";

export const unescaped = (text: string): string =>
  text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

export const withEmoji = (text: string): string =>
  text.replace(/:([a-z0-9_+-]+):/g, (whole, name: string) => emojiOf(name) ?? whole);

export function plain(text: TextObject | undefined | null): string {
  const words = unescaped(text?.text ?? "");
  return text?.emoji === false ? words : withEmoji(words);
}

// Titles come as strings and as text objects.
export const titled = (title: TextObject | string | undefined | null): string =>
  typeof title === "string" ? plain({ type: "plain_text", text: title }) : plain(title);

// The text of a rich_text or a cell, for sorting and labels.
export function textOf(of: TextObject | string | Record<string, unknown> | undefined): string {
  const { text, value, elements } = (of ?? {}) as Record<string, unknown>;
  if (typeof text === "string") return text;
  if (value !== undefined) return String(value);
  return Array.isArray(elements) ? elements.map(textOf).join("") : "";
}
