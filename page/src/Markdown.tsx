// The `markdown` block: the part of Markdown that bots use. HTML stays text.
import { type ReactNode } from "react";
import { Link } from "./Mrkdwn";
import { emojiOf } from "./emoji";

const markup =
  /`([^`\n]+)`|!?\[([^\]\n]*)\]\(([^)\s]+)\)|\*\*([^*\n]+(?:\*[^*\n]+\*[^*\n]*)*)\*\*|(?<!\w)[*_]([^*_\n]+)[*_](?!\w)|~~([^~\n]+)~~|:([a-z0-9_+-]+):|(https?:\/\/[^\s<>)]+)/g;

function inline(text: string): ReactNode[] {
  const shown: ReactNode[] = [];
  let from = 0;
  for (const found of text.matchAll(markup)) {
    const [whole, code, label, href, bold, italic, strike, emoji, bare] = found;
    shown.push(text.slice(from, found.index));
    const key = found.index;
    if (code) shown.push(<code key={key}>{code}</code>);
    else if (href)
      shown.push(
        <Link key={key} href={href}>
          {label || href}
        </Link>,
      );
    else if (bold) shown.push(<b key={key}>{inline(bold)}</b>);
    else if (italic) shown.push(<i key={key}>{inline(italic)}</i>);
    else if (strike) shown.push(<s key={key}>{inline(strike)}</s>);
    else if (emoji) shown.push(emojiOf(emoji) ?? whole);
    else if (bare)
      shown.push(
        <Link key={key} href={bare}>
          {bare}
        </Link>,
      );
    from = found.index + whole.length;
  }
  shown.push(text.slice(from));
  return shown;
}

const cells = (row: string) =>
  row
    .trim()
    .replace(/^\||\|$/g, "")
    .split("|");

function Grid({ rows }: { rows: string[] }) {
  const [head, , ...body] = rows;
  return (
    <div className="sheet">
      <table>
        <thead>
          <tr>
            {cells(head!).map((cell, at) => (
              <th key={at} scope="col">
                {inline(cell.trim())}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {body.map((row, index) => (
            <tr key={index}>
              {cells(row).map((cell, at) => (
                <td key={at}>{inline(cell.trim())}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Chunk({ text }: { text: string }) {
  const rows = text.split("\n");
  const heading = /^#{1,6} (.*)$/.exec(text);
  if (heading) return <h4>{inline(heading[1]!)}</h4>;
  if (rows.every((row) => /^\s*[-*+] /.test(row))) {
    return (
      <ul>
        {rows.map((row, at) => (
          <li key={at}>{inline(row.replace(/^\s*[-*+] /, ""))}</li>
        ))}
      </ul>
    );
  }
  if (rows.every((row) => /^\s*\d+[.)] /.test(row))) {
    return (
      <ol>
        {rows.map((row, at) => (
          <li key={at}>{inline(row.replace(/^\s*\d+[.)] /, ""))}</li>
        ))}
      </ol>
    );
  }
  if (rows.every((row) => row.startsWith(">"))) {
    return <blockquote>{inline(rows.map((row) => row.replace(/^> ?/, "")).join("\n"))}</blockquote>;
  }
  if (rows.length > 1 && /^[\s|:-]+$/.test(rows[1]!) && rows[0]!.includes("|"))
    return <Grid rows={rows} />;
  if (/^(-{3,}|\*{3,})$/.test(text)) return <hr />;
  return <p>{inline(text)}</p>;
}

// A heading or a list may follow a line of text directly: put an empty line between the kinds.
const kind = (line: string) =>
  /^#{1,6} /.test(line)
    ? `heading ${line}`
    : /^\s*[-*+] /.test(line)
      ? "bullets"
      : /^\s*\d+[.)] /.test(line)
        ? "numbers"
        : "text";

function chunks(text: string): string[] {
  const apart = text.split("\n").reduce<string[]>((lines, line) => {
    const last = lines.at(-1);
    if (last !== undefined && last !== "" && kind(last) !== kind(line)) lines.push("");
    return [...lines, line];
  }, []);
  return apart
    .join("\n")
    .split(/\n{2,}/)
    .filter((one) => one.trim() !== "");
}

export function Markdown({ text }: { text: string }) {
  return (
    <div className="mrkdwn">
      {text.split(/^```[^\n]*\n([\s\S]*?)\n?```$/m).map((part, index) =>
        index % 2 === 1 ? (
          <pre key={index} tabIndex={0}>
            {part}
          </pre>
        ) : (
          chunks(part).map((chunk, at) => <Chunk key={`${index}.${at}`} text={chunk} />)
        ),
      )}
    </div>
  );
}
