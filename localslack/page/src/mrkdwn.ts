// Converts Slack's mrkdwn into a rich_text block. Pure. The library parses mrkdwn as Markdown,
// which would turn "# x" or "[a](b)" into markup; it renders rich_text unchanged.
// https://docs.slack.dev/messaging/formatting-message-text
import type { Block, Json } from "./slack";
import { unescaped } from "./text";

const inside = "(?:<[^<>\\n]*>|`[^`\\n]*`|[^";
const styled = (mark: string, name: string) =>
  // An opening mark precedes a word, a closing one follows a word; neither is within one.
  `(?<![\\p{L}\\p{N}${mark}])[${mark}](?=\\S)(?<${name}>${inside}${mark}\\n<\`])+?)(?<=\\S)` +
  `[${mark}](?![\\p{L}\\p{N}${mark}])`;

const markup = new RegExp(
  [
    "`(?<code>[^`\\n]+)`",
    "<(?<angled>[^<>\\n]+)>",
    ":(?<emoji>[a-z0-9_+'-]+(?:::skin-tone-\\d)?):",
    styled("*", "bold"),
    styled("_", "italic"),
    styled("~", "strike"),
  ].join("|"),
  "gu",
);

function angled(content: string, style: Json): Json[] {
  const [target = "", ...rest] = content.split("|");
  const label = rest.length > 0 ? rest.join("|") : undefined;
  const words = (text: string) => [{ type: "text", text: unescaped(text), style }];
  if (/^@[UWB]/.test(target)) return [{ type: "user", user_id: target.slice(1), style }];
  if (/^#[CG]/.test(target)) return [{ type: "channel", channel_id: target.slice(1), style }];
  const group = /^!subteam\^(\w+)/.exec(target);
  if (group) return [{ type: "usergroup", usergroup_id: group[1], style }];
  if (/^!(here|channel|everyone)$/.test(target))
    return [{ type: "broadcast", range: target.slice(1), style }];
  const date = /^!date\^(\d+)\^([^^]+)/.exec(target);
  if (date)
    return [{ type: "date", timestamp: Number(date[1]), format: unescaped(date[2]!), style }];
  if (/^[!@#]/.test(target)) return words(label ?? `<${target}>`);
  const url = unescaped(target);
  // A label can be styled, but contains no link.
  return label ? inline(label, style, url) : [{ type: "link", url, text: url, style }];
}

function inline(text: string, style: Json = {}, url?: string): Json[] {
  const parts: Json[] = [];
  const say = (words: string, more: Json = {}) => {
    const part = { text: unescaped(words), style: { ...style, ...more } };
    if (words) parts.push(url ? { type: "link", url, ...part } : { type: "text", ...part });
  };
  let from = 0;
  for (const found of text.matchAll(markup)) {
    const { code, angled: special, emoji, ...marks } = found.groups!;
    say(text.slice(from, found.index));
    from = found.index + found[0].length;
    if (code) say(code, { code: true });
    else if (special) parts.push(...angled(special, style));
    else if (emoji) parts.push({ type: "emoji", name: emoji });
    for (const [mark, words] of Object.entries(marks)) {
      if (words) parts.push(...inline(words, { ...style, [mark]: true }, url));
    }
  }
  say(text.slice(from));
  return parts;
}

// Lines that begin with ">" and lines that do not, in runs.
const runs = /(?:^(?:&gt;|>).*(?:\n|$))+|(?:^(?!&gt;|>).*(?:\n|$))+/gm;

function lines(text: string): Json[] {
  return (text.match(runs) ?? []).filter(Boolean).map((run) => {
    const isQuote = /^(?:&gt;|>)/.test(run);
    const words = run.replace(/\n$/, "");
    return isQuote
      ? { type: "rich_text_quote", elements: inline(words.replace(/^(?:&gt;|>) ?/gm, "")) }
      : { type: "rich_text_section", elements: inline(words) };
  });
}

// In a code block only links are markup; their labels are shown.
const linked = /<([^<>|\n]+)(?:\|([^<>]+))?>/g;
const bare = (_: string, target: string, label?: string) => label ?? target;

export function richText(text: string): Block {
  const elements = text.split(/```\n?([\s\S]+?)\n?```\n?/).flatMap((part, index): Json[] => {
    if (index % 2 === 0) return part.trim() === "" ? [] : lines(part);
    const words = unescaped(part.replace(linked, bare));
    return [{ type: "rich_text_preformatted", elements: [{ type: "text", text: words }] }];
  });
  return { type: "rich_text", elements };
}
