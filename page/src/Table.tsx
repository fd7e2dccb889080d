// table and data_table. Both put their headings into the first row.
import { useState } from "react";
import { RichText, wordsOf } from "./RichText";
import { plain } from "./Mrkdwn";
import type { Json } from "./slack";

const wordsIn = (cell: Json): string =>
  cell?.type === "raw_number" ? String(cell.text ?? cell.value ?? "") : wordsOf(cell);

function Cell({ of }: { of: Json }) {
  if (of?.type === "rich_text") return <RichText of={of} />;
  return plain({ type: "plain_text", text: wordsIn(of) });
}

interface Grid {
  rows: Json[][];
  settings?: Json[];
  caption: string;
  heading?: (cell: Json, column: number) => React.ReactNode;
  ariaSort?: (column: number) => "ascending" | "descending" | undefined;
}

function Grid({ rows, settings, caption, heading, ariaSort }: Grid) {
  const [head = [], ...body] = rows;
  const look = (column: number, cell: Json) => {
    const align = settings?.[column]?.align ?? (cell?.type === "raw_number" ? "right" : undefined);
    const whiteSpace = settings?.[column]?.is_wrapped === true ? ("normal" as const) : undefined;
    return { textAlign: align, whiteSpace };
  };
  return (
    <div className="sheet" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((cell, column) => (
              <th
                key={column}
                scope="col"
                style={look(column, body[0]?.[column])}
                aria-sort={ariaSort?.(column)}
              >
                {heading ? heading(cell, column) : <Cell of={cell} />}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {body.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} style={look(column, cell)}>
                  <Cell of={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Table({ of }: { of: Json }) {
  const rows: Json[][] = of.rows ?? [];
  const caption = `Table of ${Math.max(rows.length - 1, 0)} rows`;
  return (
    <figure className="table">
      <Grid rows={rows} settings={of.column_settings} caption={caption} />
      {rows.length > 9 && <figcaption>{rows.length - 1} rows · scroll to see all</figcaption>}
    </figure>
  );
}

const compare = (a: Json, b: Json): number =>
  a?.type === "raw_number" && b?.type === "raw_number"
    ? Number(a.value) - Number(b.value)
    : wordsIn(a).localeCompare(wordsIn(b), undefined, { numeric: true });

export function DataTable({ of }: { of: Json }) {
  const [sort, setSort] = useState<{ column: number; down: boolean }>();
  const [page, setPage] = useState(0);
  const [head = [], ...body] = (of.rows ?? []) as Json[][];
  const size = Math.max(1, Number(of.page_size ?? 5));
  const pages = Math.max(1, Math.ceil(body.length / size));
  const at = Math.min(page, pages - 1);
  if (sort) {
    body.sort((a, b) => compare(a[sort.column], b[sort.column]) * (sort.down ? -1 : 1));
  }
  const heading = (cell: Json, column: number) => (
    <button
      type="button"
      onClick={() => setSort({ column, down: sort?.column === column && !sort.down })}
    >
      {wordsIn(cell)}{" "}
      <span aria-hidden="true">{sort?.column === column ? (sort.down ? "↓" : "↑") : ""}</span>
    </button>
  );
  const ariaSort = (column: number) =>
    sort?.column === column ? (sort.down ? "descending" : "ascending") : undefined;
  const shown = body.slice(at * size, (at + 1) * size);
  return (
    <figure className="table">
      <figcaption>
        <b>{of.caption}</b>
      </figcaption>
      <Grid rows={[head, ...shown]} caption={of.caption} heading={heading} ariaSort={ariaSort} />
      {pages > 1 && (
        <figcaption className="pager">
          <button type="button" disabled={at === 0} onClick={() => setPage(at - 1)}>
            Previous
          </button>
          Page {at + 1} of {pages} · {body.length} rows
          <button type="button" disabled={at === pages - 1} onClick={() => setPage(at + 1)}>
            Next
          </button>
        </figcaption>
      )}
    </figure>
  );
}
