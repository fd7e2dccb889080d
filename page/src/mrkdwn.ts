// Slack's mrkdwn, read into a tree. Pure. What is not markup stays text, whatever it looks like.
// https://docs.slack.dev/messaging/formatting-message-text

export type Span =
  | { kind: "text" | "code"; text: string }
  | { kind: "bold" | "italic" | "strike"; spans: Span[] }
  | { kind: "user" | "channel" | "group"; id: string; label?: string }
  | { kind: "broadcast"; name: string }
  | { kind: "date"; timestamp: number; template: string; href?: string; fallback: string }
  | { kind: "link"; href: string; spans: Span[] }
  | { kind: "emoji"; name: string };

export type Piece =
  { kind: "paragraph" | "quote"; spans: Span[] } | { kind: "fence"; text: string };

export const unescaped = (text: string): string =>
  text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

const inside = "(?:<[^<>\\n]*>|`[^`\\n]*`|[^";
const styled = (mark: string, name: string) =>
  // An opening mark stands before a word, a closing one after a word; neither stands within one.
  `(?<![\\p{L}\\p{N}${mark}])[${mark}](?=\\S)(?<${name}>${inside}${mark}\\n<\`])+?)(?<=\\S)` +
  `[${mark}](?![\\p{L}\\p{N}${mark}])`;

const markup = new RegExp(
  [
    "`(?<code>[^`\\n]+)`",
    "<(?<special>[^<>\\n]+)>",
    ":(?<emoji>[a-z0-9_+'-]+(?:::skin-tone-\\d)?):",
    styled("*", "bold"),
    styled("_", "italic"),
    styled("~", "strike"),
  ].join("|"),
  "gu",
);

function special(content: string): Span {
  const bar = content.indexOf("|");
  const target = bar < 0 ? content : content.slice(0, bar);
  const label = bar < 0 ? undefined : unescaped(content.slice(bar + 1));
  if (/^@[UWB]/.test(target)) return { kind: "user", id: target.slice(1), label };
  if (/^#[CG]/.test(target)) return { kind: "channel", id: target.slice(1), label };
  if (target.startsWith("!subteam^")) return { kind: "group", id: target.slice(9), label };
  const date = /^!date\^(\d+)\^([^^]+)(?:\^(.+))?$/.exec(target);
  if (date) {
    const [, timestamp, template, href] = date;
    const fallback = label ?? template!;
    return {
      kind: "date",
      timestamp: Number(timestamp),
      template: unescaped(template!),
      href,
      fallback,
    };
  }
  if (/^!(here|channel|everyone)$/.test(target))
    return { kind: "broadcast", name: target.slice(1) };
  if (target.startsWith("!")) return { kind: "text", text: label ?? `<${target}>` };
  const href = unescaped(target);
  // A label may hold emoji and styles, but no second link.
  const shown = bar < 0 ? href.replace(/^mailto:/, "") : content.slice(bar + 1);
  return { kind: "link", href, spans: bar < 0 ? [{ kind: "text", text: shown }] : inline(shown) };
}

export function inline(text: string): Span[] {
  const spans: Span[] = [];
  let from = 0;
  for (const found of text.matchAll(markup)) {
    const { code, special: angled, emoji, bold, italic, strike } = found.groups!;
    if (found.index > from)
      spans.push({ kind: "text", text: unescaped(text.slice(from, found.index)) });
    if (code !== undefined) spans.push({ kind: "code", text: unescaped(code) });
    else if (angled !== undefined) spans.push(special(angled));
    else if (emoji !== undefined) spans.push({ kind: "emoji", name: emoji });
    else if (bold !== undefined) spans.push({ kind: "bold", spans: inline(bold) });
    else if (italic !== undefined) spans.push({ kind: "italic", spans: inline(italic) });
    else if (strike !== undefined) spans.push({ kind: "strike", spans: inline(strike) });
    from = found.index + found[0].length;
  }
  if (from < text.length) spans.push({ kind: "text", text: unescaped(text.slice(from)) });
  return spans;
}

function lines(text: string): Piece[] {
  const pieces: Piece[] = [];
  const quoted = /^(?:&gt;|>) ?/;
  let run: string[] = [];
  let isQuote = false;
  const close = () => {
    if (run.length > 0) {
      pieces.push({ kind: isQuote ? "quote" : "paragraph", spans: inline(run.join("\n")) });
    }
    run = [];
  };
  for (const line of text.split("\n")) {
    if (quoted.test(line) !== isQuote) {
      close();
      isQuote = !isQuote;
    }
    run.push(line.replace(quoted, ""));
  }
  close();
  return pieces;
}

// Within a fence only links are markup; they show their words.
const linked = /<([^<>|\n]+)(?:\|([^<>]+))?>/g;
const bare = (_: string, target: string, label?: string) => label ?? target;

export function parse(text: string): Piece[] {
  return text.split(/```\n?([\s\S]+?)\n?```\n?/).flatMap((part, index): Piece[] => {
    if (index % 2 === 1) return [{ kind: "fence", text: unescaped(part.replace(linked, bare)) }];
    return part.trim() === "" ? [] : lines(part.replace(/\n$/, ""));
  });
}
