// The one place where slack-blocks-to-jsx draws: a block that was made safe for it, or a text.
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

// The library would set a block's id as the element's: other people's names stay out of ours.
export function Drawn({ block }: { block: Json }) {
  const theme = useSyncExternalStore(listen, () => (dark.matches ? "dark" : "light"));
  const blocks = [{ ...block, block_id: undefined }];
  return <Message withoutWrapper name="" logo="" theme={theme} hooks={hooks} blocks={blocks} />;
}

// Words that nothing reads as markup, or a part of the page, as rich_text.
export function words(content: Json): Json {
  const elements = [{ type: "text", text: content }];
  return { type: "rich_text", elements: [{ type: "rich_text_section", elements }] };
}

export function Text({ of }: { of: TextObject | undefined }) {
  if (!of) return null;
  return <Drawn block={of.type === "mrkdwn" ? richText(of.text) : words(plain(of))} />;
}
