// table and data_table: the library draws the cells. Both put their headings into the first row.
import { useLayoutEffect, useRef, useState } from "react";
import { Drawn, words } from "./Library";
import type { Json } from "./slack";
import { wordsOf } from "./text";

interface Sort {
  column: number;
  down: boolean;
}

// The library parses the text of plain cells as Markdown: they go as rich_text.
const asRich = (cell: Json): Json => (cell?.type === "rich_text" ? cell : words(wordsOf(cell)));

function Grid(props: { rows: Json[][]; settings?: Json[]; caption: string; sort?: Sort }) {
  const { rows, settings, caption, sort } = props;
  const frame = useRef<HTMLDivElement>(null);
  // The library's headings are cells like others; they have to say what they are.
  useLayoutEffect(() => {
    frame.current?.querySelectorAll("tr:first-child > td").forEach((cell, column) => {
      cell.role = "columnheader";
      cell.ariaSort = sort?.column !== column ? null : sort.down ? "descending" : "ascending";
    });
  });
  const column_settings = rows[0]?.map((_, column) => {
    const isNumber = rows[1]?.[column]?.type === "raw_number";
    return { ...(isNumber && { align: "right" }), ...settings?.[column] };
  });
  const cells = rows.map((row) => row.map(asRich));
  return (
    <div ref={frame} className="sheet" role="region" aria-label={caption} tabIndex={0}>
      <Drawn block={{ type: "table", rows: cells, column_settings }} />
    </div>
  );
}

export function Table({ of }: { of: Json }) {
  const count = Math.max(of.rows.length - 1, 0);
  return (
    <figure className="table">
      <Grid rows={of.rows} settings={of.column_settings} caption={`Table of ${count} rows`} />
      {count > 8 && <figcaption>{count} rows · scroll to see all</figcaption>}
    </figure>
  );
}

const compare = (a: Json, b: Json): number =>
  a?.type === "raw_number" && b?.type === "raw_number"
    ? Number(a.value) - Number(b.value)
    : wordsOf(a).localeCompare(wordsOf(b), undefined, { numeric: true });

// Unknown to the library: it draws one page of the rows, we sort them and turn the pages.
export function DataTable({ of }: { of: Json }) {
  const [sort, setSort] = useState<Sort>();
  const [page, setPage] = useState(0);
  const [head = [], ...body] = of.rows as Json[][];
  const size = Math.max(1, Number(of.page_size ?? 5));
  const pages = Math.max(1, Math.ceil(body.length / size));
  const at = Math.min(page, pages - 1);
  if (sort)
    body.sort((a, b) => compare(a[sort.column], b[sort.column]) * (sort.down ? -1 : 1));
  const headings = head.map((cell, column) =>
    words(
      <button
        type="button"
        onClick={() => setSort({ column, down: sort?.column === column && !sort.down })}
      >
        {wordsOf(cell)}{" "}
        <span aria-hidden="true">{sort?.column === column ? (sort.down ? "↓" : "↑") : ""}</span>
      </button>,
    ),
  );
  const shown = body.slice(at * size, (at + 1) * size);
  return (
    <figure className="table">
      <figcaption>
        <b>{of.caption}</b>
      </figcaption>
      <Grid rows={[headings, ...shown]} caption={of.caption} sort={sort} />
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
