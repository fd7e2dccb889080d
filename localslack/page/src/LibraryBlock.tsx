// The only use of slack-blocks-to-jsx: renders a normalized block, or a text.
import { useSyncExternalStore } from "react";
import { Message } from "slack-blocks-to-jsx";
import { hooks } from "./hooks";
import { richText } from "./mrkdwn";
import type { Json, TextObject } from "./slack";
import { plain } from "./text";

const dark = matchMedia("(prefers-color-scheme: dark)");

function listen(listener: () => void): () => void {
  dark.addEventListener("change", listener);
  return () => dark.removeEventListener("change", listener);
}

// Without block_id: the library would use it as the id of the HTML element.
export function LibraryBlock({ block }: { block: Json }) {
  const theme = useSyncExternalStore(listen, () => (dark.matches ? "dark" : "light"));
  const blocks = [{ ...block, block_id: undefined }];
  return <Message withoutWrapper name="" logo="" theme={theme} hooks={hooks} blocks={blocks} />;
}

// A rich_text with this text, which is not parsed as markup, or with a React element.
export function plainRichText(content: Json): Json {
  const elements = [{ type: "text", text: content }];
  return { type: "rich_text", elements: [{ type: "rich_text_section", elements }] };
}

export function Text({ of }: { of: TextObject | undefined }) {
  if (!of) return null;
  const block = of.type === "mrkdwn" ? richText(of.text) : plainRichText(plain(of));
  return <LibraryBlock block={block} />;
}
