// The `markdown` block, with react-markdown. The library uses it as well, but has no hook for links
// and images. HTML stays text.
import Markdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { Link, Picture } from "./hooks";
import { withEmoji } from "./text";

const components: Components = {
  a: ({ href, children }) => <Link href={href}>{children}</Link>,
  img: ({ src, alt }) => <Picture url={src} alt={alt ?? ""} className="picture" />,
};

const plugins = [remarkGfm];
const code = /((?:^|(?<=[^`]))(`+)(?!`)[\s\S]*?[^`]\2(?!`))/;

export function MarkdownBlock({ text }: { text: string }) {
  const parts = text.split(code); // text, code, its ticks, text, …
  const shown = parts.map((part, at) => [withEmoji(part), part, ""][at % 3]).join("");
  return (
    <div className="markdown">
      <Markdown remarkPlugins={plugins} components={components}>
        {shown}
      </Markdown>
    </div>
  );
}
